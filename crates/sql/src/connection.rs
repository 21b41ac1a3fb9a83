//! One connection to one database.

use crate::driver::Driver;
use crate::mysql::Mysql;
use crate::postgres::Postgres;
use crate::settings::Place;
use crate::sqlite::Sqlite;
use crate::{
    Cells, Column, Dialect, Error, Executed, NewTable, Outcome, Rows, Settings, TableShape, Upsert, Value,
};

pub struct Connection {
    dialect: Dialect,
    driver: Box<dyn Driver>,
}

impl Connection {
    pub fn open(settings: &Settings) -> Result<Connection, Error> {
        let driver: Box<dyn Driver> = match &settings.place {
            Place::Sqlite(file) => Box::new(Sqlite::open(file, settings)?),
            Place::Server(server) if server.dialect == Dialect::Postgres => {
                Box::new(Postgres::open(server, settings)?)
            }
            Place::Server(server) => Box::new(Mysql::open(server, settings)?),
        };
        Ok(Connection { dialect: settings.dialect(), driver })
    }

    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Runs one statement. Parameters are spelt as `Dialect::parameter` says. Statements are prepared once and kept.
    pub fn execute(&mut self, sql: &str, values: &[Value]) -> Result<Executed, Error> {
        Ok(self.driver.run(sql, values, usize::MAX)?.executed)
    }

    /// Runs one statement that gives rows.
    pub fn query(&mut self, sql: &str, values: &[Value]) -> Result<Rows, Error> {
        Ok(self.driver.run(sql, values, usize::MAX)?.rows)
    }

    /// Runs one statement that may give rows, and gives all that came of it; more bytes of rows than these are
    /// `Kind::TooLarge`, after the statement has done its work.
    pub fn run(&mut self, sql: &str, values: &[Value], bytes_max: usize) -> Result<Outcome, Error> {
        self.driver.run(sql, values, bytes_max)
    }

    /// Runs statements without parameters and without rows, separated by semicolons.
    pub fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.driver.batch(sql)
    }

    /// All of the work or nothing of it. Work that wants to be done again after `Kind::Conflict` is given again by the
    /// caller. An error of COMMIT of kind `Unreachable` leaves open which of the two it was.
    pub fn transaction<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.begin()?;
        match work(self).and_then(|value| self.commit().map(|()| value).map_err(E::from)) {
            Ok(value) => Ok(value),
            Err(error) => {
                // What went wrong is what is told; a transaction that has ended already needs no rollback.
                let _ = self.rollback();
                Err(error)
            }
        }
    }

    /// On SQLite a transaction is the only writer of its file from here on.
    pub fn begin(&mut self) -> Result<(), Error> {
        self.driver.begin()
    }

    pub fn commit(&mut self) -> Result<(), Error> {
        self.driver.commit()
    }

    /// Begins a transaction and runs its first statement: in one round trip where database and values allow. The number
    /// of rows that it changed.
    pub fn begin_with(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        self.driver.begin_with(sql, values)
    }

    /// Writes last rows and commits: in one round trip where database and values allow.
    pub fn commit_with<R: Cells>(&mut self, upsert: &Upsert<'_, R>) -> Result<(), Error> {
        upsert.check()?;
        if upsert.rows.is_empty() {
            return self.driver.commit();
        }
        let rows: Vec<&dyn Cells> = upsert.rows.iter().map(|row| row as _).collect();
        let Upsert { table, columns, key, on_conflict, .. } = *upsert;
        self.driver.commit_with(&Upsert { table, columns, key, rows: &rows, on_conflict })
    }

    pub fn rollback(&mut self) -> Result<(), Error> {
        self.driver.rollback()
    }

    /// The table with this name, in the connection's own schema or database.
    pub fn table(&mut self, name: &str) -> Result<Option<TableShape>, Error> {
        self.driver.table(name)
    }

    /// Makes the table, unless it is there, in whatever shape.
    pub fn create_table(&mut self, table: &NewTable) -> Result<(), Error> {
        self.driver.forget();
        self.driver.create(table)
    }

    /// The statement by which `create_table` makes it.
    pub fn create_statement(&self, table: &NewTable) -> String {
        table.statement(self.dialect(), self.driver.key_collation())
    }

    pub fn add_column(&mut self, table: &str, column: &Column) -> Result<(), Error> {
        self.driver.forget();
        self.driver.batch(&column.statement(self.dialect, table))
    }

    /// Writes rows; those that are there already are replaced or kept. The table is asked for its types once, and its
    /// answer kept until `add_column`, `create_table` or an error. The number of rows that were written, where the
    /// database counts them so (MySQL counts a replaced row twice).
    pub fn upsert<R: Cells>(&mut self, upsert: &Upsert<'_, R>) -> Result<u64, Error> {
        upsert.check()?;
        if upsert.rows.is_empty() {
            return Ok(0);
        }
        let rows: Vec<&dyn Cells> = upsert.rows.iter().map(|row| row as _).collect();
        let Upsert { table, columns, key, on_conflict, .. } = *upsert;
        self.driver.upsert(&Upsert { table, columns, key, rows: &rows, on_conflict })
    }

    /// Removes the rows with these keys: each key has a value for each column.
    pub fn delete(&mut self, table: &str, columns: &[String], keys: &[Vec<Value>]) -> Result<u64, Error> {
        if keys.is_empty() {
            return Ok(0);
        }
        self.driver.delete(table, columns, keys)
    }

    /// Does work, changes of tables above all, while nobody else does work under the same name in this database. On
    /// SQLite this is a transaction, so the work must not begin one.
    pub fn locked<T, E: From<Error>>(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        self.driver.lock(name)?;
        let done = work(self);
        match self.driver.unlock(name, done.is_ok()) {
            Err(error) if done.is_ok() => Err(error.into()),
            _ => done,
        }
    }

    /// Transactions from now on lock what they write and not what lies between, so that many may write into one table;
    /// each statement sees what is committed before it. What a database does anyway, or cannot do, is left.
    pub fn for_many_writers(&mut self) -> Result<(), Error> {
        self.driver.for_many_writers()
    }

    /// Whether it is worth another statement, as far as this side knows.
    pub fn is_open(&mut self) -> bool {
        self.driver.is_open()
    }
}
