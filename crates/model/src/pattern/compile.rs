//! From a pattern as it was written to its program. What the grammar does not know is refused.

use super::address::AddressRange;
use super::program::{Field, Fields, Range, Test, ValueTest, fold};
use super::wildcard::Wildcard;

/// A pattern as it was written: a document, whatever its syntax was.
#[derive(Clone, Debug, PartialEq)]
pub enum Definition {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Definition>),
    /// Names are distinct.
    Object(Vec<(String, Definition)>),
}

/// It is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPattern;

type Compiled<T> = Result<T, InvalidPattern>;

const OPERATORS: [&str; 8] =
    ["exists", "prefix", "suffix", "equals-ignore-case", "anything-but", "numeric", "cidr", "wildcard"];

pub(super) fn pattern(definition: &Definition) -> Compiled<Fields> {
    match definition {
        Definition::Object(members) => object(members, &mut Vec::new()),
        _ => Err(InvalidPattern),
    }
}

fn object(members: &[(String, Definition)], path: &mut Vec<String>) -> Compiled<Fields> {
    let mut compiled = Fields::default();
    if members.is_empty() {
        return Err(InvalidPattern);
    }
    for (name, definition) in members {
        match definition {
            Definition::List(list) if name == "$or" && is_alternatives(list) => {
                let group = list.iter().map(|one| match one {
                    Definition::Object(members) => object(members, path),
                    _ => Err(InvalidPattern),
                });
                compiled.alternatives.push(group.collect::<Compiled<_>>()?);
            }
            _ => add(&mut compiled, name, definition, path)?,
        }
    }
    Ok(compiled)
}

/// `$or` is a name like any other, unless at least two objects of fields stand behind it.
fn is_alternatives(list: &[Definition]) -> bool {
    let is_fields = |one: &Definition| match one {
        Definition::Object(members) => {
            !members.is_empty() && !members.iter().any(|(name, _)| OPERATORS.contains(&name.as_str()))
        }
        _ => false,
    };
    list.len() >= 2 && list.iter().all(is_fields)
}

/// Adds a field; a dot in its name is a step down.
fn add(into: &mut Fields, name: &str, definition: &Definition, path: &mut Vec<String>) -> Compiled<()> {
    let depth = path.len();
    let (first, rest) = match name.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    path.push(first.to_owned());
    let field = match (rest, definition) {
        (Some(rest), _) => {
            let mut inner = Fields::default();
            add(&mut inner, rest, definition, path)?;
            Field::Object(inner)
        }
        (None, Definition::Object(members)) => Field::Object(object(members, path)?),
        (None, Definition::List(tests)) => Field::Leaf(leaf(tests, path)?),
        _ => return Err(InvalidPattern),
    };
    path.truncate(depth);
    into.fields.push((first.to_owned(), field));
    Ok(())
}

fn leaf(tests: &[Definition], path: &[String]) -> Compiled<Vec<Test>> {
    if tests.is_empty() {
        return Err(InvalidPattern);
    }
    tests.iter().map(|definition| test(definition, path)).collect()
}

fn test(definition: &Definition, path: &[String]) -> Compiled<Test> {
    let Definition::Object(members) = definition else {
        return literal(definition).map(Test::Value);
    };
    let [(operator, operand)] = members.as_slice() else { return Err(InvalidPattern) };
    Ok(match (operator.as_str(), operand) {
        ("exists", Definition::Bool(true)) => Test::Present,
        ("exists", Definition::Bool(false)) => Test::Absent(path.to_vec()),
        ("anything-but", operand) => Test::AnythingBut(anything_but(operand)?),
        ("prefix" | "suffix", Definition::Object(inner)) => {
            let [(modifier, Definition::Text(text))] = inner.as_slice() else { return Err(InvalidPattern) };
            if modifier != "equals-ignore-case" {
                return Err(InvalidPattern);
            }
            let is_prefix = operator == "prefix";
            let make = if is_prefix { ValueTest::PrefixFolded } else { ValueTest::SuffixFolded };
            Test::Value(make(fold(text)))
        }
        ("cidr", Definition::Text(text)) => {
            Test::Value(ValueTest::Address(AddressRange::parse(text).ok_or(InvalidPattern)?))
        }
        ("numeric", Definition::List(list)) => Test::Value(numeric(list)?),
        (_, Definition::Text(text)) => Test::Value(textual(operator, text)?),
        _ => return Err(InvalidPattern),
    })
}

fn literal(definition: &Definition) -> Compiled<ValueTest> {
    Ok(match definition {
        Definition::Null => ValueTest::Null,
        Definition::Bool(truth) => ValueTest::Bool(*truth),
        Definition::Number(number) => ValueTest::Number(*number),
        Definition::Text(text) => ValueTest::Text(text.clone()),
        Definition::List(_) | Definition::Object(_) => return Err(InvalidPattern),
    })
}

/// The operators that take one text, alone and within `anything-but`.
fn textual(operator: &str, text: &str) -> Compiled<ValueTest> {
    Ok(match operator {
        "prefix" => ValueTest::Prefix(text.to_owned()),
        "suffix" => ValueTest::Suffix(text.to_owned()),
        "equals-ignore-case" => ValueTest::TextFolded(fold(text)),
        "wildcard" => ValueTest::Wildcard(Wildcard::parse(text).ok_or(InvalidPattern)?),
        _ => return Err(InvalidPattern),
    })
}

fn anything_but(operand: &Definition) -> Compiled<Vec<ValueTest>> {
    match operand {
        Definition::Text(_) | Definition::Number(_) => Ok(vec![literal(operand)?]),
        Definition::List(list) => {
            let texts = list.iter().filter(|one| matches!(one, Definition::Text(_))).count();
            let numbers = list.iter().filter(|one| matches!(one, Definition::Number(_))).count();
            if list.is_empty() || texts.max(numbers) != list.len() {
                return Err(InvalidPattern);
            }
            list.iter().map(literal).collect()
        }
        Definition::Object(members) => {
            let [(operator, operand)] = members.as_slice() else { return Err(InvalidPattern) };
            let one = |text: &Definition| match text {
                Definition::Text(text)
                    if text.is_empty() && matches!(operator.as_str(), "prefix" | "suffix") =>
                {
                    Err(InvalidPattern)
                }
                Definition::Text(text) => textual(operator, text),
                _ => Err(InvalidPattern),
            };
            match operand {
                Definition::List(list) if list.is_empty() => Err(InvalidPattern),
                Definition::List(list) => list.iter().map(one).collect(),
                single => Ok(vec![one(single)?]),
            }
        }
        Definition::Null | Definition::Bool(_) => Err(InvalidPattern),
    }
}

/// `[">", 0, "<=", 5]`: one bound, or a lower one and an upper one.
fn numeric(list: &[Definition]) -> Compiled<ValueTest> {
    let mut range =
        Range { low: f64::NEG_INFINITY, high: f64::INFINITY, includes_low: false, includes_high: false };
    for (at, pair) in list.chunks(2).enumerate() {
        let [Definition::Text(operator), Definition::Number(bound)] = pair else {
            return Err(InvalidPattern);
        };
        match (operator.as_str(), at) {
            ("=", 0) if list.len() == 2 => return Ok(ValueTest::Number(*bound)),
            (">" | ">=", 0) => (range.low, range.includes_low) = (*bound, operator == ">="),
            ("<" | "<=", 0) if list.len() == 2 => {
                (range.high, range.includes_high) = (*bound, operator == "<=")
            }
            ("<" | "<=", 1) => (range.high, range.includes_high) = (*bound, operator == "<="),
            _ => return Err(InvalidPattern),
        }
    }
    if list.is_empty() || range.low >= range.high {
        return Err(InvalidPattern);
    }
    Ok(ValueTest::Range(range))
}
