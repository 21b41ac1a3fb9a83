//! What rows come of items.

use super::setting::{Setting, text};
use serde_json::json;
use sql::Value;

/// Snapshot, then changes, deletions and re-creations, in two runs.
#[test]
fn a_table_is_followed() {
    let mut setting = Setting::sqlite();
    setting.file("");
    for at in 0..50 {
        setting.put(json!({ "id": { "S": format!("i{at}") }, "n": { "N": at.to_string() } }));
    }
    setting.delete("i7");
    setting.settle();
    assert_eq!(setting.rows("SELECT count(*), sum(n) FROM T"), [[Value::Integer(49), Value::Integer(1218)]]);

    setting.delete("i8");
    setting.put(json!({ "id": { "S": "i9" }, "other": { "SS": ["a"] } }));
    setting.put(json!({ "id": { "S": "i7" }, "n": { "N": "700" } }));
    setting.settle();
    assert_eq!(
        setting.rows("SELECT id, n, attributes FROM T WHERE id IN ('i7', 'i8', 'i9') ORDER BY id"),
        [
            vec![text("i7"), Value::Numeric("700".to_owned()), Value::Null],
            vec![text("i9"), Value::Null, Value::Json(r#"{"other":{"SS":["a"]}}"#.to_owned())],
        ],
        "an attribute that was removed is null"
    );
    assert!(setting.good(&["status"]).contains("p: stream, Things → sqlite:"));
}

/// What the stream said before the snapshot is in the scan: it is not applied as well. What comes after it is.
#[test]
fn a_snapshot_begins_where_the_stream_is() {
    let mut setting = Setting::sqlite();
    setting.file("deletes = \"soft\"\n[pipeline.columns]\nid = {}\n");
    setting.put(json!({ "id": { "S": "gone" } }));
    setting.delete("gone");
    setting.put(json!({ "id": { "S": "a" } }));
    setting.settle();
    assert_eq!(setting.rows("SELECT id FROM T"), [[text("a")]], "no row was made and marked");
    setting.delete("a");
    setting.settle();
    assert_eq!(setting.rows("SELECT count(*), count(deleted_at) FROM T"), [[1.into(), 1.into()]]);
}

/// Nothing of an item is lost: the derived mapping keeps every type, 38 digits, binaries, nesting.
#[test]
fn every_type_comes_through() {
    let mut setting = Setting::sqlite();
    setting.file("rest = { column = \"doc\" }\n[pipeline.columns]\nid = {}\nbig = { type = \"numeric\" }\nraw = { type = \"bytes\" }\nyes = { type = \"boolean\" }\nsmall = { type = \"bigint\" }\nhalf = { type = \"double\" }\ncity = { from = \"address.lines[1]\" }\nkind = { constant = \"item\" }\nlevel = { type = \"numeric\", default = 1 }\n");
    let digits = "-1234567890123456789012345678.9012345678";
    setting.put(json!({
        "id": { "S": "a" }, "big": { "N": digits }, "raw": { "B": "AAH/" }, "yes": { "BOOL": true },
        "small": { "N": "-5" }, "half": { "N": "0.5" },
        "address": { "M": { "lines": { "L": [{ "S": "x" }, { "S": "Bath" }] } } },
        "nothing": { "NULL": true }, "bs": { "BS": ["AA=="] }, "ns": { "NS": ["1E125"] }, " .odd[0]": { "S": "" },
    }));
    setting.settle();
    assert_eq!(
        setting.rows("SELECT id, big, raw, yes, small, half, city, kind, level FROM T"),
        [[
            text("a"),
            Value::Numeric(digits.to_owned()),
            Value::Bytes(vec![0, 1, 255]),
            Value::Boolean(true),
            Value::Integer(-5),
            Value::Real(0.5),
            text("Bath"),
            text("item"),
            Value::Numeric("1".to_owned()),
        ]]
    );
    let doc = &setting.rows("SELECT doc FROM T")[0][0];
    let doc: serde_json::Value = serde_json::from_str(doc.as_text().expect("a document")).expect("JSON");
    assert_eq!(doc["nothing"], json!({ "NULL": true }));
    assert_eq!(doc["bs"], json!({ "BS": ["AA=="] }));
    assert_eq!(doc["ns"]["NS"][0], json!(format!("1{}", "0".repeat(125))));
    assert_eq!(doc["address"]["M"]["lines"]["L"][1], json!({ "S": "Bath" }), "a path takes nothing away");
}

/// New attributes become columns where that is asked for.
#[test]
fn columns_come_with_attributes() {
    let mut setting = Setting::sqlite();
    setting.file("rest = \"columns\"\ndrop = [\"secret\"]\n[pipeline.columns]\nid = {}\n");
    setting.put(json!({ "id": { "S": "a" }, "first": { "N": "1" }, "secret": { "S": "s" } }));
    setting.settle();
    setting.put(json!({ "id": { "S": "b" }, "second": { "BOOL": false }, "list": { "L": [] } }));
    setting.settle();
    assert_eq!(
        setting.rows("SELECT id, first, second, list FROM T ORDER BY id"),
        [
            vec![text("a"), Value::Numeric("1".to_owned()), Value::Null, Value::Null],
            vec![text("b"), Value::Null, Value::Boolean(false), Value::Json(r#"{"L":[]}"#.to_owned())],
        ]
    );
    assert_eq!(setting.rows("SELECT name FROM pragma_table_info('T') WHERE name = 'secret'").len(), 0);
}
