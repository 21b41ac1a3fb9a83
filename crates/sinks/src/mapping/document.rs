//! Items as JSON: DynamoDB's own, from which everything comes back, and the kind that people write.

use model::{Item, Value};
use serde_json::{Map, Number as JsonNumber, Value as Json};

/// DynamoDB JSON of an item.
pub fn typed(item: &Item) -> String {
    let mut out = Vec::new();
    // An item's own view is never damaged.
    let _ = api::dynamodb::item(item.view(), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// DynamoDB JSON of a value.
pub fn typed_value(value: &Value) -> String {
    let mut out = Vec::new();
    let _ = api::dynamodb::value(value.view(), &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// JSON without types: sets become arrays, binaries base64, numbers that JSON's readers would round become strings.
pub fn plain(item: &Item) -> Json {
    let members: Map<String, Json> = item.iter().map(|(name, v)| (name.to_owned(), plain_value(v))).collect();
    Json::Object(members)
}

pub fn plain_value(value: &Value) -> Json {
    match value {
        Value::S(text) => Json::String(text.clone()),
        Value::N(number) => number_of(&number.to_string()),
        Value::B(bytes) => Json::String(wire::base64::encode(bytes)),
        Value::Bool(yes) => Json::Bool(*yes),
        Value::Null => Json::Null,
        Value::L(list) => Json::Array(list.iter().map(plain_value).collect()),
        Value::M(map) => plain(map),
        Value::Ss(set) => Json::Array(set.iter().map(|text| Json::String(text.clone())).collect()),
        Value::Ns(set) => Json::Array(set.iter().map(|number| number_of(&number.to_string())).collect()),
        Value::Bs(set) => {
            Json::Array(set.iter().map(|bytes| Json::String(wire::base64::encode(bytes))).collect())
        }
    }
}

/// A number where a double holds all its digits, and a string elsewhere.
fn number_of(text: &str) -> Json {
    const EXACT: i64 = 1 << 53;
    if let Ok(whole) = text.parse::<i64>() {
        let exact = (-EXACT..=EXACT).contains(&whole);
        return if exact { Json::from(whole) } else { Json::String(text.to_owned()) };
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    match text.parse::<f64>().ok().filter(|_| digits <= 15).and_then(JsonNumber::from_f64) {
        Some(number) => Json::Number(number),
        None => Json::String(text.to_owned()),
    }
}
