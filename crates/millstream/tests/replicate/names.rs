//! Attributes whose names no column of a database can have, or only one of two.

use super::databases::setting;
use super::setting::{Setting, text};
use serde_json::json;
use sql::Connection;

const COLUMNS: &str = "rest = \"columns\"\n[pipeline.columns]\nid = {}\n";

/// A mapping that nobody wrote leaves them in the document; a column that would be made for one is told.
fn names(setting: &mut Setting, odd: &[&str]) {
    setting.file("");
    let mut item = json!({ "id": { "S": "a" }, "plain": { "S": "p" }, "attributes": { "S": "own" } });
    for name in odd {
        item[*name] = json!({ "S": name });
    }
    setting.put(item.clone());
    setting.settle();
    let row = &setting.rows("SELECT plain, attributes FROM t")[0];
    assert_eq!(row[0], text("p"));
    let document: serde_json::Value =
        serde_json::from_str(row[1].as_text().expect("a document")).expect("JSON");
    assert_eq!(document["attributes"], json!({ "S": "own" }));
    for name in odd {
        assert_eq!(document[*name], json!({ "S": name }));
    }
    // Begun again, into another table.
    setting.good(&["resync"]);
    setting.table = "w".to_owned();
    setting.file(COLUMNS);
    for (at, name) in odd.iter().enumerate() {
        setting.put(json!({ "id": { "S": format!("odd {at}") }, (*name): { "S": "x" } }));
    }
    setting.delete("a");
    setting.put(json!({ "id": { "S": "good" }, "other": { "S": "o" } }));
    setting.settle();
    assert_eq!(setting.rows("SELECT id, other FROM w"), [[text("good"), text("o")]]);
    let told = setting.good(&["quarantine"]);
    assert_eq!(told.lines().filter(|line| line.contains("gets no column")).count(), odd.len(), "{told}");
    assert!(setting.good(&["retry"]).contains(&format!("0 written, {} left", odd.len())));
}

#[test]
fn sqlite_takes_no_small_and_capital_letters_for_two() {
    let mut setting = Setting::sqlite();
    setting.table = "t".to_owned();
    names(&mut setting, &["Id", "nul\0"]);
    // A row's number has this name, where a table is there already.
    setting.put(json!({ "id": { "S": "number" }, "oid": { "S": "o" } }));
    setting.good(&["--once"]);
    assert!(setting.good(&["quarantine"]).contains("calls a row's number so"));
}

#[test]
fn postgres_has_columns_of_its_own() {
    let server = testkit::postgres();
    let mut setting = setting(&server, "names", &[]);
    setting.table = "t".to_owned();
    names(&mut setting, &["ctid", &"é".repeat(32)]);
}

#[test]
fn mariadb_refuses_names_and_many_columns() {
    let server = testkit::mariadb();
    let mut setting = setting(&server, "names", &[]);
    setting.table = "t".to_owned();
    names(&mut setting, &["Id", "ends ", "😀", &"a".repeat(65)]);
    // InnoDB has 1,017 columns.
    let there = "SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'w'";
    let there = setting.rows(there)[0][0].as_integer().expect("a number");
    let more: Vec<String> = (there..1017).map(|at| format!("ADD COLUMN n{at} tinyint")).collect();
    let mut connection = Connection::open(&setting.settings).expect("the target");
    connection.batch(&format!("ALTER TABLE w {}", more.join(", "))).expect("columns");
    setting.put(json!({ "id": { "S": "wide" }, "another": { "S": "x" }, "other": { "S": "w" } }));
    setting.put(json!({ "id": { "S": "narrow" }, "other": { "S": "n" } }));
    setting.settle();
    assert!(setting.good(&["quarantine"]).contains("attribute another gets no column: target: "));
    assert_eq!(setting.rows("SELECT other FROM w WHERE id IN ('wide', 'narrow')"), [[text("n")]]);
}

/// With `create = false` the columns are those that are there.
#[test]
fn columns_of_somebody_else_s_table_are_used_and_not_made() {
    let mut setting = Setting::sqlite();
    let mut connection = Connection::open(&setting.settings).expect("the target");
    connection.batch("CREATE TABLE T (id TEXT PRIMARY KEY NOT NULL, first TEXT)").expect("a table");
    setting.file(&format!("create = false\n{COLUMNS}"));
    setting.put(json!({ "id": { "S": "a" }, "first": { "S": "1" } }));
    setting.put(json!({ "id": { "S": "b" }, "second": { "S": "2" } }));
    setting.settle();
    assert_eq!(setting.rows("SELECT * FROM T"), [[text("a"), text("1")]]);
    assert!(setting.good(&["quarantine"]).contains("has no column second"));
}

/// Before anything is written.
#[test]
fn columns_that_no_table_can_have_are_refused() {
    let setting = Setting::sqlite();
    for (columns, told) in [
        ("ID = {}", "columns ID and id have one name in this database"),
        ("\"\" = { from = \"a\" }", "a name is not empty"),
    ] {
        setting.file(&format!("key = [\"id\"]\n[pipeline.columns]\nid = {{}}\n{columns}\n"));
        for word in ["--plan", "--check", "--once"] {
            let output = setting.bad(&[word]);
            assert!(output.contains(told), "{word}: {output}");
        }
    }
    assert!(!setting.dir.path().join("target.db").exists());
}
