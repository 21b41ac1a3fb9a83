//! XML bodies, by the model's shapes.

use super::form;
use crate::shape::{Kind, Shape};
use crate::xml::Element;
use serde_json::{Map, Value};

/// What an element holds; none where a text is not of its kind. Elements that the model does not know are passed over.
pub(super) fn value(shape: &Shape, element: &Element) -> Option<Value> {
    Some(match &shape.kind {
        Kind::Structure(structure) => {
            let mut members = Map::new();
            for member in structure.members {
                let mut found = element.children_named(member.wire_name).peekable();
                let Some(first) = found.peek() else { continue };
                let value = match &member.shape.kind {
                    Kind::List(list) if list.flattened => {
                        found.map(|one| value(list.member, one)).collect::<Option<Value>>()?
                    }
                    _ => value(member.shape, first)?,
                };
                members.insert(member.name.to_owned(), value);
            }
            Value::Object(members)
        }
        Kind::List(list) => element
            .children_named(list.member_name)
            .map(|one| value(list.member, one))
            .collect::<Option<Value>>()?,
        // S3's bodies have no maps, nor any JSON.
        Kind::Map(_) | Kind::Document => return None,
        Kind::String(_) => element.text.clone().into(),
        _ => form::scalar(shape, element.text.trim()).ok()?,
    })
}
