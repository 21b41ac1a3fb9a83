//! Which messages a subscription wants: its filter policy, run against a message's attributes or its body.

use super::invalid;
use crate::sqs::Attribute;
use model::pattern::Pattern;
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
        return Err(invalid("Filter policy scope MessageAttributes does not support nested filter policy"));
    }
    if let Some((name, _)) = members.iter().find(|(_, rules)| !rules.is_array() && !rules.is_object()) {
        return Err(refuse(&format!("\"{name}\" must be an object or an array")));
    }
    let words = "every key needs a list of values, or of rules that this server knows";
    feed::pattern(&document).map_err(|_| refuse(words))
}

/// Whether a message passes; of a policy that was checked when it was set.
pub(super) fn passes(policy: &str, body: bool, seen: &Value) -> bool {
    compile(policy, body).is_ok_and(|pattern| pattern.matches(feed::Document(seen)).unwrap_or(false))
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
