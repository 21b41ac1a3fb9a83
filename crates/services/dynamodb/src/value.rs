//! Attribute values as clients write them, read from a tree: the way that can say what is wrong.

use super::fault::{Fault, parameter, validation};
use model::{DEPTH_MAX, Item, Number, Value};
use serde_json::{Map, Value as Json};
use wire::base64;

/// The longest name of an attribute that is no key.
const NAME_BYTES_MAX: usize = 65_535;

/// Reads an item or a key.
pub(super) fn item(tree: &Map<String, Json>) -> Result<Item, Fault> {
    attributes(tree, 0)
}

/// Reads one attribute value.
pub(super) fn value(tree: &Json) -> Result<Value, Fault> {
    nested(tree, 0)
}

fn attributes(tree: &Map<String, Json>, depth: usize) -> Result<Item, Fault> {
    let mut item = Item::with_capacity(tree.len());
    for (name, tree) in tree {
        if name.is_empty() && depth == 0 {
            return Err(parameter("Empty attribute name"));
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(parameter("Attribute name is too large, must be less than 65536 bytes"));
        }
        item.insert(name.as_str(), nested(tree, depth)?);
    }
    Ok(item)
}

fn nested(tree: &Json, depth: usize) -> Result<Value, Fault> {
    if depth > DEPTH_MAX {
        return Err(validation(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
        ));
    }
    let members = tree.as_object().into_iter().flatten().filter(|(_, tree)| !tree.is_null());
    let mut read = None;
    let mut count = 0;
    for (descriptor, tree) in members {
        read = Some(typed(descriptor, tree, depth)?);
        count += 1;
    }
    match (read, count) {
        (Some(value), 1) => Ok(value),
        (None, _) => Err(validation(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        )),
        _ => Err(validation(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
        )),
    }
}

fn typed(descriptor: &str, tree: &Json, depth: usize) -> Result<Value, Fault> {
    match descriptor {
        "S" => Ok(Value::S(text(tree).to_owned())),
        "N" => number(text(tree)).map(Value::N),
        "B" => binary(text(tree)).map(Value::B),
        "BOOL" => Ok(Value::Bool(tree.as_bool().unwrap_or_default())),
        "NULL" if tree.as_bool() == Some(true) => Ok(Value::Null),
        "NULL" => Err(parameter("Null attribute value types must have the value of true")),
        "L" => elements(tree).map(|tree| nested(tree, depth + 1)).collect::<Result<_, _>>().map(Value::L),
        "M" => match tree.as_object() {
            Some(tree) => attributes(tree, depth + 1).map(Value::M),
            None => Ok(Value::M(Item::new())),
        },
        "SS" | "NS" | "BS" if elements(tree).any(Json::is_null) => {
            let set = match descriptor {
                "SS" => "An string set",
                "NS" => "An number set",
                _ => "A binary set",
            };
            Err(parameter(format!("{set} may not have a null string as a member")))
        }
        "SS" => string_set(tree),
        "NS" => number_set(tree),
        "BS" => binary_set(tree),
        _ => Err(validation(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        )),
    }
}

fn string_set(tree: &Json) -> Result<Value, Fault> {
    if elements(tree).len() == 0 {
        return Err(parameter("An string set  may not be empty"));
    }
    Value::string_set(elements(tree).map(|tree| text(tree).to_owned()).collect())
        .map_err(|_| parameter(format!("Input collection {} contains duplicates.", listed(tree))))
}

fn number_set(tree: &Json) -> Result<Value, Fault> {
    if elements(tree).len() == 0 {
        return Err(parameter("An number set  may not be empty"));
    }
    let numbers = elements(tree).map(|tree| number(text(tree))).collect::<Result<_, _>>()?;
    Value::number_set(numbers).map_err(|_| validation("Input collection contains duplicates"))
}

fn binary_set(tree: &Json) -> Result<Value, Fault> {
    if elements(tree).len() == 0 {
        return Err(parameter("Binary sets should not be empty"));
    }
    let binaries = elements(tree).map(|tree| binary(text(tree))).collect::<Result<_, _>>()?;
    Value::binary_set(binaries)
        .map_err(|_| parameter(format!("Input collection {}of type BS contains duplicates.", listed(tree))))
}

fn number(text: &str) -> Result<Number, Fault> {
    Number::parse(text).map_err(|error| validation(error.message(text)))
}

fn binary(text: &str) -> Result<Vec<u8>, Fault> {
    base64::decode(text).map_err(|fault| Fault::coral("SerializationException", fault.to_string()))
}

fn text(tree: &Json) -> &str {
    tree.as_str().unwrap_or_default()
}

fn elements(tree: &Json) -> impl ExactSizeIterator<Item = &Json> {
    tree.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

fn listed(tree: &Json) -> String {
    format!("[{}]", elements(tree).map(text).collect::<Vec<_>>().join(", "))
}
