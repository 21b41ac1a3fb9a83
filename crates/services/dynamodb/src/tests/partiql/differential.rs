//! Random statements, and the same in expressions: each on a table of its own, which stay the same.

mod steps;

use serde_json::{Map, Value as Json, json};
use world::Random;

/// One thing said twice. Parameters come in the order in which the statement has them.
struct Twins {
    random: Random,
    parameters: Vec<Json>,
    values: Map<String, Json>,
}

/// The statement's text, and the expression's.
type Pair = (String, String);

impl Twins {
    fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn begin(&mut self) {
        self.parameters.clear();
        self.values.clear();
    }

    fn number(&mut self) -> Json {
        json!({ "N": self.pick(&["-1", "0", "1", "2", "2.5", "10"]) })
    }

    fn text(&mut self) -> Json {
        json!({ "S": self.pick(&["a", "ab", "b", "it's", "ü"]) })
    }

    fn set(&mut self) -> Json {
        let (one, two) = (self.pick(&["a", "b"]), self.pick(&["c", "d"]));
        json!({ "SS": [one, two] })
    }

    fn any(&mut self) -> Json {
        match self.below(8) {
            0..3 => self.number(),
            3..6 => self.text(),
            6 => json!({ "BOOL": true }),
            _ => json!({ "NULL": true }),
        }
    }

    /// A value: in the statement as a literal or a parameter.
    fn value(&mut self, value: Json) -> Pair {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value.clone());
        if self.below(2) == 0 {
            return (literal(&value), placeholder);
        }
        self.parameters.push(value);
        ("?".to_owned(), placeholder)
    }

    fn path(&mut self) -> Pair {
        let (statement, expression) = self.pick(&[
            ("n", "n"),
            ("\"t\"", "t"),
            ("l[0]", "l[0]"),
            ("m.x", "m.x"),
            ("s", "s"),
            ("z", "z"),
        ]);
        (statement.to_owned(), expression.to_owned())
    }

    fn condition(&mut self, depth: usize) -> Pair {
        match self.below(if depth == 0 { 8 } else { 12 }) {
            0..3 => {
                let (operator, value) = (self.pick(&["=", "<>", "<", "<=", ">", ">="]), self.any());
                let (path, value) = (self.path(), self.value(value));
                both(&path, &value, |path, value| format!("{path} {operator} {value}"))
            }
            3 => {
                let path = self.path();
                let (low, high) = (self.value(json!({ "N": "0" })), self.value(json!({ "N": "2" })));
                let range = both(&low, &high, |low, high| format!("{low} AND {high}"));
                both(&path, &range, |path, range| format!("{path} BETWEEN {range}"))
            }
            4 => {
                let path = self.path();
                let (one, two) = (self.any(), self.any());
                let (one, two) = (self.value(one), self.value(two));
                (
                    format!("{} IN [{}, {}]", path.0, one.0, two.0),
                    format!("{} IN ({}, {})", path.1, one.1, two.1),
                )
            }
            5 => {
                let function = self.pick(&["begins_with", "contains"]);
                let (path, text) = (self.path(), self.text());
                let value = self.value(text);
                both(&path, &value, |path, value| format!("{function}({path}, {value})"))
            }
            6 => {
                let (path, number) = (self.path(), self.number());
                let value = self.value(number);
                both(&path, &value, |path, value| format!("size({path}) > {value}"))
            }
            7 => {
                let path = self.path();
                match self.below(3) {
                    0 => (format!("{} IS MISSING", path.0), format!("attribute_not_exists({})", path.1)),
                    1 => (format!("{} IS NOT MISSING", path.0), format!("attribute_exists({})", path.1)),
                    _ => {
                        self.values.insert(":null".to_owned(), json!({ "S": "NULL" }));
                        (format!("{} IS NULL", path.0), format!("attribute_type({}, :null)", path.1))
                    }
                }
            }
            8 => {
                let inner = self.condition(depth - 1);
                (format!("NOT {}", inner.0), format!("NOT {}", inner.1))
            }
            kind => {
                let word = if kind < 11 { "AND" } else { "OR" };
                let (left, right) = (self.condition(depth - 1), self.condition(depth - 1));
                both(&left, &right, |left, right| format!("({left} {word} {right})"))
            }
        }
    }
}

fn both(left: &Pair, right: &Pair, join: impl Fn(&str, &str) -> String) -> Pair {
    (join(&left.0, &right.0), join(&left.1, &right.1))
}

fn literal(value: &Json) -> String {
    let quoted = |text: &Json| format!("'{}'", text.as_str().unwrap_or_default().replace('\'', "''"));
    match value.as_object().and_then(|value| value.iter().next()) {
        Some((kind, value)) => match kind.as_str() {
            "N" => value.as_str().unwrap_or_default().to_owned(),
            "S" => quoted(value),
            "BOOL" => value.to_string(),
            "SS" => {
                let elements = value.as_array().into_iter().flatten().map(quoted);
                format!("<<{}>>", elements.collect::<Vec<_>>().join(", "))
            }
            "L" => {
                let elements = value.as_array().into_iter().flatten().map(literal);
                format!("[{}]", elements.collect::<Vec<_>>().join(", "))
            }
            _ => "NULL".to_owned(),
        },
        None => unreachable!("a value has a type"),
    }
}
