//! Attributes that become columns under their own names: which of them a table can have.

use super::{Fault, Mapping, convert::fault};
use crate::Error;
use model::{Item, Value};
use sql::{Bound, Cell, Dialect};

/// Names that are remembered; more are tried again.
const REFUSED_MAX: usize = 10_000;

impl Mapping {
    /// Refuses a mapping that no table of this database can have.
    pub fn suits(&self, dialect: Dialect) -> Result<(), Error> {
        if let Some(reason) = dialect.refuses_table(&self.table) {
            return Err(Error::config(format!("table {}: {reason}", self.table)));
        }
        if self.table.to_lowercase().starts_with("millstream_") {
            let message = format!("table {}: names that begin so are of what pipelines remember", self.table);
            return Err(Error::config(message));
        }
        for (at, column) in self.columns.iter().enumerate() {
            let name = &column.name;
            if let Some(reason) = dialect.refuses_column(name) {
                return Err(Error::config(format!("column {name}: {reason}")));
            }
            let same = |other: &&super::Column| dialect.is_same_column(&other.name, name);
            if let Some(other) = self.columns[..at].iter().find(same) {
                let message = format!("columns {} and {name} have one name in this database", other.name);
                return Err(Error::config(message));
            }
        }
        Ok(())
    }

    /// Why an attribute without a column cannot be given one.
    pub fn refuses(&self, name: &str, dialect: Dialect) -> Option<String> {
        if let Some(reason) = dialect.refuses_to_add(name) {
            return Some(reason);
        }
        match self.columns.iter().find(|column| dialect.is_same_column(&column.name, name)) {
            Some(column) => Some(format!("the table has a column {} already", column.name)),
            None => self.refused.get(name).cloned(),
        }
    }

    /// Of the columns that were wanted, those that came in; why the others did not is remembered.
    pub fn without(mut self, refused: &[&str], reason: &str) -> Mapping {
        if self.refused.len() + refused.len() > REFUSED_MAX {
            self.refused.clear();
        }
        self.columns.retain(|column| !refused.contains(&column.name.as_str()));
        self.refused.extend(refused.iter().map(|name| ((*name).to_owned(), reason.to_owned())));
        self.with(Vec::new())
    }

    /// The mapping, where a column holds no more than this.
    pub fn bounded(mut self, column: &str, bound: Bound) -> Mapping {
        self.bounds.insert(column.to_owned(), bound);
        self
    }

    /// Columns that hold less than the mapping says, and what they hold.
    pub fn bounds(&self) -> impl Iterator<Item = (&str, &Bound)> {
        self.bounds.iter().map(|(column, bound)| (column.as_str(), bound))
    }

    /// What a column would change is told instead.
    pub(super) fn is_within(&self, at: usize, cell: Cell<'_>) -> Result<(), String> {
        match self.bounds.get(&self.columns[at].name) {
            Some(bound) if !bound.takes(cell) => Err(format!("the table's column holds {bound}")),
            _ => Ok(()),
        }
    }

    /// Whether this holds for all of the key.
    pub(super) fn has_free_key(&self) -> bool {
        self.key.iter().all(|name| !self.bounds.contains_key(name))
    }

    /// An attribute that can have no column would be lost: it is told instead.
    pub(super) fn has_columns(&self, item: &Item, dialect: Dialect) -> Result<(), Fault> {
        for (name, value) in self.unmapped(item) {
            if *value != Value::Null
                && let Some(reason) = self.refuses(name, dialect)
            {
                let shown: String = name.chars().take(80).collect();
                return Err(fault(format!(
                    "attribute {shown} gets no column: {reason}; give it one of another name, or drop it"
                )));
            }
        }
        Ok(())
    }

    /// Whether an attribute waits for a column.
    pub fn lacks_columns(&self, item: &Item) -> bool {
        self.unmapped(item).any(|(_, value)| *value != Value::Null)
    }
}
