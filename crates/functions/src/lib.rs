//! Knows how a function runs: its code package, its process, the Runtime API it speaks, its log.
//! Never knows what calls it: no triggers, no tables, no HTTP API of a service.

mod config;
mod functions;

mod answer;
mod pools;
mod relay;
mod run;
mod starts;

mod java;
mod layers;
mod package;
mod runtime;

mod environment;
mod extensions;
mod process;
mod runtime_api;

mod capture;
mod platform;

pub mod limits;
pub mod sandbox;

pub use answer::{Answer, Streamed};
pub use capture::LogSink;
pub use config::{Credentials, FunctionConfig, JsonLog, Level, LogPlace};
pub use functions::{Functions, Invocation, InvokeError, Outcome, Settings, Stats};
pub use package::{Code, PackageError, ZIP_BYTES_MAX, zip_of};
pub use relay::Relay;
pub use runtime::{Interpreter, Runtime};
