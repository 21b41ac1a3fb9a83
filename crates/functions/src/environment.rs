//! One environment: a process, its Runtime API and its log. It runs one invocation at a time.

mod command;
mod companions;
mod shares;
mod variables;

use crate::capture::{Capture, LogSink};
use crate::config::FunctionConfig;
use crate::extensions::{Extensions, Failure};
use crate::limits::{Group, Limits};
use crate::process::{Bounds, Ending, Process};
use crate::runtime::Interpreter;
use crate::runtime_api::{Job, Posted, RuntimeApi};
use crate::sandbox::{Sandbox, View};
use bytes::Bytes;
use serde_json::{Value, json};
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use world::{Timestamp, World};

/// What a runtime may take to end, and extensions that are told of it.
const RUNTIME_END: Duration = Duration::from_millis(300);
const EXTENSIONS_END: Duration = Duration::from_secs(2);

/// How often a busy function's memory is looked at.
const MEMORY_WATCH: Duration = Duration::from_millis(50);

/// What an environment needs besides its function's configuration.
pub(crate) struct Place<'a> {
    pub world: &'a World,
    pub sink: &'a Arc<dyn LogSink>,
    /// The unpacked code.
    pub code: PathBuf,
    /// The function's layers as one tree.
    pub layers: Option<PathBuf>,
    /// Where the language's client lies.
    pub client: PathBuf,
    pub interpreter: Option<Arc<Interpreter>>,
    /// A directory of this environment alone, removed with it.
    pub temporary: PathBuf,
    pub sandbox: Sandbox,
    pub limits: &'a Limits,
    /// What no function may see.
    pub hidden: &'a [PathBuf],
    /// Where the server is reached; goes into `AWS_ENDPOINT_URL`.
    pub endpoint: &'a str,
    /// How long the function may take to load.
    pub within: Duration,
}

#[derive(Debug)]
pub(crate) struct Environment {
    pub process: Arc<Process>,
    /// The processes of its extensions, and what they say.
    companions: Vec<Process>,
    /// Of all its processes, where there are control groups. It goes after them.
    pub group: Option<Arc<Group>>,
    extensions: Arc<Extensions>,
    api: RuntimeApi,
    pub capture: Capture,
    pub config: Arc<FunctionConfig>,
    temporary: PathBuf,
    over_memory: AtomicBool,
    /// When it was last used, in the world's elapsed time.
    pub used: Duration,
}

/// Where a function finds things, as it sees the machine.
struct Inside {
    code: PathBuf,
    layers: Option<PathBuf>,
    client: PathBuf,
    temporary: PathBuf,
}

impl Inside {
    fn of(place: &Place<'_>) -> Inside {
        match place.sandbox {
            Sandbox::Namespaces => Inside {
                code: "/var/task".into(),
                layers: place.layers.is_some().then(|| "/opt".into()),
                client: "/var/runtime".into(),
                temporary: "/tmp".into(),
            },
            Sandbox::Landlock(_) | Sandbox::Off => Inside {
                code: place.code.clone(),
                layers: place.layers.clone(),
                client: place.client.clone(),
                temporary: place.temporary.clone(),
            },
        }
    }
}

/// How a start failed.
#[derive(Debug)]
pub(crate) enum InitError {
    /// The function's own account of it.
    Posted(Bytes),
    Exited(Ending),
    TimedOut,
    /// An extension did not come up.
    Extension(Failure),
    /// What runs it is missing: the code that AWS would give, and what to do.
    Unavailable {
        kind: &'static str,
        message: String,
    },
    Io(io::Error),
}

impl From<io::Error> for InitError {
    fn from(error: io::Error) -> InitError {
        InitError::Io(error)
    }
}

/// How an invocation ended.
pub(crate) enum Run {
    Posted(Posted),
    Exited(Ending),
    /// An extension failed.
    Failed(Failure),
    TimedOut,
}

impl Environment {
    pub async fn start(config: Arc<FunctionConfig>, place: Place<'_>) -> Result<Environment, InitError> {
        let inside = Inside::of(&place);
        let mut command = command::of(&config, &place, &inside)?;
        let extensions = Arc::new(Extensions::default());
        let api = RuntimeApi::listen(extensions.clone(), about(&config), place.world.clone()).await?;
        std::fs::create_dir_all(&place.temporary)?;
        let stream = stream_name(&config, place.world);
        let address = api.address.to_string();
        let set =
            |command: &mut Command| variables::set(command, &config, &place, &inside, &address, &stream);
        set(&mut command);

        let (pipe, writer) = io::pipe()?;
        let (sink, log) = (place.sink.clone(), config.log.clone());
        let capture = Capture::start(pipe, sink, log, stream.clone(), place.world.clone())?;
        announce(&config, &place, &capture);
        let view = View {
            temporary: &place.temporary,
            code: &place.code,
            layers: place.layers.as_deref(),
            client: &place.client,
            interpreter: place.interpreter.as_ref().map(|found| found.program.as_path()),
            ephemeral_mb: config.ephemeral_mb,
            hidden: place.hidden,
        };
        let file_bytes_max = u64::from(config.ephemeral_mb) << 20;
        let group = place.limits.group(&shares::of(&config, &place))?;
        let start = companions::Start {
            place: &place,
            inside: &inside,
            api: &api,
            view: &view,
            writer: &writer,
            group: group.as_ref(),
            file_bytes_max,
        };
        let companions = companions::start(start, &extensions, set).await?;
        let registered = async {
            tokio::select! {
                registered = extensions.registered() => registered.map_err(InitError::Extension),
                () = tokio::time::sleep(place.within) => Err(InitError::TimedOut),
            }
        };
        if let Err(failed) = registered.await {
            drop(companions);
            capture.finish(Vec::new());
            return Err(failed);
        }
        let errors = writer.try_clone()?;
        command.stdin(Stdio::null()).stdout(writer).stderr(errors).current_dir(&place.code);
        let confinement = place.sandbox.plan(&view)?;
        let bounds = Bounds { confinement, group: group.clone(), file_bytes_max };
        let process = Arc::new(Process::start(command, bounds).await?);
        api.admit(process.guest());
        let environment = Environment {
            process,
            companions,
            group,
            extensions,
            api,
            capture,
            config,
            temporary: place.temporary.clone(),
            over_memory: AtomicBool::new(false),
            used: place.world.elapsed(),
        };
        match environment.ready(place.within).await {
            Ok(()) => Ok(environment),
            Err(failed) => {
                environment.process.kill();
                environment.companions.iter().for_each(Process::kill);
                environment.capture.finish(Vec::new());
                Err(failed)
            }
        }
    }

    /// Waits until the runtime and all extensions have nothing to do.
    async fn ready(&self, within: Duration) -> Result<(), InitError> {
        let rested = async {
            self.api.initialized().await.map_err(InitError::Posted)?;
            self.extensions.rested().await.map_err(InitError::Extension)
        };
        let ended =
            |ending: Option<Ending>, otherwise: InitError| ending.map_or(otherwise, InitError::Exited);
        tokio::select! {
            // What a runtime said before it ended is what is told.
            biased;
            rested = rested => rested?,
            ending = self.process.ended() => {
                return Err(ended(ending, io::Error::other("the process could not be waited for").into()));
            }
            ending = self.outgrown() => return Err(ended(ending, InitError::TimedOut)),
            failure = self.extensions.failed() => return Err(InitError::Extension(failure)),
            () = tokio::time::sleep(within) => return Err(InitError::TimedOut),
        }
        self.extensions.close();
        self.extensions.lines().into_iter().for_each(|line| self.capture.line(line));
        Ok(())
    }

    pub fn tell_extensions(&self, event: &Value) {
        self.extensions.invoke(event);
    }

    pub fn hand_over(&self, job: Job) {
        self.api.hand_over(job);
    }

    /// What was handed over and is not fetched by a runtime that will not fetch it any more.
    pub fn take_back(&self) -> Option<Job> {
        self.api.take_back()
    }

    /// Waits for the end of what was handed over, at most so long.
    pub async fn settled(&self, answer: &mut oneshot::Receiver<Posted>, within: Duration) -> Run {
        let answered = async {
            match answer.await {
                Ok(posted) => posted,
                // The Runtime API is gone only when this environment is.
                Err(_) => std::future::pending().await,
            }
        };
        let mut answered = std::pin::pin!(answered);
        tokio::select! {
            biased;
            posted = &mut answered => Run::Posted(posted),
            ending = self.process.ended() => {
                // It may have answered and ended at once.
                match (self.answered_already(answered).await, ending) {
                    (Some(posted), _) => Run::Posted(posted),
                    (None, Some(ending)) => Run::Exited(ending),
                    (None, None) => Run::TimedOut,
                }
            }
            ending = self.outgrown() => match ending {
                Some(ending) => Run::Exited(ending),
                None => Run::TimedOut,
            },
            failure = self.extensions.failed() => {
                self.process.kill();
                match self.is_over_memory() {
                    // The kernel killed all of them, and this one was seen first.
                    true => self.process.ended().await.map_or(Run::TimedOut, Run::Exited),
                    false => Run::Failed(failure),
                }
            }
            () = tokio::time::sleep(within) => match self.answered_already(answered).await {
                Some(posted) => Run::Posted(posted),
                None => {
                    self.process.kill();
                    Run::TimedOut
                }
            },
        }
    }

    /// The answer, if the runtime has given it.
    async fn answered_already(&self, answered: Pin<&mut impl Future<Output = Posted>>) -> Option<Posted> {
        if self.api.is_settling() {
            return Some(answered.await);
        }
        tokio::select! {
            biased;
            posted = answered => Some(posted),
            () = std::future::ready(()) => None,
        }
    }

    pub fn is_alive(&self) -> bool {
        !self.process.has_ended() && !self.companions.iter().any(Process::has_ended)
    }

    pub fn has_extensions(&self) -> bool {
        !self.extensions.is_empty()
    }

    /// Waits for extensions that still work at an invocation whose answer is known; whether they came to rest.
    pub async fn rested(&self, within: Duration) -> bool {
        matches!(tokio::time::timeout(within, self.extensions.rested()).await, Ok(Ok(())))
    }

    /// Ready when its processes held more memory than they may, and are gone for it.
    async fn outgrown(&self) -> Option<Ending> {
        if self.group.as_ref().is_some_and(|group| group.is_exact()) {
            return std::future::pending().await;
        }
        let most = u64::from(self.config.memory_mb) << 20;
        loop {
            tokio::time::sleep(MEMORY_WATCH).await;
            if self.memory_bytes() > most {
                self.over_memory.store(true, Ordering::Relaxed);
                self.process.kill();
                return self.process.ended().await;
            }
        }
    }

    fn memory_bytes(&self) -> u64 {
        match &self.group {
            Some(group) => group.memory_bytes(),
            None => {
                let companions: u64 = self.companions.iter().map(Process::memory_bytes).sum();
                self.process.memory_bytes() + companions
            }
        }
    }

    /// Whether it was killed for the memory it held.
    pub fn is_over_memory(&self) -> bool {
        self.over_memory.load(Ordering::Relaxed)
            || self.group.as_ref().is_some_and(|group| group.is_over_memory())
    }

    /// Asks its processes to end, and gives them a moment: extensions that asked for it are told why.
    pub async fn end(self, reason: &str, now: Timestamp) {
        let deadline_ms = now.millis() + EXTENSIONS_END.as_millis() as u64;
        let is_told = self.extensions.shut_down(reason, deadline_ms);
        self.process.terminate();
        let wait = if is_told { EXTENSIONS_END } else { RUNTIME_END };
        let all = async {
            self.process.ended().await;
            if is_told {
                for companion in &self.companions {
                    companion.ended().await;
                }
            }
        };
        let _ = tokio::time::timeout(wait, all).await;
        self.companions.iter().for_each(Process::kill);
        // What they said last is in the log.
        self.capture.finish(Vec::new());
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.process.kill();
        self.companions.iter().for_each(Process::kill);
        self.group.iter().for_each(|group| group.kill());
        let _ = std::fs::remove_dir_all(&self.temporary);
    }
}

/// What the log begins with.
fn announce(config: &FunctionConfig, place: &Place<'_>, capture: &Capture) {
    let version = config.runtime.version_line(place.interpreter.as_deref());
    if let Some(line) = crate::platform::init_start(config, place.world.now(), &version.to_string()) {
        capture.line(line);
    }
    if let Some(found) = place.interpreter.as_ref().filter(|found| !found.exact) {
        let program = found.program.display();
        capture.line(format!("WARNING {} is not installed: {program} runs this function.", config.runtime));
    }
}

/// The function, as its extensions read it.
fn about(config: &FunctionConfig) -> String {
    let (name, version, handler) = (&config.name, &config.version, &config.handler);
    json!({ "functionName": name, "functionVersion": version, "handler": handler }).to_string()
}

fn stream_name(config: &FunctionConfig, world: &World) -> String {
    let date = world.now().iso_seconds()[..10].replace('-', "/");
    format!("{date}/[{}]{}", config.version, world.hex(32))
}
