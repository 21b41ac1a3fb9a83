//! How a node is to be run, and why one could not be started.

use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Where everything is kept; none keeps it in memory, and forgets it at the end.
    pub data_dir: Option<PathBuf>,
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub account: String,
    pub region: String,
    /// Whether other machines may reach a server that accepts every key: told twice, by two flags.
    pub allow_remote: bool,
    pub accept_any_key: bool,
    /// How much is asked of a caller.
    pub auth: services::AuthMode,
    /// The account's own access key and its secret.
    pub root_key: Option<(String, String)>,
    pub connections_max: usize,
    /// How many functions may run at once.
    pub concurrency_max: u32,
    /// Pages in browsers that may call the services, as their origins; `*` for any. With none, any where signatures count.
    pub allow_origins: Vec<String>,
    pub sandbox: functions::sandbox::Mode,
    /// Where clusters are made, instead of servers of their own.
    pub databases: services::DatabaseServers,
    pub cache_bytes: Option<u64>,
    pub stream_shards: u32,
    pub shard_rollover_s: u64,
    pub stream_retention_s: u64,
    /// Whether provisioned throughput and limits on demand are held to.
    pub throttle: bool,
    /// The delay before the first retry of a batch that its function refused.
    pub retry_first_ms: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            data_dir: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 4566)),
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            allow_remote: false,
            accept_any_key: false,
            auth: services::AuthMode::Lenient,
            root_key: None,
            connections_max: 4_096,
            concurrency_max: 100,
            allow_origins: Vec::new(),
            sandbox: functions::sandbox::Mode::Auto,
            databases: services::DatabaseServers::default(),
            cache_bytes: None,
            stream_shards: 1,
            shard_rollover_s: 4 * 3_600,
            stream_retention_s: 24 * 3_600,
            throttle: false,
            retry_first_ms: 400,
        }
    }
}

/// The page that `millstream explain` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    AddressInUse,
    DataDirLocked,
    NewerFormat,
    Damaged,
    NotLoopback,
    Io,
    NoSandbox,
    NoRootKey,
    NoKey,
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ErrorCode::AddressInUse => "E0001",
            ErrorCode::DataDirLocked => "E0002",
            ErrorCode::NewerFormat => "E0003",
            ErrorCode::Damaged => "E0004",
            ErrorCode::NotLoopback => "E0005",
            ErrorCode::Io => "E0006",
            ErrorCode::NoSandbox => "E0007",
            ErrorCode::NoRootKey => "E0008",
            ErrorCode::NoKey => "E0009",
        })
    }
}

#[derive(Debug)]
pub struct Error {
    pub code: ErrorCode,
    pub message: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [{}]", self.message, self.code)
    }
}

impl std::error::Error for Error {}
