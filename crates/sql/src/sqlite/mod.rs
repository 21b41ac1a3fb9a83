//! SQLite, in this process: a file and nothing installed.

mod value;

use crate::bulk::Bulk;
use crate::driver::{Driver, Taken};
use crate::settings::File;
use crate::{
    Cells, ColumnKind, ColumnShape, Dialect, Error, Executed, Kind, NewTable, Outcome, Settings, TableShape,
    Value,
};
use rusqlite::config::DbConfig;
use rusqlite::ffi::ErrorCode;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use std::path::Path;
use std::time::Duration;

/// How long another writer of the file is waited for.
const BUSY_MAX: Duration = Duration::from_secs(10);
const STATEMENTS_KEPT: usize = 128;

pub(crate) struct Sqlite(Connection);

/// Types are chosen for SQLite's affinities: a name with BLOB in it keeps a number as it is given, and one with TEXT a text.
pub(crate) fn column_type(kind: ColumnKind) -> String {
    match kind {
        ColumnKind::Text => "TEXT".to_owned(),
        ColumnKind::Varchar(letters) => format!("VARCHAR({letters})"),
        // With affinity NUMERIC, SQLite would keep 15 digits.
        ColumnKind::Numeric => "NUMERIC BLOB".to_owned(),
        ColumnKind::Bigint => "BIGINT".to_owned(),
        ColumnKind::Double => "DOUBLE".to_owned(),
        ColumnKind::Bytes => "BLOB".to_owned(),
        ColumnKind::Boolean => "BOOLEAN".to_owned(),
        ColumnKind::Json => "JSON TEXT".to_owned(),
        ColumnKind::Timestamp => "TIMESTAMP TEXT".to_owned(),
    }
}

impl Sqlite {
    /// Opens the file, and makes it when it is not there. A commit is durable when it returns.
    pub fn open(file: &File, settings: &Settings) -> Result<Sqlite, Error> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= match file.read_only {
            true => OpenFlags::SQLITE_OPEN_READ_ONLY,
            false => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        };
        let connection = Connection::open_with_flags(&file.path, flags)?;
        // Else a column that is not there would be read as its own name.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.busy_timeout(settings.statement_timeout.unwrap_or(BUSY_MAX))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        if !file.read_only {
            connection
                .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
                .map_err(|error| of_file(error.into(), &file.path))?;
        }
        Ok(Sqlite(connection))
    }

    fn in_one_go(&mut self, work: impl FnOnce(&mut Sqlite) -> Result<u64, Error>) -> Result<u64, Error> {
        if !self.0.is_autocommit() {
            return work(self);
        }
        self.begin()?;
        let done = work(self).and_then(|count| self.batch("COMMIT").map(|()| count));
        if done.is_err() {
            let _ = self.batch("ROLLBACK");
        }
        done
    }
}

impl Driver for Sqlite {
    fn run(&mut self, sql: &str, values: &[Value], bytes_max: usize) -> Result<Outcome, Error> {
        let mut prepared = self.0.prepare_cached(sql)?;
        let columns: Vec<ColumnShape> = prepared
            .columns()
            .map(|column| ColumnShape {
                name: column.name().to_owned(),
                type_name: column.decl_type().unwrap_or_default().to_ascii_lowercase(),
                nullable: true,
                collation: None,
            })
            .collect();
        let changes = self.0.total_changes();
        let mut found = prepared.query(params_from_iter(values))?;
        let mut taken = Taken::within(bytes_max);
        while let Some(row) = found.next()? {
            let read =
                |(at, column): (usize, &ColumnShape)| Ok(value::read(row.get_ref(at)?, &column.type_name));
            taken.row(columns.iter().enumerate().map(read).collect::<Result<_, rusqlite::Error>>()?);
        }
        drop(found);
        let id = self.0.last_insert_rowid();
        let executed = Executed {
            rows: self.0.total_changes() - changes,
            last_insert_id: u64::try_from(id).ok().filter(|id| *id > 0),
        };
        taken.end(columns, executed)
    }

    fn batch(&mut self, sql: &str) -> Result<(), Error> {
        Ok(self.0.execute_batch(sql)?)
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.batch("COMMIT")
    }

    fn rollback(&mut self) -> Result<(), Error> {
        self.batch("ROLLBACK")
    }

    fn create(&mut self, table: &NewTable) -> Result<(), Error> {
        self.batch(&table.statement(Dialect::Sqlite, ""))
    }

    fn table(&mut self, name: &str) -> Result<Option<TableShape>, Error> {
        let found = self.run(
            "SELECT name, lower(type), \"notnull\" = 0 AND pk = 0, pk, (SELECT x.coll FROM pragma_index_list(?1) i, \
             pragma_index_xinfo(i.name) x WHERE i.origin = 'pk' AND x.name = c.name) \
             FROM pragma_table_info(?1) c ORDER BY cid",
            &[name.into()],
            usize::MAX,
        )?;
        Ok(TableShape::told(&found.rows))
    }

    fn upsert(&mut self, upsert: &Bulk<'_>) -> Result<u64, Error> {
        let dialect = Dialect::Sqlite;
        let places: Vec<String> =
            (1..=upsert.columns.len()).map(|number| dialect.parameter(number)).collect();
        let sql = upsert.around(dialect, &format!("VALUES ({})", places.join(", ")));
        self.in_one_go(|sqlite| {
            let mut prepared = sqlite.0.prepare_cached(&sql)?;
            let mut count = 0;
            for row in upsert.rows {
                count += prepared.execute(params_from_iter((0..row.width()).map(|at| row.cell(at))))? as u64;
            }
            Ok(count)
        })
    }

    fn delete(&mut self, table: &str, columns: &[String], keys: &[Vec<Value>]) -> Result<u64, Error> {
        let tests: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(at, name)| {
                format!("{} = {}", Dialect::Sqlite.quoted(name), Dialect::Sqlite.parameter(at + 1))
            })
            .collect();
        let sql = format!("DELETE FROM {} WHERE {}", Dialect::Sqlite.quoted(table), tests.join(" AND "));
        self.in_one_go(|sqlite| {
            let mut prepared = sqlite.0.prepare_cached(&sql)?;
            let mut count = 0;
            for key in keys {
                count += prepared.execute(params_from_iter(key))? as u64;
            }
            Ok(count)
        })
    }

    fn lock(&mut self, _: &str) -> Result<(), Error> {
        // A file has one writer: a transaction keeps everybody else out, and undoes tables that were half made.
        self.begin()
    }

    fn unlock(&mut self, _: &str, succeeded: bool) -> Result<(), Error> {
        self.batch(if succeeded { "COMMIT" } else { "ROLLBACK" })
    }

    fn is_open(&mut self) -> bool {
        true
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        let message = error.to_string();
        match &error {
            rusqlite::Error::SqliteFailure(failure, told) => {
                let told = told.as_deref().unwrap_or(&message);
                Error::with_code(kind_of(failure.code, told), &failure.extended_code.to_string(), told)
            }
            rusqlite::Error::SqlInputError { error, msg, offset, .. } => Error {
                position: u32::try_from(*offset).ok().map(|offset| offset + 1),
                ..Error::with_code(kind_of(error.code, msg), &error.extended_code.to_string(), msg.as_str())
            },
            rusqlite::Error::InvalidParameterCount(..) | rusqlite::Error::MultipleStatement => {
                Error::new(Kind::Syntax, message)
            }
            rusqlite::Error::NulError(_) => Error::new(Kind::Data, message),
            _ => Error::new(Kind::Other, message),
        }
    }
}

/// Which file it is that cannot be used.
fn of_file(error: Error, path: &Path) -> Error {
    Error { message: format!("{}: {}", path.display(), error.message), ..error }
}

fn kind_of(code: ErrorCode, message: &str) -> Kind {
    match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Kind::Conflict,
        ErrorCode::ConstraintViolation if message.starts_with("CHECK constraint failed: length(") => {
            Kind::Data
        }
        ErrorCode::ConstraintViolation => Kind::Constraint,
        ErrorCode::TooBig | ErrorCode::TypeMismatch => Kind::Data,
        ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::AuthorizationForStatementDenied => {
            Kind::Refused
        }
        ErrorCode::CannotOpen | ErrorCode::DiskFull | ErrorCode::SystemIoFailure => Kind::Unreachable,
        ErrorCode::OperationInterrupted => Kind::Timeout,
        ErrorCode::Unknown if message.starts_with("no such") || message.contains("has no column") => {
            Kind::Missing
        }
        ErrorCode::Unknown if message.starts_with("too many columns") => Kind::Data,
        ErrorCode::Unknown => Kind::Syntax,
        _ => Kind::Other,
    }
}
