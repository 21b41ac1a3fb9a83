//! PartiQL's conditions and changes as expressions, which the engine runs.

use crate::expressions::{Expressions, Ready};
use crate::fault::{Fault, validation};
use engine::Programs;
use model::Value;
use model::partiql::{Assigned, Change, Condition, Literal, Path, Step, Term};

/// The placeholders of one statement's expressions. Texts of equal statements are equal, so that they compile once.
pub(super) struct Lowering<'a> {
    parameters: &'a [Value],
    names: Vec<(String, String)>,
    values: Vec<(String, Value)>,
}

/// What a condition stands in without parentheses around it.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    And,
    /// Or in something that binds no closer than any condition.
    Nothing,
}

impl<'a> Lowering<'a> {
    pub fn new(parameters: &'a [Value]) -> Lowering<'a> {
        Lowering { parameters, names: Vec::new(), values: Vec::new() }
    }

    /// Compiles texts that this has made.
    pub fn ready(
        self,
        programs: &Programs,
        update: Option<&str>,
        condition: Option<&str>,
        filter: Option<&str>,
    ) -> Result<Ready, Fault> {
        let names = (!self.names.is_empty()).then_some(self.names);
        let values = (!self.values.is_empty()).then_some(self.values);
        Expressions { update, condition, filter, names, values, ..Expressions::default() }.ready(programs)
    }

    pub fn name(&mut self, name: &str) -> String {
        if let Some((placeholder, _)) = self.names.iter().find(|(_, known)| known == name) {
            return placeholder.clone();
        }
        let placeholder = format!("#{}", self.names.len());
        self.names.push((placeholder.clone(), name.to_owned()));
        placeholder
    }

    /// All of them hold. None: there are none.
    pub fn all(&mut self, conditions: &[&Condition]) -> Result<Option<String>, Fault> {
        let within = if conditions.len() > 1 { Within::And } else { Within::Nothing };
        let parts = conditions.iter().map(|condition| self.condition(condition, within));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        Ok((!parts.is_empty()).then(|| parts.join(" AND ")))
    }

    /// The first condition holds, which is no OR, and all of the others.
    pub fn all_with(&mut self, first: String, others: &[&Condition]) -> Result<String, Fault> {
        others.iter().try_fold(first, |all, condition| {
            Ok(format!("{all} AND {}", self.condition(condition, Within::And)?))
        })
    }

    fn value(&mut self, value: Value) -> String {
        let placeholder = format!(":{}", self.values.len());
        self.values.push((placeholder.clone(), value));
        placeholder
    }

    fn literal(&mut self, literal: &Literal) -> Result<String, Fault> {
        let value = literal.value(self.parameters).map_err(validation)?;
        Ok(self.value(value))
    }

    fn path(&mut self, path: &Path) -> String {
        let mut text = self.name(&path.root);
        for step in &path.steps {
            match step {
                Step::Field(field) => {
                    text.push('.');
                    text.push_str(&self.name(field));
                }
                Step::Element(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }

    fn term(&mut self, term: &Term) -> Result<String, Fault> {
        match term {
            Term::Path(path) => Ok(self.path(path)),
            Term::Literal(literal) => self.literal(literal),
            Term::Size(path) => Ok(format!("size({})", self.path(path))),
        }
    }

    /// Parentheses that say nothing are an error in an expression, so that there are only those that say something.
    fn condition(&mut self, condition: &Condition, within: Within) -> Result<String, Fault> {
        let mut join = |conditions: &[Condition], between: &str, inner: Within| -> Result<String, Fault> {
            let parts = conditions.iter().map(|condition| self.condition(condition, inner));
            Ok(parts.collect::<Result<Vec<_>, _>>()?.join(between))
        };
        Ok(match condition {
            Condition::And(all) => join(all, " AND ", Within::And)?,
            Condition::Or(any) if within == Within::And => {
                format!("({})", join(any, " OR ", Within::Nothing)?)
            }
            Condition::Or(any) => join(any, " OR ", Within::Nothing)?,
            Condition::Not(condition) => format!("NOT ({})", self.condition(condition, Within::Nothing)?),
            Condition::Compare(comparison, left, right) => {
                format!("{} {} {}", self.term(left)?, comparison.as_str(), self.term(right)?)
            }
            Condition::Between(term, low, high) => {
                format!("{} BETWEEN {} AND {}", self.term(term)?, self.term(low)?, self.term(high)?)
            }
            Condition::In(term, among) => {
                let term = self.term(term)?;
                let among = among.iter().map(|one| self.term(one)).collect::<Result<Vec<_>, _>>()?;
                format!("{term} IN ({})", among.join(","))
            }
            Condition::Missing(path) => format!("attribute_not_exists({})", self.path(path)),
            Condition::Null(path) => {
                let path = self.path(path);
                format!("attribute_type({path}, {})", self.value(Value::from("NULL")))
            }
            Condition::Call(function, path, term) => {
                format!("{}({}, {})", function.as_str(), self.path(path), self.term(term)?)
            }
        })
    }

    /// An update expression.
    pub fn changes(&mut self, changes: &[Change]) -> Result<String, Fault> {
        let (mut set, mut remove, mut add, mut delete) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            let (path, assigned) = match change {
                Change::Remove(path) => {
                    remove.push(self.path(path));
                    continue;
                }
                Change::Set(path, assigned) => (self.path(path), assigned),
            };
            match assigned {
                Assigned::Term(Term::Size(_)) => return Err(validation("size can not be assigned")),
                Assigned::Term(term) => set.push(format!("{path} = {}", self.term(term)?)),
                Assigned::Plus(a, b) => set.push(format!("{path} = {} + {}", self.term(a)?, self.term(b)?)),
                Assigned::Minus(a, b) => set.push(format!("{path} = {} - {}", self.term(a)?, self.term(b)?)),
                Assigned::ListAppend(a, b) => {
                    set.push(format!("{path} = list_append({}, {})", self.term(a)?, self.term(b)?));
                }
                Assigned::SetAdd(elements) => {
                    add.push(format!("{path} {}", self.set("set_add", elements)?));
                }
                Assigned::SetDelete(elements) => {
                    delete.push(format!("{path} {}", self.set("set_delete", elements)?));
                }
            }
        }
        let clauses = [("SET", set), ("REMOVE", remove), ("ADD", add), ("DELETE", delete)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        Ok(clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect::<Vec<_>>().join(" "))
    }

    fn set(&mut self, function: &str, elements: &Literal) -> Result<String, Fault> {
        match elements.value(self.parameters).map_err(validation)? {
            value @ (Value::Ss(_) | Value::Ns(_) | Value::Bs(_)) => Ok(self.value(value)),
            other => Err(validation(format!("{function} takes a set, not {}", other.kind()))),
        }
    }
}
