//! A copy over rows that are there: they stay until it is in, and what no item makes any more goes at its end.

use super::setting::{Setting, text};
use serde_json::json;
use sql::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use world::Random;

const COLUMNS: &str = "[pipeline.columns]\nid = {}\nn = { type = \"numeric\" }\n";

/// Whatever deletes are, a row that nobody brings is treated as they are.
#[test]
fn a_copy_keeps_the_rows_that_it_brings_again() {
    for (rule, stray) in [("hard", 0), ("soft", 1), ("ignore", 1)] {
        let mut setting = Setting::sqlite();
        setting.file(&format!("deletes = \"{rule}\"\n{COLUMNS}"));
        for at in 0..20 {
            setting.put(json!({ "id": { "S": format!("i{at}") }, "n": { "N": at.to_string() } }));
        }
        setting.settle();
        setting.rows("INSERT INTO T (id, n) VALUES ('stray', 1) RETURNING id");
        setting.rows("UPDATE T SET n = 99 WHERE id = 'i3' RETURNING id");
        // Where deletes are ignored rows may be there without an item.
        let differing = if rule == "ignore" { "1 rows differ" } else { "2 rows differ" };
        assert!(setting.bad(&["verify"]).contains(differing), "{rule}");
        setting.good(&["resync"]);
        assert!(setting.good(&["status"]).contains("begins again"));
        assert_eq!(setting.rows("SELECT id FROM T").len(), 21, "nothing is taken away before the copy");
        setting.put(json!({ "id": { "S": "i4" }, "n": { "N": "44" } }));
        setting.delete("i5");
        setting.good(&["--once"]);
        let told = setting.good(&["verify"]);
        assert_eq!(told.contains("2 rows have no item any more"), rule == "ignore", "{told}");
        assert_eq!(
            setting.rows("SELECT n FROM T WHERE id = 'i3'"),
            [[Value::Numeric("3".to_owned())]],
            "{rule}"
        );
        assert_eq!(setting.rows("SELECT id FROM T WHERE id = 'stray'").len(), stray, "{rule}");
        if rule == "soft" {
            let marked = setting.rows("SELECT id FROM T WHERE deleted_at IS NOT NULL ORDER BY id");
            assert_eq!(marked, [[text("i5")], [text("stray")]]);
        }
        assert!(setting.rows("SELECT place FROM millstream_seen").is_empty());
    }
}

#[test]
fn a_copy_into_a_table_keeps_the_items_that_it_brings_again() {
    let mut setting = Setting::table(&[]);
    setting.file("");
    for at in 0..150 {
        setting.put(json!({ "id": { "S": format!("i{at}") }, "n": { "N": at.to_string() } }));
    }
    setting.settle();
    for stray in [json!({ "id": { "S": "stray" } }), json!({ "id": { "S": "i3" }, "n": { "N": "99" } })] {
        let asked = json!({ "TableName": "Target", "Item": stray });
        assert_eq!(setting.client.dynamodb("PutItem", &asked).expect("an answer").status, 200);
    }
    assert!(setting.bad(&["verify"]).contains("2 rows differ"));
    setting.good(&["resync"]);
    setting.delete("i5");
    setting.settle();
    let answer =
        setting.client.dynamodb("Scan", &json!({ "TableName": "Target" })).expect("an answer").json();
    assert_eq!(answer["Count"], 149);
}

/// Copied again and again, and killed at it, while writers go on.
#[test]
fn a_killed_copy_is_right_in_the_end() {
    for setting in [Setting::sqlite(), Setting::table(&[])] {
        setting.file("key = [\"city\", \"id\"]\n[pipeline.columns]\nid = {}\ncity = {}\n");
        setting.good(&["--once"]);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| super::chaos::write(&setting, 5, &stop));
            let mut random = Random::from_seed(11);
            for _ in 0..3 {
                setting.good(&["resync"]);
                let mut runner = setting.spawn();
                std::thread::sleep(Duration::from_millis(50 + random.below(200)));
                runner.kill().expect("killed");
                runner.wait().expect("its end");
            }
            stop.store(true, Ordering::Relaxed);
            writer.join().expect("a writer");
        });
        setting.settle();
    }
}

/// What the stream said before the snapshot began is not applied, by no run: the scan saw it.
#[test]
fn a_pipeline_begins_at_the_head_of_its_stream() {
    let mut setting = Setting::sqlite();
    setting.file(COLUMNS);
    for at in 0..20 {
        setting.put(json!({ "id": { "S": format!("i{}", at % 3) }, "n": { "N": at.to_string() } }));
    }
    let marks = "SELECT mark FROM millstream_marks WHERE track LIKE 'shard:%' AND mark IS NOT NULL";
    setting.good(&["--once"]);
    assert!(setting.rows(marks).is_empty(), "nothing of the stream was read");
    // A row that a record would bring back.
    setting.rows("DELETE FROM T WHERE id = 'i1' RETURNING id");
    setting.good(&["--once"]);
    assert_eq!(setting.rows("SELECT id FROM T ORDER BY id"), [[text("i0")], [text("i2")]]);
    // A runner that stays finds out where that was.
    let mut runner = setting.spawn();
    let mut at = 0;
    while setting.rows(marks).is_empty() {
        at += 1;
        assert!(at < 600, "the shard has no mark");
        std::thread::sleep(Duration::from_millis(50));
    }
    runner.kill().expect("killed");
    runner.wait().expect("its end");
    setting.put(json!({ "id": { "S": "i2" }, "n": { "N": "21" } }));
    setting.good(&["--once"]);
    let all = setting.rows("SELECT id, n FROM T ORDER BY id");
    let number = |text: &str| Value::Numeric(text.to_owned());
    assert_eq!(all, [[text("i0"), number("18")], [text("i2"), number("21")]]);
}

/// What a record, or a run before this one, has written stays when the scan comes to it.
#[test]
fn a_first_copy_leaves_the_rows_that_are_there() {
    let mut setting = Setting::sqlite();
    setting.file(COLUMNS);
    for at in 0..20 {
        setting.put(json!({ "id": { "S": format!("i{at}") }, "n": { "N": at.to_string() } }));
    }
    setting.good(&["--once"]);
    setting.rows("UPDATE T SET n = 99 WHERE id = 'i3' RETURNING id");
    setting.rows("DELETE FROM T WHERE id = 'i5' RETURNING id");
    // As if the snapshot had not ended, nor any of its pages been noted.
    setting.rows("UPDATE millstream_pipelines SET scanned = 0 RETURNING pipeline");
    setting.rows("DELETE FROM millstream_marks WHERE track LIKE 'segment:%' RETURNING track");
    setting.good(&["--once"]);
    assert_eq!(setting.rows("SELECT id FROM T").len(), 20, "what was missing is there");
    let kept = setting.rows("SELECT n FROM T WHERE id = 'i3'");
    assert!(kept[0][0].as_integer() == Some(99), "{kept:?}");
    assert!(setting.rows("SELECT item FROM millstream_quarantine").is_empty());
}
