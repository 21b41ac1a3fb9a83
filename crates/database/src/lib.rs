//! Knows database servers: finds an installed PostgreSQL, MariaDB or MySQL, makes its data directory, starts and stops it.
//! Never speaks to one: no SQL beyond its first user, no driver, no AWS.

mod error;
mod mysql;
mod place;
mod postgres;
mod process;

use std::path::PathBuf;
use std::time::Duration;

pub use error::Error;
pub use process::Database;

/// Long enough for the first start on a slow, busy machine.
pub const START_MAX: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Postgres,
    /// MariaDB or MySQL, whichever is installed.
    Mysql,
}

/// A server and its data. The user and the password are made with the data; later they are changed by SQL.
#[derive(Clone, Debug)]
pub struct Settings {
    pub engine: Engine,
    /// The directory of its programs; none: those that are installed are looked for.
    pub programs: Option<PathBuf>,
    /// Its own: made when it is not there.
    pub dir: PathBuf,
    /// On 127.0.0.1; 0 is a free one.
    pub port: u16,
    pub user: String,
    pub password: String,
    /// Whether a commit outlives the machine, not just the process.
    pub durability: Durability,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    Machine,
    /// For tests: no commit waits for the disk.
    Process,
}

impl Engine {
    /// What to do when there is none.
    pub fn how_to_get(self) -> &'static str {
        match self {
            Engine::Postgres => {
                "PostgreSQL is not installed: its programs initdb and postgres are looked for on PATH and in \
                 /usr/lib/postgresql/*/bin. On Debian and Ubuntu: apt-get install postgresql"
            }
            Engine::Mysql => {
                "neither MariaDB nor MySQL is installed: their program mariadbd or mysqld is looked for on PATH and \
                 in /usr/sbin. On Debian and Ubuntu: apt-get install mariadb-server"
            }
        }
    }

    pub fn is_installed(self) -> bool {
        match self {
            Engine::Postgres => postgres::find(None).is_some(),
            Engine::Mysql => mysql::find(None).is_some(),
        }
    }
}

/// Why there is no such server: in this directory, or anywhere.
pub(crate) fn missing(engine: Engine, programs: Option<&std::path::Path>) -> Error {
    Error(match programs {
        Some(dir) => format!("{}: {engine:?} is not there", dir.display()),
        None => engine.how_to_get().to_owned(),
    })
}
