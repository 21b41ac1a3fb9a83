//! Records that are gone before they were applied, and streams that are others under the same name.

use super::setting::{FORGETFUL, Setting, text};
use crate::support::create_table;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;
use world::World;

const AGAIN: &str = "on_gap = \"resnapshot\"\n[pipeline.columns]\nid = {}\n";

impl Setting {
    fn call(&mut self, operation: &str, body: &Json) -> Json {
        let answer = self.client.dynamodb(operation, body).expect("an answer");
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
        answer.json()
    }

    /// The ids of the stream's shards.
    fn shards(&mut self) -> Vec<String> {
        let told = self.call("DescribeTable", &json!({ "TableName": "Things" }));
        let stream = told["Table"]["LatestStreamArn"].clone();
        let told = self.client.streams("DescribeStream", &json!({ "StreamArn": stream })).expect("an answer");
        let told = told.json();
        let shards = told["StreamDescription"]["Shards"].as_array().expect("shards").clone();
        shards.iter().map(|shard| shard["ShardId"].as_str().expect("an id").to_owned()).collect()
    }

    /// Until none of the shards that are there now is there any more.
    fn forget_shards(&mut self) {
        let old = self.shards();
        for _ in 0..400 {
            if !self.shards().iter().any(|shard| old.contains(shard)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the shards stay");
    }

    fn another_stream(&mut self) {
        for specification in [
            json!({ "StreamEnabled": false }),
            json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" }),
        ] {
            self.call("UpdateTable", &json!({ "TableName": "Things", "StreamSpecification": specification }));
        }
    }
}

/// Shards that a pipeline remembers.
fn remembered(setting: &mut Setting) -> BTreeSet<String> {
    if !setting.target.starts_with("dynamodb") {
        let rows = setting.rows("SELECT track FROM millstream_marks");
        return rows.iter().filter_map(|row| row[0].as_text().map(str::to_owned)).collect();
    }
    let told = setting.call("Scan", &json!({ "TableName": "millstream_replication" }));
    let entries = told["Items"].as_array().expect("entries").iter();
    let marks = entries.filter_map(|entry| entry["entry"]["S"].as_str()?.strip_prefix("mark:"));
    marks.map(str::to_owned).collect()
}

/// Of a stream that forgets, a pipeline does not remember all the shards that there ever were.
pub fn marks_go_with_their_shards(setting: &mut Setting) {
    setting.file("lanes = 2\n[pipeline.columns]\nid = {}\n");
    setting.put(json!({ "id": { "S": "a" } }));
    setting.settle();
    let mut runner = setting.spawn();
    let (mut ever, mut at) = (remembered(setting), 0);
    while remembered(setting).is_superset(&ever) {
        ever = remembered(setting);
        at += 1;
        assert!(at < 600, "nothing of these is forgotten: {ever:?}");
        setting.put(json!({ "id": { "S": format!("i{}", at % 50) } }));
        std::thread::sleep(Duration::from_millis(50));
    }
    runner.kill().expect("killed");
    runner.wait().expect("its end");
    setting.settle();
    if !setting.target.starts_with("dynamodb") {
        let spread = "SELECT track, lane FROM millstream_marks WHERE ended = 1 AND track LIKE 'shard:%'";
        assert!(setting.rows(spread).is_empty(), "a shard that has ended has one mark");
    }
}

#[test]
fn marks_in_a_file_go_with_their_shards() {
    marks_go_with_their_shards(&mut Setting::forgetful());
}

#[test]
fn marks_in_a_table_go_with_their_shards() {
    marks_go_with_their_shards(&mut Setting::table(&FORGETFUL));
}

#[test]
fn trimmed_records_are_a_gap() {
    for (pipeline, ends_well) in [("", false), (AGAIN, true)] {
        let mut setting = Setting::forgetful();
        setting.file(pipeline);
        setting.put(json!({ "id": { "S": "a" } }));
        setting.settle();
        setting.delete("a");
        setting.put(json!({ "id": { "S": "b" } }));
        setting.forget_shards();
        if ends_well {
            setting.settle();
            assert_eq!(setting.rows("SELECT id FROM T"), [[text("b")]]);
        } else {
            let told = setting.bad(&["--once"]);
            assert!(told.contains("E0022") && told.contains("were trimmed"), "{told}");
            setting.good(&["resync"]);
            setting.settle();
        }
    }
}

/// The stream, or the table with it, was made anew while nobody looked.
#[test]
fn another_stream_of_the_same_table_is_a_gap() {
    for (pipeline, ends_well) in [("", false), (AGAIN, true)] {
        let mut setting = Setting::sqlite();
        setting.file(pipeline);
        setting.put(json!({ "id": { "S": "a" } }));
        setting.settle();
        setting.another_stream();
        setting.put(json!({ "id": { "S": "b" } }));
        if !ends_well {
            assert!(setting.bad(&["--once"]).contains("E0022"));
            continue;
        }
        setting.settle();
        assert_eq!(setting.rows("SELECT id FROM T ORDER BY id"), [[text("a")], [text("b")]]);
        setting.call("DeleteTable", &json!({ "TableName": "Things" }));
        create_table(&mut setting.client, "Things");
        setting.put(json!({ "id": { "S": "c" } }));
        setting.settle();
        assert_eq!(setting.rows("SELECT id FROM T"), [[text("c")]]);
    }
}

/// The same under a runner that is at it.
#[test]
fn a_runner_goes_over_to_another_stream() {
    let mut setting = Setting::table(&[]);
    setting.file("on_gap = \"resnapshot\"\n");
    let mut runner = setting.spawn();
    setting.put(json!({ "id": { "S": "a" } }));
    setting.wait_for("a");
    setting.another_stream();
    setting.put(json!({ "id": { "S": "b" } }));
    setting.wait_for("b");
    runner.kill().expect("it still runs");
    runner.wait().expect("its end");
    setting.settle();
}

/// A table that is made anew is not there for a moment: whoever begins again anyway waits for it.
#[test]
fn a_runner_waits_for_another_table() {
    let mut setting = Setting::table(&[]);
    setting.file("on_gap = \"resnapshot\"\n");
    let mut runner = setting.command(&[]).stdout(Stdio::null()).spawn().expect("a runner");
    setting.put(json!({ "id": { "S": "a" } }));
    setting.wait_for("a");
    setting.call("DeleteTable", &json!({ "TableName": "Things" }));
    let mut told = BufReader::new(runner.stderr.take().expect("what it says")).lines();
    let waits = told.any(|line| line.expect("text").contains("there is no table Things at "));
    assert!(waits, "it ends");
    create_table(&mut setting.client, "Things");
    setting.put(json!({ "id": { "S": "b" } }));
    setting.wait_for("b");
    runner.kill().expect("it still runs");
    runner.wait().expect("its end");
    setting.settle();
}

/// The scan is slowed down to last longer than the stream keeps what is written meanwhile.
#[test]
fn a_snapshot_may_outlive_the_stream_s_records() {
    let mut setting = Setting::forgetful();
    setting.file("scan_units_per_second = 15\nscan_segments = 1\n[pipeline.columns]\nid = {}\nn = { type = \"numeric\" }\n");
    for at in 0..120 {
        let (id, n) = (format!("i{at}"), at.to_string());
        setting.put(json!({ "id": { "S": id }, "n": { "N": n }, "text": { "S": "x".repeat(4000) } }));
    }
    let world = World::real();
    let begun = world.elapsed();
    let mut runner = setting.command(&["--once"]).spawn().expect("a runner");
    let mut rounds = 0;
    while runner.try_wait().expect("a runner").is_none() {
        let (id, n) = (format!("i{}", rounds % 120), (1000 + rounds).to_string());
        setting.put(json!({ "id": { "S": id }, "n": { "N": n }, "text": { "S": "x".repeat(4000) } }));
        setting.delete(&format!("i{}", (rounds + 60) % 120));
        rounds += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(runner.wait().expect("its end").success());
    assert!(world.elapsed() - begun > Duration::from_secs(2), "60 units or more, at 15 a second");
    setting.settle();
}
