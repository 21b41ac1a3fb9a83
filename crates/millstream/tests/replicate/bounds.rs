//! Columns that somebody else has made, of types that hold less than the mapping says: what they would change without a
//! word is refused, or goes to quarantine.

use super::databases::setting;
use super::setting::{Setting, keeps_apart, text};
use serde_json::json;
use sql::Connection;

fn batch(setting: &Setting, sql: &str) {
    Connection::open(&setting.settings).expect("the target").batch(sql).expect("a statement");
}

/// A table of the usual types, and items of which one fits, and each other not, by one value.
fn holds(setting: &mut Setting, columns: &str, notes: &[&str]) {
    batch(setting, &format!("CREATE TABLE t ({columns}, PRIMARY KEY (id))"));
    setting.table = "t".to_owned();
    setting.file("[pipeline.columns]\nid = {}\nname = {}\nprice = { type = \"numeric\" }\nstock = { type = \"numeric\" }\n");
    for note in notes {
        assert!(setting.good(&["--check"]).contains(note), "{note}: {}", setting.good(&["--check"]));
        assert!(setting.good(&["--plan"]).contains(note), "{note}: {}", setting.good(&["--plan"]));
    }
    setting.put(json!({ "id": { "S": "good" }, "name": { "S": "n" }, "price": { "N": "19.9" }, "stock": { "N": "7" } }));
    let told = setting.good(&["--once"]);
    assert!(notes.iter().all(|note| told.contains(note)), "{told}");
    // By the stream, and by the copy.
    for way in ["stream", "copy"] {
        setting.put(json!({ "id": { "S": format!("name {way}") }, "name": { "S": format!("1234567890{}", " ".repeat(3)) } }));
        setting
            .put(json!({ "id": { "S": format!("price {way}") }, "price": { "N": "0.12345678901234567" } }));
        setting.put(json!({ "id": { "S": format!("stock {way}") }, "stock": { "N": "1.0000000000000001" } }));
        if way == "copy" {
            batch(setting, "DELETE FROM t");
            setting.good(&["resync"]);
        }
        setting.settle();
    }
    assert_eq!(setting.rows("SELECT id, name FROM t"), [[text("good"), text("n")]]);
    let told = setting.good(&["quarantine"]);
    assert_eq!(told.lines().filter(|line| line.contains("the table's column holds")).count(), 6, "{told}");
    assert!(setting.good(&["retry"]).contains("0 written, 6 left"));
    // What is gone is gone.
    for id in ["good", "name copy"] {
        setting.delete(id);
    }
    setting.settle();
    assert!(setting.rows("SELECT id FROM t").is_empty());
}

/// No value of such a column would come back as it was.
fn refused(setting: &mut Setting, id: &str, columns: &[(&str, &str)]) {
    setting.table = "u".to_owned();
    for (given, told) in columns {
        batch(setting, &format!("DROP TABLE IF EXISTS u; CREATE TABLE u ({id}, v {given})"));
        setting.file("[pipeline.columns]\nid = {}\nv = { type = \"numeric\" }\nw = { from = \"v\" }\n");
        if !told.contains("numeric") {
            setting.file("[pipeline.columns]\nid = {}\nv = {}\n");
        }
        for word in ["--plan", "--check", "--once"] {
            let output = setting.bad(&[word]);
            assert!(
                output.contains(told) && output.contains("another type, or name another table"),
                "{output}"
            );
        }
        assert!(setting.rows("SELECT * FROM u").is_empty());
    }
}

/// What is said of the bounded columns that PostgreSQL and MariaDB have here.
const NOTES: [&str; 3] = [
    "column name of table t holds texts of at most 10 characters: others go to quarantine",
    "column price of table t holds numbers with at most 2 digits after the point",
    "column stock of table t holds whole numbers",
];

#[test]
fn sqlite_changes_nothing_without_a_word() {
    let mut setting = Setting::sqlite();
    refused(
        &mut setting,
        "id TEXT PRIMARY KEY NOT NULL",
        &[
            ("TEXT", "which would change values of numeric, or takes none: give v type = \"text\""),
            ("INTEGER", "would change values of text"),
        ],
    );
    let mut setting = Setting::sqlite();
    batch(&setting, "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, born DATETIME, price DECIMAL(10,2))");
    setting.table = "t".to_owned();
    setting.file("[pipeline.columns]\nid = {}\nborn = {}\nprice = { type = \"numeric\" }\n");
    setting.put(
        json!({ "id": { "S": "a" }, "born": { "S": "2024-02-29T12:00:00Z" }, "price": { "N": "19.99" } }),
    );
    setting.put(json!({ "id": { "S": "b" }, "born": { "S": "0020" } }));
    setting.put(json!({ "id": { "S": "c" }, "price": { "N": "1234567890.1234567" } }));
    setting.settle();
    assert_eq!(setting.rows("SELECT id FROM t"), [[text("a")]]);
    assert_eq!(setting.good(&["quarantine"]).lines().count(), 2);
}

#[test]
fn postgres_changes_nothing_without_a_word() {
    let server = testkit::postgres();
    let mut setting = setting(&server, "bounds", &[]);
    batch(&setting, "CREATE DOMAIN short AS varchar(10)");
    let columns = "id text, name short, price numeric(10,2), stock numeric(9)";
    holds(&mut setting, columns, &NOTES);
    refused(
        &mut setting,
        "id text PRIMARY KEY",
        &[
            ("timestamptz", "type timestamp with time zone, which would change values of text"),
            ("double precision", "would change values of numeric, or takes none: give v type = \"double\""),
        ],
    );
}

/// Somebody's key of UUIDs takes capital letters for small ones.
#[test]
fn a_key_of_uuids_takes_no_two_for_one() {
    let server = testkit::postgres();
    let mut setting = setting(&server, "uuids", &[]);
    batch(&setting, "CREATE TABLE t (id uuid PRIMARY KEY)");
    setting.table = "t".to_owned();
    setting.file("[pipeline.columns]\nid = {}\n");
    let small = "123e4567-e89b-12d3-a456-426614174000";
    for id in [small, &small.to_uppercase()] {
        setting.put(json!({ "id": { "S": id } }));
    }
    setting.settle();
    setting.delete(&small.to_uppercase());
    setting.settle();
    assert_eq!(setting.rows("SELECT id::text FROM t"), [[text(small)]]);
}

#[test]
fn mariadb_changes_nothing_without_a_word() {
    let server = testkit::mariadb();
    let mut setting = setting(&server, "bounds", &[]);
    let id = format!("id varchar(50) CHARACTER SET utf8mb4 COLLATE {}", keeps_apart(&setting));
    let columns = format!("{id}, name varchar(10), price decimal(10,2), stock int");
    holds(&mut setting, &columns, &NOTES);
    refused(
        &mut setting,
        &format!("{id} PRIMARY KEY"),
        &[
            ("char(9)", "type char(9), which would change values of text"),
            ("double", "would change values of numeric, or takes none: give v type = \"double\""),
        ],
    );
}
