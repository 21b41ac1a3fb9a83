//! The values of mapping templates: constants, references, lists, maps, operators.

use super::Node;
use super::parse::{Parsed, Parser, Reference, near};
use serde_json::Value;

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

impl Parser<'_> {
    /// Expressions between commas, and what ends them.
    pub(super) fn list(&mut self, end: &str) -> Parsed<Vec<Expression>> {
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
