//! A process that writes from several threads is killed at random moments; then every acknowledged update
//! must be there with its record, and every other one wholly or not at all.
//!
//! `STORE_CRASH_ROUNDS=50 cargo test -p store --release crash` runs more rounds.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use store::{Order, Settings, Space, Store};
use world::World;

use crate::support::{Scratch, prefix};

const CHILD: &str = "STORE_CRASH_CHILD";
const WRITERS: u64 = 6;
const SHARDS: u64 = 3;

#[test]
fn acknowledged_updates_survive_being_killed() {
    let rounds = std::env::var("STORE_CRASH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(5);
    let world = World::real();
    let scratch = Scratch::new();
    let mut last = 0;
    let mut acknowledged = HashMap::new();
    for round in 0..rounds {
        let fresh = kill_a_writer(&world, &scratch);
        assert!(!fresh.is_empty(), "round {round} wrote nothing");
        for (sequence, record) in fresh {
            assert!(sequence > last, "round {round}: sequence number {sequence} was given out before");
            assert!(acknowledged.insert(sequence, record).is_none(), "{sequence} was given out twice");
        }
        last = verify(&scratch, &acknowledged);
    }
}

/// What the writer was told is durable: each record by its sequence number.
fn kill_a_writer(world: &World, scratch: &Scratch) -> Vec<(u64, String)> {
    let mut child = Command::new(std::env::current_exe().expect("this test is a program"))
        .args(["--exact", "crash::writer", "--nocapture", "--test-threads=1"])
        .env(CHILD, scratch.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut acknowledged = Vec::new();
    let mut killer = None;
    for line in lines {
        let line = line.expect("readable");
        // A line that the kill cut short lacks its end mark.
        let Some(told) = line.strip_prefix("ack ").and_then(|line| line.strip_suffix(" .")) else { continue };
        let (sequence, record) = told.split_once(' ').expect("two parts");
        acknowledged.push((sequence.parse().expect("a number"), record.to_owned()));
        if killer.is_none() {
            let delay = Duration::from_micros(world.below(150_000));
            let pid = child.id();
            killer = Some(thread::spawn(move || {
                thread::sleep(delay);
                let status =
                    Command::new("kill").args(["-KILL", &pid.to_string()]).status().expect("kill runs");
                assert!(status.success());
            }));
        }
    }
    killer.expect("the child wrote something").join().expect("killed");
    child.wait().expect("gone");
    acknowledged
}

fn verify(scratch: &Scratch, acknowledged: &HashMap<u64, String>) -> u64 {
    let store = Store::open(Settings::new(scratch.path())).expect("opens after a kill");
    let snapshot = store.snapshot();
    let mut records = BTreeMap::new();
    for shard in 0..SHARDS {
        let prefix = prefix(&format!("shard{shard}"));
        for row in snapshot.range(Space::Log, &prefix.key(0), &prefix.key(u64::MAX), Order::Forward) {
            let (key, value) = row.expect("readable");
            let sequence = store::LogPrefix::split(&key).expect("a log key").1;
            records.insert(sequence, String::from_utf8(value.to_vec()).expect("text"));
        }
    }
    assert!(
        records.keys().copied().eq(1..=snapshot.sequence()),
        "sequence numbers have no gap and no end beyond"
    );
    for (sequence, record) in acknowledged {
        assert_eq!(records.get(sequence), Some(record), "acknowledged");
    }
    // Replaying the records gives the items, the index and the counter: each update was whole.
    let mut items: BTreeMap<String, String> = BTreeMap::new();
    for (sequence, record) in &records {
        let [key, number, hot, _] = record.split(' ').collect::<Vec<_>>()[..] else { panic!("four parts") };
        assert_eq!(hot.parse::<u64>().ok(), Some(*sequence), "commit order is the order of the plans");
        if let Some(before) = items.insert(key.to_owned(), number.to_owned()) {
            items.remove(&format!("index/{before}/{key}"));
        }
        items.insert(format!("index/{number}/{key}"), String::new());
        items.insert("hot".to_owned(), hot.to_owned());
    }
    let found: BTreeMap<String, String> = snapshot
        .range(Space::Items, &[], &[0xff], Order::Forward)
        .map(|row| row.expect("readable"))
        .map(|(key, value)| [key, value].map(|bytes| String::from_utf8(bytes.to_vec()).expect("text")).into())
        .collect();
    assert!(found == items, "items are what the records say");
    assert_eq!(snapshot.counter(b"records").expect("readable"), records.len() as i64);
    snapshot.sequence()
}

/// The child's life: not a test unless it is asked for.
#[test]
fn writer() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    // Small memtables, so that flushes and compactions are killed too.
    let store = Store::open(Settings { memtable_bytes: 256 << 10, ..Settings::new(path) }).expect("opens");
    let world = World::real();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (store, world) = (store.clone(), world.clone());
            thread::spawn(move || {
                loop {
                    write(&store, &world);
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("no panic"));
}

fn write(store: &Store, world: &World) {
    let key = format!("item{:02}", world.below(40));
    let number = world.hex(8);
    let filler = "x".repeat(world.below(600) as usize);
    let keys = [(Space::Items, key.clone().into_bytes()), (Space::Items, b"hot".to_vec())];
    let (record, commit) = store
        .update(&keys, |before, batch| {
            let text =
                |index| before.get(index).map(|value: &[u8]| String::from_utf8_lossy(value).into_owned());
            let hot = text(1).map_or(0, |hot| hot.parse::<u64>().expect("a number")) + 1;
            if let Some(before) = text(0) {
                batch.remove(Space::Items, format!("index/{before}/{key}").into_bytes());
            }
            batch.put(Space::Items, format!("index/{number}/{key}").into_bytes(), b"");
            batch.put(Space::Items, key.clone().into_bytes(), number.clone().into_bytes());
            batch.put(Space::Items, b"hot", hot.to_string().into_bytes());
            let record = format!("{key} {number} {hot} {filler}.");
            batch.append(prefix(&format!("shard{}", hot % SHARDS)), record.clone().into_bytes());
            batch.count(b"records", 1);
            Ok::<_, ()>(record)
        })
        .expect("queued");
    let sequence = commit.wait().expect("committed").first_sequence;
    let line = format!("ack {sequence} {record} .\n");
    std::io::stdout().lock().write_all(line.as_bytes()).expect("the parent listens");
}
