//! Invocations: an environment for each, warm where there is one.

use crate::Runtime;
use crate::answer::Answer;
use crate::capture::LogSink;
use crate::config::FunctionConfig;
use crate::environment::Environment;
use crate::limits::Limits;
use crate::package::{Code, PackageError, Packages};
use crate::pools::{Permit, Pools};
use crate::relay::Relay;
use crate::run::{Ended, Errand};
use crate::runtime::{Interpreter, Interpreters};
use crate::runtime_api::Piece;
use crate::sandbox::{Mode, Sandbox};
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use world::World;

/// Idle environments are ended after this.
const IDLE_MAX: Duration = Duration::from_secs(300);
/// Why environments end that did nothing wrong.
pub(crate) const SPINDOWN: &str = "SPINDOWN";
/// Pieces of a streamed answer that wait for a slow reader; the function waits behind them.
const PIECES_AHEAD: usize = 8;
const INIT_MAX: Duration = Duration::from_secs(10);
/// Killed processes need a moment to leave their control groups; what then remains goes at the next start.
const CLOSINGS_MAX: u32 = 50;
const CLOSING_PAUSE: Duration = Duration::from_millis(10);

#[derive(Clone, Debug)]
pub struct Settings {
    /// Packages, clients and temporary directories lie here.
    pub dir: PathBuf,
    /// How many invocations may run at once, of all functions.
    pub concurrency_max: u32,
    pub sandbox: Sandbox,
    /// What holds memory and processes.
    pub limits: Limits,
    /// What no function may see, besides what the sandbox shows to none.
    pub hidden: Vec<PathBuf>,
    /// How long a function may take to load before that counts as a part of its first invocation.
    pub init_max: Duration,
}

impl Settings {
    pub fn new(dir: impl Into<PathBuf>) -> Settings {
        let (dir, sandbox) = (dir.into(), Sandbox::detect(Mode::Auto).unwrap_or(Sandbox::Off));
        let limits = Limits::Watched("groups were not asked for".to_owned());
        Settings { hidden: vec![dir.clone()], dir, concurrency_max: 100, sandbox, limits, init_max: INIT_MAX }
    }
}

#[derive(Clone, Debug)]
pub struct Invocation {
    pub request_id: String,
    pub payload: Bytes,
    /// As the caller gave it, decoded from base64.
    pub client_context: Option<String>,
    /// The function as its caller named it, with a version or an alias if one was named.
    pub function_arn: String,
}

/// What became of an invocation.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The answer, or the account of an error.
    pub payload: Bytes,
    /// Whether the payload is an account of an error.
    pub failed: bool,
    /// The last of its log.
    pub log_tail: String,
    pub version: String,
    /// Whether the invocation that lay behind it has begun.
    pub followed: bool,
}

/// Why an invocation did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvokeError {
    /// As many as may are running already. `reserved` says whose limit it is: the function's own.
    Throttled { reserved: bool },
    /// The server is going down.
    Closed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub invocations: u64,
    pub errors: u64,
    pub throttles: u64,
    pub cold_starts: u64,
    pub environments: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    invocations: AtomicU64,
    errors: AtomicU64,
    pub(crate) throttles: AtomicU64,
    pub(crate) cold_starts: AtomicU64,
}

/// Runs functions. Cheap to clone.
#[derive(Clone)]
pub struct Functions(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) world: World,
    pub(crate) sink: Arc<dyn LogSink>,
    pub(crate) packages: Packages,
    pub(crate) interpreters: Interpreters,
    pools: Mutex<Pools>,
    pub(crate) counters: Counters,
    pub(crate) endpoint: OnceLock<String>,
    pub(crate) clients: OnceLock<()>,
    pub(crate) writing_clients: Mutex<()>,
    pub(crate) compiling: Mutex<()>,
}

impl Functions {
    pub fn new(mut settings: Settings, world: &World, sink: Arc<dyn LogSink>) -> Functions {
        // Functions run in another directory than the server.
        if let Ok(absolute) = std::path::absolute(&settings.dir) {
            settings.dir = absolute;
        }
        settings.hidden = settings.hidden.iter().filter_map(|path| std::path::absolute(path).ok()).collect();
        // What a killed server's functions left behind.
        let _ = std::fs::remove_dir_all(settings.dir.join("tmp"));
        Functions(Arc::new(Inner {
            packages: Packages::new(settings.dir.join("code")),
            settings,
            world: world.clone(),
            sink,
            interpreters: Interpreters::default(),
            pools: Mutex::default(),
            counters: Counters::default(),
            endpoint: OnceLock::new(),
            clients: OnceLock::new(),
            writing_clients: Mutex::default(),
            compiling: Mutex::default(),
        }))
    }

    /// Says where functions reach the server. The first call counts.
    pub fn set_endpoint(&self, url: &str) {
        let _ = self.0.endpoint.set(url.to_owned());
    }

    /// Where functions reach the server; empty until it was said.
    pub fn endpoint(&self) -> &str {
        self.0.endpoint.get().map_or("", String::as_str)
    }

    /// How many invocations may run at once.
    pub fn concurrency_max(&self) -> u32 {
        self.0.settings.concurrency_max
    }

    /// Checks and unpacks a package. Reads and writes files: slow.
    pub fn put_code(&self, zip: &[u8]) -> Result<Code, PackageError> {
        self.0.packages.put(zip)
    }

    /// What a package takes when it is unpacked. Reads directories: slow.
    pub fn unpacked_bytes(&self, sha256: &str) -> Result<u64, PackageError> {
        self.0.packages.unpacked_bytes(sha256)
    }

    /// A package as it was uploaded.
    pub fn code(&self, sha256: &str) -> std::io::Result<Vec<u8>> {
        self.0.packages.zip(sha256)
    }

    /// The program that would run handlers of a runtime. Asks programs for their versions: slow the first time.
    pub fn interpreter(&self, runtime: Runtime) -> Option<Arc<Interpreter>> {
        self.0.interpreters.find(runtime)
    }

    /// Makes ready what functions of a runtime need once: their interpreter is looked for, Java's client compiled.
    /// Their first start waits for it.
    pub fn prepare(&self, runtime: Runtime) {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || {
            let found = inner.interpreters.find(runtime);
            // What is missing is told by who needs it.
            let _ = inner.clients(runtime, found.as_deref());
        });
    }

    /// Runs a function once. The invocation goes on to its end even when nobody waits for it any more.
    pub async fn invoke(
        &self,
        config: Arc<FunctionConfig>,
        invocation: Invocation,
    ) -> Result<Outcome, InvokeError> {
        self.begin(config, invocation, None, None)?.await.map_err(|_| InvokeError::Closed)
    }

    /// The same; what is laid behind `relay` meanwhile follows in the same environment.
    pub async fn invoke_relayed(
        &self,
        config: Arc<FunctionConfig>,
        invocation: Invocation,
        relay: Relay,
    ) -> Result<Outcome, InvokeError> {
        self.begin(config, invocation, None, Some(relay))?.await.map_err(|_| InvokeError::Closed)
    }

    /// The same for a caller that reads the answer while it is made, if the function makes it as a stream.
    pub async fn invoke_streaming(
        &self,
        config: Arc<FunctionConfig>,
        invocation: Invocation,
    ) -> Result<Answer, InvokeError> {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        Answer::of(pieces, self.begin(config, invocation, Some(sender), None)?).await
    }

    fn begin(
        &self,
        config: Arc<FunctionConfig>,
        invocation: Invocation,
        pieces: Option<mpsc::Sender<Piece>>,
        relay: Option<Relay>,
    ) -> Result<oneshot::Receiver<Outcome>, InvokeError> {
        let permit = Permit::take(&self.0, &config)?;
        let inner = self.0.clone();
        let (reply, outcome) = oneshot::channel();
        tokio::spawn(async move {
            let ended = inner
                .invoke(Errand { config, invocation, pieces, relay, reply, spent: Duration::ZERO })
                .await;
            let Ended { outcome, reply, resting } = ended;
            match resting {
                // The caller has its answer while extensions still work; the environment counts as busy.
                Some(resting) => {
                    let _ = reply.send(outcome);
                    inner.rest(resting).await;
                    drop(permit);
                }
                None => {
                    drop(permit);
                    let _ = reply.send(outcome);
                }
            }
        });
        Ok(outcome)
    }

    /// Ends a function's idle environments, and its busy ones when they are done: its code or its configuration
    /// has changed, or it is gone.
    pub fn retire(&self, arn: &str) {
        let idle = {
            let mut pools = self.0.pools();
            let Some(pool) = pools.of.get_mut(arn) else { return };
            pool.revision.clear();
            std::mem::take(&mut pool.idle)
        };
        self.0.dismiss_all(idle);
    }

    /// Ends environments that nobody has used for a while. Called now and then.
    pub fn reap(&self) {
        let now = self.0.world.elapsed();
        let mut old = Vec::new();
        {
            let mut pools = self.0.pools();
            for pool in pools.of.values_mut() {
                let (kept, ended) = std::mem::take(&mut pool.idle).into_iter().partition(|environment| {
                    environment.is_alive() && now.saturating_sub(environment.used) < IDLE_MAX
                });
                pool.idle = kept;
                let ended: Vec<Environment> = ended;
                old.extend(ended);
            }
            pools.of.retain(|_, pool| pool.running > 0 || !pool.idle.is_empty());
        }
        self.0.dismiss_all(old);
        self.0.settings.limits.sweep();
    }

    pub async fn shutdown(&self) {
        let idle: Vec<Environment> = {
            let mut pools = self.0.pools();
            pools.closed = true;
            pools.of.values_mut().flat_map(|pool| std::mem::take(&mut pool.idle)).collect()
        };
        let mut ending = tokio::task::JoinSet::new();
        for environment in idle {
            let now = self.0.world.now();
            ending.spawn(async move { environment.end(SPINDOWN, now).await });
        }
        while ending.join_next().await.is_some() {}
        for _ in 0..CLOSINGS_MAX {
            if self.0.settings.limits.close() {
                return;
            }
            tokio::time::sleep(CLOSING_PAUSE).await;
        }
    }

    pub fn stats(&self) -> Stats {
        let counters = &self.0.counters;
        let pools = self.0.pools();
        let idle: usize = pools.of.values().map(|pool| pool.idle.len()).sum();
        Stats {
            invocations: counters.invocations.load(Ordering::Relaxed),
            errors: counters.errors.load(Ordering::Relaxed),
            throttles: counters.throttles.load(Ordering::Relaxed),
            cold_starts: counters.cold_starts.load(Ordering::Relaxed),
            environments: idle as u64 + u64::from(pools.running),
        }
    }
}

impl Inner {
    pub(crate) fn pools(&self) -> MutexGuard<'_, Pools> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn invoke(self: &Arc<Inner>, mut errand: Errand) -> Ended {
        self.count_begun();
        let ended = loop {
            match self.invoke_in_one(errand).await {
                Ok(ended) => break ended,
                // A warm environment less: this comes to an end.
                Err(unfetched) => errand = *unfetched,
            }
        };
        if ended.outcome.failed {
            self.counters.errors.fetch_add(1, Ordering::Relaxed);
        }
        ended
    }

    async fn invoke_in_one(self: &Arc<Inner>, errand: Errand) -> Result<Ended, Box<Errand>> {
        let begun = self.world.elapsed();
        let (environment, init, spent) = match self.take(&errand.config) {
            Some(warm) => (warm, None, Duration::ZERO),
            None => match self.start(&errand.config).await {
                Ok((started, spent)) => (started, Some(self.world.elapsed() - begun), spent),
                Err(error) => {
                    let Errand { config, invocation, relay, reply, .. } = errand;
                    relay.inspect(Relay::withdraw);
                    let outcome = self.not_started(&config, &invocation.request_id, error).await;
                    return Ok(Ended { outcome, reply, resting: None });
                }
            },
        };
        self.run(environment, init, Errand { spent, ..errand }).await
    }

    pub(crate) fn count_begun(&self) {
        self.counters.invocations.fetch_add(1, Ordering::Relaxed);
    }
}
