//! From tokens to a tree: the grammar that conditions, updates and projections share.

mod operands;
mod tree;

use super::bind::Placeholders;
use super::error::{ExpressionError, Parameter, reserved_word};
use super::path::{Path, STEPS_MAX, Step};
use super::reserved::is_reserved;
use super::token::{Kind, Token, tokens};

pub(super) use tree::{Arithmetic, Comparator, Node, NodeId};

/// A placeholder, where it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mention {
    Name(u32),
    Value(u32),
}

pub(super) struct Parser<'t> {
    pub parameter: Parameter,
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    operators: usize,
    pub nodes: Vec<Node>,
    pub paths: Vec<Path>,
    pub placeholders: Placeholders,
    pub mentions: Vec<Mention>,
    /// How many mentions there were when each node was complete.
    pub mentions_at: Vec<u32>,
    pub redundant_parentheses: bool,
    /// The first reserved word used as a name.
    pub reserved: Option<String>,
}

impl<'t> Parser<'t> {
    pub fn new(parameter: Parameter, text: &'t str) -> Result<Parser<'t>, ExpressionError> {
        super::bind::check_text(parameter, text)?;
        Ok(Parser {
            parameter,
            text,
            tokens: tokens(text),
            at: 0,
            operators: 0,
            nodes: Vec::new(),
            paths: Vec::new(),
            placeholders: Placeholders::default(),
            mentions: Vec::new(),
            mentions_at: Vec::new(),
            redundant_parentheses: false,
            reserved: None,
        })
    }

    pub fn error(&self, message: impl std::fmt::Display) -> ExpressionError {
        self.parameter.error(message)
    }

    /// The next token fits nowhere: shown with its neighbours.
    pub fn syntax_error(&self) -> ExpressionError {
        let token = self.peek();
        let before = self.at.checked_sub(1).map_or(token.start, |at| self.tokens[at].start);
        let after = self.tokens.get(self.at + 1).map_or(token.end, |next| next.end);
        let shown = if token.kind == Kind::End { "<EOF>" } else { self.slice(token) };
        self.error(format_args!("Syntax error; token: \"{shown}\", near: \"{}\"", &self.text[before..after]))
    }

    pub fn peek(&self) -> Token {
        self.tokens[self.at]
    }

    pub fn slice(&self, token: Token) -> &'t str {
        &self.text[token.start..token.end]
    }

    pub fn advance(&mut self) -> Token {
        let token = self.tokens[self.at];
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Takes the next token if it is that symbol.
    pub fn accept(&mut self, symbol: char) -> bool {
        let accepted = self.peek().is(symbol);
        if accepted {
            self.advance();
        }
        accepted
    }

    pub fn expect(&mut self, kind: Kind) -> Result<Token, ExpressionError> {
        if self.peek().kind != kind {
            return Err(self.syntax_error());
        }
        Ok(self.advance())
    }

    /// Takes the next token if it is that word, in whatever case.
    pub fn accept_word(&mut self, word: &str) -> bool {
        let accepted = self.is_word(word);
        if accepted {
            self.advance();
        }
        accepted
    }

    fn is_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Word && self.slice(token).eq_ignore_ascii_case(word)
    }

    /// Whether the next token is a word that this kind of expression has a use for.
    fn is_keyword(&self) -> bool {
        let keywords: &[&str] = match self.parameter {
            Parameter::Projection => &[],
            Parameter::Update => &["SET", "REMOVE", "ADD", "DELETE"],
            _ => &["AND", "OR", "NOT", "BETWEEN", "IN"],
        };
        keywords.iter().any(|keyword| self.is_word(keyword))
    }

    /// The first of the faults that are looked for in every expression before anything else.
    pub fn check_names(&self) -> Result<(), ExpressionError> {
        match &self.reserved {
            Some(word) => Err(self.error(reserved_word(word))),
            None => Ok(()),
        }
    }

    /// Reads a document path.
    pub fn path(&mut self) -> Result<u32, ExpressionError> {
        let mut steps = vec![self.name()?];
        self.path_rest(&mut steps)?;
        self.paths.push(Path { steps: steps.into() });
        Ok(self.paths.len() as u32 - 1)
    }

    fn path_rest(&mut self, steps: &mut Vec<Step>) -> Result<(), ExpressionError> {
        loop {
            if self.accept('.') {
                steps.push(self.name()?);
            } else if self.accept('[') {
                let token = self.expect(Kind::Index)?;
                let index = self.slice(token).parse::<i32>().map_err(|_| {
                    let index = self.slice(token);
                    self.error(format_args!("List index is not within the allowable range; index: [{index}]"))
                })?;
                self.expect(Kind::Symbol(']'))?;
                steps.push(Step::Index(index as u32));
            } else {
                break;
            }
        }
        match steps.len() {
            ..=STEPS_MAX => Ok(()),
            levels => Err(self.error(format_args!(
                "The document path has too many nesting levels; nesting levels: {levels}"
            ))),
        }
    }

    fn name(&mut self) -> Result<Step, ExpressionError> {
        match self.peek().kind {
            Kind::Word if !self.is_keyword() => {
                let token = self.advance();
                let name = self.slice(token);
                if self.reserved.is_none() && is_reserved(name) {
                    self.reserved = Some(name.to_owned());
                }
                Ok(Step::Name(name.into()))
            }
            Kind::Name => {
                let token = self.advance();
                let slot = self.placeholders.name(self.slice(token));
                self.mentions.push(Mention::Name(slot));
                Ok(Step::Slot(slot))
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// Reads a `:value`.
    pub fn value(&mut self) -> Result<u32, ExpressionError> {
        let token = self.expect(Kind::Value)?;
        let slot = self.placeholders.value(self.slice(token));
        self.mentions.push(Mention::Value(slot));
        Ok(slot)
    }
}
