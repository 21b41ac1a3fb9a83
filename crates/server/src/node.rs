//! One server: everything in it, put together, and taken down in order.

use crate::backups::Backups;
use crate::listener::{self, Listening};
use crate::metrics::Metrics;
use crate::pages::Pages;
use crate::pipeline::Pipeline;
use crate::settings::{Error, ErrorCode, Settings};
use engine::Engine;
use feed::{Backoff, Feed};
use functions::Functions;
use functions::limits::Limits;
use functions::sandbox::Sandbox;
use services::{AuthMode, Hosts, LambdaTargets, LogBook, LogQueue, Parts, Queues, Services, Vault};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::net::TcpListener;
use world::World;

/// How often idle function environments are looked at.
const REAP: Duration = Duration::from_secs(30);

/// A server that runs.
pub struct Node {
    address: SocketAddr,
    services: Services,
    store: Store,
    engine: Engine,
    logs: LogQueue,
    listening: Listening,
    reaper: tokio::task::JoinHandle<()>,
    sandbox: Sandbox,
    limits: Limits,
    pages: Pages,
    /// Of a node in memory: where its functions' code lies while it runs.
    scratch: Option<PathBuf>,
}

impl Node {
    /// Opens what is kept, takes every mapping up where it stopped, and listens.
    pub async fn start(settings: Settings) -> Result<Node, Error> {
        refuse_strangers(&settings)?;
        require_root_key(&settings)?;
        // Bound first: a port that is taken should not cost the opening of a data directory.
        let socket =
            TcpListener::bind(settings.listen).await.map_err(|error| address_error(&settings, &error))?;
        let address = socket.local_addr().map_err(io_error)?;
        let world = World::real();
        let sandbox = Sandbox::detect(settings.sandbox)
            .map_err(|error| Error { code: ErrorCode::NoSandbox, message: error.to_string() })?;
        let store = open_store(&settings)?;
        let engine_settings = engine::Settings {
            stream_shards: settings.stream_shards,
            shard_rollover: Duration::from_secs(settings.shard_rollover_s),
            stream_retention: Duration::from_secs(settings.stream_retention_s),
            throttle: settings.throttle,
            ..engine::Settings::default()
        };
        let engine = Engine::open(store.clone(), world.clone(), engine_settings)
            .map_err(|error| Error { code: ErrorCode::Damaged, message: error.to_string() })?;

        let queues =
            Queues::open(&store, &world).map_err(|message| Error { code: ErrorCode::Damaged, message })?;
        let vault = open_vault(&settings, &store, &world)?;
        let book = LogBook::new(&store, &world);
        let logs = LogQueue::start(book.clone()).map_err(io_error)?;
        let scratch = settings
            .data_dir
            .is_none()
            .then(|| std::env::temp_dir().join(format!("millstream-memory-{}", world.hex(16))));
        let home = settings.data_dir.clone().or_else(|| scratch.clone()).unwrap_or_default();
        let dir = home.join("functions");
        let limits = Limits::claim();
        let function_settings = functions::Settings {
            concurrency_max: settings.concurrency_max,
            sandbox,
            limits: limits.clone(),
            hidden: settings.data_dir.iter().cloned().chain([dir.clone()]).collect(),
            ..functions::Settings::new(dir)
        };
        let functions = Functions::new(function_settings, &world, Arc::new(logs.clone()));
        functions.set_endpoint(&format!("http://{address}"));
        let targets = LambdaTargets::new(&store, &functions, &world);
        let backoff = Backoff { first: Duration::from_millis(settings.retry_first_ms), ..Backoff::default() };
        let feed = Feed::open(feed::Parts {
            engine: Arc::new(engine.clone()),
            store: store.clone(),
            world: world.clone(),
            targets: Arc::new(targets.clone()),
            settings: feed::Settings { backoff },
        })
        .map_err(|error| Error { code: ErrorCode::Damaged, message: error.to_string() })?;

        let services = Services::new(Parts {
            world: world.clone(),
            store: store.clone(),
            engine: Arc::new(engine.clone()),
            functions: functions.clone(),
            targets,
            feed: feed.clone(),
            logs: book,
            queues,
            vault,
            hosts: Hosts::new(&home.join("databases"), settings.databases.clone()),
            settings: services::Settings {
                account: settings.account.as_str().into(),
                region: settings.region.as_str().into(),
                auth: settings.auth,
                root_key: settings.root_key.clone(),
                allow_origins: settings.allow_origins.clone(),
                objects: settings.data_dir.is_some().then(|| home.join("objects")),
            },
        });
        let unfinished = services.clone();
        tokio::spawn(async move {
            if let Err(error) = unfinished.recover().await {
                world::say!(
                    "cannot go on with unfinished stacks or databases: {}",
                    error.message.unwrap_or_default()
                );
            }
        });
        let backups = Arc::new(Backups::new(store.clone(), home, services.clone(), world.clone()));
        let metrics = Metrics::new(store.clone(), functions.clone(), feed, world);
        let pages = Pages::default();
        let pipeline = Pipeline::new(services.clone(), metrics, backups.clone(), pages.clone());
        let listening = listener::listen(socket, Arc::new(pipeline), settings.connections_max);
        let reaper = tokio::spawn(async move {
            loop {
                tokio::time::sleep(REAP).await;
                functions.reap();
                backups.expire();
            }
        });
        Ok(Node {
            address,
            services,
            store,
            engine,
            logs,
            listening,
            reaper,
            sandbox,
            limits,
            pages,
            scratch,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells `GET /_millstream/NAME`, as JSON.
    pub fn show(&self, name: &'static str, page: impl Fn() -> String + Send + Sync + 'static) {
        self.pages.show(name, page);
    }

    /// What holds its functions.
    pub fn sandbox(&self) -> Sandbox {
        self.sandbox
    }

    /// What holds their memory and processes.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Answers what has been asked, lets what is in flight finish, and makes everything durable.
    pub async fn shut_down(self) {
        self.reaper.abort();
        self.listening.stop().await;
        self.services.shutdown().await;
        let (logs, engine, store) = (self.logs, self.engine, self.store);
        let closed = tokio::task::spawn_blocking(move || {
            logs.close();
            engine.close();
            store.close()
        });
        if let Ok(Err(error)) = closed.await {
            world::say!("the store was not closed well: {error}");
        }
        if let Some(scratch) = self.scratch {
            let _ = std::fs::remove_dir_all(scratch);
        }
    }
}

fn refuse_strangers(settings: &Settings) -> Result<(), Error> {
    let keys_count = settings.auth != AuthMode::Lenient;
    let told = settings.allow_remote && (settings.accept_any_key || keys_count);
    if settings.listen.ip().is_loopback() || told {
        return Ok(());
    }
    if keys_count {
        let message = format!(
            "{} is not a loopback address, and this server speaks plain HTTP: give --allow-remote if that is what you want",
            settings.listen
        );
        return Err(Error { code: ErrorCode::NotLoopback, message });
    }
    let message = format!(
        "{} is not a loopback address, and this server accepts every access key: give both --allow-remote and --accept-any-key if that is what you want",
        settings.listen
    );
    Err(Error { code: ErrorCode::NotLoopback, message })
}

/// Without a first key nobody could make another.
fn require_root_key(settings: &Settings) -> Result<(), Error> {
    let is_fit = |(id, secret): &(String, String)| id.len() >= 16 && secret.len() >= 16;
    match &settings.root_key {
        Some(key) if !is_fit(key) => {
            let message =
                "root-access-key and root-secret-key must each have 16 characters or more".to_owned();
            Err(Error { code: ErrorCode::NoRootKey, message })
        }
        None if settings.auth != AuthMode::Lenient => {
            let message = "with auth = verify or enforce the account needs a key of its own: set MILLSTREAM_ROOT_ACCESS_KEY and MILLSTREAM_ROOT_SECRET_KEY".to_owned();
            Err(Error { code: ErrorCode::NoRootKey, message })
        }
        _ => Ok(()),
    }
}

fn open_store(settings: &Settings) -> Result<Store, Error> {
    let Some(dir) = &settings.data_dir else { return Ok(Store::memory()) };
    let mut opened = store::Settings::new(dir.join("store"));
    if let Some(bytes) = settings.cache_bytes {
        opened.cache_bytes = bytes;
    }
    if dir.join("RESTORING").exists() {
        let message = format!("{} was not restored to its end: empty it, and restore again", dir.display());
        return Err(Error { code: ErrorCode::Damaged, message });
    }
    std::fs::create_dir_all(dir).map_err(io_error)?;
    Store::open(opened).map_err(|error| {
        let code = match error.kind() {
            store::ErrorKind::Locked => ErrorCode::DataDirLocked,
            store::ErrorKind::Newer => ErrorCode::NewerFormat,
            store::ErrorKind::Corrupt => ErrorCode::Damaged,
            _ => ErrorCode::Io,
        };
        Error { code, message: error.to_string() }
    })
}

/// A directory whose key is lost gets no new one: what is sealed later would need another key than what was before.
fn open_vault(settings: &Settings, store: &Store, world: &World) -> Result<Vault, Error> {
    let Some(dir) = &settings.data_dir else { return Ok(Vault::fleeting(world)) };
    let path = dir.join("secrets.key");
    let damaged = |message| Error { code: ErrorCode::Damaged, message };
    if !path.exists() && services::has_sealed(store).map_err(damaged)? {
        let message = format!(
            "{} is missing, and secrets or keys in {} were sealed with it",
            path.display(),
            dir.display()
        );
        return Err(Error { code: ErrorCode::NoKey, message });
    }
    Vault::open(&path, world).map_err(io_error)
}

fn address_error(settings: &Settings, error: &std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::AddrInUse {
        let message =
            format!("{} is taken: another server runs there, or give --listen another port", settings.listen);
        return Error { code: ErrorCode::AddressInUse, message };
    }
    Error { code: ErrorCode::Io, message: format!("cannot listen on {}: {error}", settings.listen) }
}

fn io_error(error: std::io::Error) -> Error {
    Error { code: ErrorCode::Io, message: error.to_string() }
}
