//! The grammar.

use super::token::{Token, tokens};
use super::{
    Assigned, Change, Comparison, Condition, Function, Literal, Order, Path, Returned, Select, Statement,
    Step, SyntaxError, Target, Term,
};
use crate::{DEPTH_MAX, Number};

/// How deep conditions and values may nest.
const NESTING_MAX: usize = DEPTH_MAX + 1;
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

    fn condition(&mut self) -> Parsed<Condition> {
        self.nested(|parser| {
            let mut any = vec![parser.conjunction()?];
            while parser.word("OR") {
                any.push(parser.conjunction()?);
            }
            Ok(if any.len() == 1 { any.remove(0) } else { Condition::Or(any) })
        })
    }

    fn conjunction(&mut self) -> Parsed<Condition> {
        let mut all = vec![self.negation()?];
        while self.word("AND") {
            all.push(self.negation()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::And(all) })
    }

    fn negation(&mut self) -> Parsed<Condition> {
        if self.word("NOT") {
            return self.nested(|parser| Ok(Condition::Not(Box::new(parser.negation()?))));
        }
        if self.sign("(") {
            let condition = self.condition()?;
            self.need(")")?;
            return Ok(condition);
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Parsed<Condition> {
        for function in [Function::AttributeType, Function::BeginsWith, Function::Contains] {
            if self.call(function.as_str()) {
                let path = self.path()?;
                self.need(",")?;
                let term = self.term()?;
                self.need(")")?;
                return Ok(Condition::Call(function, path, term));
            }
        }
        let left = self.term()?;
        if self.word("IS") {
            let not = self.word("NOT");
            let Term::Path(path) = left else {
                return self.unexpected("IS takes an attribute");
            };
            let condition = if self.word("MISSING") {
                Condition::Missing(path)
            } else {
                self.need_word("NULL")?;
                Condition::Null(path)
            };
            return Ok(if not { Condition::Not(Box::new(condition)) } else { condition });
        }
        let not = self.word("NOT");
        let found = if self.word("BETWEEN") {
            let low = self.term()?;
            self.need_word("AND")?;
            Some(Condition::Between(left, low, self.term()?))
        } else if self.word("IN") {
            let close = if self.sign("[") {
                "]"
            } else {
                self.need("(")?;
                ")"
            };
            let among = self.listed(Parser::term)?;
            self.need(close)?;
            Some(Condition::In(left, among))
        } else if not {
            return self.unexpected("Expected BETWEEN or IN");
        } else {
            let comparison = Comparison::ALL.into_iter().find(|comparison| self.sign(comparison.as_str()));
            let comparison = comparison.or_else(|| self.sign("!=").then_some(Comparison::Unequal));
            match comparison {
                Some(comparison) => Some(Condition::Compare(comparison, left, self.term()?)),
                None => None,
            }
        };
        match found {
            Some(condition) if not => Ok(Condition::Not(Box::new(condition))),
            Some(condition) => Ok(condition),
            None => self.unexpected("Expected an operator"),
        }
    }

    fn term(&mut self) -> Parsed<Term> {
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

    fn literal(&mut self) -> Parsed<Literal> {
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

    fn path(&mut self) -> Parsed<Path> {
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

    fn name(&mut self) -> Parsed<String> {
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

fn literal_word(word: &str) -> bool {
    ["TRUE", "FALSE", "NULL"].iter().any(|literal| literal.eq_ignore_ascii_case(word))
}

impl Comparison {
    /// Longer ones are tokens of their own, so the order says nothing.
    const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::Unequal,
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::Unequal => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

impl Function {
    pub fn as_str(self) -> &'static str {
        match self {
            Function::AttributeType => "attribute_type",
            Function::BeginsWith => "begins_with",
            Function::Contains => "contains",
        }
    }
}
