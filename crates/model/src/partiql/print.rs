//! Statements as text: what is printed parses to the same statement.

use super::{Assigned, Change, Condition, Literal, Path, Returned, Select, Statement, Step, Target, Term};
use std::fmt::{self, Display, Formatter};

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Select(select) => select.fmt(f),
            Statement::Exists(select) => write!(f, "EXISTS({select})"),
            Statement::Insert { table, item } => write!(f, "INSERT INTO {} VALUE {item}", name(table)),
            Statement::Update { table, changes, condition, returned } => {
                write!(f, "UPDATE {}", name(table))?;
                for change in changes {
                    write!(f, " {change}")?;
                }
                write!(f, " WHERE {condition}{}", Tail(*returned))
            }
            Statement::Delete { table, condition, returned } => {
                write!(f, "DELETE FROM {} WHERE {condition}{}", name(table), Tail(*returned))
            }
        }
    }
}

struct Tail(Option<Returned>);

impl Display for Tail {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(Returned { all, new }) = self.0 else {
            return Ok(());
        };
        let all = if all { "ALL" } else { "MODIFIED" };
        write!(f, " RETURNING {all} {} *", if new { "NEW" } else { "OLD" })
    }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Select { paths, from, condition, order } = self;
        match paths {
            Some(paths) => write!(f, "SELECT {} FROM {from}", joined(paths, ", "))?,
            None => write!(f, "SELECT * FROM {from}")?,
        }
        if let Some(condition) = condition {
            write!(f, " WHERE {condition}")?;
        }
        for (at, order) in order.iter().enumerate() {
            let before = if at == 0 { " ORDER BY" } else { "," };
            write!(f, "{before} {} {}", name(&order.by), if order.descending { "DESC" } else { "ASC" })?;
        }
        Ok(())
    }
}

impl Display for Target {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&name(&self.table))?;
        self.index.as_ref().map_or(Ok(()), |index| write!(f, ".{}", name(index)))
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&name(&self.root))?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Field(field) => write!(f, ".{}", name(field)),
            Step::Element(index) => write!(f, "[{index}]"),
        })
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Condition::And(all) => {
                write!(f, "{}", all.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" AND "))
            }
            Condition::Or(any) => {
                write!(f, "{}", any.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" OR "))
            }
            Condition::Not(condition) => write!(f, "NOT ({condition})"),
            Condition::Compare(comparison, a, b) => write!(f, "{a} {} {b}", comparison.as_str()),
            Condition::Between(term, low, high) => write!(f, "{term} BETWEEN {low} AND {high}"),
            Condition::In(term, among) => write!(f, "{term} IN [{}]", joined(among, ", ")),
            Condition::Missing(path) => write!(f, "{path} IS MISSING"),
            Condition::Null(path) => write!(f, "{path} IS NULL"),
            Condition::Call(function, path, term) => write!(f, "{}({path}, {term})", function.as_str()),
        }
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Term::Path(path) => path.fmt(f),
            Term::Literal(literal) => literal.fmt(f),
            Term::Size(path) => write!(f, "size({path})"),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Text(text) => f.write_str(&string(text)),
            Literal::Number(number) => number.fmt(f),
            Literal::Bool(is) => f.write_str(if *is { "TRUE" } else { "FALSE" }),
            Literal::Null => f.write_str("NULL"),
            Literal::List(elements) => write!(f, "[{}]", joined(elements, ", ")),
            Literal::Set(elements) => write!(f, "<<{}>>", joined(elements, ", ")),
            Literal::Map(members) => {
                let members = members.iter().map(|(name, value)| format!("{}: {value}", string(name)));
                write!(f, "{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
            Literal::Parameter(_) => f.write_str("?"),
        }
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (path, assigned) = match self {
            Change::Remove(path) => return write!(f, "REMOVE {path}"),
            Change::Set(path, assigned) => (path, assigned),
        };
        write!(f, "SET {path} = ")?;
        match assigned {
            Assigned::Term(term) => term.fmt(f),
            Assigned::Plus(a, b) => write!(f, "{a} + {b}"),
            Assigned::Minus(a, b) => write!(f, "{a} - {b}"),
            Assigned::ListAppend(a, b) => write!(f, "list_append({a}, {b})"),
            Assigned::SetAdd(elements) => write!(f, "set_add({path}, {elements})"),
            Assigned::SetDelete(elements) => write!(f, "set_delete({path}, {elements})"),
        }
    }
}

fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn joined<T: Display>(all: &[T], between: &str) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(between)
}
