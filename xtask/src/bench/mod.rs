//! `cargo xtask bench`: how fast the release binary is, against the limits of this machine, in one run.
//!
//! Absolute rates say little about another machine; the ratios within one run do.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the real clock")]

mod bare;
mod handlers;
mod items;
mod latency;
mod load;
mod raw;
mod replicate;
mod triggers;

use load::{Load, Rate};
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::{Client, Node, TempDir};

const CONNECTIONS: usize = 16;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

pub fn run(arguments: &[String]) -> Result<()> {
    if arguments.first().map(String::as_str) == Some("bare-server") {
        return bare::serve(arguments.get(1).map_or("", String::as_str));
    }
    if arguments.first().map(String::as_str) == Some("replicate") {
        return replicate::run(arguments);
    }
    if arguments.first().map(String::as_str) == Some("triggers") {
        return triggers::run(&arguments[1..]);
    }
    let records = flag(arguments, "--records")?.unwrap_or(200_000);
    let binary = release()?;
    if arguments.first().map(String::as_str) == Some("items") {
        return items::run(binary, &arguments[1..]);
    }
    let cores = std::thread::available_parallelism()?;
    println!(
        "{cores} cores, {CONNECTIONS} connections, items of 1 KB, medians of {ROUNDS} rounds of {} s",
        ROUND.as_secs()
    );

    let only = word(arguments, "--only");
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    if wanted("ready") {
        ready(binary)?;
    }
    if wanted("reads") {
        reads(binary)?;
    }
    if wanted("writes") {
        writes(binary, records)?;
    }
    if wanted("latency") {
        latency::run(binary)?;
    }
    Ok(())
}

/// Builds the release binary; where it lies.
fn release() -> Result<&'static str> {
    let built = Command::new("cargo").args(["build", "--release", "--quiet", "-p", "millstream"]).status()?;
    match built.success() {
        true => Ok(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/millstream")),
        false => Err("the release build failed".into()),
    }
}

/// What follows a flag.
fn word<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument == name)?;
    arguments.get(at + 1).map(String::as_str)
}

fn flag(arguments: &[String], name: &str) -> Result<Option<u64>> {
    match arguments.iter().position(|argument| argument == name) {
        Some(at) => Ok(Some(arguments.get(at + 1).ok_or("the flag needs a number")?.parse()?)),
        None => Ok(None),
    }
}

/// From exec to the line that says where it listens; and what it holds when idle.
fn ready(binary: &str) -> Result<()> {
    let mut took = Vec::new();
    let mut memory = 0.0;
    for _ in 0..10 {
        let dir = TempDir::new("bench-ready");
        let begun = Instant::now();
        let node = Node::start(binary, dir.path(), &[]);
        took.push(begun.elapsed());
        std::thread::sleep(Duration::from_millis(50));
        memory = memory_mb(&node)?;
    }
    took.sort();
    println!("ready after exec         {:>10.1} ms", took[took.len() / 2].as_secs_f64() * 1e3);
    println!("idle memory              {memory:>10.1} MB");
    Ok(())
}

/// What the server holds.
fn memory_mb(node: &Node) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? as f64 / 1024.0)
}

pub(super) fn create_table(client: &mut Client, name: &str) -> Result<String> {
    let made = client.dynamodb(
        "CreateTable",
        &json!({
            "TableName": name,
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        }),
    )?;
    let arn = made.json()["TableDescription"]["LatestStreamArn"].as_str().map(str::to_owned);
    arn.ok_or_else(|| made.text().into())
}

/// GetItem against a server that answers the same bytes and does nothing for them.
fn reads(binary: &str) -> Result<()> {
    let dir = TempDir::new("bench-reads");
    let node = Node::start(binary, dir.path(), &[]);
    let mut client = node.client();
    create_table(&mut client, "Bench")?;
    for key in 0..1_000 {
        client.dynamodb("PutItem", &load::put("Bench", &key.to_string()))?;
    }
    let ask = load::request("GetItem", &json!({ "TableName": "Bench", "Key": { "id": { "S": "7" } } }));
    let answer = client.raw(&ask)?;
    let bare = bare::Server::start(&answer.body)?;
    let gets: Vec<Vec<u8>> = (0..1_000)
        .map(|key| {
            load::request(
                "GetItem",
                &json!({ "TableName": "Bench", "Key": { "id": { "S": key.to_string() } } }),
            )
        })
        .collect();
    let mut rates = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (rate, address) in rates.iter_mut().zip([bare.address(), node.address()]) {
            rate.push(
                Load { address, connections: CONNECTIONS, lasting: ROUND }
                    .run(|_, n| gets[n % gets.len()].clone())?,
            );
        }
    }
    let [limit, ours] = rates.map(Rate::median);
    println!("bare server, same bytes  {limit}");
    println!(
        "GetItem                  {ours}  {:.0} % of the bare server",
        100.0 * ours.per_second / limit.per_second
    );
    Ok(())
}

/// Durable PutItem on a table with a stream, on an empty one and behind many records.
fn writes(binary: &str, records: u64) -> Result<()> {
    let dir = TempDir::new("bench-writes");
    let node = Node::start(binary, dir.path(), &[]);
    create_table(&mut node.client(), "Bench")?;
    let puts = load::Puts::new("Bench");
    let round = |from: usize| {
        Load { address: node.address(), connections: CONNECTIONS, lasting: ROUND }
            .run(|connection, n| puts.of(from, connection, n))
    };
    let raw = raw::Raw::open()?;
    let mut rates = [Vec::new(), Vec::new()];
    for number in 0..ROUNDS {
        rates[0].push(raw.round(number)?);
        rates[1].push(round(number)?);
    }
    drop(raw);
    let [limit, first] = rates.map(Rate::median);
    println!("raw commits, no HTTP     {limit}");
    println!(
        "PutItem, durable         {first}  {:.0} % of the raw commits",
        100.0 * first.per_second / limit.per_second
    );
    let mut from = ROUNDS;
    let mut written = 0;
    while written < records {
        let rate = round(from)?;
        written += (rate.per_second * ROUND.as_secs_f64()) as u64;
        from += 1;
    }
    let later = Rate::median((from..from + ROUNDS).map(&round).collect::<Result<_>>()?);
    println!(
        "PutItem after {records:>7} more {later}  {:.0} % of before",
        100.0 * later.per_second / first.per_second
    );
    Ok(())
}
