//! What a driver does for `Connection`.

use crate::{ColumnShape, Error, NewTable, TableShape, Upsert, Value};

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

pub(crate) trait Driver: Send {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<Executed, Error>;
    fn query(&mut self, sql: &str, values: &[Value]) -> Result<Rows, Error>;
    /// Statements without parameters, separated by semicolons.
    fn batch(&mut self, sql: &str) -> Result<(), Error>;
    fn begin(&mut self) -> Result<(), Error>;
    fn table(&mut self, name: &str) -> Result<Option<TableShape>, Error>;
    fn upsert(&mut self, upsert: &Upsert<'_>) -> Result<u64, Error>;
    fn delete(&mut self, table: &str, columns: &[String], keys: &[Vec<Value>]) -> Result<u64, Error>;
    fn lock(&mut self, name: &str) -> Result<(), Error>;
    fn unlock(&mut self, name: &str, succeeded: bool) -> Result<(), Error>;
    fn is_open(&mut self) -> bool;

    /// The collation of texts in keys: byte by byte.
    fn key_collation(&mut self) -> Result<String, Error> {
        Ok(String::new())
    }

    fn create(&mut self, table: &NewTable, dialect: crate::Dialect) -> Result<(), Error> {
        let collation = self.key_collation()?;
        self.batch(&table.statement(dialect, &collation))
    }
}
