//! AWS's members of one thing, kept as they are told; and the pages in which many things are told.

use super::fault::bad;
use serde_json::{Map, Value};
use servicekit::fields::{self, object, text};
use wire::ServiceError;

pub(super) type Members = Map<String, Value>;

/// Takes these members of an input over; those that are absent stay as they are.
pub(super) fn take_over(told: &mut Members, input: &Value, members: &[&str]) {
    for member in members {
        if let Some(value) = input.get(*member) {
            told.insert((*member).to_owned(), value.clone());
        }
    }
}

/// The names under which a page's parts are asked for and told.
pub(super) struct Names {
    pub limit: &'static str,
    pub token: &'static str,
    pub items: &'static str,
}

/// One page of things by id.
pub(super) fn page(
    input: &Value,
    all: impl IntoIterator<Item = (String, Members)>,
    names: &Names,
) -> Result<Value, ServiceError> {
    let wrong = || bad(format!("Invalid {} or {}.", names.token, names.limit));
    let limit = match input.get(names.limit) {
        // One of the two services sends a number, the other one text.
        Some(Value::String(text)) => text.parse::<usize>().ok().filter(|most| *most > 0).ok_or_else(wrong)?,
        Some(number) => number.as_u64().filter(|most| *most > 0).ok_or_else(wrong)? as usize,
        None => 100,
    };
    let entries = all.into_iter().map(|(id, told)| (id, Value::Object(told))).collect();
    let page = fields::page(entries, text(input, names.token), limit.min(500), wrong)?;
    Ok(object([(names.items, Some(page.items.into())), (names.token, page.next.map(Value::from))]))
}
