//! Records on their way to a function: through a filter, in batches, and while another mapping is behind.

use super::super::{create_table, handlers, latency, load};
use super::direct::Direct;
use super::{Bench, Result, Row, at, fill, ms};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use testkit::{Client, Node, TempDir};

const BATCH: usize = 100;
const ROUNDS: usize = 7;
const SINGLES: usize = 500;

/// Looks into every record, and writes down when each batch came and how large it was.
const COUNTING: &str = "import os, sys, time\nfd = os.open(os.environ['OUT'], os.O_CREAT | os.O_APPEND | os.O_WRONLY)\ndef handler(event, context):\n    if 'Records' not in event:\n        return sys.executable\n    sum(int(record['dynamodb']['NewImage']['count']['N']) for record in event['Records'])\n    os.write(fd, b'%019d\\n%019d\\n' % (time.time_ns(), len(event['Records'])))\n";

/// Waits instead of working, so that it leaves the processor to others.
const SLOW: &str = "import os, time\nfd = os.open(os.environ['OUT'], os.O_CREAT | os.O_APPEND | os.O_WRONLY)\ndef handler(event, context):\n    time.sleep(0.005)\n    os.write(fd, b'%019d\\n' % time.time_ns() * len(event['Records']))\n";

fn item(number: usize, kind: &str) -> Value {
    let mut item = load::put("", &number.to_string())["Item"].clone();
    item["kind"] = json!({ "S": kind });
    item
}

/// Many records, of which a hundredth is wanted.
pub(super) fn filter(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let dir = TempDir::new("bench-filter");
    let out = dir.path().join("entered");
    let node = Node::start(bench.binary, dir.path(), &[]);
    let mut client = node.client();
    let stream = create_table(&mut client, "Bench")?;
    let zip = handlers::zip(dir.path(), handlers::ENTERED)?;
    handlers::create(&mut client, "f", &zip, json!({ "OUT": out }))?;
    fill(node.address(), "Bench", bench.records, |number| {
        item(number, if number % 100 == 0 { "wanted" } else { "other" })
    })?;
    let pattern = json!({ "dynamodb": { "NewImage": { "kind": { "S": ["wanted"] } } } }).to_string();
    let wanted = bench.records.div_ceil(100);
    let begun = Instant::now();
    let mapping = json!({
        "FunctionName": "f", "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON",
        "FilterCriteria": { "Filters": [{ "Pattern": pattern }] },
    });
    handlers::map(&mut client, &mapping)?;
    handlers::wait(&out, wanted)?;
    let took = begun.elapsed();
    let handled = handlers::entered(&out).len();
    Ok(vec![Row {
        what: format!("{} records through a filter that passes 1 %, to a Python function", bench.records),
        measured: format!(
            "{:.2} s with its cold start: {:.0} records/s, {handled} handled",
            took.as_secs_f64(),
            bench.records as f64 / took.as_secs_f64()
        ),
        wanted: "each once",
        reached: handled == wanted,
    }])
}

/// A backlog in full batches, against the same handler fed by its runtime client alone.
pub(super) fn batches(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let dir = TempDir::new("bench-batches");
    let node = Node::start(bench.binary, dir.path(), &[]);
    let mut client = node.client();
    let stream = create_table(&mut client, "Bench")?;
    let zip = handlers::zip(dir.path(), COUNTING)?;
    fill(node.address(), "Bench", bench.records, |number| item(number, "any"))?;
    let event = event(&mut client, &stream)?;
    // Each round has its own ratio: the machine's speed changes between them.
    let (mut ratios, mut limits, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let name = format!("f{round}");
        let [out, alone] = ["fed", "alone"].map(|who| dir.path().join(format!("{who}{round}")));
        handlers::create(&mut client, &name, &zip, json!({ "OUT": out }))?;
        let told =
            client.lambda("POST", &format!("/2015-03-31/functions/{name}/invocations"), &json!({}))?.json();
        let python = told.as_str().unwrap_or("python3");
        let direct = Direct { python, data: dir.path(), code: dir.path(), out: &alone };
        direct.feed(&event, bench.records / BATCH)?;
        let limit = rate(&alone, bench.records / BATCH * BATCH)?;
        let mapping = json!({
            "FunctionName": name, "EventSourceArn": stream, "StartingPosition": "TRIM_HORIZON", "BatchSize": BATCH,
        });
        let id = handlers::map(&mut client, &mapping)?;
        let ours = rate(&out, bench.records)?;
        ratios.push(100.0 * ours / limit);
        limits.push(limit);
        rates.push(ours);
        client.lambda("DELETE", &format!("/2015-03-31/event-source-mappings/{id}"), &Value::Null)?;
    }
    for list in [&mut ratios, &mut limits, &mut rates] {
        list.sort_by(f64::total_cmp);
    }
    let (percent, limit, ours) = (at(&ratios, 50), at(&limits, 50), at(&rates, 50));
    Ok(vec![Row {
        what: format!(
            "{} records in batches of {BATCH}, against the handler fed by its runtime client alone",
            bench.records
        ),
        measured: format!(
            "{percent:.0} %, {:.0} to {:.0} % ({ours:.0} of {limit:.0} records/s, medians of {ROUNDS} rounds)",
            ratios[0],
            ratios[ROUNDS - 1]
        ),
        wanted: "90 %",
        reached: percent >= 90.0,
    }])
}

/// The event of the first records, as the function gets it.
fn event(client: &mut Client, stream: &str) -> Result<Vec<u8>> {
    let asked = json!({ "StreamArn": stream });
    let described = client.streams("DescribeStream", &asked)?.json();
    let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
    let asked = json!({ "StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
    let iterator = client.streams("GetShardIterator", &asked)?.json()["ShardIterator"].clone();
    let mut found =
        client.streams("GetRecords", &json!({ "ShardIterator": iterator, "Limit": BATCH }))?.json();
    let mut records = found["Records"].take();
    let list =
        records.as_array_mut().filter(|list| list.len() == BATCH).ok_or("no batch of records was read")?;
    for record in list {
        record["eventSourceARN"] = json!(stream);
    }
    Ok(json!({ "Records": records }).to_string().into_bytes())
}

/// Waits for all records; how many a second came between the first batch and the last.
fn rate(out: &Path, records: usize) -> Result<f64> {
    handlers::wait(out, 2 * records.div_ceil(BATCH))?;
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let entries = handlers::entered(out);
        let batches: Vec<(u64, u64)> = entries.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        let seen: u64 = batches.iter().map(|(_, count)| count).sum();
        if seen >= records as u64 {
            let (first, last) = (batches[0], batches[batches.len() - 1]);
            return Ok((seen - first.1) as f64 / ((last.0 - first.0) as f64 / 1e9));
        }
        if Instant::now() > until {
            return Err(format!("only {seen} of {records} records came").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// From a write's answer to its handler, while another mapping has much to do, and while it has not.
pub(super) fn backlog(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let dir = TempDir::new("bench-backlog");
    let node = Node::start(bench.binary, dir.path(), &[]);
    let mut client = node.client();
    let out = |name: &str| -> PathBuf { dir.path().join(name) };
    let stream = create_table(&mut client, "Bench")?;
    let zip = handlers::zip(dir.path(), handlers::ENTERED)?;
    handlers::create(&mut client, "quick", &zip, json!({ "OUT": out("quick") }))?;
    let quick = json!({ "FunctionName": "quick", "EventSourceArn": stream, "StartingPosition": "LATEST", "BatchSize": 1 });
    handlers::map(&mut client, &quick)?;

    let behind = create_table(&mut client, "Behind")?;
    let zip = handlers::zip(dir.path(), SLOW)?;
    handlers::create(&mut client, "slow", &zip, json!({ "OUT": out("slow") }))?;
    fill(node.address(), "Behind", bench.records, |number| item(number, "any"))?;
    let without = delays(&mut client, &out("quick"), "without")?;
    let slow = json!({ "FunctionName": "slow", "EventSourceArn": behind, "StartingPosition": "TRIM_HORIZON", "BatchSize": 10 });
    handlers::map(&mut client, &slow)?;
    handlers::wait(&out("slow"), 10)?;
    let with = delays(&mut client, &out("quick"), "with")?;
    let left = bench.records - handlers::entered(&out("slow")).len();
    if left == 0 {
        return Err("the other mapping caught up: more --records are needed".into());
    }
    let p99 = |list: &[Duration]| ms(at(list, 99));
    // Below a tenth of a millisecond, a ratio says nothing.
    let ratio = p99(&with).max(0.1) / p99(&without).max(0.1);
    Ok(vec![Row {
        what: format!(
            "write's answer → Python handler, with {left} records and more waiting for another mapping"
        ),
        measured: format!(
            "p99 {:.2} ms, {ratio:.1} times {:.2} ms without (p50 {:.2} and {:.2} ms)",
            p99(&with),
            p99(&without),
            ms(at(&with, 50)),
            ms(at(&without, 50))
        ),
        wanted: "unchanged",
        reached: ratio < 1.5 || p99(&with) < p99(&without) + 1.0,
    }])
}

/// One write at a time, each waited for; sorted.
fn delays(client: &mut Client, out: &Path, name: &str) -> Result<Vec<Duration>> {
    let mut seen = handlers::entered(out).len();
    // The first may start the function.
    latency::write(client, &format!("{name}-first"))?;
    seen += 1;
    handlers::wait(out, seen)?;
    let mut delays = Vec::new();
    for number in 0..SINGLES {
        latency::write(client, &format!("{name}-{number}"))?;
        let acknowledged = handlers::now();
        seen += 1;
        handlers::wait(out, seen)?;
        let entered = handlers::entered(out)[seen - 1];
        delays.push(Duration::from_nanos(entered.saturating_sub(acknowledged)));
    }
    delays.sort();
    Ok(delays)
}
