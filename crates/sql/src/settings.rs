//! Where a database is and how it is reached.

use crate::{Dialect, Error, Kind};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub place: Place,
    pub connect_timeout: Duration,
    /// How long one statement may take; none: as long as it wants. SQLite: how long another writer is waited for.
    pub statement_timeout: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Sqlite(File),
    Server(Server),
}

#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// `:memory:` is a database that goes with its connection.
    pub path: PathBuf,
    pub read_only: bool,
}

#[derive(Clone, PartialEq)]
pub struct Server {
    pub dialect: Dialect,
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<String>,
    pub database: Option<String>,
    /// PostgreSQL: where names without a schema are looked for and made, instead of the user's own search path.
    pub schema: Option<String>,
    pub tls: Tls,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    Disable,
    /// Encrypted, with whoever answers.
    Require,
    /// Encrypted, and the server's certificate is for its host's name, signed by one of these authorities (a PEM file;
    /// none: those that the system trusts).
    VerifyFull {
        ca: Option<PathBuf>,
    },
}

impl Settings {
    /// `sqlite:PATH`, `postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE&…`, `mysql://…`, `mariadb://…`.
    ///
    /// Options: `sslmode` (`disable`, `require`, `verify-full`; unless given, `require`, and `disable` on a loopback
    /// address), `sslrootcert` (a PEM file), `connect_timeout`, `statement_timeout` (seconds), `schema` (PostgreSQL);
    /// of SQLite: `mode=ro`.
    pub fn parse(url: &str) -> Result<Settings, Error> {
        let Some((scheme, rest)) = url.split_once(':') else {
            return Err(wrong("a database is given as sqlite:PATH, postgres://… or mysql://…"));
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut options = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            options.push((decoded(name)?, decoded(value)?));
        }
        match scheme {
            "sqlite" => sqlite(rest, &options),
            "postgres" | "postgresql" => server(Dialect::Postgres, 5432, rest, &options),
            "mysql" | "mariadb" => server(Dialect::Mysql, 3306, rest, &options),
            other => Err(wrong(format!("there is no kind of database '{other}': sqlite, postgres or mysql"))),
        }
    }

    pub fn sqlite(path: impl Into<PathBuf>) -> Settings {
        Settings::at(Place::Sqlite(File { path: path.into(), read_only: false }))
    }

    pub fn server(server: Server) -> Settings {
        Settings::at(Place::Server(server))
    }

    fn at(place: Place) -> Settings {
        Settings { place, connect_timeout: CONNECT_TIMEOUT, statement_timeout: None }
    }

    pub fn dialect(&self) -> Dialect {
        match &self.place {
            Place::Sqlite(_) => Dialect::Sqlite,
            Place::Server(server) => server.dialect,
        }
    }
}

/// Without the password: for people and logs.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Sqlite(file) => write!(f, "sqlite:{}", file.path.display()),
            Place::Server(server) => {
                let scheme = if server.dialect == Dialect::Postgres { "postgres" } else { "mysql" };
                let database = server.database.as_deref().unwrap_or_default();
                write!(f, "{scheme}://{}@{}:{}/{database}", server.user, server.host, server.port)
            }
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({}@{}:{}, {:?})", self.dialect, self.user, self.host, self.port, self.tls)
    }
}

fn sqlite(path: &str, options: &[(String, String)]) -> Result<Settings, Error> {
    // As a URL it has two slashes of no meaning.
    let path = decoded(path.strip_prefix("//").unwrap_or(path))?;
    if path.is_empty() {
        return Err(wrong("sqlite:PATH names a file"));
    }
    let mut settings = Settings::sqlite(path);
    for (name, value) in options {
        match (name.as_str(), &mut settings.place) {
            ("mode", Place::Sqlite(file)) if value == "ro" || value == "rw" => file.read_only = value == "ro",
            ("statement_timeout", _) => settings.statement_timeout = Some(seconds(name, value)?),
            _ => return Err(unknown(name, "mode=ro, statement_timeout")),
        }
    }
    Ok(settings)
}

fn server(dialect: Dialect, port: u16, rest: &str, options: &[(String, String)]) -> Result<Settings, Error> {
    let rest = rest
        .strip_prefix("//")
        .ok_or_else(|| wrong("a database server is given as SCHEME://USER@HOST/DATABASE"))?;
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, address) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = match login.split_once(':') {
        Some((user, password)) => (decoded(user)?, Some(decoded(password)?)),
        None => (decoded(login)?, None),
    };
    if user.is_empty() {
        return Err(wrong("a database server is given with a user: SCHEME://USER:PASSWORD@HOST/DATABASE"));
    }
    let (host, port) = address_of(address, port)?;
    let database = Some(decoded(database)?).filter(|name| !name.is_empty());
    let tls = Tls::usual(&host);
    let mut settings =
        Settings::server(Server { dialect, host, port, user, password, database, schema: None, tls });
    let mut ca = None;
    for (name, value) in options {
        let Place::Server(server) = &mut settings.place else { continue };
        match name.as_str() {
            "sslmode" | "ssl-mode" | "tls" => server.tls = Tls::parse(value)?,
            "sslrootcert" | "ssl-ca" => ca = Some(PathBuf::from(value)),
            "connect_timeout" => settings.connect_timeout = seconds(name, value)?,
            "statement_timeout" => settings.statement_timeout = Some(seconds(name, value)?),
            "schema" if dialect == Dialect::Postgres => server.schema = Some(value.clone()),
            _ => {
                return Err(unknown(
                    name,
                    "sslmode, sslrootcert, connect_timeout, statement_timeout, schema",
                ));
            }
        }
    }
    if let (Some(path), Place::Server(server)) = (ca, &mut settings.place) {
        match &mut server.tls {
            Tls::VerifyFull { ca } => *ca = Some(path),
            _ => return Err(wrong("sslrootcert has a meaning with sslmode=verify-full only")),
        }
    }
    Ok(settings)
}

impl Tls {
    /// Of a server that is named without saying: in the clear only within a machine.
    pub fn usual(host: &str) -> Tls {
        if is_loopback(host) { Tls::Disable } else { Tls::Require }
    }

    /// `disable`, `require`, `verify-full`, and MySQL's names for them.
    pub fn parse(mode: &str) -> Result<Tls, Error> {
        match mode.to_ascii_lowercase().as_str() {
            "disable" | "disabled" => Ok(Tls::Disable),
            "require" | "required" => Ok(Tls::Require),
            "verify-full" | "verify_identity" => Ok(Tls::VerifyFull { ca: None }),
            other => Err(wrong(format!("sslmode is disable, require or verify-full, not '{other}'"))),
        }
    }
}

fn address_of(address: &str, port: u16) -> Result<(String, u16), Error> {
    // An IPv6 address stands in brackets.
    let (host, rest) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or(rest)),
        None => address.split_once(':').unwrap_or((address, "")),
    };
    let host = if host.is_empty() { "127.0.0.1".to_owned() } else { decoded(host)? };
    let port = match rest {
        "" => port,
        text => text.parse().map_err(|_| wrong(format!("'{text}' is not a port")))?,
    };
    Ok((host, port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn seconds(name: &str, value: &str) -> Result<Duration, Error> {
    let seconds = value.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|time| !time.is_zero())
        .ok_or_else(|| wrong(format!("{name} is a number of seconds, not '{value}'")))
}

/// `%41` is `A`.
fn decoded(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(|| wrong("a % in a database's URL is written %25"))?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong("a database's URL is UTF-8"))
}

fn unknown(name: &str, known: &str) -> Error {
    wrong(format!("a database's URL has no option '{name}'; it has {known}"))
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(Kind::Other, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let told = match Settings::parse(url) {
            Ok(settings) => {
                let more = match &settings.place {
                    Place::Sqlite(file) => format!("read_only={}", file.read_only),
                    Place::Server(server) => {
                        format!(
                            "{:?} {:?} {:?}",
                            server.password.as_deref(),
                            server.tls,
                            server.schema.as_deref()
                        )
                    }
                };
                format!("{settings} {more}")
            }
            Err(error) => error.message,
        };
        assert_eq!(told, expected, "{url}");
    }

    #[test]
    fn a_url_says_where_and_how() {
        check("sqlite:reporting.db", "sqlite:reporting.db read_only=false");
        check("sqlite:///tmp/a%20b.db?mode=ro", "sqlite:/tmp/a b.db read_only=true");
        check(
            "postgres://me:p%40ss@localhost/shop",
            "postgres://me@localhost:5432/shop Some(\"p@ss\") Disable None",
        );
        check("postgresql://me@[::1]:99/?schema=s", "postgres://me@::1:99/ None Disable Some(\"s\")");
        check("mysql://me@db.example/shop", "mysql://me@db.example:3306/shop None Require None");
        check(
            "mariadb://me@db/x?sslmode=verify-full&sslrootcert=/ca.pem",
            "mysql://me@db:3306/x None VerifyFull { ca: Some(\"/ca.pem\") } None",
        );
    }

    #[test]
    fn what_it_does_not_know_it_says() {
        check("oracle://me@db/x", "there is no kind of database 'oracle': sqlite, postgres or mysql");
        check("sqlite:", "sqlite:PATH names a file");
        check(
            "postgres://localhost/x",
            "a database server is given with a user: SCHEME://USER:PASSWORD@HOST/DATABASE",
        );
        check("postgres://me@db:port/x", "'port' is not a port");
        check("mysql://me@db/x?sslmode=prefer", "sslmode is disable, require or verify-full, not 'prefer'");
        check(
            "mysql://me@db/x?colour=red",
            "a database's URL has no option 'colour'; it has sslmode, sslrootcert, connect_timeout, statement_timeout, schema",
        );
        check(
            "mysql://me@db/x?sslmode=require&sslrootcert=/ca.pem",
            "sslrootcert has a meaning with sslmode=verify-full only",
        );
    }

    #[test]
    fn a_password_is_never_printed() {
        let settings = Settings::parse("postgres://me:hunter2@db/x").unwrap();
        assert!(!format!("{settings} {settings:?}").contains("hunter2"));
    }
}
