//! A table as the target: items as they are, under other keys, each change once.

use super::chaos::chaos;
use super::setting::Setting;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

impl Setting {
    /// The target's items, by their names.
    fn items(&mut self, name: &str) -> BTreeMap<String, Json> {
        let answer = self.client.dynamodb("Scan", &json!({ "TableName": self.table })).expect("an answer");
        let page = answer.json();
        let items = page["Items"].as_array().expect("items");
        let of = |item: &Json| (item[name]["S"].as_str().expect("a name").to_owned(), item.clone());
        items.iter().map(of).collect()
    }
}

fn item(id: &str, city: &str) -> Json {
    json!({ "id": { "S": id }, "city": { "S": city }, "n": { "N": "1" } })
}

/// Snapshot, then changes, deletions and re-creations, in two runs; every type as it is.
#[test]
fn a_table_is_followed_into_a_table() {
    let mut setting = Setting::table(&[]);
    setting.file("");
    for at in 0..250 {
        setting.put(item(&format!("i{at}"), "Bath"));
    }
    let rich = json!({
        "id": { "S": "rich" }, "big": { "N": "-1234567890123456789012345678.9012345678" }, "raw": { "B": "AAH/" },
        "yes": { "BOOL": true }, "nothing": { "NULL": true }, "list": { "L": [{ "M": { "a": { "N": "1E-130" } } }] },
        "ss": { "SS": ["b", "a"] }, "ns": { "NS": ["1", "2"] }, "bs": { "BS": ["AA=="] }, "empty": { "S": "" },
    });
    setting.put(rich.clone());
    setting.delete("i7");
    setting.settle();
    let items = setting.items("id");
    assert_eq!(items.len(), 250);
    let source = setting
        .client
        .dynamodb("GetItem", &json!({ "TableName": "Things", "Key": { "id": { "S": "rich" } } }));
    assert_eq!(items["rich"], source.expect("an answer").json()["Item"]);

    setting.delete("i8");
    setting.put(json!({ "id": { "S": "i9" }, "other": { "SS": ["a"] } }));
    setting.put(item("i7", "York"));
    for at in 100..250 {
        setting.put(item(&format!("i{at}"), "Ely"));
    }
    setting.settle();
    let items = setting.items("id");
    assert!(!items.contains_key("i8"));
    assert_eq!(items["i9"], json!({ "id": { "S": "i9" }, "other": { "SS": ["a"] } }), "nothing old is left");
    assert_eq!(items["i7"]["city"]["S"], "York");
    assert_eq!(items.values().filter(|item| item["city"]["S"] == "Ely").count(), 150);
    assert!(setting.good(&["status"]).contains("p: stream, Things → dynamodb:"));
}

/// What the pipeline has filled is not made anew and left empty.
#[test]
fn a_table_that_is_gone_is_told() {
    let mut setting = Setting::table(&[]);
    setting.file("");
    setting.put(item("a", "Bath"));
    setting.settle();
    let drop_target = |setting: &mut Setting| {
        let answer = setting.client.dynamodb("DeleteTable", &json!({ "TableName": setting.table }));
        assert_eq!(answer.expect("an answer").status, 200);
    };
    let gone = |told: &str| {
        assert!(told.contains("the table Target, which this pipeline has filled, is not there"), "{told}");
        assert!(told.contains("resync p"), "{told}");
    };
    // Under a runner.
    let runner = setting.command(&[]).spawn().expect("a runner");
    setting.put(item("b", "Bath"));
    setting.wait_for("b");
    drop_target(&mut setting);
    setting.put(item("c", "Bath"));
    let output = runner.wait_with_output().expect("its end");
    assert_eq!(output.status.code(), Some(1));
    gone(&String::from_utf8_lossy(&output.stderr));
    // Before one starts.
    for words in [&["--check"][..], &["--once"], &["verify"]] {
        gone(&setting.bad(words));
    }
    setting.good(&["resync"]);
    setting.settle();
    assert_eq!(setting.items("id").len(), 3);
}

/// Attributes are renamed, dropped, added; paths, defaults, filters.
#[test]
fn attributes_go_where_the_file_says() {
    let mut setting = Setting::table(&[]);
    setting.file("key = [\"town\", \"id\"]\nrest = { column = \"more\" }\ndrop = [\"secret\"]\nfilter = \"attribute_not_exists(shade)\"\n[pipeline.columns]\nid = {}\ntown = { from = \"address.lines[1]\" }\nkind = { constant = \"item\" }\nlevel = { default = 1 }\nlabel = { from = \"tags\" }\n");
    let address = |town: &str| json!({ "M": { "lines": { "L": [{ "S": "x" }, { "S": town }] } } });
    setting.put(json!({ "id": { "S": "a" }, "address": address("Bath"), "tags": { "SS": ["t"] }, "secret": { "S": "s" } }));
    setting.put(json!({ "id": { "S": "b" }, "address": address("York"), "shade": { "BOOL": true } }));
    setting.put(json!({ "id": { "S": "c" } }));
    setting.settle();
    let items = setting.items("id");
    let more = json!({ "M": { "address": address("Bath") } });
    assert_eq!(items.keys().collect::<Vec<_>>(), ["a"], "one is filtered, one lacks the key");
    assert_eq!(
        items["a"],
        json!({
            "id": { "S": "a" }, "town": { "S": "Bath" }, "kind": { "S": "item" }, "level": { "N": "1" },
            "label": { "SS": ["t"] }, "more": more,
        })
    );
    // The row moves, in one transaction; another leaves the filter's shade.
    setting.put(json!({ "id": { "S": "a" }, "address": address("Ely"), "level": { "NULL": true } }));
    setting.put(json!({ "id": { "S": "b" }, "address": address("York") }));
    setting.settle();
    let items = setting.items("id");
    assert_eq!(items.len(), 2);
    assert_eq!((&items["a"]["town"]["S"], &items["a"]["level"]), (&json!("Ely"), &json!({ "NULL": true })));
}

#[test]
fn deletes_keep_what_the_rule_keeps() {
    for (rule, left) in [("hard", 0), ("soft", 1), ("ignore", 1)] {
        let mut setting = Setting::table(&[]);
        setting.file(&format!("deletes = \"{rule}\"\n"));
        setting.put(item("a", "Bath"));
        setting.good(&["--once"]);
        setting.delete("a");
        // Gone before it was ever there: nothing is made for it.
        setting.put(item("b", "Bath"));
        setting.delete("b");
        setting.good(&["--once"]);
        let items = setting.items("id");
        assert_eq!(items.contains_key("a"), left == 1, "{rule}");
        if rule == "soft" {
            assert!(items["a"]["deleted_at"]["S"].as_str().is_some_and(|at| at.ends_with('Z')));
            setting.put(item("a", "York"));
            setting.settle();
            assert_eq!(setting.items("id")["a"], item("a", "York"), "it comes back whole");
        }
    }
}

/// What cannot be an item of the target has none, and is settled by its next good change, or by a retry.
#[test]
fn what_is_no_item_goes_to_quarantine() {
    let mut setting = Setting::table(&[]);
    setting.file("key = [\"city\", \"id\"]\n[pipeline.columns]\nid = {}\ncity = {}\n");
    setting.put(item("a", "Bath"));
    setting.put(json!({ "id": { "S": "b" }, "city": { "BOOL": true } }));
    setting.put(json!({ "id": { "S": "c" }, "city": { "S": "" } }));
    setting.put(json!({ "id": { "S": "d" }, "city": { "S": "x".repeat(2049) } }));
    setting.settle();
    assert_eq!(setting.items("id").len(), 1);
    let told = setting.good(&["quarantine"]);
    assert!(told.contains("the attribute is of type BOOL, the column text"), "{told}");
    assert!(told.contains("0 bytes: a key of its kind has 1 to 2048"), "{told}");
    assert!(told.contains("2049 bytes"), "{told}");
    setting.put(json!({ "id": { "S": "a" }, "city": { "S": "" } }));
    setting.put(item("b", "York"));
    setting.delete("d");
    setting.settle();
    assert_eq!(setting.items("id").keys().collect::<Vec<_>>(), ["b"], "what went to quarantine has no item");
    assert_eq!(setting.good(&["quarantine"]).lines().count(), 2);
    assert!(setting.good(&["retry"]).contains("0 written, 2 left"));
}

#[test]
fn what_no_table_can_be_is_told_before_anything_is_written() {
    let setting = Setting::table(&[]);
    let told = |pipeline: &str| {
        setting.file(pipeline);
        setting.bad(&["--check"])
    };
    assert!(
        told("[pipeline.columns]\nid = { type = \"varchar(3)\" }")
            .contains("without a type it stays as it is")
    );
    assert!(
        told("key = [\"a\", \"b\", \"id\"]\n[pipeline.columns]\na = {}\nb = {}")
            .contains("1 to 2 attributes")
    );
    assert!(
        told("key = [\"a\", \"b\"]\nconflicts = \"append_source_key\"\n[pipeline.columns]\na = {}\nb = {}")
            .contains("makes a key of a, b, id")
    );
    assert!(told("create = false").contains("there is no table Target"));
    setting.file("");
    assert!(setting.good(&["--plan"]).contains("rest = \"columns\""));
    assert!(setting.good(&["--check"]).contains("p: good"));
    // A table is no target of itself.
    let path = setting.file("");
    let text =
        std::fs::read_to_string(&path).expect("the file").replace("table = \"Target\"", "table = \"Things\"");
    std::fs::write(&path, text).expect("the file");
    assert!(setting.bad(&["--check"]).contains("is the source"));
}

/// Two runners: the one that came last writes, and the other ends.
#[test]
fn the_runner_that_came_last_writes() {
    let mut setting = Setting::table(&[]);
    setting.file("");
    setting.put(item("a", "Bath"));
    setting.good(&["--once"]);
    let first = setting.command(&[]).spawn().expect("a runner");
    setting.put(item("b", "Bath"));
    setting.wait_for("b");
    let mut second = setting.spawn();
    let output = first.wait_with_output().expect("the first ends");
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0023"), "{output:?}");
    setting.put(item("c", "Bath"));
    setting.wait_for("c");
    second.kill().expect("it runs");
    second.wait().expect("it ends");
    setting.settle();
}

#[test]
fn a_killed_runner_loses_and_repeats_nothing_in_a_table() {
    chaos(&Setting::table(&[]), "drop = [\"extra\"]\n");
}

#[test]
fn a_killed_runner_leaves_moving_items_in_place() {
    chaos(&Setting::table(&[]), "key = [\"city\", \"id\"]\n[pipeline.columns]\nid = {}\ncity = {}\n");
}

#[test]
fn a_killed_runner_leaves_claimed_items_in_place() {
    chaos(
        &Setting::table(&[]),
        "key = [\"city\"]\nconflicts = \"newest_wins\"\n[pipeline.columns]\ncity = {}\n",
    );
}
