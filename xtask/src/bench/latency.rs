//! From a write's acknowledgement to the handler: one at a time, and a burst.

use super::{Result, create_table};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testkit::{Client, Node, TempDir};

const SINGLE: usize = 300;
const BURST: usize = 2_000;

/// Writes down when it was entered, for every record.
const HANDLER: &str = "import os, time\nfd = os.open(os.environ['OUT'], os.O_CREAT | os.O_APPEND | os.O_WRONLY)\ndef handler(event, context):\n    now = time.time_ns()\n    for record in event.get('Records', [None]):\n        os.write(fd, b'%d\\n' % now)\n";

pub fn run(binary: &str) -> Result<()> {
    let dir = TempDir::new("bench-latency");
    let out = dir.path().join("entered");
    let node = Node::start(binary, dir.path(), &[]);
    let mut client = node.client();
    let stream = create_table(&mut client, "Bench")?;
    let zip = zip(dir.path())?;
    client.lambda(
        "POST",
        "/2015-03-31/functions",
        &json!({
            "FunctionName": "f", "Runtime": "python3.12", "Handler": "app.handler", "Timeout": 30,
            "Role": "arn:aws:iam::123456789012:role/r", "Code": { "ZipFile": zip },
            "Environment": { "Variables": { "OUT": out } },
        }),
    )?;
    // Warm, and the turn-around that any caller has: request, handler, answer.
    let mut turns = Vec::new();
    for _ in 0..SINGLE {
        let begun = std::time::Instant::now();
        let answer = client.lambda("POST", "/2015-03-31/functions/f/invocations", &json!({}))?;
        turns.push(begun.elapsed());
        if answer.status != 200 {
            return Err(answer.text().into());
        }
    }
    let mapping = json!({ "FunctionName": "f", "EventSourceArn": stream, "StartingPosition": "LATEST", "BatchSize": 1 });
    let made = client.lambda("POST", "/2015-03-31/event-source-mappings", &mapping)?;
    if made.status != 202 {
        return Err(made.text().into());
    }

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

fn write(client: &mut Client, id: &str) -> Result<()> {
    let answer = client.dynamodb("PutItem", &super::load::put("Bench", id))?;
    if answer.status == 200 { Ok(()) } else { Err(answer.text().into()) }
}

fn now() -> u64 {
    // Compared with the handler's clock.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

fn entered(out: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(out).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

fn wait(out: &Path, count: usize) -> Result<()> {
    for _ in 0..60_000 {
        let bytes = std::fs::metadata(out).map_or(0, |metadata| metadata.len());
        // Nineteen digits and a line end each.
        if bytes >= count as u64 * 20 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(format!("only {} of {count} records were handled within a minute", entered(out).len()).into())
}

fn zip(dir: &Path) -> Result<String> {
    std::fs::write(dir.join("app.py"), HANDLER)?;
    let made = Command::new("python3")
        .args(["-c", "import base64, io, zipfile; b = io.BytesIO(); z = zipfile.ZipFile(b, 'w'); z.write('app.py'); z.close(); print(base64.b64encode(b.getvalue()).decode())"])
        .current_dir(dir)
        .output()?;
    Ok(String::from_utf8(made.stdout)?.trim().to_owned())
}
