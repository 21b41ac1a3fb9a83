//! Places in an item that paths lead to, and writing and removing there.

use crate::expression::error::ExpressionError;
use crate::expression::path::{Place, Resolved};
use crate::{DEPTH_MAX, Item, Value};

/// What a path leads to must have something to be in.
pub(super) fn check_parent(item: &Item, target: Resolved<'_>) -> Result<(), ExpressionError> {
    let mut places = target.places();
    let (Some(Place::Name(root)), true) = (places.next(), places.len() > 0) else {
        return Ok(());
    };
    let depth = places.len() - 1;
    let parent = item.get(root).and_then(|root| places.clone().take(depth).try_fold(root, step));
    match (parent, places.last()) {
        (Some(Value::M(_)), Some(Place::Name(_))) | (Some(Value::L(_)), Some(Place::Index(_))) => Ok(()),
        _ => Err(invalid_path()),
    }
}

pub(super) fn step<'a>(value: &'a Value, place: Place<'_>) -> Option<&'a Value> {
    match (value, place) {
        (Value::M(map), Place::Name(name)) => map.get(name),
        (Value::L(list), Place::Index(index)) => list.get(index as usize),
        _ => None,
    }
}

pub(super) fn write(item: &mut Item, target: Resolved<'_>, value: Value) -> Result<(), ExpressionError> {
    if target.is_nested() && target.places().len() - 1 + value.depth() > DEPTH_MAX {
        return Err(ExpressionError::invalid(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
        ));
    }
    match parent_mut(item, target).ok_or_else(invalid_path)? {
        (Parent::Map(map), Place::Name(name)) => match map.get_mut(name) {
            Some(place) => *place = value,
            None => drop(map.insert(name, value)),
        },
        (Parent::List(list), Place::Index(index)) => match list.get_mut(index as usize) {
            Some(place) => *place = value,
            None => list.push(value),
        },
        _ => return Err(invalid_path()),
    }
    Ok(())
}

pub(super) fn remove(item: &mut Item, target: Resolved<'_>) {
    match parent_mut(item, target) {
        Some((Parent::Map(map), Place::Name(name))) => drop(map.remove(name)),
        Some((Parent::List(list), Place::Index(index))) if (index as usize) < list.len() => {
            list.remove(index as usize);
        }
        _ => {}
    }
}

enum Parent<'a> {
    Map(&'a mut Item),
    List(&'a mut Vec<Value>),
}

/// What the last step of a path is to be taken in, and that step.
fn parent_mut<'a, 'p>(item: &'a mut Item, target: Resolved<'p>) -> Option<(Parent<'a>, Place<'p>)> {
    let mut places = target.places();
    let mut parent = Parent::Map(item);
    let mut place = places.next()?;
    for next in places {
        let value = match (parent, place) {
            (Parent::Map(map), Place::Name(name)) => map.get_mut(name)?,
            (Parent::List(list), Place::Index(index)) => list.get_mut(index as usize)?,
            _ => return None,
        };
        parent = match value {
            Value::M(map) => Parent::Map(map),
            Value::L(list) => Parent::List(list),
            _ => return None,
        };
        place = next;
    }
    Some((parent, place))
}

fn invalid_path() -> ExpressionError {
    ExpressionError::invalid("The document path provided in the update expression is invalid for update")
}
