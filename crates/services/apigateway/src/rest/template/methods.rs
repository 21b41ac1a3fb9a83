//! What templates can do with values: methods of texts, lists and maps, operators, `$util`.

use super::evaluate::TEXT_BYTES_MAX;
use super::expression::Operator;
use super::parse::Step;
use super::plain;
use serde_json::{Value, json};

/// The methods there are; any other is refused when a template is put.
const METHODS: &[&str] = &[
    "add",
    "addAll",
    "concat",
    "contains",
    "containsKey",
    "endsWith",
    "entrySet",
    "equals",
    "equalsIgnoreCase",
    "get",
    "getKey",
    "getOrDefault",
    "getValue",
    "indexOf",
    "isEmpty",
    "keySet",
    "length",
    "matches",
    "put",
    "putAll",
    "remove",
    "replace",
    "replaceAll",
    "size",
    "split",
    "startsWith",
    "substring",
    "toLowerCase",
    "toString",
    "toUpperCase",
    "trim",
    "values",
];

const OF_INPUT: &[&str] = &["json", "path", "params"];
const OF_UTIL: &[&str] =
    &["base64Decode", "base64Encode", "escapeJavaScript", "parseJson", "urlDecode", "urlEncode"];

/// Refuses what is not built, by name.
pub(super) fn check(name: &str, steps: &[Step]) -> Result<(), String> {
    let refused = |what: &str| Err(format!("the reference ${name}.{what} is not supported"));
    let mut rest = steps;
    if let ("input" | "util", [first, others @ ..]) = (name, steps) {
        rest = others;
        match first {
            Step::Call(method, _) if name == "input" && OF_INPUT.contains(&method.as_str()) => {}
            Step::Call(method, _) if name == "util" && OF_UTIL.contains(&method.as_str()) => {}
            Step::Member(member) if name == "input" && member == "body" => {}
            Step::Call(what, _) => return refused(&format!("{what}()")),
            Step::Member(what) => return refused(what),
            Step::Index(_) => return refused("[]"),
        }
    }
    let unknown = rest.iter().find_map(|step| match step {
        Step::Call(method, _) if !METHODS.contains(&method.as_str()) => Some(method),
        _ => None,
    });
    unknown.map_or(Ok(()), |method| refused(&format!("{method}()")))
}

pub(super) fn truth(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

/// Nothing equals an empty text, and scalars equal what is written alike.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => left == right,
        _ => plain(left) == plain(right),
    }
}

pub(super) fn two(left: &Value, operator: Operator, right: &Value) -> Value {
    use Operator as Op;
    if matches!(operator, Op::Equal | Op::NotEqual) {
        return (same(left, right) == (operator == Op::Equal)).into();
    }
    if let (Some(a), Some(b)) = (left.as_i64(), right.as_i64()) {
        let number = match operator {
            Op::Add => a.checked_add(b),
            Op::Subtract => a.checked_sub(b),
            Op::Multiply => a.checked_mul(b),
            Op::Divide => a.checked_div(b),
            Op::Remainder => a.checked_rem(b),
            _ => return ordered(a.cmp(&b), operator),
        };
        return number.map_or(Value::Null, Value::from);
    }
    if let (Some(a), Some(b)) = (left.as_f64(), right.as_f64()) {
        return match operator {
            Op::Add => (a + b).into(),
            Op::Subtract => (a - b).into(),
            Op::Multiply => (a * b).into(),
            Op::Divide => (a / b).into(),
            Op::Remainder => (a % b).into(),
            _ => a.partial_cmp(&b).map_or(Value::Null, |order| ordered(order, operator)),
        };
    }
    match (left, right) {
        (Value::String(_), _) | (_, Value::String(_)) if operator == Op::Add => {
            (plain(left) + &plain(right)).into()
        }
        (Value::String(a), Value::String(b)) => ordered(a.cmp(b), operator),
        _ => Value::Null,
    }
}

fn ordered(order: std::cmp::Ordering, operator: Operator) -> Value {
    match operator {
        Operator::Less => order.is_lt().into(),
        Operator::LessOrEqual => order.is_le().into(),
        Operator::Greater => order.is_gt().into(),
        Operator::GreaterOrEqual => order.is_ge().into(),
        _ => Value::Null,
    }
}

/// A method of a value, which may change it.
pub(super) fn call(of: &mut Value, method: &str, arguments: &[Value]) -> Value {
    let argument = |index: usize| arguments.get(index).cloned().unwrap_or(Value::Null);
    match (method, &mut *of) {
        (_, Value::Null) => Value::Null,
        ("toString", value) => plain(value).into(),
        ("equals", value) => same(value, &argument(0)).into(),
        (_, Value::Array(items)) => of_list(items, method, &argument),
        (_, Value::Object(members)) => of_map(members, method, &argument),
        (_, Value::String(text)) => of_text(text, method, &argument),
        _ => Value::Null,
    }
}

fn of_list(items: &mut Vec<Value>, method: &str, argument: &dyn Fn(usize) -> Value) -> Value {
    let index = || argument(0).as_u64().and_then(|index| usize::try_from(index).ok());
    match method {
        "size" => items.len().into(),
        "isEmpty" => items.is_empty().into(),
        "contains" => items.iter().any(|item| same(item, &argument(0))).into(),
        "indexOf" => items.iter().position(|item| same(item, &argument(0))).map_or(json!(-1), Value::from),
        "get" => index().and_then(|index| items.get(index).cloned()).unwrap_or(Value::Null),
        "remove" => {
            index().filter(|index| *index < items.len()).map_or(Value::Null, |index| items.remove(index))
        }
        "add" => {
            items.push(argument(0));
            true.into()
        }
        "addAll" => {
            items.extend(argument(0).as_array().cloned().unwrap_or_default());
            true.into()
        }
        _ => Value::Null,
    }
}

fn of_map(
    members: &mut serde_json::Map<String, Value>,
    method: &str,
    argument: &dyn Fn(usize) -> Value,
) -> Value {
    let key = plain(&argument(0));
    match method {
        "size" => members.len().into(),
        "isEmpty" => members.is_empty().into(),
        "containsKey" => members.contains_key(&key).into(),
        "get" => members.get(&key).cloned().unwrap_or(Value::Null),
        "getOrDefault" => members.get(&key).cloned().unwrap_or_else(|| argument(1)),
        "keySet" => members.keys().map(|key| Value::from(key.as_str())).collect(),
        "values" => members.values().cloned().collect(),
        "entrySet" => members.iter().map(|(key, value)| json!({"key": key, "value": value})).collect(),
        "getKey" => members.get("key").cloned().unwrap_or(Value::Null),
        "getValue" => members.get("value").cloned().unwrap_or(Value::Null),
        "put" => members.insert(key, argument(1)).unwrap_or(Value::Null),
        "putAll" => {
            members.extend(argument(0).as_object().cloned().unwrap_or_default());
            Value::Null
        }
        "remove" => members.shift_remove(&key).unwrap_or(Value::Null),
        _ => Value::Null,
    }
}

fn of_text(text: &str, method: &str, argument: &dyn Fn(usize) -> Value) -> Value {
    let first = plain(&argument(0));
    let regex = || regex_lite::Regex::new(&first).ok();
    match method {
        "length" => text.chars().count().into(),
        "isEmpty" => text.is_empty().into(),
        "concat" => (text.to_owned() + &first).into(),
        "contains" => text.contains(&first).into(),
        "startsWith" => text.starts_with(&first).into(),
        "endsWith" => text.ends_with(&first).into(),
        "equalsIgnoreCase" => text.eq_ignore_ascii_case(&first).into(),
        "indexOf" => text.find(&first).map_or(json!(-1), |at| text[..at].chars().count().into()),
        "matches" => {
            regex_lite::Regex::new(&format!("^(?:{first})$")).is_ok_and(|regex| regex.is_match(text)).into()
        }
        "replace" => {
            replaced(text, text.matches(&first).count(), &argument(1), |with| text.replace(&first, with))
        }
        "replaceAll" => regex().map_or(Value::Null, |regex| {
            replaced(text, regex.find_iter(text).count(), &argument(1), |with| {
                regex.replace_all(text, with).into_owned()
            })
        }),
        "split" => regex().map_or(Value::Null, |regex| regex.split(text).map(Value::from).collect()),
        "substring" => {
            let bound = |index: usize| argument(index).as_u64().and_then(|bound| usize::try_from(bound).ok());
            let (from, to) = (bound(0).unwrap_or(0), bound(1).unwrap_or(usize::MAX));
            text.chars().take(to).skip(from).collect::<String>().into()
        }
        "toLowerCase" => text.to_lowercase().into(),
        "toUpperCase" => text.to_uppercase().into(),
        "trim" => text.trim().into(),
        _ => Value::Null,
    }
}

fn replaced(text: &str, times: usize, with: &Value, replace: impl Fn(&str) -> String) -> Value {
    let with = plain(with);
    match times.saturating_mul(with.len()).saturating_add(text.len()) <= TEXT_BYTES_MAX {
        true => replace(&with).into(),
        false => Value::Null,
    }
}

/// `$util.…(text)`
pub(super) fn util(method: &str, text: &str) -> Value {
    match method {
        "escapeJavaScript" => {
            let quoted = Value::from(text).to_string();
            quoted[1..quoted.len() - 1].replace('\'', "\\'").replace('/', "\\/").into()
        }
        "parseJson" => serde_json::from_str(text).unwrap_or(Value::Null),
        // As forms are encoded.
        "urlEncode" => {
            wire::percent::encode(text).replace("%20", "+").replace("%2A", "*").replace('~', "%7E").into()
        }
        "urlDecode" => String::from_utf8_lossy(&wire::percent::decode_form(text)).into(),
        "base64Encode" => wire::base64::encode(text.as_bytes()).into(),
        "base64Decode" => String::from_utf8_lossy(&wire::base64::decode(text).unwrap_or_default()).into(),
        _ => Value::Null,
    }
}
