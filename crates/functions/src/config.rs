//! What a function is, as far as running it goes.

use crate::Runtime;
use std::collections::BTreeMap;
use std::time::Duration;

/// One version of a function, as it runs. Another `revision` means other processes.
#[derive(Clone, Debug)]
pub struct FunctionConfig {
    /// With its version or alias: also the name of its pool of environments.
    pub arn: String,
    pub name: String,
    pub version: String,
    pub revision: String,
    pub runtime: Runtime,
    pub handler: String,
    /// The package's hash, as [`Code`](crate::Code) gives it.
    pub code_sha256: String,
    /// Packages that lie in `/opt`, later ones over earlier ones.
    pub layers: Vec<String>,
    pub timeout: Duration,
    pub memory_mb: u32,
    /// How large its `/tmp` is.
    pub ephemeral_mb: u32,
    pub environment: BTreeMap<String, String>,
    pub region: String,
    pub credentials: Credentials,
    pub log: LogPlace,
    /// None for lines of text.
    pub json_log: Option<JsonLog>,
    /// How many invocations may run at once; zero throttles all.
    pub reserved_concurrency: Option<u32>,
}

impl FunctionConfig {
    /// The ARN without a version: what versions share goes by it.
    pub fn function_arn(&self) -> &str {
        match self.arn.match_indices(':').nth(6) {
            Some((at, _)) => &self.arn[..at],
            None => &self.arn,
        }
    }
}

/// Credentials a function finds in its environment.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
    pub session_token: String,
}

/// A log of JSON documents, and the least level of those it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonLog {
    pub application: Level,
    pub system: Level,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Level {
    const ALL: [(Level, &'static str); 6] = [
        (Level::Trace, "TRACE"),
        (Level::Debug, "DEBUG"),
        (Level::Info, "INFO"),
        (Level::Warn, "WARN"),
        (Level::Error, "ERROR"),
        (Level::Fatal, "FATAL"),
    ];

    pub fn parse(text: &str) -> Option<Level> {
        Level::ALL.iter().find(|(_, word)| *word == text).map(|(level, _)| *level)
    }

    pub fn as_str(self) -> &'static str {
        Level::ALL[self as usize].1
    }
}

/// Where a function's log goes.
#[derive(Clone, Debug, Default)]
pub struct LogPlace {
    /// Whose log group it is, in the sink's words.
    pub owner: String,
    /// `/aws/lambda/<function>`
    pub group: String,
}
