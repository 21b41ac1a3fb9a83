//! SIGKILL at random moments, under load: what was acknowledged is there with its record, and nothing is half there.

use crate::support::{create_function, create_mapping, create_table, eventually, records, start};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testkit::{Client, TempDir};
use world::World;

const WRITERS: usize = 8;

/// Rounds of one run; `MILLSTREAM_CRASH_ROUNDS` asks for more.
fn rounds() -> usize {
    std::env::var("MILLSTREAM_CRASH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

/// Writes until the server is gone: what was acknowledged, and what was only tried.
fn write(address: &str, prefix: &str, stop: &AtomicBool) -> (Vec<String>, Option<String>) {
    let mut acknowledged = Vec::new();
    let Ok(mut client) = Client::connect(address) else { return (acknowledged, None) };
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("{prefix}-{number}");
        let item =
            json!({ "id": { "S": id }, "n": { "N": number.to_string() }, "pad": { "S": "x".repeat(200) } });
        match client.dynamodb("PutItem", &json!({ "TableName": "Tab", "Item": item })) {
            Ok(answer) => {
                assert_eq!(answer.status, 200, "{}", answer.text());
                acknowledged.push(id);
            }
            Err(_) => return (acknowledged, Some(id)),
        }
    }
    (acknowledged, None)
}

/// Functions of this test that are not children of a server of today.
fn orphans(dir: &TempDir) -> Vec<u32> {
    let client = dir.path().join("functions/clients/python.py").display().to_string();
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        let command = std::fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let parent =
            stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        command.contains(&client) && parent == Some(1)
    })
    .collect()
}

#[test]
fn nothing_acknowledged_is_lost() {
    let world = World::real();
    let dir = TempDir::new("crash");
    let delivered = dir.path().join("delivered");
    let mut node = start(&dir);
    let mut client = node.client();
    let stream = create_table(&mut client, "Tab");
    // What it is handed is written down before it answers.
    let code = "import os\ndef handler(event, context):\n    lines = ''.join(r['dynamodb']['SequenceNumber'] + '\\n' for r in event['Records'])\n    fd = os.open(os.environ['OUT'], os.O_CREAT | os.O_APPEND | os.O_WRONLY)\n    os.write(fd, lines.encode())\n    os.close(fd)\n";
    create_function(&mut client, "f", code, &json!({ "OUT": delivered }));
    create_mapping(&mut client, "f", &stream, 100);

    let (mut acknowledged, mut tried) = (BTreeSet::new(), BTreeSet::new());
    for round in 0..rounds() {
        let stop = AtomicBool::new(false);
        let address = node.address().to_owned();
        let pause = Duration::from_millis(60 + world.below(340));
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (address, stop) = (&address, &stop);
                    scope.spawn(move || write(address, &format!("{round}-{writer}"), stop))
                })
                .collect();
            std::thread::sleep(pause);
            node.kill();
            stop.store(true, Ordering::Relaxed);
            for writer in writers {
                let (done, last) = writer.join().expect("a writer");
                acknowledged.extend(done);
                tried.extend(last);
            }
        });
        node = start(&dir);
    }

    assert_eq!(orphans(&dir), Vec::<u32>::new(), "functions die with their server, however it dies");
    let mut client = node.client();
    let found = records(&mut client, &stream);
    let mut told = BTreeMap::new();
    let mut previous = String::new();
    for record in &found {
        let sequence = record["dynamodb"]["SequenceNumber"].as_str().expect("a number").to_owned();
        assert!(sequence > previous, "{sequence} follows {previous}");
        let id = record["dynamodb"]["NewImage"]["id"]["S"].as_str().expect("an id").to_owned();
        assert_eq!(record["eventName"], "INSERT");
        assert!(told.insert(id, sequence.clone()).is_none(), "one record for one write");
        previous = sequence;
    }
    assert!(!acknowledged.is_empty());
    for id in &acknowledged {
        assert!(told.contains_key(id), "{id} was acknowledged and has no record");
    }
    for id in acknowledged.iter().chain(&tried) {
        let asked = json!({ "TableName": "Tab", "Key": { "id": { "S": id } }, "ConsistentRead": true });
        let item = client.dynamodb("GetItem", &asked).expect("an answer").json()["Item"].clone();
        assert_eq!(item.is_null(), !told.contains_key(id), "{id}: the item and its record go together");
    }
    for id in told.keys() {
        assert!(acknowledged.contains(id) || tried.contains(id), "{id} was never written");
    }

    // The mapping goes on from its checkpoint: every record is delivered, in the end.
    eventually("every record is delivered", || {
        let lines = std::fs::read_to_string(&delivered).unwrap_or_default();
        let lines: BTreeSet<&str> = lines.lines().collect();
        told.values().all(|sequence| lines.contains(sequence.as_str()))
    });
    println!("{} writes acknowledged over {} rounds, {} in doubt", acknowledged.len(), rounds(), tried.len());
    assert!(node.stop().success());
}
