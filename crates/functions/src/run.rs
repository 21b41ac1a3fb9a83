//! One invocation in its environment: what the runtime is told, what became of it, what the log says.

use crate::capture::Capture;
use crate::config::FunctionConfig;
use crate::environment::{Environment, InitError, Run};
use crate::functions::{Inner, Invocation, Outcome};
use crate::limits::Group;
use crate::platform::{self, Ending, Report};
use crate::process::Process;
use crate::relay::{Follower, Relay};
use crate::runtime_api::{Job, Next, Piece, Posted};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// An environment whose answer is known, and whose extensions may still work.
pub(crate) struct Resting {
    environment: Environment,
    within: Duration,
}

/// An invocation to be run.
pub(crate) struct Errand {
    pub config: Arc<FunctionConfig>,
    pub invocation: Invocation,
    pub pieces: Option<mpsc::Sender<Piece>>,
    /// Where the one lies that is to follow.
    pub relay: Option<Relay>,
    pub reply: oneshot::Sender<Outcome>,
    /// What of the function's time is spent already: it was loaded in it.
    pub spent: Duration,
}

/// How the last one of a succession ended.
pub(crate) struct Ended {
    pub outcome: Outcome,
    pub reply: oneshot::Sender<Outcome>,
    pub resting: Option<Resting>,
}

/// What an invocation is run and told by.
#[derive(Clone)]
struct Stage {
    capture: Capture,
    process: Arc<Process>,
    group: Option<Arc<Group>>,
}

impl Stage {
    fn of(environment: &Environment) -> Stage {
        Stage {
            capture: environment.capture.clone(),
            process: environment.process.clone(),
            group: environment.group.clone(),
        }
    }

    fn memory_bytes_max(&self, now: Duration) -> u64 {
        match &self.group {
            Some(group) => group.memory_bytes_max(now),
            None => self.process.memory_bytes_max(now),
        }
    }
}

/// An invocation that has begun, as its log tells of it.
#[derive(Clone)]
struct Begun {
    config: Arc<FunctionConfig>,
    invocation: Arc<Invocation>,
    init: Option<Duration>,
    at: Duration,
    /// Until when it may run from then on.
    within: Duration,
}

/// The same, as it is waited for.
struct Turn {
    begun: Begun,
    relay: Option<Relay>,
    reply: oneshot::Sender<Outcome>,
    answer: oneshot::Receiver<Posted>,
    /// It has ended, and the next one has begun.
    passed: Arc<Mutex<Option<Passed>>>,
}

struct Passed {
    outcome: Outcome,
    turn: Turn,
}

impl Turn {
    /// To be run in another environment. Nothing lies behind it any more.
    fn again(self, unfetched: Job) -> Errand {
        let Begun { config, invocation, .. } = self.begun;
        Errand {
            config,
            invocation: Arc::unwrap_or_clone(invocation),
            pieces: unfetched.pieces,
            relay: None,
            reply: self.reply,
            spent: Duration::ZERO,
        }
    }
}

impl Inner {
    /// Runs an invocation, and those that follow it. `Err` gives back the one that the runtime did not live to fetch:
    /// it ended behind an answer, and is no fault of what would have come next.
    pub(crate) async fn run(
        self: &Arc<Inner>,
        environment: Environment,
        init: Option<Duration>,
        mut errand: Errand,
    ) -> Result<Ended, Box<Errand>> {
        if init.is_some() {
            // What it printed while it loaded stands before the first invocation.
            environment.capture.finish(Vec::new());
        }
        if environment.has_extensions() {
            // They are told of each invocation, and waited for behind it.
            if let Some(relay) = errand.relay.take() {
                relay.withdraw();
            }
            environment.tell_extensions(&self.event(&errand));
        }
        let stage = Stage::of(&environment);
        let (mut turn, job) = self.turn(&stage, init, errand);
        environment.hand_over(job);
        loop {
            let run = environment.settled(&mut turn.answer, turn.begun.within).await;
            if let Some(relay) = &turn.relay {
                relay.withdraw();
            }
            let passed = turn.passed.lock().unwrap_or_else(PoisonError::into_inner).take();
            match passed {
                Some(Passed { outcome, turn: next }) => {
                    let _ = std::mem::replace(&mut turn, next).reply.send(outcome);
                }
                None => match environment.take_back().filter(|_| turn.begun.init.is_none()) {
                    Some(unfetched) => return Err(Box::new(turn.again(unfetched))),
                    None => return Ok(self.last(environment, &stage, turn, run)),
                },
            }
        }
    }

    /// Begins an invocation.
    fn turn(self: &Arc<Inner>, stage: &Stage, init: Option<Duration>, errand: Errand) -> (Turn, Job) {
        let Errand { config, invocation, pieces, relay, reply, spent } = errand;
        let within = config.timeout.saturating_sub(spent);
        if let Some(line) = platform::start(&config, self.world.now(), &invocation.request_id) {
            stage.capture.line(line);
        }
        let headers = self.headers(within, &invocation);
        let (request_id, payload) = (invocation.request_id.clone(), invocation.payload.clone());
        let begun =
            Begun { config, invocation: Arc::new(invocation), init, at: self.world.elapsed(), within };
        let passed = Arc::new(Mutex::new(None));
        let next = relay.clone().map(|relay| self.next(stage, &begun, relay, passed.clone()));
        let (posted, answer) = oneshot::channel();
        let job = Job { request_id, payload, headers, posted, pieces, next };
        (Turn { begun, relay, reply, answer, passed }, job)
    }

    /// What looks at the answer and has the next one at hand.
    fn next(
        self: &Arc<Inner>,
        stage: &Stage,
        begun: &Begun,
        relay: Relay,
        passed: Arc<Mutex<Option<Passed>>>,
    ) -> Next {
        let (inner, stage, begun) = (self.clone(), stage.clone(), begun.clone());
        Box::new(move |answer| {
            let Follower { config, invocation, relay: behind, reply } = *relay.close()?;
            if !relay.accepts(answer) || !inner.may_follow(&begun.config, &config) {
                return None;
            }
            inner.count_begun();
            let outcome =
                Outcome { followed: true, ..inner.told(&stage, &begun, answer.clone(), Ending::Success) };
            let spent = Duration::ZERO;
            let errand = Errand { config, invocation, pieces: None, relay: Some(behind), reply, spent };
            let (turn, job) = inner.turn(&stage, None, errand);
            *passed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Passed { outcome, turn });
            Some(job)
        })
    }

    /// Nothing followed: the environment rests, or goes.
    fn last(&self, environment: Environment, stage: &Stage, turn: Turn, run: Run) -> Ended {
        let Turn { begun, reply, .. } = turn;
        let took = self.world.elapsed() - begun.at;
        let timeout = begun.config.timeout;
        let id = &begun.invocation.request_id;
        let (payload, ending, keep) = match run {
            Run::Posted(Posted::Response(payload)) => (payload, Ending::Success, true),
            Run::Posted(Posted::Error(payload)) => (payload, Ending::Failure, true),
            Run::Posted(Posted::TooLarge(most)) => {
                let message =
                    format!("Response payload size exceeded maximum allowed payload size ({most} bytes).");
                (account("Function.ResponseSizeTooLarge", &message), Ending::Failure, true)
            }
            Run::Exited(ending) => {
                let message = format!("RequestId: {id} Error: {ending}");
                match environment.is_over_memory() {
                    true => (account("Runtime.OutOfMemory", &message), Ending::OutOfMemory, false),
                    false => (account("Runtime.ExitError", &message), Ending::Exit, false),
                }
            }
            Run::Failed(failure) => {
                let message = format!("RequestId: {id} Error: {}", failure.message);
                (account(&failure.kind, &message), Ending::Exit, false)
            }
            Run::TimedOut => (timed_out(&begun.config, id), Ending::TimeOut, false),
        };
        let outcome = self.told(stage, &begun, payload, ending);
        let mut resting = None;
        if !keep {
            self.dismiss(environment, if ending == Ending::TimeOut { "TIMEOUT" } else { "FAILURE" });
        } else if environment.has_extensions() {
            resting = Some(Resting { environment, within: timeout.saturating_sub(took) });
        } else {
            self.give_back(environment);
        }
        Ended { outcome, reply, resting }
    }

    /// Ends an invocation in its log.
    fn told(&self, stage: &Stage, begun: &Begun, payload: Bytes, ending: Ending) -> Outcome {
        let now = self.world.elapsed();
        let report = Report {
            request_id: &begun.invocation.request_id,
            took_ms: (now - begun.at).as_secs_f64() * 1_000.0,
            init_ms: begun.init.map(|init| init.as_secs_f64() * 1_000.0),
            memory_mb_max: stage.memory_bytes_max(now).div_ceil(1 << 20),
            ending,
        };
        let log_tail = stage.capture.finish(platform::end(&begun.config, self.world.now(), &report));
        let (failed, version) = (ending != Ending::Success, begun.config.version.clone());
        Outcome { payload, failed, log_tail, version, followed: false }
    }

    /// Waits for the extensions of an environment, which may then be used again.
    pub(crate) async fn rest(&self, Resting { environment, within }: Resting) {
        match environment.rested(within).await {
            true => self.give_back(environment),
            false => self.dismiss(environment, "TIMEOUT"),
        }
    }

    /// What the runtime is told of an invocation.
    fn headers(&self, within: Duration, invocation: &Invocation) -> String {
        let mut headers = format!(
            "Lambda-Runtime-Deadline-Ms: {}\r\nLambda-Runtime-Invoked-Function-Arn: {}\r\nLambda-Runtime-Trace-Id: {}\r\n",
            self.deadline_ms(within),
            invocation.function_arn,
            self.trace()
        );
        if let Some(context) = &invocation.client_context {
            // A header is one line.
            let context = context.replace(['\r', '\n'], " ");
            headers.push_str(&format!("Lambda-Runtime-Client-Context: {context}\r\n"));
        }
        headers
    }

    /// What extensions are told of it.
    fn event(&self, Errand { config, invocation, spent, .. }: &Errand) -> Value {
        json!({
            "eventType": "INVOKE",
            "deadlineMs": self.deadline_ms(config.timeout.saturating_sub(*spent)),
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.function_arn,
            "tracing": { "type": "X-Amzn-Trace-Id", "value": self.trace() },
        })
    }

    fn deadline_ms(&self, within: Duration) -> u64 {
        self.world.now().millis() + within.as_millis() as u64
    }

    fn trace(&self) -> String {
        let (root, parent) = (self.world.hex(24), self.world.hex(16));
        format!("Root=1-{:08x}-{root};Parent={parent};Sampled=0", self.world.now().seconds())
    }

    /// The account of a function that did not come up, and the lines of a log that has no process.
    pub(crate) async fn not_started(&self, config: &FunctionConfig, id: &str, error: InitError) -> Outcome {
        let payload = match error {
            InitError::Posted(told) => told,
            InitError::Exited(ending) => {
                account("Runtime.ExitError", &format!("RequestId: {id} Error: {ending}"))
            }
            InitError::Extension(failure) => {
                account(&failure.kind, &format!("RequestId: {id} Error: {}", failure.message))
            }
            InitError::TimedOut => timed_out(config, id),
            InitError::Unavailable { kind, message } => {
                account(kind, &format!("RequestId: {id} Error: {message}"))
            }
            InitError::Io(error) => {
                account("Runtime.Unavailable", &format!("RequestId: {id} Error: {error}"))
            }
        };
        let now = self.world.now();
        let told = String::from_utf8_lossy(&payload).into_owned();
        let lines = platform::not_started(config, now, id, &told);
        let log_tail = lines.join("\n");
        let stream = format!(
            "{}/[{}]{}",
            now.iso_seconds()[..10].replace('-', "/"),
            config.version,
            self.world.hex(32)
        );
        self.sink.write(
            &config.log,
            &stream,
            lines.into_iter().map(|line| (now, format!("{line}\n"))).collect(),
        );
        let version = config.version.clone();
        Outcome { payload, failed: true, log_tail, version, followed: false }
    }
}

fn timed_out(config: &FunctionConfig, id: &str) -> Bytes {
    let seconds = config.timeout.as_secs_f64();
    account("Sandbox.Timedout", &format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds"))
}

fn account(kind: &str, message: &str) -> Bytes {
    json!({ "errorType": kind, "errorMessage": message }).to_string().into()
}
