//! Key conditions: which keys a query reads.

use super::bind::{Bound, Placeholders, Scope, sealed::Compiled};
use super::condition::{self, Condition, Function, Operand, Shape, Test};
use super::error::{ExpressionError, Parameter};
use super::parse::Comparator;
use crate::Value;

/// Which keys a query reads: a condition of a narrower kind.
#[derive(Debug)]
pub struct KeyCondition {
    condition: Condition,
    shape: Box<[Shape]>,
}

/// The keys a query reads: all of one hash key, or a range of them. `hash` has a value for each hash attribute,
/// `range_equal` one for each of the leading range attributes that are pinned before the last one that is spoken of.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyQuery {
    pub hash: Vec<Value>,
    pub range_equal: Vec<Value>,
    pub range: Option<RangeCondition>,
}

/// The names of the attributes that make up a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyNames<'a> {
    pub hash: &'a [&'a str],
    pub range: &'a [&'a str],
}

/// A key has up to four hash attributes and four range attributes.
const CONDITIONS_MAX: usize = 8;

#[derive(Clone, Debug, PartialEq)]
pub enum RangeCondition {
    Equal(Value),
    Less(Value),
    LessOrEqual(Value),
    Greater(Value),
    GreaterOrEqual(Value),
    Between(Value, Value),
    BeginsWith(Value),
}

/// A condition on one attribute, as written.
struct OnKey<'a> {
    name: &'a str,
    range: Range<'a>,
}

#[derive(Clone, Copy)]
enum Range<'a> {
    Compare(Comparator, &'a Value),
    Between(&'a Value, &'a Value),
    BeginsWith(&'a Value),
}

impl Range<'_> {
    fn owned(self) -> RangeCondition {
        match self {
            Range::Compare(Comparator::Less, value) => RangeCondition::Less(value.clone()),
            Range::Compare(Comparator::LessOrEqual, value) => RangeCondition::LessOrEqual(value.clone()),
            Range::Compare(Comparator::Greater, value) => RangeCondition::Greater(value.clone()),
            Range::Compare(Comparator::GreaterOrEqual, value) => {
                RangeCondition::GreaterOrEqual(value.clone())
            }
            Range::Compare(Comparator::Equal | Comparator::NotEqual, value) => {
                RangeCondition::Equal(value.clone())
            }
            Range::Between(low, high) => RangeCondition::Between(low.clone(), high.clone()),
            Range::BeginsWith(prefix) => RangeCondition::BeginsWith(prefix.clone()),
        }
    }
}

impl KeyCondition {
    pub fn compile(text: &str) -> Result<KeyCondition, ExpressionError> {
        let (condition, shape) = condition::compile(Parameter::KeyCondition, text)?;
        Ok(KeyCondition { condition, shape: shape.into() })
    }
}

impl Compiled for KeyCondition {
    type Ready = ();

    fn placeholders(&self) -> &Placeholders {
        &self.condition.placeholders
    }

    fn check(&self, scope: Scope<'_>) -> Result<(), ExpressionError> {
        self.condition.check(scope)
    }
}

impl Bound<KeyCondition> {
    /// Checks what needs no table: that these are conditions of the kinds that keys can have, and not too many.
    pub fn check(&self) -> Result<(), ExpressionError> {
        self.conditions().map(drop)
    }

    /// The keys to read, given the names of the table's or index's key attributes. Whether the values are of the
    /// attributes' types is the caller's to check.
    pub fn resolve(&self, names: KeyNames<'_>) -> Result<KeyQuery, ExpressionError> {
        let conditions = self.conditions()?;
        let simple = names.hash.len() == 1 && names.range.len() <= 1;
        if simple && conditions.len() > 2 {
            return Err(too_many());
        }
        let on = |name: &str| conditions.iter().find(|condition| condition.name == name);
        if names.range.is_empty() && conditions.len() > names.hash.len() {
            return Err(unsupported());
        }
        let mut hash = Vec::with_capacity(names.hash.len());
        for name in names.hash {
            match on(name).map(|condition| condition.range) {
                Some(Range::Compare(Comparator::Equal, value)) => hash.push(value.clone()),
                _ if names.hash.len() > 1 => return Err(unpinned_hash(name)),
                Some(_) => return Err(unsupported()),
                None => return Err(missed(name)),
            }
        }
        // Range attributes are spoken of from the left, and only the last of these may be more than pinned.
        let mut left = conditions.len() - hash.len();
        let mut query = KeyQuery { hash, range_equal: Vec::new(), range: None };
        for (at, name) in names.range.iter().enumerate() {
            if left == 0 {
                break;
            }
            let later = names.range[at + 1..].iter().find(|later| on(later).is_some());
            match (on(name).map(|condition| condition.range), later) {
                (Some(Range::Compare(Comparator::Equal, value)), _) if left > 1 => {
                    query.range_equal.push(value.clone());
                }
                (_, Some(later)) => return Err(unpinned_range(name, later)),
                (Some(range), None) if left == 1 => query.range = Some(range.owned()),
                (Some(_), None) => return Err(unsupported()),
                (None, None) => return Err(missed(name)),
            }
            left -= 1;
        }
        if left > 0 { Err(unsupported()) } else { Ok(query) }
    }

    fn conditions(&self) -> Result<Vec<OnKey<'_>>, ExpressionError> {
        let unfit = |operator: &str| {
            ExpressionError::invalid(format!("Invalid operator used in KeyConditionExpression: {operator}"))
        };
        let mut conditions: Vec<OnKey<'_>> = Vec::new();
        for shape in &self.program.shape {
            let term = match shape {
                Shape::And => continue,
                Shape::Or => return Err(unfit("OR")),
                Shape::Not => return Err(unfit("NOT")),
                Shape::Term(term) => *term,
            };
            let test = &self.program.condition.terms[term as usize].test;
            let condition = match test {
                Test::In { .. } => return Err(unfit("IN")),
                Test::Compare { operator: Comparator::NotEqual, .. } => return Err(unfit("<>")),
                Test::Function { function, operands } => match (function, &**operands) {
                    (Function::BeginsWith, [first, prefix]) => {
                        key_first("begins_with", first)?;
                        let (name, [prefix]) = self.parts([first], [prefix])?;
                        OnKey { name, range: Range::BeginsWith(prefix) }
                    }
                    (other, _) => return Err(unfit(other.as_str())),
                },
                Test::Between { operands: [first, low, high] } => {
                    key_first("BETWEEN", first)?;
                    let (name, [low, high]) = self.parts([first], [low, high])?;
                    OnKey { name, range: Range::Between(low, high) }
                }
                // `:v < a` says `a > :v`.
                Test::Compare { operator, operands: [left @ Operand::Value(_), right] } => {
                    let (name, [value]) = self.parts([right], [left])?;
                    OnKey { name, range: Range::Compare(operator.swapped(), value) }
                }
                Test::Compare { operator, operands: [left, right] } => {
                    let (name, [value]) = self.parts([left], [right])?;
                    OnKey { name, range: Range::Compare(*operator, value) }
                }
            };
            if conditions.iter().any(|earlier| earlier.name == condition.name) {
                return Err(ExpressionError::invalid(
                    "KeyConditionExpressions must only contain one condition per key",
                ));
            }
            conditions.push(condition);
        }
        match conditions.len() {
            1..=CONDITIONS_MAX => Ok(conditions),
            _ => Err(too_many()),
        }
    }

    /// The name of the attribute that is compared, and the values it is compared with.
    fn parts<const N: usize>(
        &self,
        [key]: [&Operand; 1],
        values: [&Operand; N],
    ) -> Result<(&str, [&Value; N]), ExpressionError> {
        let mut name = None;
        let mut found = [const { &Value::Null }; N];
        let operands = [key].into_iter().chain(values);
        for (at, operand) in operands.enumerate() {
            match operand {
                Operand::Path(path) => {
                    let path = self.scope().path(&self.program.condition.paths[*path as usize]);
                    if name.is_some() {
                        return Err(ExpressionError::invalid(
                            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
                        ));
                    }
                    if path.is_nested() {
                        return Err(ExpressionError::invalid(
                            "KeyConditionExpressions cannot have conditions on nested attributes",
                        ));
                    }
                    name = Some(path.root());
                }
                Operand::Value(slot) => {
                    if let (Some(place), Some(value)) =
                        (at.checked_sub(1).and_then(|at| found.get_mut(at)), self.scope().value(*slot))
                    {
                        *place = value;
                    }
                }
                Operand::SizeOfPath(_) | Operand::SizeOfValue(_) => {
                    return Err(ExpressionError::invalid(
                        "KeyConditionExpressions cannot contain nested operations",
                    ));
                }
            }
        }
        match name {
            Some(name) => Ok((name, found)),
            None => Err(ExpressionError::invalid(
                "Invalid condition in KeyConditionExpression: No key attribute specified",
            )),
        }
    }
}

fn key_first(operator: &str, first: &Operand) -> Result<(), ExpressionError> {
    match first {
        Operand::Path(_) => Ok(()),
        _ => Err(ExpressionError::invalid(format!(
            "Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute as its first operand"
        ))),
    }
}

fn too_many() -> ExpressionError {
    ExpressionError::invalid("Conditions can be of length 1 or 2 only")
}

fn unsupported() -> ExpressionError {
    ExpressionError::invalid("Query key condition not supported")
}

fn missed(name: &str) -> ExpressionError {
    ExpressionError::invalid(format!("Query condition missed key schema element: {name}"))
}

/// Of a key of several attributes. [suite: alternator]
fn unpinned_hash(name: &str) -> ExpressionError {
    ExpressionError::invalid(format!(
        "HASH key attributes {name} must have equality conditions specified in the query"
    ))
}

fn unpinned_range(name: &str, later: &str) -> ExpressionError {
    ExpressionError::invalid(format!(
        "RANGE key attributes {name} must have equality conditions specified in the query because a condition is present on key attribute {later}"
    ))
}
