//! `millstream trigger list|status|run|replay`: what mappings do, and functions run by hand.

mod replay;

use super::Failure;
use super::args::Args;
use super::endpoint::Endpoint;
use serde_json::Value;
use std::ffi::OsString;
use std::time::Duration;

/// The longest that a function may run, and a little more.
const INVOCATION_MAX: Duration = Duration::from_secs(930);

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let Some((what, rest)) = typed.split_first() else {
        return Err(Failure::Usage("trigger takes list, status, run or replay".to_owned()));
    };
    let rest = rest.to_vec();
    match what.to_string_lossy().as_ref() {
        "list" => list(rest),
        "status" => status(rest),
        "run" => run_once(rest),
        "replay" => replay::run(rest),
        other => Err(Failure::Usage(format!("there is no 'trigger {other}': list, status, run or replay"))),
    }
}

fn list(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["endpoint"], &["json"])?;
    if let Some(word) = args.words.first() {
        return Err(Failure::Usage(format!("trigger list takes no '{word}'")));
    }
    tell(&args, |mapping| tell!("{}", headline(mapping)))
}

fn status(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["endpoint"], &["json"])?;
    if args.words.len() > 1 {
        return Err(Failure::Usage("trigger status takes one mapping's UUID, or none".to_owned()));
    }
    tell(&args, show)
}

/// Asks for the mapping that is named, or for all, and shows each.
fn tell(args: &Args, show: impl Fn(&Value)) -> Result<(), Failure> {
    let path = match args.words.first() {
        None => "/_millstream/triggers".to_owned(),
        Some(id) => format!("/_millstream/triggers/{id}"),
    };
    let (status, body) = Endpoint::of(args.values.get("endpoint"))?.ask("dynamodb", "GET", &path, b"")?;
    let found: Value = serde_json::from_slice(&body).unwrap_or_default();
    let Some(mappings) = found.as_array().filter(|_| status == 200) else {
        return Err(Failure::Failed(format!("this server does not tell of its mappings (status {status})")));
    };
    if mappings.is_empty() && !args.words.is_empty() {
        return Err(Failure::Failed(format!("there is no mapping {}", args.words[0])));
    }
    if args.has("json") {
        tell!("{found}");
        return Ok(());
    }
    if mappings.is_empty() {
        tell!("There are no mappings.");
    }
    mappings.iter().for_each(show);
    Ok(())
}

/// A mapping in one line: its function's and its table's names, as far as they are what they mostly are.
fn headline(mapping: &Value) -> String {
    let word = |member: &str| mapping[member].as_str().unwrap_or("?");
    let name = |arn: &'_ str, before: &str| {
        arn.split_once(before)
            .map_or(arn, |(_, name)| name)
            .split("/stream/")
            .next()
            .unwrap_or(arn)
            .to_owned()
    };
    let (table, function) = (name(word("stream"), ":table/"), name(word("function"), ":function:"));
    let pending = &mapping["records"]["pending"];
    let (id, state, result) = (word("uuid"), word("state"), word("lastProcessingResult"));
    format!("{id}  {state}  {table} → {function}  {pending} pending  {result}")
}

fn show(mapping: &Value) {
    let word = |member: &str| mapping[member].as_str().unwrap_or("?").to_owned();
    tell!("{}  {}  {}", word("uuid"), word("state"), word("lastProcessingResult"));
    tell!("    {} → {}", word("stream"), word("function"));
    let records = &mapping["records"];
    tell!(
        "    read {} = delivered {} + filtered {} + dead-lettered {} + dropped {} + pending {}; oldest pending {} ms",
        records["read"],
        records["delivered"],
        records["filtered"],
        records["deadLettered"],
        records["dropped"],
        records["pending"],
        records["iteratorAgeMs"],
    );
    for shard in mapping["shards"].as_array().into_iter().flatten() {
        for blocked in shard["blocked"].as_array().into_iter().flatten() {
            tell!("    {}", blockage(shard["shardId"].as_str().unwrap_or("?"), blocked));
        }
    }
}

fn blockage(shard: &str, blocked: &Value) -> String {
    let next = match blocked["nextTryMs"].as_u64() {
        Some(ms) => format!("next try in {:.1} s", ms as f64 / 1e3),
        None => "being tried now".to_owned(),
    };
    format!(
        "blocked in {shard} at {} ({} records): {}; {} attempts, {} without an answer of the {}; {next}",
        blocked["sequenceNumber"].as_str().unwrap_or("?"),
        blocked["batchSize"],
        blocked["error"].as_str().unwrap_or("no error was told"),
        blocked["invocations"],
        blocked["unreachable"],
        blocked["at"].as_str().unwrap_or("function"),
    )
}

fn run_once(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["endpoint"], &[])?;
    let [function, file] = args.words.as_slice() else {
        return Err(Failure::Usage(
            "millstream trigger run FUNCTION EVENT.json (- reads standard input)".to_owned(),
        ));
    };
    let event = match file.as_str() {
        "-" => std::io::read_to_string(std::io::stdin())?,
        file => std::fs::read_to_string(file).map_err(|error| Failure::Failed(format!("{file}: {error}")))?,
    };
    let mut endpoint = Endpoint::of(args.values.get("endpoint"))?;
    let answer = invoke(&mut endpoint, function, event.as_bytes())?;
    tell!("{answer}");
    if is_error(&answer) { Err(Failure::Failed(format!("{function} failed"))) } else { Ok(()) }
}

/// Invokes a function and waits for its answer.
fn invoke(endpoint: &mut Endpoint, function: &str, event: &[u8]) -> Result<String, Failure> {
    endpoint.patience(INVOCATION_MAX)?;
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let (status, body) = endpoint.ask("lambda", "POST", &path, event)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    if status == 200 { Ok(body) } else { Err(Failure::Failed(format!("{function}: {body}"))) }
}

/// Whether an answer is the account of an error, as all runtimes write it.
fn is_error(answer: &str) -> bool {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    answer.get("errorMessage").is_some()
}
