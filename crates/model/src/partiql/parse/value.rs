//! Names, paths and values.

use super::{Parsed, Parser};
use crate::partiql::token::Token;
use crate::partiql::{Literal, Path, Step, SyntaxError, Term};
use crate::{DEPTH_MAX, Number};

const STEPS_MAX: usize = DEPTH_MAX;

/// Words that are no names unless they are quoted.
const RESERVED: [&str; 29] = [
    "AND",
    "ASC",
    "BETWEEN",
    "BY",
    "DELETE",
    "DESC",
    "EXISTS",
    "FALSE",
    "FROM",
    "IN",
    "INSERT",
    "INTO",
    "IS",
    "MISSING",
    "NOT",
    "NULL",
    "OR",
    "ORDER",
    "REMOVE",
    "RETURNING",
    "SELECT",
    "SET",
    "TRUE",
    "UPDATE",
    "VALUE",
    "VALUES",
    "WHERE",
    "AS",
    "LIKE",
];

impl Parser {
    pub(super) fn term(&mut self) -> Parsed<Term> {
        if self.call("size") {
            let path = self.path()?;
            self.need(")")?;
            return Ok(Term::Size(path));
        }
        match self.tokens.get(self.at) {
            Some(Token::Quoted(_)) => self.path().map(Term::Path),
            Some(Token::Word(word)) if !literal_word(word) => self.path().map(Term::Path),
            _ => self.literal().map(Term::Literal),
        }
    }

    pub(super) fn literal(&mut self) -> Parsed<Literal> {
        self.nested(Parser::literal_within)
    }

    fn literal_within(&mut self) -> Parsed<Literal> {
        if self.sign("?") {
            self.parameters += 1;
            return Ok(Literal::Parameter(self.parameters - 1));
        }
        if self.sign("[") {
            return self.until("]", Parser::literal).map(Literal::List);
        }
        if self.sign("<<") {
            return self.until(">>", Parser::literal).map(Literal::Set);
        }
        if self.sign("{") {
            let member = |parser: &mut Parser| {
                let Some(Token::Text(name)) = parser.tokens.get(parser.at).cloned() else {
                    return parser.unexpected("Expected a name in single quotes");
                };
                parser.at += 1;
                parser.need(":")?;
                Ok((name, parser.literal()?))
            };
            return self.until("}", member).map(Literal::Map);
        }
        for (word, literal) in
            [("TRUE", Literal::Bool(true)), ("FALSE", Literal::Bool(false)), ("NULL", Literal::Null)]
        {
            if self.word(word) {
                return Ok(literal);
            }
        }
        let negative = self.sign("-");
        match self.tokens.get(self.at).cloned() {
            Some(Token::Number(digits)) => {
                self.at += 1;
                let text = if negative { format!("-{digits}") } else { digits };
                let number = Number::parse(&text).map_err(|error| SyntaxError::new(error.message(&text)))?;
                Ok(Literal::Number(number))
            }
            Some(Token::Text(text)) if !negative => {
                self.at += 1;
                Ok(Literal::Text(text))
            }
            _ => self.unexpected("Expected a value"),
        }
    }

    pub(super) fn path(&mut self) -> Parsed<Path> {
        let mut path = Path { root: self.name()?, steps: Vec::new() };
        loop {
            if self.sign(".") {
                path.steps.push(Step::Field(self.name()?));
            } else if self.sign("[") {
                let step = match self.tokens.get(self.at) {
                    Some(Token::Number(digits)) => digits.parse().ok().map(Step::Element),
                    Some(Token::Text(name) | Token::Quoted(name)) => Some(Step::Field(name.clone())),
                    _ => None,
                };
                let Some(step) = step else {
                    return self.unexpected("Expected an index or a name");
                };
                self.at += 1;
                self.need("]")?;
                path.steps.push(step);
            } else {
                return Ok(path);
            }
            if path.steps.len() >= STEPS_MAX {
                return Err(SyntaxError::new("Path is nested too deeply"));
            }
        }
    }

    pub(super) fn name(&mut self) -> Parsed<String> {
        let name = match self.tokens.get(self.at) {
            Some(Token::Quoted(name)) if !name.is_empty() => name.clone(),
            Some(Token::Word(word)) if !RESERVED.iter().any(|known| known.eq_ignore_ascii_case(word)) => {
                word.clone()
            }
            _ => return self.unexpected("Expected identifier"),
        };
        self.at += 1;
        Ok(name)
    }
}

fn literal_word(word: &str) -> bool {
    ["TRUE", "FALSE", "NULL"].iter().any(|literal| literal.eq_ignore_ascii_case(word))
}
