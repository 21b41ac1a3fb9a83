//! Which messages a subscription wants: its filter policy, run against a message's attributes or its body.

use super::invalid;
use crate::sqs::Attribute;
use model::CorruptImage;
use model::pattern::{Definition, Node, Pattern, Seen};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use wire::ServiceError;

const KEYS_MAX: usize = 5;

/// Compiles a policy. `body`: of a message's body, which has a depth that attributes have not.
pub(super) fn compile(policy: &str, body: bool) -> Result<Pattern, ServiceError> {
    let refuse = |words: &str| invalid(format!("FilterPolicy: {words}"));
    let document: Value = serde_json::from_str(policy).map_err(|_| refuse("failed to parse JSON."))?;
    let members = document.as_object().ok_or_else(|| refuse("Filter policy must be an object"))?;
    if members.len() > KEYS_MAX {
        return Err(refuse("Filter policy can not have more than 5 keys"));
    }
    if !body && members.values().any(Value::is_object) {
        return Err(refuse("Filter policy scope MessageAttributes does not support nested filter policy"));
    }
    let words = "every key needs a list of values, or of rules that this server knows";
    Pattern::compile(&definition(&document)).map_err(|_| refuse(words))
}

/// Whether a message passes; of a policy that was checked when it was set.
pub(super) fn passes(policy: &str, body: bool, seen: &Value) -> bool {
    compile(policy, body).is_ok_and(|pattern| pattern.matches(Json(seen)).unwrap_or(false))
}

/// A message's attributes as policies see them.
pub(super) fn attributes(attributes: &BTreeMap<String, Attribute>) -> Value {
    let seen = attributes.iter().filter_map(|(name, attribute)| {
        let text = attribute.text.as_deref()?;
        let value = match attribute.data_type.as_str() {
            "String.Array" => serde_json::from_str(text).ok()?,
            kind if kind.starts_with("Number") => text.parse::<f64>().ok()?.into(),
            _ => text.into(),
        };
        Some((name.clone(), value))
    });
    Value::Object(seen.collect::<Map<_, _>>())
}

fn definition(document: &Value) -> Definition {
    match document {
        Value::Null => Definition::Null,
        Value::Bool(truth) => Definition::Bool(*truth),
        Value::Number(number) => Definition::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Definition::Text(text.clone()),
        Value::Array(list) => Definition::List(list.iter().map(definition).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), definition(value)));
            Definition::Object(members.collect())
        }
    }
}

#[derive(Clone, Copy)]
struct Json<'a>(&'a Value);

impl<'a> Node<'a> for Json<'a> {
    fn seen(self) -> Result<Seen<'a>, CorruptImage> {
        Ok(match self.0 {
            Value::Null => Seen::Null,
            Value::Bool(truth) => Seen::Bool(*truth),
            Value::Number(number) => Seen::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Seen::Text(text.as_str().into()),
            Value::Array(_) => Seen::List,
            Value::Object(_) => Seen::Object,
        })
    }

    fn member(self, name: &str) -> Result<Option<Json<'a>>, CorruptImage> {
        Ok(self.0.as_object().and_then(|members| members.get(name)).map(Json))
    }

    fn any(self, test: &mut dyn FnMut(Json<'a>) -> Result<bool, CorruptImage>) -> Result<bool, CorruptImage> {
        for element in self.0.as_array().into_iter().flatten() {
            if test(Json(element))? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
