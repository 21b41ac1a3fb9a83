//! What a bound condition says of an item.

use super::{Code, Condition, Function, Operand, Test};
use crate::expression::bind::{Bound, Scope, roots};
use crate::expression::error::ExpressionError;
use crate::expression::parse::Comparator;
use crate::{CorruptImage, Number, ValueView, View};
use std::cmp::Ordering;

impl Bound<Condition> {
    /// Whether the item satisfies the condition; `None` is an item that does not exist.
    pub fn evaluate(&self, item: Option<View<'_>>) -> Result<bool, ExpressionError> {
        let condition = &*self.program;
        let facts = Facts { condition, scope: self.scope(), item: item.unwrap_or_default() };
        let (mut at, mut truth) = (0, true);
        while let Some(code) = condition.code.get(at) {
            at += 1;
            match *code {
                Code::Test(term) => truth = facts.test(&condition.terms[term as usize].test)?,
                Code::Not => truth = !truth,
                Code::JumpIfFalse(to) if !truth => at = to as usize,
                Code::JumpIfTrue(to) if truth => at = to as usize,
                Code::JumpIfFalse(_) | Code::JumpIfTrue(_) => {}
            }
        }
        Ok(truth)
    }

    /// The attributes that the condition looks at, and whether it looks inside them.
    pub fn roots(&self) -> impl Iterator<Item = (&str, bool)> {
        roots(self.program.paths.iter().map(|path| self.scope().path(path)))
    }
}

/// A bound condition and the item it is asked about.
struct Facts<'c, 'i> {
    condition: &'c Condition,
    scope: Scope<'c>,
    item: View<'i>,
}

impl<'c: 'i, 'i> Facts<'c, 'i> {
    fn test(&self, test: &Test) -> Result<bool, CorruptImage> {
        match test {
            Test::Compare { operator, operands: [left, right] } => {
                let (Some(left), Some(right)) = (self.operand(left)?, self.operand(right)?) else {
                    // What is not there differs from everything, and has no order.
                    return Ok(*operator == Comparator::NotEqual);
                };
                compare(*operator, &left, &right)
            }
            Test::Between { operands: [operand, low, high] } => {
                let (Some(value), Some(low), Some(high)) =
                    (self.operand(operand)?, self.operand(low)?, self.operand(high)?)
                else {
                    return Ok(false);
                };
                Ok(compare(Comparator::GreaterOrEqual, &value, &low)?
                    && compare(Comparator::LessOrEqual, &value, &high)?)
            }
            Test::In { operand, candidates } => {
                let Some(value) = self.operand(operand)? else {
                    return Ok(false);
                };
                for candidate in candidates {
                    if let Some(candidate) = self.operand(candidate)?
                        && value.same(&candidate)?
                    {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Test::Function { function, operands } => self.call(*function, operands),
        }
    }

    fn call(&self, function: Function, operands: &[Operand]) -> Result<bool, CorruptImage> {
        let first = self.operand(&operands[0])?;
        match function {
            Function::AttributeExists => return Ok(first.is_some()),
            Function::AttributeNotExists => return Ok(first.is_none()),
            _ => {}
        }
        let (Some(first), Some(second)) = (first, self.operand(&operands[1])?) else {
            return Ok(false);
        };
        match (function, first, second) {
            (Function::AttributeType, value, ValueView::S(descriptor)) => {
                Ok(value.kind().as_str() == descriptor)
            }
            (Function::BeginsWith, ValueView::S(text), ValueView::S(prefix)) => Ok(text.starts_with(prefix)),
            (Function::BeginsWith, ValueView::B(bytes), ValueView::B(prefix)) => {
                Ok(bytes.starts_with(prefix))
            }
            (Function::Contains, whole, part) => contains(whole, part),
            _ => Ok(false),
        }
    }

    fn operand(&self, operand: &Operand) -> Result<Option<ValueView<'i>>, CorruptImage> {
        let path = |path: u32| self.condition.resolved(path, self.scope).find(self.item);
        let value = |slot: u32| self.scope.value(slot).map(ValueView::from);
        Ok(match *operand {
            Operand::Path(at) => path(at)?,
            Operand::Value(slot) => value(slot),
            Operand::SizeOfPath(at) => path(at)?.as_ref().and_then(size),
            Operand::SizeOfValue(slot) => value(slot).as_ref().and_then(size),
        })
    }
}

fn compare(operator: Comparator, left: &ValueView<'_>, right: &ValueView<'_>) -> Result<bool, CorruptImage> {
    let ordered = |fits: fn(Ordering) -> bool| Ok(left.compare(right).is_some_and(fits));
    match operator {
        Comparator::Equal => left.same(right),
        Comparator::NotEqual => left.same(right).map(|same| !same),
        Comparator::Less => ordered(Ordering::is_lt),
        Comparator::LessOrEqual => ordered(Ordering::is_le),
        Comparator::Greater => ordered(Ordering::is_gt),
        Comparator::GreaterOrEqual => ordered(Ordering::is_ge),
    }
}

/// Whether a text has a part, a binary has bytes, or a set or list has an element.
fn contains(whole: ValueView<'_>, part: ValueView<'_>) -> Result<bool, CorruptImage> {
    let among = |elements: &mut dyn Iterator<Item = Result<ValueView<'_>, CorruptImage>>| {
        for element in elements {
            if element?.same(&part)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    match (whole, part) {
        (ValueView::S(text), ValueView::S(part)) => Ok(text.contains(part)),
        (ValueView::B(bytes), ValueView::B(part)) => {
            Ok(part.is_empty() || bytes.windows(part.len()).any(|window| window == part))
        }
        (ValueView::L(list), _) => among(&mut list.iter()),
        (ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set), _) => among(&mut set.iter()),
        _ => Ok(false),
    }
}

/// The size of what has one: the length of a text, the bytes of a binary, the elements of the rest.
fn size<'a>(value: &ValueView<'_>) -> Option<ValueView<'a>> {
    let size = match value {
        // In the units of the service's own strings.
        ValueView::S(text) => text.encode_utf16().count(),
        ValueView::B(bytes) => bytes.len(),
        ValueView::L(list) => list.len(),
        ValueView::M(map) => map.len(),
        ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set) => set.len(),
        ValueView::N(_) | ValueView::Bool(_) | ValueView::Null => return None,
    };
    Some(ValueView::N(Number::from(size as u64)))
}
