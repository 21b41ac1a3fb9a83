//! Reading the members of an input that is known to have its model's shape, and taking a list apart into pages.

use serde_json::{Map, Value, json};
use wire::ServiceError;

/// A string member, or nothing.
pub fn text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    input.get(member)?.as_str()
}

/// A required string member: its presence was checked with the other constraints.
pub fn required<'a>(input: &'a Value, member: &str) -> &'a str {
    text(input, member).unwrap_or_default()
}

pub fn integer(input: &Value, member: &str) -> Option<i64> {
    input.get(member)?.as_i64()
}

/// The strings of a list member; an absent list is an empty one.
pub fn texts(input: &Value, member: &str) -> Vec<String> {
    let list = input.get(member).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// `[{"Key": …, "Value": …}]`, as most services write tags.
pub fn tag_list(tags: &std::collections::BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

pub fn tags_of(input: &Value, member: &str) -> std::collections::BTreeMap<String, String> {
    let list = input.get(member).and_then(Value::as_array);
    let pairs = list.into_iter().flatten();
    pairs.map(|tag| (required(tag, "Key").to_owned(), required(tag, "Value").to_owned())).collect()
}

/// An object of the members that have a value.
pub fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

/// One page of a sorted list, and the name the next page begins with.
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// Cuts a page out of entries sorted by name: from the marker on, so many at most.
pub fn page<T>(
    entries: Vec<(String, T)>,
    marker: Option<&str>,
    limit: usize,
    invalid: impl Fn() -> ServiceError,
) -> Result<Page<T>, ServiceError> {
    let from = match marker {
        None => String::new(),
        Some(token) => {
            let bytes = wire::base64::decode(token).map_err(|_| invalid())?;
            String::from_utf8(bytes).map_err(|_| invalid())?
        }
    };
    let mut rest = entries.into_iter().skip_while(|(name, _)| *name < from);
    let items = rest.by_ref().take(limit).map(|(_, item)| item).collect();
    let next = rest.next().map(|(name, _)| wire::base64::encode(name.as_bytes()));
    Ok(Page { items, next })
}
