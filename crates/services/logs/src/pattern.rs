//! Filter patterns: terms (`ERROR -debug ?warn "two words"`) and JSON conditions (`{ $.level = "error" && $.n > 3 }`).

use serde_json::Value;

/// Nesting of parentheses in a JSON condition.
const DEPTH_MAX: usize = 32;

#[derive(Debug)]
pub(super) enum Pattern {
    Terms { all: Vec<String>, any: Vec<String>, none: Vec<String> },
    Json(Condition),
}

impl Pattern {
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let text = text.trim();
        if text.starts_with('[') {
            return Err(
                "Space-delimited filter patterns are not supported; use terms or a JSON condition.".into()
            );
        }
        match text.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
            Some(Some(condition)) => {
                let mut parser = Parser { rest: condition };
                let parsed = parser.either(0)?;
                parser.end()?;
                Ok(Pattern::Json(parsed))
            }
            Some(None) => Err("Invalid filter pattern: a JSON condition ends with '}'".into()),
            None => terms(text),
        }
    }

    pub fn matches(&self, message: &str) -> bool {
        match self {
            Pattern::Terms { all, any, none } => {
                let holds = |term: &String| message.contains(term.as_str());
                // Beside terms of the other kinds, optional ones count for nothing.
                let optional =
                    any.is_empty() || !(all.is_empty() && none.is_empty()) || any.iter().any(holds);
                all.iter().all(holds) && !none.iter().any(holds) && optional
            }
            Pattern::Json(condition) => serde_json::from_str(message)
                .is_ok_and(|event: Value| event.is_object() && condition.holds(&event)),
        }
    }
}

fn terms(mut rest: &str) -> Result<Pattern, String> {
    let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        let into = match rest.as_bytes()[0] {
            b'-' => &mut none,
            b'?' => &mut any,
            _ => &mut all,
        };
        rest = rest.strip_prefix(['-', '?']).unwrap_or(rest);
        let (term, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside).ok_or("Invalid filter pattern: a quotation mark is not closed")?,
            None => {
                let (term, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
                (term.to_owned(), after)
            }
        };
        if term.len() > 1 && term.starts_with('%') && term.ends_with('%') {
            return Err("Regular expressions in filter patterns are not supported.".into());
        }
        into.push(term);
        rest = after;
    }
    Ok(Pattern::Terms { all, any, none })
}

/// What stands before the closing quotation mark, with its escapes resolved, and what follows.
fn quoted(inside: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut chars = inside.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, &inside[at + 1..])),
            '\\' => match chars.next() {
                Some((_, c @ ('"' | '\\'))) => text.push(c),
                Some((_, c)) => text.extend(['\\', c]),
                None => return None,
            },
            c => text.push(c),
        }
    }
    None
}

#[derive(Debug)]
pub(super) enum Condition {
    Both(Box<Condition>, Box<Condition>),
    Either(Box<Condition>, Box<Condition>),
    Exists(Path, bool),
    Is(Path, Value),
    Text { path: Path, pattern: String, equal: bool },
    Number { path: Path, operator: Operator, operand: f64 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `$.a.b[0]`
#[derive(Debug)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug)]
enum Step {
    Member(String),
    Element(usize),
    Any,
}

impl Path {
    fn values<'a>(&self, event: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![event];
        for step in &self.0 {
            found = found
                .into_iter()
                .flat_map(|value| match step {
                    Step::Member(name) => value.get(name).map(std::slice::from_ref).unwrap_or_default(),
                    Step::Element(at) => value.get(at).map(std::slice::from_ref).unwrap_or_default(),
                    Step::Any => value.as_array().map(Vec::as_slice).unwrap_or_default(),
                })
                .collect();
        }
        found
    }
}

impl Condition {
    fn holds(&self, event: &Value) -> bool {
        match self {
            Condition::Both(left, right) => left.holds(event) && right.holds(event),
            Condition::Either(left, right) => left.holds(event) || right.holds(event),
            Condition::Exists(path, wanted) => path.values(event).is_empty() != *wanted,
            Condition::Is(path, wanted) => path.values(event).contains(&wanted),
            Condition::Text { path, pattern, equal } => {
                let texts: Vec<_> = path.values(event).into_iter().filter_map(Value::as_str).collect();
                let any = texts.iter().any(|text| like(pattern, text));
                !texts.is_empty() && any == *equal
            }
            Condition::Number { path, operator, operand } => {
                let numbers = path.values(event).into_iter().filter_map(Value::as_f64);
                numbers.into_iter().any(|number| match operator {
                    Operator::Equal => number == *operand,
                    Operator::NotEqual => number != *operand,
                    Operator::Less => number < *operand,
                    Operator::LessOrEqual => number <= *operand,
                    Operator::Greater => number > *operand,
                    Operator::GreaterOrEqual => number >= *operand,
                })
            }
        }
    }
}

/// Whether a text is like a pattern in which `*` stands for anything.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn take(&mut self, token: &str) -> bool {
        let trimmed = self.rest.trim_start();
        match trimmed.get(..token.len()).is_some_and(|start| start.eq_ignore_ascii_case(token)) {
            true => {
                self.rest = &trimmed[token.len()..];
                true
            }
            false => false,
        }
    }

    fn fault<T>(&self, wanted: &str) -> Result<T, String> {
        Err(format!("Invalid filter pattern: {wanted} expected at '{}'", self.rest.trim_start()))
    }

    fn end(&self) -> Result<(), String> {
        if self.rest.trim().is_empty() { Ok(()) } else { self.fault("the end") }
    }

    fn either(&mut self, depth: usize) -> Result<Condition, String> {
        let mut left = self.both(depth)?;
        while self.take("||") {
            left = Condition::Either(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    fn both(&mut self, depth: usize) -> Result<Condition, String> {
        let mut left = self.one(depth)?;
        while self.take("&&") {
            left = Condition::Both(Box::new(left), Box::new(self.one(depth)?));
        }
        Ok(left)
    }

    fn one(&mut self, depth: usize) -> Result<Condition, String> {
        if self.take("(") {
            if depth >= DEPTH_MAX {
                return self.fault("fewer parentheses");
            }
            let inner = self.either(depth + 1)?;
            return if self.take(")") { Ok(inner) } else { self.fault("')'") };
        }
        let path = self.path()?;
        if self.take("NOT EXISTS") {
            return Ok(Condition::Exists(path, false));
        }
        if self.take("EXISTS") {
            return Ok(Condition::Exists(path, true));
        }
        if self.take("IS") {
            let words = [("TRUE", Value::Bool(true)), ("FALSE", Value::Bool(false)), ("NULL", Value::Null)];
            for (word, value) in words {
                if self.take(word) {
                    return Ok(Condition::Is(path, value));
                }
            }
            return self.fault("TRUE, FALSE or NULL");
        }
        // The longer spellings come first.
        let operators = [
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let Some((_, operator)) = operators.into_iter().find(|(spelling, _)| self.take(spelling)) else {
            return self.fault("an operator");
        };
        self.operand(path, operator)
    }

    fn operand(&mut self, path: Path, operator: Operator) -> Result<Condition, String> {
        let trimmed = self.rest.trim_start();
        let (word, is_quoted, after) = match trimmed.strip_prefix('"') {
            Some(inside) => match quoted(inside) {
                Some((word, after)) => (word, true, after),
                None => return self.fault("a closing quotation mark"),
            },
            None => {
                let end =
                    trimmed.find(|c: char| c.is_whitespace() || "()&|".contains(c)).unwrap_or(trimmed.len());
                (trimmed[..end].to_owned(), false, &trimmed[end..])
            }
        };
        if word.is_empty() && !is_quoted {
            return self.fault("a value");
        }
        let condition = match word.parse::<f64>() {
            Ok(operand) if !is_quoted => Condition::Number { path, operator, operand },
            _ if operator == Operator::Equal || operator == Operator::NotEqual => {
                Condition::Text { path, pattern: word, equal: operator == Operator::Equal }
            }
            _ => return self.fault("a number"),
        };
        self.rest = after;
        Ok(condition)
    }

    fn path(&mut self) -> Result<Path, String> {
        if !self.take("$") {
            return self.fault("a path that begins with '$'");
        }
        let mut steps = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                let end =
                    rest.find(|c: char| !(c.is_alphanumeric() || "_-@".contains(c))).unwrap_or(rest.len());
                steps.push(Step::Member(rest[..end].to_owned()));
                self.rest = &rest[end..];
            } else if let Some((inside, after)) =
                self.rest.strip_prefix('[').and_then(|rest| rest.split_once(']'))
            {
                steps.push(match inside.trim_matches(['"', '\'']) {
                    "*" => Step::Any,
                    index => match index.parse() {
                        Ok(at) => Step::Element(at),
                        Err(_) => Step::Member(index.to_owned()),
                    },
                });
                self.rest = after;
            } else {
                return if steps.is_empty() { self.fault("a path") } else { Ok(Path(steps)) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn check(pattern: &str, matching: &[&str], other: &[&str]) {
        let parsed = Pattern::parse(pattern).unwrap_or_else(|why| panic!("{pattern}: {why}"));
        for message in matching {
            assert!(parsed.matches(message), "{pattern} should match {message}");
        }
        for message in other {
            assert!(!parsed.matches(message), "{pattern} should not match {message}");
        }
    }

    #[test]
    fn terms_are_all_any_and_none() {
        check("", &["anything", ""], &[]);
        check("ERROR main", &["main: ERROR 3"], &["ERROR", "main"]);
        check("ERROR -debug", &["ERROR"], &["ERROR debug"]);
        check("?ERROR ?WARN", &["a WARN", "an ERROR"], &["INFO"]);
        check("\"two words\"", &["say two words"], &["two  words"]);
        check(r#""say \"hi\"" -"bye bye""#, &[r#"they say "hi""#], &["say hi", r#"say "hi" bye bye"#]);
        check("?ERROR main", &["main"], &["ERROR"]);
    }

    #[test]
    fn json_conditions_read_members() {
        check(r#"{ $.level = "error" }"#, &[r#"{"level":"error"}"#], &[r#"{"level":"info"}"#, "error", "{}"]);
        check(
            r#"{ $.a.b[1] >= 3 && $.ok IS TRUE }"#,
            &[r#"{"a":{"b":[0,3]},"ok":true}"#],
            &[r#"{"a":{"b":[0,2]},"ok":true}"#, r#"{"a":{"b":[0,3]},"ok":false}"#],
        );
        check(
            r#"{ ($.x = 1) || ($.name = "ab*d*f") }"#,
            &[r#"{"name":"abcdef"}"#, r#"{"x":1}"#],
            &[r#"{"name":"abcde"}"#],
        );
        check("{ $.a NOT EXISTS }", &["{}"], &[r#"{"a":null}"#]);
        check("{ $.a EXISTS }", &[r#"{"a":null}"#], &["{}"]);
        check(r#"{ $.a != "b" }"#, &[r#"{"a":"c"}"#], &[r#"{"a":"b"}"#, "{}"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for pattern in ["{ $.a }", "{ $.a = }", "{ a = 1 }", "{", "\"open", "[a, b]", "{ ($.a = 1 }", "%x%"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
        let deep = format!("{{ {} }}", "(".repeat(5_000));
        assert!(Pattern::parse(&deep).is_err());
    }
}
