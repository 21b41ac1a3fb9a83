//! Where a target is: a database, or tables of an endpoint.

use super::{Lane, Ledger, Shared, database, table};
use crate::mapping::{Direct, KeySchema, Makes, Mapping};
use crate::source::{Login, Service};
use crate::{Error, config};
use sql::{Dialect, Settings, Tls};
use std::fmt;
use std::time::Duration;
use world::World;

#[derive(Clone, Debug)]
pub enum Place {
    Database(Settings),
    Tables(Login),
}

impl Place {
    pub fn of(target: &config::Target) -> Result<Place, Error> {
        match &target.dynamodb {
            Some(endpoint) => Ok(Place::Tables(Login::of(endpoint, Service::DynamoDb)?)),
            None => Ok(Place::Database(settings(target)?)),
        }
    }

    /// The same, where no statement of a server's takes longer than this.
    pub fn hurried(&self, statement_max: Duration) -> Place {
        match self {
            Place::Database(settings) if !self.is_single() => {
                let least = settings.statement_timeout.unwrap_or(statement_max).min(statement_max);
                Place::Database(Settings { statement_timeout: Some(least), ..settings.clone() })
            }
            other => other.clone(),
        }
    }

    pub fn ledger(&self, pipeline: &str, world: &World) -> Result<Box<dyn Ledger>, Error> {
        Ok(match self {
            Place::Database(settings) => Box::new(database::State::open(settings, pipeline)?),
            Place::Tables(login) => Box::new(table::State::open(login, pipeline, world)?),
        })
    }

    pub fn lane(&self, shared: Shared, number: usize, world: &World) -> Result<Box<dyn Lane>, Error> {
        Ok(match self {
            Place::Database(settings) => Box::new(database::Connected::open(settings, shared, number)?),
            Place::Tables(login) => Box::new(table::Transacting::open(login, shared, number, world)?),
        })
    }

    /// What makes rows of what the source says, where no more is asked of it than that.
    pub fn direct(&self, mapping: &Mapping, schema: &KeySchema) -> Option<Direct> {
        match self {
            Place::Database(settings) => Direct::of(mapping, schema, settings.dialect()),
            Place::Tables(_) => None,
        }
    }

    pub fn makes(&self) -> Makes {
        match self {
            Place::Database(_) => Makes::Rows,
            Place::Tables(_) => Makes::Items,
        }
    }

    /// The statement that makes the mapping's table, where statements do.
    pub fn statement(&self, mapping: &Mapping) -> Result<Option<String>, Error> {
        let Place::Database(settings) = self else { return Ok(None) };
        // Of MySQL and MariaDB the server says what keeps keys apart.
        Ok(Some(match settings.dialect() {
            Dialect::Mysql => sql::Connection::open(settings)?.create_statement(&mapping.table()),
            dialect => mapping.table().statement(dialect, ""),
        }))
    }

    /// A file that is not there is not made for a look.
    pub fn is_there(&self) -> bool {
        match self {
            Place::Database(Settings { place: sql::Place::Sqlite(file), .. }) => file.path.exists(),
            _ => true,
        }
    }

    /// Whether only one may write at a time.
    pub fn is_single(&self) -> bool {
        matches!(self, Place::Database(settings) if settings.dialect() == Dialect::Sqlite)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Database(settings) => write!(f, "{settings}"),
            Place::Tables(login) => write!(f, "dynamodb: {} ({})", login.endpoint, login.region),
        }
    }
}

fn settings(target: &config::Target) -> Result<Settings, Error> {
    let told = |error: sql::Error| Error::config(format!("target: {}", error.message));
    if let Some(path) = &target.sqlite {
        return Ok(Settings::sqlite(path));
    }
    let (url, wanted) = match (&target.postgres, &target.mysql) {
        (Some(url), _) => (url, Dialect::Postgres),
        (_, Some(url)) => (url, Dialect::Mysql),
        _ => return Err(Error::config("a target is sqlite, postgres, mysql or dynamodb")),
    };
    let mut settings = Settings::parse(url).map_err(told)?;
    if settings.dialect() != wanted {
        return Err(Error::config(format!("target: {settings} is no URL of this kind of database")));
    }
    if let sql::Place::Server(server) = &mut settings.place {
        if let Some(tls) = &target.tls {
            server.tls = Tls::parse(tls).map_err(told)?;
        }
        match (&mut server.tls, &target.tls_ca) {
            (Tls::VerifyFull { ca }, Some(path)) => *ca = Some(path.into()),
            (_, Some(_)) => return Err(Error::config("target: tls_ca needs tls = \"verify-full\"")),
            _ => {}
        }
    }
    Ok(settings)
}
