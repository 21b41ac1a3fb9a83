//! One invocation in its environment: what the runtime is told, what became of it, what the log says.

use crate::config::FunctionConfig;
use crate::environment::{Environment, InitError, Run, Work};
use crate::functions::{Inner, Invocation, Outcome};
use crate::platform::{self, Ending, Report};
use crate::runtime_api::{Piece, Posted};
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;

/// An environment whose answer is known, and whose extensions may still work.
pub(crate) struct Resting {
    environment: Environment,
    within: Duration,
}

/// What an invocation's runtime and extensions are told of it.
struct Told {
    headers: String,
    event: Value,
}

impl Inner {
    pub(crate) async fn run(
        &self,
        environment: Environment,
        init: Option<Duration>,
        invocation: Invocation,
        pieces: Option<mpsc::Sender<Piece>>,
    ) -> (Outcome, Option<Resting>) {
        let config = environment.config.clone();
        let id = &invocation.request_id;
        if init.is_some() {
            // What it printed while it loaded stands before the first invocation.
            environment.capture.finish(Vec::new()).await;
        }
        if let Some(line) = platform::start(&config, self.world.now(), id) {
            environment.capture.line(line);
        }
        let told = self.told(&config, &invocation);
        let payload = invocation.payload.clone();
        let begun = self.world.elapsed();
        let run = environment
            .run(Work { request_id: id.clone(), payload, headers: told.headers, event: told.event, pieces })
            .await;
        let took = self.world.elapsed() - begun;

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
            Run::TimedOut => {
                let seconds = config.timeout.as_secs_f64();
                let message = format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds");
                (account("Sandbox.Timedout", &message), Ending::TimeOut, false)
            }
        };
        let report = Report {
            request_id: id,
            took_ms: took.as_secs_f64() * 1_000.0,
            init_ms: init.map(|init| init.as_secs_f64() * 1_000.0),
            memory_mb_max: environment.memory_mb_max(begun + took),
            ending,
        };
        let lines = platform::end(&config, self.world.now(), &report);
        let log_tail = environment.capture.finish(lines).await;
        let outcome =
            Outcome { payload, failed: ending != Ending::Success, log_tail, version: config.version.clone() };
        if !keep {
            self.dismiss(environment, if ending == Ending::TimeOut { "TIMEOUT" } else { "FAILURE" });
        } else if environment.has_extensions() {
            let within = config.timeout.saturating_sub(took);
            return (outcome, Some(Resting { environment, within }));
        } else {
            self.give_back(environment);
        }
        (outcome, None)
    }

    /// Waits for the extensions of an environment, which may then be used again.
    pub(crate) async fn rest(&self, Resting { environment, within }: Resting) {
        match environment.rested(within).await {
            true => self.give_back(environment),
            false => self.dismiss(environment, "TIMEOUT"),
        }
    }

    fn told(&self, config: &FunctionConfig, invocation: &Invocation) -> Told {
        let deadline_ms = self.world.now().millis() + config.timeout.as_millis() as u64;
        let trace = format!(
            "Root=1-{:08x}-{};Parent={};Sampled=0",
            self.world.now().seconds(),
            self.world.hex(24),
            self.world.hex(16)
        );
        let mut headers = format!(
            "Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\nLambda-Runtime-Invoked-Function-Arn: {}\r\nLambda-Runtime-Trace-Id: {trace}\r\n",
            invocation.function_arn
        );
        if let Some(context) = &invocation.client_context {
            // A header is one line.
            let context = context.replace(['\r', '\n'], " ");
            headers.push_str(&format!("Lambda-Runtime-Client-Context: {context}\r\n"));
        }
        let event = json!({
            "eventType": "INVOKE",
            "deadlineMs": deadline_ms,
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.function_arn,
            "tracing": { "type": "X-Amzn-Trace-Id", "value": trace },
        });
        Told { headers, event }
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
            InitError::TimedOut => account(
                "Sandbox.Timedout",
                &format!("RequestId: {id} Error: Task timed out after 10.00 seconds"),
            ),
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
        Outcome { payload, failed: true, log_tail, version: config.version.clone() }
    }
}

fn account(kind: &str, message: &str) -> Bytes {
    json!({ "errorType": kind, "errorMessage": message }).to_string().into()
}
