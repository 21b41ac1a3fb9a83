//! Many rows at once.

use crate::{Cells, Error, Kind, Value};

/// Rows that shall be there afterwards.
pub struct Upsert<'a, R = Vec<Value>> {
    pub table: &'a str,
    pub columns: &'a [String],
    /// Columns of a unique key, which decides whether a row is there already. MySQL goes by any unique key of the table.
    pub key: &'a [String],
    /// One value for each column. No two rows may have the same key.
    pub rows: &'a [R],
    pub on_conflict: OnConflict,
}

/// What happens to a row that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// It gets all the new values.
    Replace,
    /// It stays as it is.
    Keep,
    /// It is an error of kind `Constraint`, and nothing is written: the cheapest, for rows that nobody has written.
    Refuse,
}

/// An upsert as drivers see it.
pub(crate) type Bulk<'a> = Upsert<'a, &'a dyn Cells>;

impl<R> Clone for Upsert<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Upsert<'_, R> {}

impl<R: Cells> Upsert<'_, R> {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.columns.is_empty() || self.key.is_empty() {
            return Err(Error::new(Kind::Other, "an upsert names its columns and its key"));
        }
        if self.rows.iter().any(|row| row.width() != self.columns.len()) {
            return Err(Error::new(Kind::Other, "a row of an upsert has a value for each column"));
        }
        Ok(())
    }

    /// The columns that a row that is there already gets anew.
    pub(crate) fn updated(&self) -> impl Iterator<Item = &String> {
        self.columns.iter().filter(|column| !self.key.contains(column))
    }
}
