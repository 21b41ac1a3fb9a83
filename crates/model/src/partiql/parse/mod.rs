//! The grammar of statements.

mod condition;
mod value;

use super::token::{Token, tokens};
use super::{Assigned, Change, Literal, Order, Path, Returned, Select, Statement, SyntaxError, Target};
use crate::DEPTH_MAX;

/// How deep conditions and values may nest.
const NESTING_MAX: usize = DEPTH_MAX + 1;

/// Reads a statement, and how many parameters it has.
pub fn parse(text: &str) -> Result<(Statement, usize), SyntaxError> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, parameters: 0, depth: 0 };
    let statement = parser.statement()?;
    if parser.at < parser.tokens.len() {
        return parser.unexpected("Unexpected token after expression");
    }
    Ok((statement, parser.parameters))
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    parameters: usize,
    depth: usize,
}

type Parsed<T> = Result<T, SyntaxError>;

impl Parser {
    fn statement(&mut self) -> Parsed<Statement> {
        if self.word("SELECT") {
            return self.select().map(Statement::Select);
        }
        if self.word("EXISTS") {
            self.need("(")?;
            self.need_word("SELECT")?;
            let select = self.select()?;
            self.need(")")?;
            return Ok(Statement::Exists(select));
        }
        if self.word("INSERT") {
            self.need_word("INTO")?;
            let table = self.name()?;
            self.need_word("VALUE")?;
            return Ok(Statement::Insert { table, item: self.literal()? });
        }
        if self.word("UPDATE") {
            let table = self.name()?;
            let changes = self.changes()?;
            self.need_word("WHERE")?;
            let condition = self.condition()?;
            return Ok(Statement::Update { table, changes, condition, returned: self.returned()? });
        }
        if self.word("DELETE") {
            self.need_word("FROM")?;
            let table = self.name()?;
            self.need_word("WHERE")?;
            let condition = self.condition()?;
            return Ok(Statement::Delete { table, condition, returned: self.returned()? });
        }
        Err(SyntaxError::new("Expected data manipulation"))
    }

    fn select(&mut self) -> Parsed<Select> {
        let paths = if self.sign("*") { None } else { Some(self.listed(Parser::path)?) };
        self.need_word("FROM")?;
        let table = self.name()?;
        let index = if self.sign(".") { Some(self.name()?) } else { None };
        let condition = if self.word("WHERE") { Some(self.condition()?) } else { None };
        let mut order = Vec::new();
        if self.word("ORDER") {
            self.need_word("BY")?;
            order = self.listed(|parser| {
                let by = parser.name()?;
                let descending = parser.word("DESC");
                if !descending {
                    parser.word("ASC");
                }
                Ok(Order { by, descending })
            })?;
        }
        Ok(Select { paths, from: Target { table, index }, condition, order })
    }

    fn changes(&mut self) -> Parsed<Vec<Change>> {
        let mut changes = Vec::new();
        loop {
            if self.word("SET") {
                changes.extend(self.listed(Parser::set)?);
            } else if self.word("REMOVE") {
                changes.extend(self.listed(|parser| parser.path().map(Change::Remove))?);
            } else if changes.is_empty() {
                return self.unexpected("Expected SET or REMOVE");
            } else {
                return Ok(changes);
            }
        }
    }

    fn set(&mut self) -> Parsed<Change> {
        let path = self.path()?;
        self.need("=")?;
        let assigned = if self.call("list_append") {
            let first = self.term()?;
            self.need(",")?;
            let second = self.term()?;
            self.need(")")?;
            Assigned::ListAppend(first, second)
        } else if self.call("set_add") {
            Assigned::SetAdd(self.elements_for(&path)?)
        } else if self.call("set_delete") {
            Assigned::SetDelete(self.elements_for(&path)?)
        } else {
            let term = self.term()?;
            if self.sign("+") {
                Assigned::Plus(term, self.term()?)
            } else if self.sign("-") {
                Assigned::Minus(term, self.term()?)
            } else {
                Assigned::Term(term)
            }
        };
        Ok(Change::Set(path, assigned))
    }

    fn elements_for(&mut self, target: &Path) -> Parsed<Literal> {
        if self.path()? != *target {
            return Err(SyntaxError::new(
                "The first operand of set_add and set_delete must be the path that is set",
            ));
        }
        self.need(",")?;
        let elements = self.literal()?;
        self.need(")")?;
        Ok(elements)
    }

    fn returned(&mut self) -> Parsed<Option<Returned>> {
        if !self.word("RETURNING") {
            return Ok(None);
        }
        let all = self.word("ALL");
        if !all {
            self.need_word("MODIFIED")?;
        }
        let new = self.word("NEW");
        if !new {
            self.need_word("OLD")?;
        }
        self.need("*")?;
        Ok(Some(Returned { all, new }))
    }

    fn listed<T>(&mut self, one: impl Fn(&mut Parser) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.sign(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    fn until<T>(&mut self, close: &'static str, one: impl Fn(&mut Parser) -> Parsed<T>) -> Parsed<Vec<T>> {
        if self.sign(close) {
            return Ok(Vec::new());
        }
        let all = self.listed(one)?;
        self.need(close)?;
        Ok(all)
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Parser) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= NESTING_MAX {
            return Err(SyntaxError::new("Nesting levels have exceeded supported limits"));
        }
        self.depth += 1;
        let done = inner(self);
        self.depth -= 1;
        done
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Sign(found)) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn word(&mut self, word: &str) -> bool {
        let is =
            matches!(self.tokens.get(self.at), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    /// A function's name and its opening parenthesis.
    fn call(&mut self, name: &str) -> bool {
        let open = self.tokens.get(self.at + 1) == Some(&Token::Sign("("));
        open && self.word(name) && self.sign("(")
    }

    fn need(&mut self, sign: &str) -> Parsed<()> {
        if self.sign(sign) { Ok(()) } else { self.unexpected(&format!("Expected {sign}")) }
    }

    fn need_word(&mut self, word: &str) -> Parsed<()> {
        if self.word(word) { Ok(()) } else { self.unexpected(&format!("Expected {word}")) }
    }

    fn unexpected<T>(&self, what: &str) -> Parsed<T> {
        let found = match self.tokens.get(self.at) {
            Some(Token::Word(text) | Token::Quoted(text) | Token::Text(text) | Token::Number(text)) => text,
            Some(Token::Sign(sign)) => *sign,
            None => "the end",
        };
        Err(SyntaxError::new(format!("{what}, found: {found}")))
    }
}
