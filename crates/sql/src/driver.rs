//! What a driver does for `Connection`.

use crate::{ColumnShape, Dialect, Error, Kind, NewTable, TableShape, Upsert, Value};

/// What a statement did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Executed {
    /// Rows that it changed.
    pub rows: u64,
    /// The number that an insert drew, where the database tells (MySQL, SQLite).
    pub last_insert_id: Option<u64>,
}

/// What a query gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Name and type of each column, the type in the database's own words.
    pub columns: Vec<ColumnShape>,
    pub rows: Vec<Vec<Value>>,
}

/// What came of a statement of whatever kind: no columns when it gives no rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub rows: Rows,
    pub executed: Executed,
}

pub(crate) trait Driver: Send {
    /// One statement; more bytes of rows than these are `Kind::TooLarge`.
    fn run(&mut self, sql: &str, values: &[Value], bytes_max: usize) -> Result<Outcome, Error>;
    /// Statements without parameters, separated by semicolons.
    fn batch(&mut self, sql: &str) -> Result<(), Error>;
    fn begin(&mut self) -> Result<(), Error>;
    fn commit(&mut self) -> Result<(), Error>;
    fn rollback(&mut self) -> Result<(), Error>;
    fn table(&mut self, name: &str) -> Result<Option<TableShape>, Error>;
    fn upsert(&mut self, upsert: &Upsert<'_>) -> Result<u64, Error>;
    fn delete(&mut self, table: &str, columns: &[String], keys: &[Vec<Value>]) -> Result<u64, Error>;
    fn lock(&mut self, name: &str) -> Result<(), Error>;
    fn unlock(&mut self, name: &str, succeeded: bool) -> Result<(), Error>;
    fn is_open(&mut self) -> bool;

    /// Drops what is known of tables and kept of statements: a table changes.
    fn forget(&mut self) {}

    fn create(&mut self, table: &NewTable) -> Result<(), Error>;
}

/// The columns of a table that a bulk statement names, as they are.
pub(crate) fn chosen<'a>(
    shape: &'a TableShape,
    table: &str,
    names: &[String],
) -> Result<Vec<&'a ColumnShape>, Error> {
    let find = |name: &String| {
        shape.column(name).ok_or_else(|| {
            Error::new(
                Kind::Missing,
                format!("table {table} has no column {}", Dialect::Postgres.quoted(name)),
            )
        })
    };
    names.iter().map(find).collect()
}

pub(crate) fn no_table(table: &str) -> Error {
    Error::new(Kind::Missing, format!("there is no table {}", Dialect::Postgres.quoted(table)))
}

pub(crate) fn too_large(bytes_max: usize) -> Error {
    Error::new(Kind::TooLarge, format!("the rows are more than {bytes_max} bytes"))
}
