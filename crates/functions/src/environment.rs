//! One environment: a process, its Runtime API and its log. It runs one invocation at a time.

use crate::Runtime;
use crate::capture::{Capture, LogSink};
use crate::config::FunctionConfig;
use crate::java;
use crate::layers::search_paths;
use crate::process::{Ending, Process};
use crate::runtime::Interpreter;
use crate::runtime_api::{Job, Piece, Posted, RuntimeApi};
use crate::sandbox::{Sandbox, View};
use bytes::Bytes;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use world::World;

/// How long a function may take to load.
const INIT_MAX: Duration = Duration::from_secs(10);

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
    /// What no function may see.
    pub hidden: &'a [PathBuf],
    /// Where the server is reached; goes into `AWS_ENDPOINT_URL`.
    pub endpoint: &'a str,
}

#[derive(Debug)]
pub(crate) struct Environment {
    process: Process,
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
    /// What runs it is missing: the code that AWS would give, and what to do.
    Unavailable {
        kind: &'static str,
        message: String,
    },
    Io(io::Error),
}

/// What an environment is given to do.
pub(crate) struct Work {
    pub request_id: String,
    pub payload: Bytes,
    /// Further header lines, each ended.
    pub headers: String,
    /// Where an answer that is a stream goes as it comes.
    pub pieces: Option<mpsc::Sender<Piece>>,
}

/// How an invocation ended.
pub(crate) enum Run {
    Posted(Posted),
    Exited(Ending),
    TimedOut,
}

impl Environment {
    pub async fn start(config: Arc<FunctionConfig>, place: Place<'_>) -> Result<Environment, InitError> {
        let inside = Inside::of(&place);
        let mut command = command(&config, &place, &inside)?;
        let api = RuntimeApi::listen().await.map_err(InitError::Io)?;
        std::fs::create_dir_all(&place.temporary).map_err(InitError::Io)?;
        let stream = stream_name(&config, place.world);
        variables(&mut command, &config, &place, &inside, &api.address.to_string(), &stream);

        let (pipe, writer) = io::pipe().map_err(InitError::Io)?;
        let errors = writer.try_clone().map_err(InitError::Io)?;
        command.stdin(Stdio::null()).stdout(writer).stderr(errors).current_dir(&place.code);
        let (sink, log) = (place.sink.clone(), config.log.clone());
        let capture = Capture::start(pipe, sink, log, stream, place.world.clone()).map_err(InitError::Io)?;
        let version = config.runtime.version_line(place.interpreter.as_deref());
        if let Some(line) = crate::platform::init_start(&config, place.world.now(), &version.to_string()) {
            capture.line(line);
        }
        if let Some(found) = place.interpreter.as_ref().filter(|found| !found.exact) {
            let program = found.program.display();
            capture
                .line(format!("WARNING {} is not installed: {program} runs this function.", config.runtime));
        }
        let view = View {
            temporary: &place.temporary,
            code: &place.code,
            layers: place.layers.as_deref(),
            client: &place.client,
            interpreter: place.interpreter.as_ref().map(|found| found.program.as_path()),
            ephemeral_mb: config.ephemeral_mb,
            hidden: place.hidden,
        };
        let confinement = place.sandbox.plan(&view).map_err(InitError::Io)?;
        let process = Process::start(command, confinement, u64::from(config.ephemeral_mb) << 20)
            .await
            .map_err(InitError::Io)?;
        let environment = Environment {
            process,
            api,
            capture,
            config,
            temporary: place.temporary.clone(),
            over_memory: AtomicBool::new(false),
            used: place.world.elapsed(),
        };
        let failed = tokio::select! {
            ready = environment.api.initialized() => match ready {
                Ok(()) => return Ok(environment),
                Err(told) => InitError::Posted(told),
            },
            ending = environment.process.ended() => match ending {
                Some(ending) => InitError::Exited(ending),
                None => InitError::Io(io::Error::other("the process could not be waited for")),
            },
            ending = environment.outgrown() => match ending {
                Some(ending) => InitError::Exited(ending),
                None => InitError::TimedOut,
            },
            () = tokio::time::sleep(INIT_MAX) => InitError::TimedOut,
        };
        environment.process.kill();
        environment.capture.finish(Vec::new()).await;
        Err(failed)
    }

    /// Hands an invocation over and waits for its end, at most as long as the function may take.
    pub async fn run(&self, work: Work) -> Run {
        let (posted, answer) = oneshot::channel();
        let Work { request_id, payload, headers, pieces } = work;
        self.api.hand_over(Job { request_id, payload, headers, posted, pieces });
        let answered = async {
            match answer.await {
                Ok(posted) => posted,
                // The Runtime API is gone only when this environment is.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            posted = answered => Run::Posted(posted),
            ending = self.process.ended() => match ending {
                Some(ending) => Run::Exited(ending),
                None => Run::TimedOut,
            },
            ending = self.outgrown() => match ending {
                Some(ending) => Run::Exited(ending),
                None => Run::TimedOut,
            },
            () = tokio::time::sleep(self.config.timeout) => {
                self.process.kill();
                Run::TimedOut
            }
        }
    }

    pub fn is_alive(&self) -> bool {
        !self.process.has_ended()
    }

    /// Ready when its processes held more memory than they may, and are gone for it.
    async fn outgrown(&self) -> Option<Ending> {
        let most = u64::from(self.config.memory_mb) << 20;
        loop {
            tokio::time::sleep(MEMORY_WATCH).await;
            if self.process.memory_bytes() > most {
                self.over_memory.store(true, Ordering::Relaxed);
                self.process.kill();
                return self.process.ended().await;
            }
        }
    }

    /// Whether it was killed for the memory it held.
    pub fn is_over_memory(&self) -> bool {
        self.over_memory.load(Ordering::Relaxed)
    }

    pub fn memory_mb_max(&self) -> u64 {
        self.process.memory_bytes_max().div_ceil(1 << 20)
    }

    /// Asks the process to end, and gives it a moment.
    pub async fn shut_down(self) {
        self.process.terminate();
        let _ = tokio::time::timeout(Duration::from_millis(300), self.process.ended()).await;
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.process.kill();
        let _ = std::fs::remove_dir_all(&self.temporary);
    }
}

/// The program and its arguments.
fn command(config: &FunctionConfig, place: &Place<'_>, inside: &Inside) -> Result<Command, InitError> {
    let missing = |language: &str, package: &str| InitError::Unavailable {
        kind: "Runtime.Unavailable",
        message: format!(
            "{language} was not found on the PATH: install it (for example `apt-get install {package}`) to run {}",
            config.runtime
        ),
    };
    match config.runtime {
        Runtime::Python(_) => {
            let found = place.interpreter.as_ref().ok_or_else(|| missing("python3", "python3"))?;
            let mut command = Command::new(&found.program);
            command.arg(inside.client.join("python.py"));
            Ok(command)
        }
        Runtime::Node(_) => {
            let found = place.interpreter.as_ref().ok_or_else(|| missing("node", "nodejs"))?;
            let mut command = Command::new(&found.program);
            command.arg(format!("--max-old-space-size={}", (config.memory_mb * 9 / 10).max(64)));
            command.arg(inside.client.join("node.mjs"));
            Ok(command)
        }
        Runtime::Ruby(_) => {
            let found = place.interpreter.as_ref().ok_or_else(|| missing("ruby", "ruby"))?;
            let mut command = Command::new(&found.program);
            command.arg(inside.client.join("ruby.rb"));
            Ok(command)
        }
        Runtime::Java(_) => {
            let found = place.interpreter.as_ref().ok_or_else(|| missing("java", "default-jdk-headless"))?;
            let mut command = Command::new(&found.program);
            let layers = inside.layers.as_deref();
            command.args(java::arguments(config.memory_mb, &inside.temporary));
            command.arg("-cp").arg(java::class_path(&inside.code, layers, &inside.client, found));
            command.arg(java::MAIN);
            Ok(command)
        }
        Runtime::Provided(_) => executable(&place.code, &inside.code, "bootstrap").or_else(|error| {
            match (&place.layers, &inside.layers) {
                (Some(layers), Some(opt)) => executable(layers, opt, "bootstrap"),
                _ => Err(error),
            }
        }),
        Runtime::Go => executable(&place.code, &inside.code, &config.handler),
    }
}

fn executable(code: &Path, inside: &Path, name: &str) -> Result<Command, InitError> {
    use std::os::unix::fs::PermissionsExt;
    let program = code.join(name);
    let is_program = program
        .metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0);
    if is_program {
        return Ok(Command::new(inside.join(name)));
    }
    let message = format!("Couldn't find valid bootstrap(s): [/var/task/{name} /opt/{name}]");
    Err(InitError::Unavailable { kind: "Runtime.InvalidEntrypoint", message })
}

fn stream_name(config: &FunctionConfig, world: &World) -> String {
    let date = world.now().iso_seconds()[..10].replace('-', "/");
    format!("{date}/[{}]{}", config.version, world.hex(32))
}

fn variables(
    command: &mut Command,
    config: &FunctionConfig,
    place: &Place<'_>,
    inside: &Inside,
    api: &str,
    stream: &str,
) {
    command.env_clear();
    let host_path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned());
    let code = inside.code.display().to_string();
    let temporary = inside.temporary.display().to_string();
    let set = [
        ("PATH", host_path.as_str()),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("HOME", &temporary),
        ("TMPDIR", &temporary),
        ("LAMBDA_TASK_ROOT", &code),
        ("LAMBDA_RUNTIME_DIR", &inside.client.display().to_string()),
        ("_HANDLER", &config.handler),
        ("AWS_LAMBDA_RUNTIME_API", api),
        ("AWS_LAMBDA_FUNCTION_NAME", &config.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", &config.version),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &config.memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &config.log.group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream),
        ("AWS_REGION", &config.region),
        ("AWS_DEFAULT_REGION", &config.region),
        ("AWS_ACCESS_KEY_ID", &config.credentials.access_key),
        ("AWS_SECRET_ACCESS_KEY", &config.credentials.secret_key),
        ("AWS_SESSION_TOKEN", &config.credentials.session_token),
        ("AWS_ENDPOINT_URL", place.endpoint),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"),
    ];
    command.envs(set);
    match config.runtime {
        Runtime::Python(_) => {
            command.env("LC_CTYPE", "C.UTF-8").env("PYTHONDONTWRITEBYTECODE", "1");
        }
        Runtime::Node(_) | Runtime::Ruby(_) | Runtime::Java(_) | Runtime::Provided(_) | Runtime::Go => {}
    }
    let layers = inside.layers.as_ref().map(|layers| layers.display().to_string());
    search_paths(command, config.runtime, place.interpreter.as_deref(), &code, layers.as_deref(), &host_path);
    if let Some(name) = config.runtime.execution_env() {
        command.env("AWS_EXECUTION_ENV", name);
    }
    command.envs(&config.environment);
}
