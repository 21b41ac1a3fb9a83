//! From a write's acknowledgement to the handler: one at a time, and a burst.

use super::handlers::{self, entered, now, wait};
use super::{Result, create_table};
use serde_json::json;
use testkit::{Client, Node, TempDir};

const SINGLE: usize = 300;
const BURST: usize = 2_000;

pub fn run(binary: &str) -> Result<()> {
    let dir = TempDir::new("bench-latency");
    let out = dir.path().join("entered");
    let node = Node::start(binary, dir.path(), &[]);
    let mut client = node.client();
    let stream = create_table(&mut client, "Bench")?;
    let zip = handlers::zip(dir.path(), handlers::ENTERED)?;
    handlers::create(&mut client, "f", &zip, json!({ "OUT": out }))?;
    // Warm, and the turn-around that any caller has: request, handler, answer.
    let mut turns = Vec::new();
    for _ in 0..SINGLE {
        let begun = std::time::Instant::now();
        handlers::invoke(&mut client, "f", &json!({}))?;
        turns.push(begun.elapsed());
    }
    let mapping = json!({ "FunctionName": "f", "EventSourceArn": stream, "StartingPosition": "LATEST", "BatchSize": 1 });
    handlers::map(&mut client, &mapping)?;

    let mut delays = Vec::new();
    let mut seen = entered(&out).len();
    for number in 0..SINGLE {
        write(&mut client, &format!("single-{number}"))?;
        let acknowledged = now();
        seen += 1;
        wait(&out, seen)?;
        delays.push(entered(&out)[seen - 1].saturating_sub(acknowledged));
    }
    for number in 0..BURST {
        write(&mut client, &format!("burst-{number}"))?;
    }
    let acknowledged = now();
    seen += BURST;
    wait(&out, seen)?;
    let last = *entered(&out).last().ok_or("no record came")?;

    turns.sort();
    delays.sort();
    let at =
        |list: &[u64], percent: usize| list[(list.len() * percent / 100).min(list.len() - 1)] as f64 / 1e6;
    let turn = turns[turns.len() / 2].as_secs_f64() * 1e3;
    println!("Invoke, warm Python      p50 {turn:.2} ms for request, handler and answer");
    println!("write → handler entered  p50 {:.2} ms  p99 {:.2} ms", at(&delays, 50), at(&delays, 99));
    println!(
        "burst of {BURST}, batch size 1: the last handled {:.2} s after the last write",
        last.saturating_sub(acknowledged) as f64 / 1e9
    );
    Ok(())
}

pub(super) fn write(client: &mut Client, id: &str) -> Result<()> {
    let answer = client.dynamodb("PutItem", &super::load::put("Bench", id))?;
    if answer.status == 200 { Ok(()) } else { Err(answer.text().into()) }
}
