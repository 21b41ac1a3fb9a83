//! What a driver does for `Connection`.

use crate::bulk::Bulk;
use crate::{ColumnShape, Dialect, Error, Kind, NewTable, TableShape, Value};
use std::collections::HashMap;
use std::sync::Arc;

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
    /// BEGIN and a first statement; the rows that it changed.
    fn begin_with(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        self.begin()?;
        Ok(self.run(sql, values, usize::MAX)?.executed.rows)
    }

    /// A last upsert and COMMIT.
    fn commit_with(&mut self, upsert: &Bulk<'_>) -> Result<(), Error> {
        self.upsert(upsert)?;
        self.commit()
    }

    /// The table as the database tells it now.
    fn table(&mut self, name: &str) -> Result<Option<TableShape>, Error>;
    fn upsert(&mut self, upsert: &Bulk<'_>) -> Result<u64, Error>;
    fn delete(&mut self, table: &str, columns: &[String], keys: &[Vec<Value>]) -> Result<u64, Error>;
    fn lock(&mut self, name: &str) -> Result<(), Error>;
    fn unlock(&mut self, name: &str, succeeded: bool) -> Result<(), Error>;
    fn is_open(&mut self) -> bool;

    fn for_many_writers(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Drops what is known of tables and kept of statements: a table changes.
    fn forget(&mut self) {}

    fn create(&mut self, table: &NewTable) -> Result<(), Error>;

    /// What a key's texts are given so that they are compared byte by byte, where they are not anyway.
    fn key_collation(&self) -> &'static str {
        ""
    }
}

/// The tables that a connection has asked for, until something changes or fails.
#[derive(Default)]
pub(crate) struct Shapes(HashMap<String, Arc<TableShape>>);

impl Shapes {
    pub fn of<D: Driver>(
        driver: &mut D,
        shapes: impl Fn(&mut D) -> &mut Shapes,
        table: &str,
    ) -> Result<Arc<TableShape>, Error> {
        if let Some(shape) = shapes(driver).0.get(table) {
            return Ok(shape.clone());
        }
        let missing = || format!("there is no table {}", Dialect::Postgres.quoted(table));
        let shape = driver.table(table)?.ok_or_else(|| Error::new(Kind::Missing, missing()))?;
        let shape = Arc::new(shape);
        shapes(driver).0.insert(table.to_owned(), shape.clone());
        Ok(shape)
    }

    pub fn forget(&mut self) {
        self.0.clear();
    }
}

/// Rows as they are read. Past the bound they are counted and let go: a connection's answer is read to its end.
pub(crate) struct Taken {
    rows: Vec<Vec<Value>>,
    bytes: usize,
    bytes_max: usize,
}

impl Taken {
    pub fn within(bytes_max: usize) -> Taken {
        Taken { rows: Vec::new(), bytes: 0, bytes_max }
    }

    pub fn row(&mut self, values: Vec<Value>) {
        self.bytes += values.iter().map(Value::size).sum::<usize>();
        if self.bytes <= self.bytes_max {
            self.rows.push(values);
        }
    }

    pub fn end(self, columns: Vec<ColumnShape>, executed: Executed) -> Result<Outcome, Error> {
        if self.bytes > self.bytes_max {
            let message = format!("the rows are more than {} bytes", self.bytes_max);
            return Err(Error::new(Kind::TooLarge, message));
        }
        Ok(Outcome { rows: Rows { columns, rows: self.rows }, executed })
    }
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
