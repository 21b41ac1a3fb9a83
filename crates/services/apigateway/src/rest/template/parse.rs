//! The grammar of mapping templates: text, references, directives.

use super::{Node, methods};
use serde_json::Value;

/// How deep directives and parentheses may stand in one another.
const DEPTH_MAX: usize = 32;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Constant(Value),
    /// A text with references in it.
    Text(Vec<Node>),
    List(Vec<Expression>),
    Range(Box<Expression>, Box<Expression>),
    Map(Vec<(Expression, Expression)>),
    Reference(Reference),
    Not(Box<Expression>),
    Two(Box<Expression>, Operator, Box<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// `$name.member[index].method(…)`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    pub name: String,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Member(String),
    Index(Expression),
    Call(String, Vec<Expression>),
}

type Parsed<T> = Result<T, String>;

/// Operators by how loosely they bind, each with its spellings; longer ones first.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[("||", Operator::Or), ("or ", Operator::Or)],
    &[("&&", Operator::And), ("and ", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("eq ", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("ne ", Operator::NotEqual),
    ],
    &[
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("lt ", Operator::Less),
        ("le ", Operator::LessOrEqual),
        ("gt ", Operator::Greater),
        ("ge ", Operator::GreaterOrEqual),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

pub(super) struct Parser<'a> {
    pub rest: &'a str,
    pub depth: usize,
}

impl<'a> Parser<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, start: &str) -> bool {
        let found = self.rest.strip_prefix(start);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn expect(&mut self, start: &str) -> Parsed<()> {
        self.space();
        match self.take(start) {
            true => Ok(()),
            false => Err(format!("{start} is missing before {}", near(self.rest))),
        }
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err("the template is nested too deep".to_owned()) } else { Ok(()) }
    }

    /// Text and directives up to one of these words, which is taken; the end of the text is the word of nothing.
    pub fn nodes(&mut self, ends: &[&'static str]) -> Parsed<(Vec<Node>, &'static str)> {
        self.deeper()?;
        let (mut nodes, mut plain) = (Vec::new(), String::new());
        let mut flush = |plain: &mut String, node: Option<Node>| {
            if !plain.is_empty() {
                nodes.push(Node::Text(std::mem::take(plain)));
            }
            nodes.extend(node);
        };
        loop {
            let at = self.rest.find(['$', '#']).unwrap_or(self.rest.len());
            plain.push_str(&self.rest[..at]);
            self.rest = &self.rest[at..];
            if self.rest.is_empty() {
                flush(&mut plain, None);
                break match ends.contains(&"") {
                    true => Ok((nodes, "")),
                    false => Err("#end is missing".to_owned()),
                };
            }
            if self.rest.starts_with('$') {
                match self.reference()? {
                    Some(reference) => flush(&mut plain, Some(Node::Reference(reference))),
                    None => {
                        plain.push('$');
                        self.rest = &self.rest[1..];
                    }
                }
                continue;
            }
            if self.comment(&mut plain) {
                continue;
            }
            let Some(word) = self.directive() else {
                plain.push('#');
                self.rest = &self.rest[1..];
                continue;
            };
            match word {
                "set" => flush(&mut plain, Some(self.set()?)),
                "if" => flush(&mut plain, Some(self.condition()?)),
                "foreach" => flush(&mut plain, Some(self.foreach()?)),
                "break" => flush(&mut plain, Some(Node::Break)),
                "stop" => flush(&mut plain, Some(Node::Stop)),
                "end" | "else" | "elseif" => {
                    let Some(end) = ends.iter().find(|end| **end == word) else {
                        return Err(format!("#{word} stands alone"));
                    };
                    flush(&mut plain, None);
                    if word != "elseif" {
                        self.line_end();
                    }
                    break Ok((nodes, *end));
                }
                other => return Err(format!("#{other} is not supported")),
            }
            self.line_end();
        }
        .inspect(|_| self.depth -= 1)
    }

    /// A comment, or text that is taken as it is.
    fn comment(&mut self, plain: &mut String) -> bool {
        if let Some(rest) = self.rest.strip_prefix("##") {
            self.rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(rest) = self.rest.strip_prefix("#*") {
            self.rest = rest.split_once("*#").map_or("", |(_, rest)| rest);
        } else if let Some((text, rest)) =
            self.rest.strip_prefix("#[[").and_then(|rest| rest.split_once("]]#"))
        {
            plain.push_str(text);
            self.rest = rest;
        } else {
            return false;
        }
        true
    }

    /// A directive's word, `#if` or `#{if}`, taken.
    fn directive(&mut self) -> Option<&'a str> {
        let rest = &self.rest[1..];
        let braced = rest.strip_prefix('{');
        let word = braced.unwrap_or(rest);
        let word = &word[..word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len())];
        let known = [
            "set", "if", "elseif", "else", "end", "foreach", "break", "stop", "macro", "define", "parse",
            "include", "evaluate",
        ];
        let after = known.contains(&word).then(|| &rest[word.len() + usize::from(braced.is_some())..])?;
        self.rest = if braced.is_some() { after.strip_prefix('}')? } else { after };
        Some(word)
    }

    /// A directive at the end of its line takes the line's end with it.
    fn line_end(&mut self) {
        let after = self.rest.trim_start_matches([' ', '\t']).trim_start_matches('\r');
        if let Some(rest) = after.strip_prefix('\n') {
            self.rest = rest;
        }
    }

    fn set(&mut self) -> Parsed<Node> {
        self.expect("(")?;
        self.space();
        let Some(place) = self.reference()? else { return Err("#set needs a reference".to_owned()) };
        if place.steps.iter().any(|step| matches!(step, Step::Call(..))) {
            return Err("#set cannot set what a method answers".to_owned());
        }
        self.expect("=")?;
        let value = self.expression()?;
        self.expect(")")?;
        Ok(Node::Set(place, value))
    }

    fn condition(&mut self) -> Parsed<Node> {
        let (mut cases, mut otherwise) = (Vec::new(), Vec::new());
        loop {
            self.expect("(")?;
            let condition = self.expression()?;
            self.expect(")")?;
            self.line_end();
            let (nodes, end) = self.nodes(&["elseif", "else", "end"])?;
            cases.push((condition, nodes));
            match end {
                "elseif" => continue,
                "else" => otherwise = self.nodes(&["end"])?.0,
                _ => {}
            }
            return Ok(Node::If(cases, otherwise));
        }
    }

    fn foreach(&mut self) -> Parsed<Node> {
        self.expect("(")?;
        self.space();
        let Some(Reference { name, steps }) = self.reference()? else {
            return Err("#foreach needs a reference".to_owned());
        };
        if !steps.is_empty() {
            return Err("#foreach needs a plain name".to_owned());
        }
        self.expect("in")?;
        let items = self.expression()?;
        self.expect(")")?;
        self.line_end();
        Ok(Node::Foreach(name, items, self.nodes(&["end"])?.0))
    }

    /// A reference at the beginning, taken; None for a dollar that is one.
    fn reference(&mut self) -> Parsed<Option<Reference>> {
        let text = self.rest.strip_prefix('$').unwrap_or(self.rest);
        let text = text.strip_prefix('!').unwrap_or(text);
        let braced = text.strip_prefix('{');
        let inner = braced.unwrap_or(text);
        let Some((name, rest)) = identifier(inner) else { return Ok(None) };
        self.rest = rest;
        let steps = self.steps()?;
        methods::check(name, &steps)?;
        if braced.is_some() {
            self.expect("}")?;
        }
        Ok(Some(Reference { name: name.to_owned(), steps }))
    }

    fn steps(&mut self) -> Parsed<Vec<Step>> {
        self.deeper()?;
        let mut steps = Vec::new();
        loop {
            if let Some((name, rest)) = self.rest.strip_prefix('.').and_then(identifier) {
                self.rest = rest;
                steps.push(match self.take("(") {
                    true => Step::Call(name.to_owned(), self.list(")")?),
                    false => Step::Member(name.to_owned()),
                });
            } else if self.rest.starts_with('[') && !self.rest.starts_with("[]") {
                self.rest = &self.rest[1..];
                let index = self.expression()?;
                self.expect("]")?;
                steps.push(Step::Index(index));
            } else {
                self.depth -= 1;
                return Ok(steps);
            }
        }
    }

    /// Expressions between commas, and what ends them.
    fn list(&mut self, end: &str) -> Parsed<Vec<Expression>> {
        let mut items = Vec::new();
        self.space();
        while !self.take(end) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(self.expression()?);
            self.space();
        }
        Ok(items)
    }

    pub fn expression(&mut self) -> Parsed<Expression> {
        self.deeper()?;
        let found = self.level(0);
        self.depth -= 1;
        found
    }

    fn level(&mut self, level: usize) -> Parsed<Expression> {
        let Some(operators) = LEVELS.get(level) else { return self.single() };
        let mut left = self.level(level + 1)?;
        loop {
            self.space();
            let Some((_, operator)) = operators.iter().find(|(spelling, _)| self.take(spelling)) else {
                return Ok(left);
            };
            let right = self.level(level + 1)?;
            left = Expression::Two(Box::new(left), *operator, Box::new(right));
        }
    }

    fn single(&mut self) -> Parsed<Expression> {
        self.space();
        if self.rest.starts_with('$') {
            let reference = self.reference()?;
            return reference
                .map(Expression::Reference)
                .ok_or_else(|| format!("no reference: {}", near(self.rest)));
        }
        if !self.rest.starts_with("!=") && self.take("!") || self.take("not ") {
            self.deeper()?;
            let of = self.single()?;
            self.depth -= 1;
            return Ok(Expression::Not(Box::new(of)));
        }
        for (word, value) in
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
        {
            if self.take(word) {
                return Ok(Expression::Constant(value));
            }
        }
        if self.take("(") {
            let inner = self.expression()?;
            self.expect(")")?;
            return Ok(inner);
        }
        match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.text(quote),
            Some('[') => self.items(),
            Some('{') => self.map(),
            _ => self.number(),
        }
    }

    /// Between double quotes references are filled in; a doubled quote is one.
    fn text(&mut self, quote: char) -> Parsed<Expression> {
        let doubled = format!("{quote}{quote}");
        let mut text = String::new();
        self.rest = &self.rest[1..];
        loop {
            let at =
                self.rest.find(quote).ok_or_else(|| format!("a text does not end: {}", near(self.rest)))?;
            text.push_str(&self.rest[..at]);
            self.rest = &self.rest[at..];
            if !self.take(&doubled) {
                self.rest = &self.rest[1..];
                break;
            }
            text.push(quote);
        }
        if quote == '\'' || !text.contains(['$', '#']) {
            return Ok(Expression::Constant(text.into()));
        }
        let mut inner = Parser { rest: &text, depth: self.depth };
        Ok(Expression::Text(inner.nodes(&[""])?.0))
    }

    fn items(&mut self) -> Parsed<Expression> {
        self.rest = &self.rest[1..];
        self.space();
        if self.take("]") {
            return Ok(Expression::List(Vec::new()));
        }
        let first = self.expression()?;
        self.space();
        if self.take("..") {
            let last = self.expression()?;
            self.expect("]")?;
            return Ok(Expression::Range(Box::new(first), Box::new(last)));
        }
        let mut items = vec![first];
        if self.take(",") {
            items.extend(self.list("]")?);
        } else {
            self.expect("]")?;
        }
        Ok(Expression::List(items))
    }

    fn map(&mut self) -> Parsed<Expression> {
        self.rest = &self.rest[1..];
        let mut entries = Vec::new();
        self.space();
        while !self.take("}") {
            if !entries.is_empty() {
                self.expect(",")?;
            }
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?));
            self.space();
        }
        Ok(Expression::Map(entries))
    }

    fn number(&mut self) -> Parsed<Expression> {
        let sign = usize::from(self.rest.starts_with('-'));
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let mut length = sign + digits(&self.rest[sign..]);
        // Two dots are a range's.
        if let Some(fraction) = self.rest[length..].strip_prefix('.').filter(|rest| digits(rest) > 0) {
            length += 1 + digits(fraction);
        }
        let (number, rest) = self.rest.split_at(length);
        let whole = number.parse::<i64>().map(Value::from);
        let value = whole.or_else(|_| number.parse::<f64>().map(Value::from));
        let value = value.map_err(|_| format!("a value is missing before {}", near(self.rest)))?;
        self.rest = rest;
        Ok(Expression::Constant(value))
    }
}

/// A name at the beginning, and what follows it.
fn identifier(text: &str) -> Option<(&str, &str)> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let length = text.find(|c| !fits(c)).unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then(|| text.split_at(length))
}

/// A few letters of what cannot be read.
fn near(text: &str) -> String {
    text.chars().take(20).collect()
}
