//! Where a setting comes from: a flag, else its variable, else the file, else what the server has by default.

use super::Failure;
use super::args::Args;
use functions::sandbox::Mode;
use server::{AuthMode, DatabaseServers, Settings};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub const DATA_DIR: &str = "millstream-data";

/// Settings with a value, as flags name them. Their variables are `MILLSTREAM_` and the name in capitals.
pub const VALUES: [&str; 18] = [
    "data-dir",
    "listen",
    "config",
    "account",
    "region",
    "connections-max",
    "concurrency-max",
    "sandbox",
    "auth",
    "allow-origin",
    "root-access-key",
    "root-secret-key",
    "database-postgres",
    "database-mysql",
    "cache-mb",
    "stream-shards",
    "shard-rollover-s",
    "stream-retention-s",
];
/// What `serve` takes beside a server's settings.
pub const SERVE: [&str; 1] = ["replicate"];
pub const SWITCHES: [&str; 4] = ["memory", "allow-remote", "accept-any-key", "throttle"];

pub fn read(args: &Args) -> Result<Settings, Failure> {
    let file = file(args)?;
    for name in file.keys() {
        if name == "config" || !VALUES.contains(&name.as_str()) && !SWITCHES.contains(&name.as_str()) {
            return Err(Failure::Usage(format!("the configuration file sets '{name}', which is not known")));
        }
    }
    let given = |name: &str| {
        let variable = format!("MILLSTREAM_{}", name.replace('-', "_").to_uppercase());
        args.values
            .get(name)
            .cloned()
            .or_else(|| std::env::var(variable).ok())
            .or_else(|| file.get(name).cloned())
    };
    let switch = |name: &str| match given(name).as_deref() {
        _ if args.has(name) => Ok(true),
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(other) => Err(Failure::Usage(format!("'{other}' is no value for {name}: true or false"))),
    };
    let defaults = Settings::default();
    let in_memory = switch("memory")?;
    if in_memory && args.values.contains_key("data-dir") {
        return Err(Failure::Usage("--memory and --data-dir exclude each other".to_owned()));
    }
    let data_dir = PathBuf::from(given("data-dir").unwrap_or_else(|| DATA_DIR.to_owned()));
    Ok(Settings {
        data_dir: (!in_memory).then_some(data_dir),
        listen: parsed("listen", given("listen"), defaults.listen)?,
        account: account(given("account").unwrap_or(defaults.account))?,
        region: given("region").unwrap_or(defaults.region),
        allow_remote: switch("allow-remote")?,
        accept_any_key: switch("accept-any-key")?,
        connections_max: parsed("connections-max", given("connections-max"), defaults.connections_max)?
            .max(1),
        concurrency_max: parsed("concurrency-max", given("concurrency-max"), defaults.concurrency_max)?,
        sandbox: mode(given("sandbox"))?,
        auth: auth(given("auth"))?,
        allow_origins: origins(given("allow-origin"))?,
        root_key: match (given("root-access-key"), given("root-secret-key")) {
            (Some(id), Some(secret)) => Some((id, secret)),
            (None, None) => None,
            _ => {
                let message = "root-access-key and root-secret-key are given together, or neither".to_owned();
                return Err(Failure::Usage(message));
            }
        },
        databases: DatabaseServers::parse(
            given("database-postgres").as_deref(),
            given("database-mysql").as_deref(),
        )
        .map_err(Failure::Usage)?,
        cache_bytes: match given("cache-mb") {
            Some(text) => Some(parsed("cache-mb", Some(text), 0_u64)? << 20),
            None => None,
        },
        stream_shards: parsed("stream-shards", given("stream-shards"), defaults.stream_shards)?.clamp(1, 64),
        shard_rollover_s: parsed("shard-rollover-s", given("shard-rollover-s"), defaults.shard_rollover_s)?
            .max(1),
        stream_retention_s: parsed(
            "stream-retention-s",
            given("stream-retention-s"),
            defaults.stream_retention_s,
        )?
        .max(1),
        throttle: switch("throttle")?,
        retry_first_ms: defaults.retry_first_ms,
    })
}

fn parsed<T: std::str::FromStr>(name: &str, given: Option<String>, default: T) -> Result<T, Failure> {
    match given {
        Some(text) => text.parse().map_err(|_| Failure::Usage(format!("'{text}' is no value for {name}"))),
        None => Ok(default),
    }
}

fn mode(given: Option<String>) -> Result<Mode, Failure> {
    let Some(text) = given else { return Ok(Mode::Auto) };
    text.parse().map_err(|()| {
        Failure::Usage(format!("'{text}' is no value for sandbox: auto, require, landlock or off"))
    })
}

fn auth(given: Option<String>) -> Result<AuthMode, Failure> {
    let Some(text) = given else { return Ok(AuthMode::Lenient) };
    text.parse()
        .map_err(|()| Failure::Usage(format!("'{text}' is no value for auth: lenient, verify or enforce")))
}

/// `http://localhost:3000,https://a.example`, or `*`.
fn origins(given: Option<String>) -> Result<Vec<String>, Failure> {
    let list = given.unwrap_or_default();
    let named = list.split(',').map(str::trim).filter(|origin| !origin.is_empty());
    named
        .map(|origin| match origin.split_once("://") {
            Some((_, host)) if !host.is_empty() && !host.contains('/') => Ok(origin.to_owned()),
            _ if origin == "*" => Ok(origin.to_owned()),
            _ => Err(Failure::Usage(format!(
                "'{origin}' is no value for allow-origin: origins as browsers tell them (http://localhost:3000), with commas between, or *"
            ))),
        })
        .collect()
}

fn account(text: String) -> Result<String, Failure> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text);
    }
    Err(Failure::Usage(format!("'{text}' is no account: twelve digits")))
}

/// The file's settings: one `name = value` a line, with the flags' names; `#` begins a comment.
fn file(args: &Args) -> Result<BTreeMap<String, String>, Failure> {
    let path = args.values.get("config").cloned().or_else(|| std::env::var("MILLSTREAM_CONFIG").ok());
    let Some(path) = path else { return Ok(BTreeMap::new()) };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Failure::Failed(format!("the configuration file {path} cannot be read: {error}")))?;
    let mut settings = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| Failure::Usage(format!("{path}, line {}: 'name = value' expected", number + 1)))?;
        settings.insert(name.trim().replace('_', "-"), value.trim().trim_matches('"').to_owned());
    }
    Ok(settings)
}
