//! PostgreSQL: one statement for a whole batch of rows, one array for each column.

mod client;
mod copy;
mod door;
mod numeric;
mod read;
mod time;
mod tls;
mod write;

use crate::bulk::Bulk;
use crate::driver::{Driver, Shapes, Taken, chosen};
use crate::inline;
use crate::settings::Server;
use crate::{
    Cells, ColumnShape, Dialect, Error, Executed, Kind, NewTable, OnConflict, Outcome, Settings, TableShape,
    Tls, Value,
};
use client::{Client, Fault};
use postgres::config::SslMode;
use postgres::error::ErrorPosition;
use postgres::types::ToSql;
use postgres::{Config, NoTls, SimpleQueryMessage, Statement};
use read::Raw;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use write::{Array, Class, Given};

const STATEMENTS_KEPT: usize = 256;
/// Fewer rows are not worth another round trip.
const COPY_ROWS_MIN: usize = 32;
/// A server that is gone without a word is noticed after this.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// A server that ends a statement for its time says so within this.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) struct Postgres {
    client: Client,
    prepared: HashMap<String, Statement>,
    shapes: Shapes,
    /// PostgreSQL answers COMMIT of a transaction in which something failed with success, and rolls back.
    failed: bool,
    /// The server went away under a statement; the driver may notice later.
    is_lost: bool,
    /// Columns of the last bulk statement, whose memory the next one has.
    arrays: Vec<Array>,
    /// The same of rows for COPY.
    rows: Vec<u8>,
}

impl Postgres {
    pub fn open(server: &Server, settings: &Settings) -> Result<Postgres, Error> {
        door::knock(server, settings.connect_timeout)?;
        let mut config = Config::new();
        config.host(&server.host).port(server.port).user(&server.user).application_name("millstream");
        config.connect_timeout(settings.connect_timeout).tcp_user_timeout(SILENCE_MAX);
        config.keepalives_idle(SILENCE_MAX);
        if let Some(password) = &server.password {
            config.password(password);
        }
        if let Some(database) = &server.database {
            config.dbname(database);
        }
        config.ssl_mode(if server.tls == Tls::Disable { SslMode::Disable } else { SslMode::Require });
        let opening_max = settings.connect_timeout;
        let limit = settings.statement_timeout.map(|limit| limit + GRACE);
        let client = match crate::tls::config(&server.tls)? {
            None => Client::connect(&config, NoTls, opening_max, limit),
            Some(tls) => Client::connect(&config, tls::Rustls(Arc::new(tls)), opening_max, limit),
        };
        let client = client.map_err(|fault| opening(fault, server))?;
        let mut postgres = Postgres {
            client,
            prepared: HashMap::new(),
            shapes: Shapes::default(),
            failed: false,
            is_lost: false,
            arrays: Vec::new(),
            rows: Vec::new(),
        };
        // A backslash in a text is one, whatever the server's own setting says.
        let mut wanted = "SET standard_conforming_strings = on".to_owned();
        if let Some(limit) = settings.statement_timeout {
            wanted.push_str(&format!("; SET statement_timeout = {}", limit.as_millis().max(1)));
        }
        if let Some(schema) = &server.schema {
            wanted.push_str(&format!("; SET search_path = {}", Dialect::Postgres.quoted(schema)));
        }
        postgres.batch(&wanted)?;
        Ok(postgres)
    }

    fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql);
        let statement = self.noted(statement)?;
        if self.prepared.len() >= STATEMENTS_KEPT {
            self.prepared.clear();
        }
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Whatever fails may have failed because a table changed: what is known of tables is asked again.
    fn noted<T>(&mut self, done: Result<T, Fault>) -> Result<T, Error> {
        done.map_err(|fault| {
            self.failed = true;
            self.forget();
            self.is_lost |= matches!(fault, Fault::Silence(_));
            let error = Error::from(fault);
            self.is_lost |= error.kind == Kind::Unreachable;
            error
        })
    }

    fn shape(&mut self, table: &str) -> Result<Arc<TableShape>, Error> {
        Shapes::of(self, |postgres| &mut postgres.shapes, table)
    }

    /// Runs a statement whose parameters are arrays, one for each column.
    fn in_arrays<R: Cells>(&mut self, sql: &str, classes: &[Class], rows: &[R]) -> Result<u64, Error> {
        let statement = self.prepare(sql)?;
        while self.arrays.len() < classes.len() {
            self.arrays.push(Array::default());
        }
        let arrays = &mut self.arrays[..classes.len()];
        arrays.iter_mut().zip(classes).for_each(|(array, class)| array.begin(*class, rows.len()));
        for row in rows {
            for (at, array) in arrays.iter_mut().enumerate() {
                array.add(row.cell(at))?;
            }
        }
        let given: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(|array| array as _).collect();
        let done = self.client.execute(&statement, &given);
        self.arrays.iter_mut().for_each(Array::end);
        self.noted(done)
    }
}

/// `unnest($1::text[], …) AS u(a0, …)`, and how each of its columns is read as the table's.
fn unnest(columns: &[&ColumnShape], classes: &[Class]) -> (String, Vec<String>) {
    let arrays: Vec<String> =
        classes.iter().enumerate().map(|(at, class)| format!("${}::{}", at + 1, class.array())).collect();
    let names: Vec<String> = (0..columns.len()).map(|at| format!("a{at}")).collect();
    let read = columns.iter().zip(classes).zip(&names).map(|((column, class), name)| match class {
        Class::Other => format!("u.{name}::{}", column.type_name),
        _ => format!("u.{name}"),
    });
    (format!("unnest({}) AS u({})", arrays.join(", "), names.join(", ")), read.collect())
}

impl Driver for Postgres {
    fn run(&mut self, sql: &str, values: &[Value], bytes_max: usize) -> Result<Outcome, Error> {
        let statement = self.prepare(sql)?;
        let columns: Vec<ColumnShape> = statement
            .columns()
            .iter()
            .map(|column| ColumnShape {
                name: column.name().to_owned(),
                type_name: column.type_().name().to_owned(),
                nullable: true,
                collation: None,
            })
            .collect();
        let given: Vec<Given<'_>> = values.iter().map(Given).collect();
        if given.len() != statement.params().len() {
            let message =
                format!("the statement has {} parameters, not {}", statement.params().len(), given.len());
            return Err(Error::with_code(Kind::Syntax, "07001", message));
        }
        let mut taken = Taken::within(bytes_max);
        let values = given.iter().map(|value| value as &dyn ToSql);
        let done = self.client.rows(&statement, values, |row| {
            let value = |(at, column): (usize, &postgres::Column)| {
                Ok(row.try_get::<_, Raw<'_>>(at)?.value(column.type_()))
            };
            let values = row.columns().iter().enumerate().map(value);
            taken.row(values.collect::<Result<_, postgres::Error>>()?);
            Ok(())
        });
        let executed = Executed { rows: self.noted(done)?, last_insert_id: None };
        taken.end(columns, executed)
    }

    fn batch(&mut self, sql: &str) -> Result<(), Error> {
        let done = self.client.batch(sql);
        self.noted(done)
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.batch("BEGIN")?;
        self.failed = false;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Error> {
        if self.failed {
            self.rollback()?;
            let message = "something failed in this transaction: it was rolled back";
            return Err(Error::with_code(Kind::Other, "25P02", message));
        }
        self.batch("COMMIT")
    }

    fn rollback(&mut self) -> Result<(), Error> {
        self.batch("ROLLBACK")?;
        self.failed = false;
        Ok(())
    }

    fn begin_with(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        let Some(sql) = inline::statement(Dialect::Postgres, sql, values) else {
            self.begin()?;
            return Ok(self.run(sql, values, usize::MAX)?.executed.rows);
        };
        self.failed = false;
        let done = self.client.simple(&format!("BEGIN; {sql}"));
        let counts = self.noted(done)?.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::CommandComplete(count) => Some(count),
            _ => None,
        });
        Ok(counts.last().unwrap_or_default())
    }

    fn commit_with(&mut self, upsert: &Bulk<'_>) -> Result<(), Error> {
        match inline::rows(upsert).filter(|_| !self.failed) {
            Some(rows) => {
                let sql = upsert.around(Dialect::Postgres, &format!("VALUES {rows}"));
                self.batch(&format!("{sql}; COMMIT"))
            }
            None => {
                self.upsert(upsert)?;
                self.commit()
            }
        }
    }

    /// Of a domain the type that it is made of: a cast to the domain itself would cut texts off.
    fn table(&mut self, name: &str) -> Result<Option<TableShape>, Error> {
        let found = self.run(
            "SELECT a.attname::text, CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) \
                    ELSE format_type(a.atttypid, a.atttypmod) END, NOT a.attnotnull, \
                    1 + array_position(i.indkey::int2[], a.attnum)::int8, NULL::text \
             FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
             LEFT JOIN pg_catalog.pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = to_regclass(quote_ident($1::text)) AND a.attnum > 0 AND NOT a.attisdropped \
             ORDER BY a.attnum",
            &[name.into()],
            usize::MAX,
        )?;
        Ok(TableShape::told(&found.rows))
    }

    fn upsert(&mut self, upsert: &Bulk<'_>) -> Result<u64, Error> {
        let shape = self.shape(upsert.table)?;
        let columns = chosen(&shape, upsert.table, upsert.columns)?;
        if upsert.on_conflict == OnConflict::Refuse
            && upsert.rows.len() >= COPY_ROWS_MIN
            && let Some(travels) = copy::travels(&columns)
        {
            return self.copy(upsert, &travels);
        }
        let classes: Vec<Class> = columns.iter().map(|column| Class::of(column)).collect();
        let (source, read) = unnest(&columns, &classes);
        let sql = upsert.around(Dialect::Postgres, &format!("SELECT {} FROM {source}", read.join(", ")));
        self.in_arrays(&sql, &classes, upsert.rows)
    }

    fn delete(&mut self, table: &str, columns: &[String], keys: &[Vec<Value>]) -> Result<u64, Error> {
        let shape = self.shape(table)?;
        let chosen = chosen(&shape, table, columns)?;
        let classes: Vec<Class> = chosen.iter().map(|column| Class::of(column)).collect();
        let (source, read) = unnest(&chosen, &classes);
        let tests: Vec<String> = columns
            .iter()
            .zip(read)
            .map(|(name, read)| format!("t.{} = {read}", Dialect::Postgres.quoted(name)))
            .collect();
        let table = Dialect::Postgres.quoted(table);
        let sql = format!("DELETE FROM {table} AS t USING {source} WHERE {}", tests.join(" AND "));
        self.in_arrays(&sql, &classes, keys)
    }

    fn lock(&mut self, name: &str) -> Result<(), Error> {
        self.run("SELECT pg_advisory_lock(hashtextextended($1::text, 0))", &[name.into()], usize::MAX)
            .map(drop)
    }

    fn unlock(&mut self, name: &str, _: bool) -> Result<(), Error> {
        self.run("SELECT pg_advisory_unlock(hashtextextended($1::text, 0))", &[name.into()], usize::MAX)
            .map(drop)
    }

    fn is_open(&mut self) -> bool {
        !self.is_lost && !self.client.is_closed()
    }

    fn forget(&mut self) {
        self.prepared.clear();
        self.shapes.forget();
    }

    fn create(&mut self, table: &NewTable) -> Result<(), Error> {
        self.batch(&table.statement(Dialect::Postgres, ""))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        let error = match fault {
            Fault::Told(error) => error,
            Fault::Silence(time) => {
                let message = format!("PostgreSQL has not answered for {} s", time.as_secs_f32());
                return Error::new(Kind::Timeout, message);
            }
            Fault::NoRuntime(error) => return Error::new(Kind::Other, format!("PostgreSQL: {error}")),
        };
        let Some(told) = error.as_db_error() else {
            let kind = if error.is_closed() || has_io(&error) { Kind::Unreachable } else { Kind::Other };
            return Error::new(kind, causes(&error));
        };
        let code = told.code().code();
        let position = match told.position() {
            Some(ErrorPosition::Original(at)) => Some(*at),
            _ => None,
        };
        let message = match told.detail() {
            Some(detail) if code.starts_with("23") => format!("{}\n  Detail: {detail}", told.message()),
            _ => told.message().to_owned(),
        };
        Error { position, ..Error::with_code(Kind::of_sqlstate(code), code, message) }
    }
}

/// What went wrong at the door: without a word of the server's own it was the way there, or the papers.
fn opening(fault: Fault, server: &Server) -> Error {
    let place = format!("{}:{}", server.host, server.port);
    let error = match fault {
        Fault::Told(error) => error,
        Fault::Silence(time) => {
            let message = format!("{place}: it lets nobody in for {} s", time.as_secs_f32());
            return Error::new(Kind::Unreachable, message);
        }
        fault @ Fault::NoRuntime(_) => return fault.into(),
    };
    if let Some(told) = error.as_db_error() {
        let code = told.code().code();
        return Error::with_code(Kind::of_sqlstate(code), code, format!("{place}: {}", told.message()));
    }
    let message = causes(&error);
    let papers = ["password", "TLS", "tls", "certificate", "authentication"];
    let kind = match papers.iter().any(|word| message.contains(word)) {
        true if !message.contains("unexpected end") => Kind::Refused,
        _ => Kind::Unreachable,
    };
    Error::new(kind, format!("{place}: {message}"))
}

fn has_io(error: &postgres::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.is::<std::io::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
