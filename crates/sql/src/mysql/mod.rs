//! MySQL and MariaDB: many rows in one statement, prepared once for each size class.

mod bulk;
mod door;
mod error;
mod value;

use crate::bulk::Bulk;
use crate::driver::{Driver, Shapes, Taken};
use crate::inline;
use crate::settings::Server;
use crate::{
    ColumnShape, Dialect, Error, Executed, Kind, NewTable, Outcome, Settings, TableShape, Tls, Value,
};
use mysql::prelude::{Protocol, Queryable};
use mysql::{Conn, OptsBuilder, Params, QueryResult, SslOpts};
use std::sync::Arc;
use std::time::Duration;

const STATEMENTS_KEPT: usize = 128;
/// A server that is gone without a word is noticed after this.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// How long somebody else's work on tables is waited for.
const LOCK_SECONDS_MAX: i64 = 60;
/// The server's answer to a statement that it runs, but does not prepare.
const NOT_PREPARED: u16 = 1295;
/// The name of a lock has at most 64 letters and belongs to the server, not to a database. MySQL 9 has lost SHA1 and MD5.
const LOCK: &str = "SHA2(CONCAT(COALESCE(DATABASE(), ''), '.', ?), 224)";

/// Values that do not fit are errors; a backslash is written as two, and an empty text is one, whatever the server's own
/// mode says. (In which `''` may not be one yet.)
const MODE: &str = "sql_mode = REPLACE(REPLACE(CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES'), \
                    'NO_BACKSLASH_ESCAPES', 'STRICT_TRANS_TABLES'), 'EMPTY_STRING_IS_NULL', 'STRICT_TRANS_TABLES')";

pub(crate) struct Mysql {
    conn: Conn,
    flavour: Flavour,
    shapes: Shapes,
    packet_bytes_max: usize,
    is_open: bool,
    in_transaction: bool,
}

/// What the two and their versions spell differently.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Flavour {
    is_mariadb: bool,
    /// `VALUES(column)` is given up for a row's name.
    names_rows: bool,
    /// It has a collation that compares byte by byte, trailing spaces too.
    keeps_spaces: bool,
    /// A statement may be given many rows of parameters at once.
    takes_arrays: bool,
}

impl Flavour {
    /// From the server's own words: `8.0.36-0ubuntu0.22.04.1`, `5.5.5-10.11.6-MariaDB-1`, `10.11.14-MariaDB`.
    fn of(version: &str) -> Flavour {
        let is_mariadb = version.contains("MariaDB");
        // What is before the first dash is for replicas that know no such number.
        let version = if is_mariadb { version.strip_prefix("5.5.5-").unwrap_or(version) } else { version };
        let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        Flavour {
            is_mariadb,
            names_rows: !is_mariadb && version >= (8, 0, 20),
            keeps_spaces: version >= if is_mariadb { (10, 2, 2) } else { (8, 0, 17) },
            takes_arrays: is_mariadb && version >= (10, 2, 0),
        }
    }

    /// Byte by byte, trailing spaces counting.
    fn key_collation(self) -> &'static str {
        match self {
            Flavour { keeps_spaces: false, .. } => "utf8mb4_bin",
            Flavour { is_mariadb: true, .. } => "utf8mb4_nopad_bin",
            _ => "utf8mb4_0900_bin",
        }
    }
}

impl Mysql {
    pub fn open(server: &Server, settings: &Settings) -> Result<Mysql, Error> {
        let read_timeout = settings.statement_timeout.map(|limit| limit + Duration::from_secs(5));
        let options = OptsBuilder::new()
            .ip_or_hostname(Some(&server.host))
            .tcp_port(server.port)
            .user(Some(&server.user))
            .pass(server.password.as_ref())
            .db_name(server.database.as_ref())
            .prefer_socket(false)
            .tcp_connect_timeout(Some(settings.connect_timeout))
            .tcp_user_timeout_ms(Some(SILENCE_MAX.as_millis() as u32))
            .tcp_keepalive_time_ms(Some(SILENCE_MAX.as_millis() as u32))
            .read_timeout(Some(settings.connect_timeout))
            .stmt_cache_size(STATEMENTS_KEPT)
            .ssl_opts(ssl(&server.tls)?);
        let conn = Conn::new(options).map_err(|error| door::told(error, server, settings.connect_timeout))?;
        let mut conn = door::waiting(conn, read_timeout)?;
        conn.query_drop(format!("SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, {MODE}"))?;
        let told: Option<(String, u64)> = conn.query_first("SELECT VERSION(), @@max_allowed_packet")?;
        let (version, packet) = told.unwrap_or_default();
        let flavour = Flavour::of(&version);
        if let Some(limit) = settings.statement_timeout {
            let statements = match flavour.is_mariadb {
                true => format!("max_statement_time = {}", limit.as_secs_f64()),
                false => format!("max_execution_time = {}", limit.as_millis().max(1)),
            };
            // Who waits for somebody's lock is not ended by either.
            let seconds = limit.as_secs().max(1);
            let rows = format!("CAST(LEAST(@@innodb_lock_wait_timeout, {seconds}) AS UNSIGNED)");
            conn.query_drop(format!(
                "SET lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {rows}, {statements}"
            ))?;
        }
        // A packet is read whole by both sides: no need for the largest.
        let packet_bytes_max = (packet as usize).clamp(1 << 16, 16 << 20);
        Ok(Mysql {
            conn,
            flavour,
            shapes: Shapes::default(),
            packet_bytes_max,
            is_open: true,
            in_transaction: false,
        })
    }

    /// Whatever fails may have failed because a table changed: what is known of tables is asked again.
    fn noted<T>(&mut self, done: Result<T, mysql::Error>) -> Result<T, Error> {
        done.map_err(|error| {
            let is_io = matches!(error, mysql::Error::IoError(_) | mysql::Error::CodecError(_));
            let error = Error::from(error);
            self.is_open &= !is_io && error.kind != Kind::Unreachable;
            self.shapes.forget();
            error
        })
    }

    /// What a server says late would be taken for the answer to something else.
    fn usable(&self) -> Result<(), Error> {
        match self.is_open {
            true => Ok(()),
            false => Err(Error::new(Kind::Unreachable, "MySQL: the connection was given up")),
        }
    }

    /// Statements without rows, in one round trip; what the last one changed.
    fn several(&mut self, sql: &str) -> Result<u64, Error> {
        self.usable()?;
        let mut work = || {
            let mut answers = self.conn.query_iter(sql)?;
            let mut rows = 0;
            while let Some(mut answer) = answers.iter() {
                rows = answer.affected_rows();
                // Which is how the second statement's error is told.
                answer.try_for_each(|row| row.map(drop))?;
            }
            Ok(rows)
        };
        let done = work();
        self.noted(done)
    }

    fn shape(&mut self, table: &str) -> Result<Arc<TableShape>, Error> {
        Shapes::of(self, |mysql| &mut mysql.shapes, table)
    }
}

fn ssl(tls: &Tls) -> Result<Option<SslOpts>, Error> {
    Ok(match tls {
        Tls::Disable => None,
        Tls::Require => Some(
            SslOpts::default()
                .with_danger_accept_invalid_certs(true)
                .with_danger_skip_domain_validation(true),
        ),
        Tls::VerifyFull { ca } => {
            Some(SslOpts::default().with_root_cert_path(Some(crate::tls::authorities(ca.as_deref())?)))
        }
    })
}

/// All rows of the first result; those of further ones are read over.
fn collect<P: Protocol>(
    mut found: QueryResult<'_, '_, '_, P>,
    bytes_max: usize,
) -> Result<(Taken, Vec<ColumnShape>, Executed), mysql::Error> {
    let executed =
        Executed { rows: found.affected_rows(), last_insert_id: found.last_insert_id().filter(|id| *id > 0) };
    let described: Vec<mysql::Column> = found.columns().as_ref().to_vec();
    let columns = described.iter().map(|column| ColumnShape {
        name: column.name_str().into_owned(),
        type_name: value::type_name(column),
        nullable: !column.flags().contains(mysql::consts::ColumnFlags::NOT_NULL_FLAG),
        collation: None,
    });
    let mut taken = Taken::within(bytes_max);
    if let Some(set) = found.iter() {
        for row in set {
            let values = row?.unwrap().into_iter().zip(&described);
            taken.row(values.map(|(value, column)| value::read(value, column)).collect());
        }
    }
    Ok((taken, columns.collect(), executed))
}

impl Driver for Mysql {
    fn run(&mut self, sql: &str, values: &[Value], bytes_max: usize) -> Result<Outcome, Error> {
        self.usable()?;
        let given: Vec<mysql::Value> = values.iter().map(|value| value::given(value.cell())).collect();
        let params = if given.is_empty() { Params::Empty } else { Params::Positional(given) };
        let mut done = self.conn.exec_iter(sql, params).and_then(|found| collect(found, bytes_max));
        if matches!(&done, Err(mysql::Error::MySqlError(told)) if told.code == NOT_PREPARED) {
            done = self.conn.query_iter(sql).and_then(|found| collect(found, bytes_max));
        }
        let (taken, columns, executed) = self.noted(done)?;
        taken.end(columns, executed)
    }

    fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.usable()?;
        let done = self.conn.query_drop(sql);
        self.noted(done)
    }

    fn begin(&mut self) -> Result<(), Error> {
        self.batch("START TRANSACTION")?;
        self.in_transaction = true;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.in_transaction = false;
        self.batch("COMMIT")
    }

    fn rollback(&mut self) -> Result<(), Error> {
        self.in_transaction = false;
        self.batch("ROLLBACK")
    }

    fn begin_with(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        let Some(sql) = inline::statement(Dialect::Mysql, sql, values) else {
            self.begin()?;
            return Ok(self.run(sql, values, usize::MAX)?.executed.rows);
        };
        self.in_transaction = true;
        self.several(&format!("START TRANSACTION; {sql}"))
    }

    fn commit_with(&mut self, upsert: &Bulk<'_>) -> Result<(), Error> {
        match inline::rows(upsert) {
            Some(rows) => {
                let (head, tail) = self.around(upsert);
                self.in_transaction = false;
                self.several(&format!("{head}{rows}{tail}; COMMIT")).map(drop)
            }
            None => {
                self.upsert(upsert)?;
                self.commit()
            }
        }
    }

    /// The words of an enum or a set stay as they are.
    fn table(&mut self, name: &str) -> Result<Option<TableShape>, Error> {
        let found = self.run(
            "SELECT c.COLUMN_NAME, IF(c.DATA_TYPE IN ('enum', 'set'), c.COLUMN_TYPE, LOWER(c.COLUMN_TYPE)), c.IS_NULLABLE = 'YES', k.SEQ_IN_INDEX, c.COLLATION_NAME \
             FROM information_schema.COLUMNS c LEFT JOIN information_schema.STATISTICS k \
             ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME \
             AND k.COLUMN_NAME = c.COLUMN_NAME AND k.INDEX_NAME = 'PRIMARY' \
             WHERE c.TABLE_SCHEMA = DATABASE() AND c.TABLE_NAME = ? ORDER BY c.ORDINAL_POSITION",
            &[name.into()],
            usize::MAX,
        )?;
        Ok(TableShape::told(&found.rows))
    }

    fn upsert(&mut self, upsert: &Bulk<'_>) -> Result<u64, Error> {
        self.upsert_rows(upsert)
    }

    fn delete(&mut self, table: &str, columns: &[String], keys: &[Vec<Value>]) -> Result<u64, Error> {
        self.delete_keys(table, columns, keys)
    }

    fn lock(&mut self, name: &str) -> Result<(), Error> {
        let values = [name.into(), Value::Integer(LOCK_SECONDS_MAX)];
        let got = self.run(&format!("SELECT GET_LOCK({LOCK}, ?)"), &values, usize::MAX)?;
        match got.rows.rows.first().and_then(|row| row[0].as_integer()) {
            Some(1) => Ok(()),
            _ => Err(Error::new(Kind::Conflict, format!("somebody else has been doing {name} for a minute"))),
        }
    }

    fn unlock(&mut self, name: &str, _: bool) -> Result<(), Error> {
        self.run(&format!("SELECT RELEASE_LOCK({LOCK})"), &[name.into()], usize::MAX).map(drop)
    }

    fn is_open(&mut self) -> bool {
        self.is_open
    }

    /// By default an upsert locks the gaps beside its rows, and neighbours' inserts wait, or die of it.
    fn for_many_writers(&mut self) -> Result<(), Error> {
        // A log of statements takes no other way than the default; a server that does not say may have one.
        let told = self.conn.query_first("SELECT @@log_bin = 0 OR @@binlog_format <> 'STATEMENT'");
        match told {
            Ok(Some(1)) => self.batch("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"),
            _ => Ok(()),
        }
    }

    fn forget(&mut self) {
        self.shapes.forget();
    }

    fn create(&mut self, table: &NewTable) -> Result<(), Error> {
        if !self.flavour.keeps_spaces && table.has_text_in_key() {
            let message = "this server has no collation that tells 'a' from 'a ' in a key: that takes MySQL 8.0.17 or \
                           MariaDB 10.2.2 or later";
            return Err(Error::new(Kind::Other, message));
        }
        self.batch(&table.statement(Dialect::Mysql, self.key_collation()))
    }

    fn key_collation(&self) -> &'static str {
        self.flavour.key_collation()
    }
}
