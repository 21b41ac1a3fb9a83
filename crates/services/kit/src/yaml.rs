//! YAML and JSON documents as one tree, with the short forms of functions (`!Ref`) written out.

mod write;

pub use write::write;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

/// Deeper templates are refused: nothing real comes near.
const DEPTH_MAX: usize = 100;
/// Nodes in a template with its aliases written out, which a hostile one could multiply without end.
const NODES_MAX: usize = 500_000;

const NOT_WELL_FORMED: &str = "Template format error: YAML not well-formed.";

/// Reads a template. A text that begins with a brace is JSON, which keeps its numbers as they were written.
pub fn parse(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{') {
        let tree = serde_json::from_str(text);
        return tree.map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("Template format error: JSON not well-formed. (line {line}, column {column})")
        });
    }
    let mut reader = Reader { events: Parser::new_from_str(text), anchors: Vec::new(), nodes: 0 };
    loop {
        match reader.next()? {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(Value::Null),
            event => return reader.node(event, 0),
        }
    }
}

struct Reader<'a> {
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// Nodes with an anchor, by its number.
    anchors: Vec<(usize, Value)>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, String> {
        match self.events.next() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => {
                let at = error.marker();
                Err(format!("{NOT_WELL_FORMED} (line {}, column {})", at.line(), at.col() + 1))
            }
            None => Err(NOT_WELL_FORMED.to_owned()),
        }
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Value, String> {
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return Err("Template format error: the template is nested too deep or too large".to_owned());
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, scalar(&text, style, tag.as_deref())),
            Event::SequenceStart(anchor, tag) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => items.push(self.node(event, depth + 1)?),
                    }
                }
                (anchor, tagged(Value::Array(items), tag.as_deref()))
            }
            Event::MappingStart(anchor, tag) => {
                let members = self.mapping(depth)?;
                (anchor, tagged(Value::Object(members), tag.as_deref()))
            }
            Event::Alias(anchor) => {
                let found = self.anchors.iter().rev().find(|(known, _)| *known == anchor);
                let value = found.map(|(_, value)| value.clone()).ok_or(NOT_WELL_FORMED)?;
                self.nodes += size(&value);
                (0, value)
            }
            _ => return Err(NOT_WELL_FORMED.to_owned()),
        };
        if anchor != 0 {
            self.anchors.push((anchor, value.clone()));
        }
        Ok(value)
    }

    fn mapping(&mut self, depth: usize) -> Result<Map<String, Value>, String> {
        let mut members = Map::new();
        loop {
            let key = match self.next()? {
                Event::MappingEnd => return Ok(members),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err("Template format error: YAML keys must be strings".to_owned()),
            };
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            match (key.as_str(), value) {
                // The merge key: members of its own come before what it brings.
                ("<<", Value::Object(merged)) => {
                    for (name, value) in merged {
                        members.entry(name).or_insert(value);
                    }
                }
                (_, value) => {
                    members.insert(key, value);
                }
            }
        }
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    match tag {
        Some(tag) if tag.handle == "!" && !tag.suffix.is_empty() => {
            return tagged(Value::from(text), Some(tag));
        }
        Some(tag) if tag.suffix == "str" => return Value::from(text),
        _ => {}
    }
    if style != ScalarStyle::Plain {
        return Value::from(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        // Whole numbers, not what only looks like one: account numbers and dates keep their zeros and dashes.
        number if is_number(number) => number.parse().map_or(Value::from(number), Value::Number),
        other => Value::from(other),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    !leading_zero
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// `!Ref x` is `{"Ref": "x"}`, `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`, `!Sub x` is `{"Fn::Sub": "x"}`.
fn tagged(value: Value, tag: Option<&Tag>) -> Value {
    let Some(tag) = tag.filter(|tag| tag.handle == "!" && !tag.suffix.is_empty()) else { return value };
    let (name, value) = match (tag.suffix.as_str(), value) {
        ("Ref", value) => ("Ref".to_owned(), value),
        ("Condition", value) => ("Condition".to_owned(), value),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            ("Fn::GetAtt".to_owned(), Value::from(vec![resource, attribute]))
        }
        (function, value) => (format!("Fn::{function}"), value),
    };
    Value::Object(Map::from_iter([(name, value)]))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn short_forms_are_written_out() {
        let text = "Resources:\n  A:\n    Type: T\n    Properties:\n      X: !Ref B\n      Y: !GetAtt B.Arn.More\n      \
                    Z: !Sub 'a-${B}'\n      J: !Join [ '-', [ a, !Ref C ] ]\n      N: 012\n      I: 12\n      \
                    D: 2012-10-17\n      E: true\n      S: \"5\"\n      C: !If\n        - Yes\n        - 1\n        - !Ref AWS::NoValue\n";
        let tree = parse(text).expect("a template");
        assert_eq!(
            tree["Resources"]["A"]["Properties"],
            json!({
                "X": {"Ref": "B"},
                "Y": {"Fn::GetAtt": ["B", "Arn.More"]},
                "Z": {"Fn::Sub": "a-${B}"},
                "J": {"Fn::Join": ["-", ["a", {"Ref": "C"}]]},
                "N": "012", "I": 12, "D": "2012-10-17", "E": true, "S": "5",
                "C": {"Fn::If": ["Yes", 1, {"Ref": "AWS::NoValue"}]},
            })
        );
    }

    #[test]
    fn anchors_are_written_out_and_bounded() {
        let tree = parse("a: &x {p: 1}\nb: *x\nc:\n  q: 2\n  <<: *x\n").expect("a tree");
        assert_eq!(tree, json!({"a": {"p": 1}, "b": {"p": 1}, "c": {"q": 2, "p": 1}}));
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let below = format!("*a{}, ", level - 1).repeat(9);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(", ")));
        }
        assert!(parse(&bomb).expect_err("bounded").contains("too large"));
    }

    #[test]
    fn what_is_neither_is_told_with_its_place() {
        assert!(
            parse("a: [1, 2").expect_err("open").starts_with("Template format error: YAML not well-formed.")
        );
        assert!(
            parse("{\"a\": }").expect_err("open").starts_with("Template format error: JSON not well-formed.")
        );
    }
}
