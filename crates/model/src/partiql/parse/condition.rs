//! What follows `WHERE`.

use super::{Parsed, Parser};
use crate::partiql::{Comparison, Condition, Function, Term};

impl Parser {
    pub(super) fn condition(&mut self) -> Parsed<Condition> {
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
