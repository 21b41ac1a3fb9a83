//! `cargo xtask bench items --count N [--dir DIR]`: what changes between a hundred thousand items with their stream and many more: the latencies
//! of single items, the rate of writes, the server's memory, and whether pages of Scan and Query come as fast.
//!
//! With `--dir` the data stays, and the next run loads only what is missing.

use super::load::{Load, Rate, request};
use super::{CONNECTIONS as FULL, ROUND, Result, flag, word};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use testkit::{Client, Node, TempDir};

/// What many items are compared with.
const FEW: u64 = 100_000;
/// Items under one hash key.
const GROUP: u64 = 1_000;
const BATCH: u64 = 25;
const LOADERS: u64 = 8;
/// Latencies are of a server that has something to do, and is not flooded.
const CONNECTIONS: usize = 2;
const ROUNDS: usize = 3;
/// How much slower than among few items a single one may be.
const RATIO_MAX: f64 = 2.0;
const PAGES: usize = 50;

pub fn run(binary: &str, arguments: &[String]) -> Result<()> {
    let count = flag(arguments, "--count")?.unwrap_or(1_000_000).max(FEW);
    println!("items of 1 KB, {CONNECTIONS} connections, medians of {ROUNDS} rounds of {} s", ROUND.as_secs());
    // Few and many on servers of their own: what is few would be spread among the many otherwise.
    let scratch = TempDir::new("bench-items");
    let few = among(binary, &scratch.path().join("few"), FEW)?;
    let kept = word(arguments, "--dir").map(PathBuf::from);
    let many = among(binary, &kept.unwrap_or_else(|| scratch.path().join("many")), count)?;
    println!(
        "PutItem, {FULL} connections, among {count}: {:.0} % of the rate among {FEW}",
        100.0 * many.flood.per_second / few.flood.per_second
    );
    let mut slower = Vec::new();
    for (name, few, many) in [("GetItem", few.get, many.get), ("PutItem", few.put, many.put)] {
        let ratio = many.p99.as_secs_f64() / few.p99.as_secs_f64();
        println!("{name} p99 among {count}: {ratio:.2} times that among {FEW}");
        if ratio > RATIO_MAX {
            slower.push(name);
        }
    }
    match slower.is_empty() {
        true => Ok(()),
        false => Err(format!("more than {RATIO_MAX} times slower: {}", slower.join(", ")).into()),
    }
}

fn among(binary: &str, dir: &Path, count: u64) -> Result<Measured> {
    std::fs::create_dir_all(dir)?;
    let node = Node::start(binary, dir, &[]);
    create(&mut node.client())?;
    fill(&node, count)?;
    let measured = measure(&node, count)?;
    node.stop();
    Ok(measured)
}

fn create(client: &mut Client) -> Result<()> {
    let answer = client.dynamodb(
        "CreateTable",
        &json!({
            "TableName": "Items",
            "AttributeDefinitions": [
                { "AttributeName": "group", "AttributeType": "S" }, { "AttributeName": "id", "AttributeType": "S" },
            ],
            "KeySchema": [
                { "AttributeName": "group", "KeyType": "HASH" }, { "AttributeName": "id", "KeyType": "RANGE" },
            ],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        }),
    )?;
    match answer.status == 200 || answer.text().contains("ResourceInUseException") {
        true => Ok(()),
        false => Err(answer.text().into()),
    }
}

fn key(number: u64) -> Value {
    json!({ "group": { "S": (number / GROUP).to_string() }, "id": { "S": (number % GROUP).to_string() } })
}

fn item(number: u64) -> Value {
    let mut item = key(number);
    item["count"] = json!({ "N": "12345" });
    item["text"] = json!({ "S": "x".repeat(900) });
    item
}

/// Puts what is missing of so many items. What was on its way when an earlier run ended is put again.
fn fill(node: &Node, count: u64) -> Result<()> {
    let described = node.client().dynamodb("DescribeTable", &json!({ "TableName": "Items" }))?.json();
    let there = described["Table"]["ItemCount"].as_u64().unwrap_or_default();
    if there >= count {
        return Ok(());
    }
    let from = there.saturating_sub(LOADERS * BATCH) / BATCH;
    let (next, begun) = (AtomicU64::new(from), Instant::now());
    let loader = || -> std::io::Result<()> {
        let mut client = node.client();
        loop {
            let first = next.fetch_add(1, Ordering::Relaxed) * BATCH;
            if first >= count {
                return Ok(());
            }
            let puts = (first..count.min(first + BATCH))
                .map(|number| json!({ "PutRequest": { "Item": item(number) } }));
            let asked = json!({ "RequestItems": { "Items": puts.collect::<Vec<_>>() } });
            let answer = client.dynamodb("BatchWriteItem", &asked)?;
            if answer.status != 200 {
                return Err(std::io::Error::other(answer.text()));
            }
        }
    };
    std::thread::scope(|scope| -> Result<()> {
        let all: Vec<_> = (0..LOADERS).map(|_| scope.spawn(loader)).collect();
        for one in all {
            one.join().map_err(|_| "a loader panicked")??;
        }
        Ok(())
    })?;
    let rate = (count - there) as f64 / begun.elapsed().as_secs_f64();
    println!("loaded up to {count:>10}     {rate:>10.0} items/s, {} connections", LOADERS);
    Ok(())
}

#[derive(Clone, Copy)]
struct Measured {
    get: Rate,
    put: Rate,
    /// PutItem as fast as it goes.
    flood: Rate,
}

fn measure(node: &Node, count: u64) -> Result<Measured> {
    // Spread over all items, and the same in every run.
    let some = |connection: usize, n: usize| {
        let mixed = (n as u64 * 16 + connection as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 16) % count
    };
    let load = Load { address: node.address(), connections: CONNECTIONS, lasting: ROUND };
    let full = Load { address: node.address(), connections: FULL, lasting: ROUND };
    let put = |connection: usize, n: usize| {
        request("PutItem", &json!({ "TableName": "Items", "Item": item(some(connection, n)) }))
    };
    let (mut gets, mut puts, mut floods) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        gets.push(load.run(|connection, n| {
            request("GetItem", &json!({ "TableName": "Items", "Key": key(some(connection, n)) }))
        })?);
        puts.push(load.run(put)?);
        floods.push(full.run(put)?);
    }
    let (get, put, flood) = (Rate::median(gets), Rate::median(puts), Rate::median(floods));
    println!("among {count} items");
    println!("  GetItem                {get}");
    println!("  PutItem                {put}");
    println!("  PutItem, {FULL} at once   {flood}");
    let mut client = node.client();
    let scan = pages(&mut client, "Scan", |start| {
        let mut asked = json!({ "TableName": "Items" });
        if let Some(start) = start {
            asked["ExclusiveStartKey"] = start;
        }
        asked
    })?;
    println!("  Scan, pages of 1 MB    {scan}");
    let mut group = 0;
    let query = pages(&mut client, "Query", |_| {
        group = (group + 7) % (count / GROUP);
        json!({
            "TableName": "Items", "KeyConditionExpression": "#g = :g", "ExpressionAttributeNames": { "#g": "group" },
            "ExpressionAttributeValues": { ":g": { "S": group.to_string() } },
        })
    })?;
    println!("  Query, {GROUP} items      {query}");
    println!("  memory of the server   {:>10.1} MB", super::memory_mb(node)?);
    Ok(Measured { get, put, flood })
}

/// Asks for page after page.
fn pages(client: &mut Client, operation: &str, mut ask: impl FnMut(Option<Value>) -> Value) -> Result<Rate> {
    let (mut took, mut start) = (Vec::new(), None);
    let begun = Instant::now();
    while took.len() < PAGES {
        let asked = ask(start.take());
        let sent = Instant::now();
        let answer = client.dynamodb(operation, &asked)?;
        took.push(sent.elapsed());
        if answer.status != 200 {
            return Err(answer.text().into());
        }
        start = Some(answer.json()["LastEvaluatedKey"].take()).filter(|key| !key.is_null());
    }
    Ok(Rate::of(took, begun.elapsed().max(Duration::from_millis(1))))
}
