//! Runners killed at any moment while writers go on: at rest nothing differs.

use super::setting::Setting;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use world::Random;

/// `MILLSTREAM_CHAOS_ROUNDS=100` for the long ones.
pub fn rounds() -> u64 {
    std::env::var("MILLSTREAM_CHAOS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

/// Writes at random until told to stop.
pub fn write(setting: &Setting, seed: u64, stop: &AtomicBool) {
    let mut client = setting.node.client();
    let mut random = Random::from_seed(seed);
    while !stop.load(Ordering::Relaxed) {
        let id = format!("i{}", random.below(300));
        let key = json!({ "id": { "S": id } });
        let answer = match random.below(4) {
            0 => client.dynamodb("DeleteItem", &json!({ "TableName": "Things", "Key": key })),
            1 => client.dynamodb(
                "UpdateItem",
                &json!({
                    "TableName": "Things", "Key": key, "UpdateExpression": "ADD n :one REMOVE extra",
                    "ExpressionAttributeValues": { ":one": { "N": "1" } },
                }),
            ),
            _ => client.dynamodb(
                "PutItem",
                &json!({ "TableName": "Things", "Item": {
                    "id": { "S": id }, "n": { "N": random.below(1000).to_string() },
                    "city": { "S": format!("c{}", random.below(5)) }, "extra": { "S": "x" },
                } }),
            ),
        };
        assert_eq!(answer.expect("an answer").status, 200);
    }
}

/// Kills the runner at random moments while two writers are at it.
pub fn chaos(setting: &Setting, pipeline: &str) {
    setting.file(pipeline);
    let mut random = Random::from_seed(7);
    for round in 0..rounds() {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..2_u64)
                .map(|at| {
                    let stop = &stop;
                    scope.spawn(move || write(setting, round * 2 + at, stop))
                })
                .collect();
            for _ in 0..4 {
                let mut runner = setting.spawn();
                std::thread::sleep(Duration::from_millis(30 + random.below(300)));
                runner.kill().expect("killed");
                runner.wait().expect("its end");
            }
            stop.store(true, Ordering::Relaxed);
            writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
        });
        setting.settle();
    }
}

#[test]
fn a_killed_runner_loses_and_repeats_nothing() {
    chaos(
        &Setting::sqlite(),
        "rest = { column = \"doc\" }\n[pipeline.columns]\nid = {}\nn = { type = \"numeric\" }\n",
    );
}

#[test]
fn a_killed_runner_leaves_moving_rows_in_place() {
    chaos(
        &Setting::sqlite(),
        "key = [\"city\", \"id\"]\n[pipeline.columns]\nid = {}\ncity = {}\nn = { type = \"numeric\" }\n",
    );
}

#[test]
fn a_killed_runner_leaves_claimed_rows_in_place() {
    chaos(
        &Setting::sqlite(),
        "key = [\"city\"]\nconflicts = \"newest_wins\"\n[pipeline.columns]\nid = {}\ncity = {}\nn = { type = \"numeric\" }\n",
    );
}

/// Told to stop, a runner finishes what is on its way and says so.
#[test]
fn a_runner_stops_well() {
    let mut setting = Setting::sqlite();
    setting.file("");
    setting.put(json!({ "id": { "S": "a" } }));
    let runner = setting.spawn();
    while !setting.good(&["status"]).contains("p: stream") {
        std::thread::sleep(Duration::from_millis(20));
    }
    let killed = std::process::Command::new("kill").arg(runner.id().to_string()).status().expect("kill");
    assert!(killed.success());
    let output = runner.wait_with_output().expect("its end");
    assert!(output.status.success(), "{:?}", output.status);
    setting.settle();
}

/// The runner that started last is the one that writes.
#[test]
fn the_older_of_two_runners_ends() {
    let mut setting = Setting::sqlite();
    setting.file("");
    setting.put(json!({ "id": { "S": "a" } }));
    let older = setting.command(&[]).spawn().expect("a runner");
    while !setting.good(&["status"]).contains("p: stream") {
        std::thread::sleep(Duration::from_millis(20));
    }
    setting.settle();
    let output = older.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0023"));
}

/// Filled again; the runner that was at it is out.
#[test]
fn a_pipeline_begins_again() {
    let mut setting = Setting::sqlite();
    setting.file("");
    setting.put(json!({ "id": { "S": "a" } }));
    setting.settle();
    setting.rows("INSERT INTO T (id) VALUES ('stray') RETURNING id");
    assert!(setting.bad(&["verify"]).contains("1 rows differ"));
    setting.good(&["resync"]);
    assert!(setting.good(&["status"]).contains("begins again"));
    setting.settle();
}

/// Paused, it reads nothing; resumed, it goes on.
#[test]
fn a_pipeline_rests_and_goes_on() {
    let mut setting = Setting::sqlite();
    setting.file("");
    setting.put(json!({ "id": { "S": "a" } }));
    for word in ["pause", "resume", "quarantine"] {
        assert!(setting.bad(&[word]).contains("p has not begun"), "{word}");
    }
    setting.settle();
    setting.good(&["pause"]);
    assert!(setting.good(&["status"]).contains("p: paused"));
    setting.good(&["resume"]);
    setting.put(json!({ "id": { "S": "b" } }));
    setting.settle();
    assert_eq!(setting.rows("SELECT id FROM T").len(), 2);
}
