//! What a bound update makes of an item.

use super::place::{check_parent, remove, step, write};
use super::{Action, Change, Function, Operand, Update, Updated};
use crate::expression::bind::Bound;
use crate::expression::error::ExpressionError;
use crate::expression::parse::{Arithmetic, NodeId};
use crate::expression::path::{Place, Resolved};
use crate::{Item, NumberError, Value};

impl Bound<Update> {
    /// The item after the update. Every right-hand side reads the old item, which need not exist.
    pub fn apply(&self, old: Option<&Item>, key: &Item) -> Result<Updated, ExpressionError> {
        self.apply_to(old.cloned(), key)
    }

    /// Like [`Bound::apply`], for a caller that needs the old item no longer.
    pub fn apply_to(&self, old: Option<Item>, key: &Item) -> Result<Updated, ExpressionError> {
        let existed = old.is_some();
        // Of an item that is made by the update, the key is there to be read. [suite: dynalite]
        let mut item = old.unwrap_or_else(|| key.clone());
        // First everything that reads, then everything that writes: actions see the item as it was.
        let mut writes = Vec::with_capacity(self.ready.len());
        let mut removals = Vec::new();
        for at in &self.ready {
            let action = &self.program.actions[*at as usize];
            let target = self.scope().path(&self.program.paths[action.path as usize]);
            match self.effect(action, target, &item, existed)? {
                Effect::Write(value) => writes.push((target, value)),
                Effect::Remove => removals.push(target),
                Effect::Nothing => {}
            }
        }
        let exists = existed || !writes.is_empty();
        // In the order of their paths, so that elements beyond a list's end are appended in order.
        for (target, value) in writes {
            write(&mut item, target, value)?;
        }
        // Against the order, so that a removed element does not move those that are yet to be removed.
        for target in removals.into_iter().rev() {
            remove(&mut item, target);
        }
        Ok(Updated { item, exists })
    }

    /// What an action does to the item as it was.
    fn effect(
        &self,
        action: &Action,
        target: Resolved<'_>,
        item: &Item,
        existed: bool,
    ) -> Result<Effect, ExpressionError> {
        let (Change::Remove | Change::Add(_) | Change::Delete(_)) = action.change else {
            let Change::Set(operand) = action.change else { return Ok(Effect::Nothing) };
            return self.operand(operand, item).map(|value| Effect::Write(value.into_owned()));
        };
        let found = target.find(item.view())?;
        if found.is_none() && (existed || action.change != Change::Remove) {
            check_parent(item, target)?;
        }
        let slot = match action.change {
            Change::Add(slot) | Change::Delete(slot) => slot,
            Change::Set(_) | Change::Remove => {
                return Ok(if found.is_some() { Effect::Remove } else { Effect::Nothing });
            }
        };
        let operand = self.scope().value(slot).unwrap_or(&Value::Null);
        let adds = matches!(action.change, Change::Add(_));
        match found {
            None if adds => Ok(Effect::Write(operand.clone())),
            None => Ok(Effect::Nothing),
            Some(found) if adds => add(found.to_value()?, operand).map(Effect::Write),
            Some(found) => subtract(found.to_value()?, operand),
        }
    }

    /// The value of an operand of SET. Calls are nested less deeply than an expression is long.
    fn operand<'a>(&'a self, operand: NodeId, item: &'a Item) -> Result<Owned<'a>, ExpressionError> {
        match &self.program.operands[operand as usize] {
            Operand::Value(slot) => Ok(Owned::Borrowed(self.scope().value(*slot).unwrap_or(&Value::Null))),
            Operand::Path(path) => self.lookup(*path, item).ok_or_else(|| {
                ExpressionError::invalid(
                    "The provided expression refers to an attribute that does not exist in the item",
                )
            }),
            Operand::Arithmetic { operator, operands: [left, right] } => {
                let (left, right) = (self.operand(*left, item)?, self.operand(*right, item)?);
                let (Value::N(left), Value::N(right)) = (left.get(), right.get()) else {
                    return Err(wrong_type());
                };
                let result = match operator {
                    Arithmetic::Plus => left.checked_add(*right),
                    Arithmetic::Minus => left.checked_sub(*right),
                };
                result.map(|number| Owned::Owned(Value::N(number))).map_err(arithmetic)
            }
            Operand::Call { function: Function::IfNotExists, operands } => {
                match &self.program.operands[operands[0] as usize] {
                    Operand::Path(path) => match self.lookup(*path, item) {
                        Some(found) => Ok(found),
                        None => self.operand(operands[1], item),
                    },
                    _ => self.operand(operands[1], item),
                }
            }
            Operand::Call { function: Function::ListAppend, operands } => {
                let front = self.operand(operands[0], item)?;
                let back = self.operand(operands[1], item)?;
                let (Value::L(front), Value::L(back)) = (front.into_owned(), back.get()) else {
                    return Err(wrong_type());
                };
                let mut list = front;
                list.extend_from_slice(back);
                Ok(Owned::Owned(Value::L(list)))
            }
        }
    }

    fn lookup<'a>(&'a self, path: u32, item: &'a Item) -> Option<Owned<'a>> {
        let mut places = self.scope().path(&self.program.paths[path as usize]).places();
        let Some(Place::Name(root)) = places.next() else { return None };
        places.try_fold(item.get(root)?, step).map(Owned::Borrowed)
    }
}

enum Effect {
    Write(Value),
    Remove,
    Nothing,
}

/// A value that is copied only when it has to be.
enum Owned<'a> {
    Borrowed(&'a Value),
    Owned(Value),
}

impl Owned<'_> {
    fn get(&self) -> &Value {
        match self {
            Owned::Borrowed(value) => value,
            Owned::Owned(value) => value,
        }
    }

    fn into_owned(self) -> Value {
        match self {
            Owned::Borrowed(value) => value.clone(),
            Owned::Owned(value) => value,
        }
    }
}

fn add(found: Value, operand: &Value) -> Result<Value, ExpressionError> {
    match (found, operand) {
        (Value::N(number), Value::N(addend)) => number.checked_add(*addend).map(Value::N).map_err(arithmetic),
        (Value::Ss(set), Value::Ss(more)) => Ok(Value::Ss(union(set, more))),
        (Value::Ns(set), Value::Ns(more)) => Ok(Value::Ns(union(set, more))),
        (Value::Bs(set), Value::Bs(more)) => Ok(Value::Bs(union(set, more))),
        _ => Err(wrong_type()),
    }
}

/// An attribute goes with the last element of its set.
fn subtract(found: Value, operand: &Value) -> Result<Effect, ExpressionError> {
    let left = match (found, operand) {
        (Value::Ss(set), Value::Ss(less)) => Value::Ss(difference(set, less)),
        (Value::Ns(set), Value::Ns(less)) => Value::Ns(difference(set, less)),
        (Value::Bs(set), Value::Bs(less)) => Value::Bs(difference(set, less)),
        _ => return Err(wrong_type()),
    };
    Ok(match &left {
        Value::Ss(set) if set.is_empty() => Effect::Remove,
        Value::Ns(set) if set.is_empty() => Effect::Remove,
        Value::Bs(set) if set.is_empty() => Effect::Remove,
        _ => Effect::Write(left),
    })
}

fn union<T: Ord + Clone>(mut set: Vec<T>, more: &[T]) -> Vec<T> {
    set.extend_from_slice(more);
    set.sort();
    set.dedup();
    set
}

fn difference<T: Ord>(mut set: Vec<T>, less: &[T]) -> Vec<T> {
    set.retain(|element| less.binary_search(element).is_err());
    set
}

fn wrong_type() -> ExpressionError {
    ExpressionError::invalid("An operand in the update expression has an incorrect data type")
}

fn arithmetic(error: NumberError) -> ExpressionError {
    ExpressionError::invalid(error.to_string())
}
