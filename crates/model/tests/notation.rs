//! Values as short texts: `{name: 'text', count: 1.5, list: [true, null], set: <'a', 'b'>, bytes: b'xyz'}`.

use model::expression::Binder;
use model::{Item, Number, Value};

pub fn item(text: &str) -> Item {
    match value(text) {
        Value::M(item) => item,
        other => panic!("{text} is {other:?}"),
    }
}

pub fn value(text: &str) -> Value {
    let mut rest = text.trim();
    let value = read(&mut rest);
    assert!(rest.trim().is_empty(), "{text}: left over: {rest}");
    value
}

/// Placeholders as two items: `{n: 'name'}` defines `#n`, `{v: 1}` defines `:v`.
pub fn binder(names: &str, values: &str) -> Result<Binder, model::expression::ExpressionError> {
    let names = item(names).into_iter().map(|(key, name)| match name {
        Value::S(name) => (format!("#{key}"), name),
        other => panic!("{other:?} is no name"),
    });
    let values = item(values).into_iter().map(|(key, value)| (format!(":{key}"), value));
    let some = |len: usize| (len > 0).then_some(());
    let (names, values): (Vec<_>, Vec<_>) = (names.collect(), values.collect());
    Binder::new(some(names.len()).map(|()| names), some(values.len()).map(|()| values))
}

fn read(rest: &mut &str) -> Value {
    if eat(rest, "{") {
        let pairs = many(rest, "}", |rest| {
            let end = rest.find(':').expect("a name");
            let name = rest[..end].trim().to_owned();
            *rest = &rest[end + 1..];
            (name, read(rest))
        });
        return Value::M(pairs.into_iter().collect());
    }
    if eat(rest, "[") {
        return Value::L(many(rest, "]", read));
    }
    if eat(rest, "<") {
        let elements = many(rest, ">", read);
        let texts = elements.iter().map(|element| match element {
            Value::S(text) => Some(text.clone()),
            _ => None,
        });
        let numbers = elements.iter().map(|element| match element {
            Value::N(number) => Some(*number),
            _ => None,
        });
        let binaries = elements.iter().map(|element| match element {
            Value::B(bytes) => Some(bytes.clone()),
            _ => None,
        });
        let set = (texts.collect::<Option<Vec<_>>>().map(Value::string_set))
            .or_else(|| numbers.collect::<Option<Vec<_>>>().map(Value::number_set))
            .or_else(|| binaries.collect::<Option<Vec<_>>>().map(Value::binary_set));
        return set.expect("a set of one type").expect("a set");
    }
    if eat(rest, "b'") {
        return Value::B(quoted(rest).into_bytes());
    }
    if eat(rest, "'") {
        return Value::S(quoted(rest));
    }
    for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
        if eat(rest, word) {
            return value;
        }
    }
    let end = rest.find([',', '}', ']', '>', ' ']).unwrap_or(rest.len());
    let number = Number::parse(&rest[..end]).unwrap_or_else(|error| panic!("{rest}: {error}"));
    *rest = &rest[end..];
    Value::N(number)
}

fn many<T>(rest: &mut &str, end: &str, mut read: impl FnMut(&mut &str) -> T) -> Vec<T> {
    let mut all = Vec::new();
    while !eat(rest, end) {
        all.push(read(rest));
        eat(rest, ",");
    }
    all
}

fn quoted(rest: &mut &str) -> String {
    let end = rest.find('\'').expect("a closing quote");
    let text = rest[..end].to_owned();
    *rest = &rest[end + 1..];
    text
}

fn eat(rest: &mut &str, token: &str) -> bool {
    let trimmed = rest.trim_start();
    match trimmed.strip_prefix(token) {
        Some(after) => {
            *rest = after.trim_start();
            true
        }
        None => {
            *rest = trimmed;
            false
        }
    }
}
