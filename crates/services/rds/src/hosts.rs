//! The database servers behind clusters and instances: real ones, as child processes, each with its own directory.

use super::servers::{self, DatabaseServers};
use database::{Database, Durability, Engine};
use serde::{Deserialize, Serialize};
use servicekit::documents::unavailable;
use sql::{Connection, Dialect, Server, Settings, Tls};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wire::ServiceError;

/// What is kept of one. Its password is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Host {
    /// The name of its directory.
    pub id: String,
    pub family: Family,
    pub port: u16,
    pub user: String,
    pub password: String,
    /// On a server that somebody else runs; else the server is this host's own.
    #[serde(default)]
    pub guest: Option<Guest>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Guest {
    /// The server's name.
    pub address: String,
    /// What was made there for it.
    pub database: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Family {
    Postgres,
    Mysql,
}

impl Family {
    /// Of an engine in AWS's words.
    pub fn of(engine: &str) -> Option<Family> {
        match engine {
            "aurora-postgresql" | "postgres" => Some(Family::Postgres),
            "aurora-mysql" | "mysql" | "mariadb" => Some(Family::Mysql),
            _ => None,
        }
    }

    /// As settings name it.
    pub fn word(self) -> &'static str {
        match self {
            Family::Postgres => "postgres",
            Family::Mysql => "mysql",
        }
    }

    fn engine(self) -> Engine {
        match self {
            Family::Postgres => Engine::Postgres,
            Family::Mysql => Engine::Mysql,
        }
    }

    pub fn dialect(self) -> Dialect {
        match self {
            Family::Postgres => Dialect::Postgres,
            Family::Mysql => Dialect::Mysql,
        }
    }

    /// The database that is there from the beginning.
    pub fn first_database(self) -> Option<&'static str> {
        (self == Family::Postgres).then_some("postgres")
    }
}

impl Host {
    /// Where clients find it.
    pub fn address(&self) -> &str {
        self.guest.as_ref().map_or("127.0.0.1", |guest| &guest.address)
    }
}

/// The servers that run. Cheap to clone.
#[derive(Clone)]
pub struct Hosts(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    servers: DatabaseServers,
    /// Each has its own lock, so that one that takes its time to start keeps nobody else waiting.
    running: Mutex<BTreeMap<String, Slot>>,
}

type Slot = Arc<Mutex<Option<Database>>>;

impl Hosts {
    /// Their directories lie in this one; what these servers serve has none.
    pub fn new(dir: &Path, servers: DatabaseServers) -> Hosts {
        Hosts(Arc::new(Inner { dir: dir.to_path_buf(), servers, running: Mutex::default() }))
    }

    pub(crate) fn servers(&self) -> &DatabaseServers {
        &self.0.servers
    }

    /// How a host is reached by one of its users.
    pub(crate) fn login(&self, host: &Host, user: &str, password: &str, database: Option<&str>) -> Settings {
        let server = Server {
            dialect: host.family.dialect(),
            host: host.address().to_owned(),
            port: host.port,
            user: user.to_owned(),
            password: Some(password.to_owned()),
            database: database.or(host.family.first_database()).map(str::to_owned),
            schema: None,
            tls: host.guest.as_ref().map_or(Tls::Disable, |_| self.0.servers.tls(host)),
        };
        Settings { connect_timeout: Duration::from_secs(10), ..Settings::server(server) }
    }

    fn slot(&self, id: &str) -> Slot {
        let mut running = self.0.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.entry(id.to_owned()).or_default().clone()
    }

    /// Refuses what could not be started, before anything is made.
    pub(crate) fn check(&self, family: Family) -> Result<(), ServiceError> {
        let engine = family.engine();
        let is_given = self.0.servers.address(family).is_some();
        if is_given || engine.is_installed() { Ok(()) } else { Err(no_server(engine.how_to_get())) }
    }

    /// Starts the server unless it runs; the port it has now. Another one, when somebody took its own.
    pub(crate) async fn ensure(&self, host: &Host, password: &str) -> Result<u16, ServiceError> {
        if host.guest.is_some() {
            return Ok(host.port);
        }
        // Of a data directory that was copied without its databases: an empty one would be worse than none.
        if !Database::is_made(&self.0.dir.join(&host.id)) {
            return Err(no_server(format_args!("the data of {} is not there", host.id)));
        }
        self.make(host, password).await
    }

    /// The same of one whose data is made with it.
    pub(crate) async fn make(&self, host: &Host, password: &str) -> Result<u16, ServiceError> {
        let (hosts, host, password) = (self.clone(), host.clone(), password.to_owned());
        blocking(move || hosts.start(&host, &password)).await?
    }

    fn start(&self, host: &Host, password: &str) -> Result<u16, ServiceError> {
        let slot = self.slot(&host.id);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = slot.as_ref().filter(|running| running.is_running()) {
            return Ok(running.port());
        }
        let mut settings = database::Settings {
            engine: host.family.engine(),
            programs: None,
            dir: self.0.dir.join(&host.id),
            port: host.port,
            user: host.user.clone(),
            password: password.to_owned(),
            durability: Durability::Machine,
        };
        let taken = std::net::TcpListener::bind(("127.0.0.1", host.port)).is_err();
        if taken {
            settings.port = 0;
        }
        let started = Database::start(&settings).map_err(no_server)?;
        let port = started.port();
        *slot = Some(started);
        Ok(port)
    }

    /// Stops the server and removes its data; of a guest, its user and its databases.
    pub(crate) async fn remove(&self, host: &Host) -> Result<(), ServiceError> {
        if let Some(guest) = &host.guest {
            let admin = self.0.servers.admin(host)?;
            return servers::move_out(admin, &host.user, guest.database.as_deref()).await;
        }
        let (hosts, id) = (self.clone(), host.id.clone());
        blocking(move || {
            let slot = hosts.slot(&id);
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(running) = slot.take() {
                // Its data goes: nothing needs to be written down.
                running.kill();
            }
            hosts.0.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            let _ = std::fs::remove_dir_all(hosts.0.dir.join(&id));
        })
        .await
    }

    /// Removes directories of servers that nobody knows: of makings that were cut short.
    pub(crate) async fn sweep(&self, known: Vec<String>) -> Result<(), ServiceError> {
        let hosts = self.clone();
        blocking(move || {
            for entry in std::fs::read_dir(&hosts.0.dir).into_iter().flatten().flatten() {
                if !known.iter().any(|id| entry.file_name() == id.as_str()) {
                    let _ = std::fs::remove_dir_all(entry.path());
                }
            }
        })
        .await
    }

    /// Stops every server, all at once.
    pub(crate) async fn stop(&self) {
        let running = std::mem::take(&mut *self.0.running.lock().unwrap_or_else(PoisonError::into_inner));
        let stops = running.into_values().map(|slot| {
            tokio::task::spawn_blocking(move || {
                if let Some(running) = slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
                    running.stop();
                }
            })
        });
        for stop in stops.collect::<Vec<_>>() {
            let _ = stop.await;
        }
    }
}

/// Work that waits: never on a thread that serves others.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work).await.map_err(unavailable)
}

/// Runs statements as one user.
pub(crate) async fn run(settings: Settings, statements: Vec<String>) -> Result<(), ServiceError> {
    blocking(move || {
        let mut connection = Connection::open(&settings)?;
        statements.iter().try_for_each(|statement| connection.batch(statement))
    })
    .await?
    .map_err(|error: sql::Error| no_server(error))
}

fn no_server(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::new("InsufficientDBClusterCapacityFault", format!("No database could be started: {error}"))
}
