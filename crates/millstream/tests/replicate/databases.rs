//! Real PostgreSQL and MariaDB as targets: every type, what does not fit, runners and databases killed.

use super::chaos::chaos;
use super::gaps::marks_go_with_their_shards;
use super::setting::{FORGETFUL, Setting, database, text};
use super::stops::{terminate, until};
use serde_json::json;
use sql::{Connection, Value};
use std::io::{BufReader, Read};
use testkit::{TempDir, TestDatabase};

const COLUMNS: &str = "rest = { column = \"doc\" }\n[pipeline.columns]\nid = {}\nbig = { type = \"numeric\" }\nraw = { type = \"bytes\" }\nyes = { type = \"boolean\" }\nwhole = { type = \"bigint\" }\nhalf = { type = \"double\" }\nname = { type = \"varchar(5)\" }\nplain = { from = \"m\", type = \"json\" }\n";

/// A new database on the server, and a server of ours beside it.
pub fn setting(server: &TestDatabase, name: &str, flags: &[&str]) -> Setting {
    let (url, settings) = database(server, name);
    let kind = if url.starts_with("postgres") { "postgres" } else { "mysql" };
    Setting::with(TempDir::new("replicate"), format!("{kind} = \"{url}\""), settings, flags)
}

/// What SQLite's tests show of types, here with what each database would round, fold, or refuse.
fn every_type(setting: &mut Setting) {
    setting.file(COLUMNS);
    let digits = "-1234567890123456789012345678.9012345678";
    setting.put(json!({
        "id": { "S": "a" }, "big": { "N": digits }, "raw": { "B": "AAH/" }, "yes": { "BOOL": true },
        "whole": { "N": "-9007199254740993" }, "half": { "N": "0.5" }, "name": { "S": "é😀" },
        "m": { "M": { "n": { "N": "12345678901234567890" }, "s": { "SS": ["x", "y"] } } },
        "ns": { "NS": ["1E125", "-0.1"] }, "nothing": { "NULL": true },
    }));
    // Keys that a collation would take for one.
    for id in ["A", "a ", "ä"] {
        setting.put(json!({ "id": { "S": id }, "yes": { "BOOL": false } }));
    }
    setting.settle();
    let row = &setting.rows("SELECT id, raw, half, name FROM T WHERE raw IS NOT NULL")[0];
    assert_eq!(row[..], [text("a"), Value::Bytes(vec![0, 1, 255]), Value::Real(0.5), text("é😀")]);
    let row = &setting.rows("SELECT big, whole FROM T WHERE raw IS NOT NULL")[0];
    let Value::Numeric(big) = &row[0] else { panic!("{row:?}") };
    assert_eq!(big.trim_end_matches('0'), digits);
    assert_eq!(row[1], Value::Integer(-9_007_199_254_740_993));
    let row = &setting.rows("SELECT plain, doc FROM T WHERE raw IS NOT NULL")[0];
    let tree = |value: &Value| -> serde_json::Value {
        serde_json::from_str(value.as_text().expect("a document")).expect("JSON")
    };
    assert_eq!(tree(&row[0]), json!({ "n": "12345678901234567890", "s": ["x", "y"] }));
    assert_eq!(tree(&row[1])["ns"]["NS"][1], json!(format!("1{}", "0".repeat(125))));
    assert_eq!(tree(&row[1])["nothing"], json!({ "NULL": true }));
    assert_eq!(setting.rows("SELECT count(*) FROM T")[0][0].as_integer(), Some(4));
    // Too long for its column, and good again.
    setting.put(json!({ "id": { "S": "a" }, "name": { "S": "too long" } }));
    setting.put(json!({ "id": { "S": "b" }, "name": { "S": "fine" } }));
    setting.settle();
    assert_eq!(setting.rows("SELECT id FROM T WHERE name IS NOT NULL"), [[text("b")]]);
    setting.put(json!({ "id": { "S": "a" }, "name": { "S": "short" } }));
    setting.settle();
    assert!(setting.good(&["quarantine"]).is_empty());
    what_only_the_database_refuses(setting);
}

/// A constraint that no mapping knows: the row goes to quarantine, its batch does not, and it is tried again.
fn what_only_the_database_refuses(setting: &mut Setting) {
    let mut connection = Connection::open(&setting.settings).expect("the target");
    connection.batch("ALTER TABLE T ADD CONSTRAINT positive CHECK (half > 0)").expect("a constraint");
    for (id, half) in [("good", "1"), ("bad", "-1"), ("also", "2")] {
        setting.put(json!({ "id": { "S": id }, "half": { "N": half } }));
    }
    setting.good(&["--once"]);
    let told = setting.good(&["quarantine"]);
    assert!(told.lines().count() == 1 && told.contains("positive"), "{told}");
    assert!(setting.good(&["retry"]).contains("0 written, 1 left"));
    connection.batch("ALTER TABLE T DROP CONSTRAINT positive").expect("no constraint");
    assert!(setting.good(&["retry"]).contains("1 written, 0 left"));
    setting.good(&["verify"]);
}

#[test]
fn postgres_holds_every_type() {
    let server = testkit::postgres();
    // Its names fold to small letters unless quoted.
    let mut setting = setting(&server, "types", &[]);
    setting.table = "t".to_owned();
    every_type(&mut setting);
    // No text of it holds a NUL.
    setting.put(json!({ "id": { "S": "nul" }, "name": { "S": "\0" } }));
    setting.settle();
    assert!(setting.good(&["quarantine"]).contains("hold no NUL"));
    // Nor a key, and nobody is stopped by one.
    setting.put(json!({ "id": { "S": "k\0" } }));
    setting.put(json!({ "id": { "S": "k" } }));
    setting.settle();
    assert_eq!(setting.good(&["quarantine"]).lines().count(), 2);
    setting.put(json!({ "id": { "S": "k\0" }, "name": { "S": "again" } }));
    setting.delete("nul");
    setting.settle();
    setting.delete("k\0");
    setting.settle();
    assert!(setting.good(&["quarantine"]).is_empty());
    assert_eq!(setting.rows("SELECT id FROM t WHERE id LIKE 'k%'"), [[text("k")]]);
}

#[test]
fn mariadb_holds_every_type() {
    let server = testkit::mariadb();
    let mut setting = setting(&server, "types", &[]);
    every_type(&mut setting);
    // More than it has digits for.
    setting.put(json!({ "id": { "S": "wide" }, "big": { "N": "1E100" } }));
    setting.settle();
    assert!(setting.good(&["quarantine"]).contains("more digits than decimal(65,30)"));
}

const MOVING: &str = "key = [\"city\", \"id\"]\nlanes = 3\n[pipeline.columns]\nid = {}\ncity = {}\nn = { type = \"numeric\" }\n";

#[test]
fn postgres_loses_and_repeats_nothing() {
    let server = testkit::postgres();
    let mut setting = setting(&server, "chaos", &[]);
    setting.table = "t".to_owned();
    chaos(&setting, MOVING);
}

#[test]
fn mariadb_loses_and_repeats_nothing() {
    let server = testkit::mariadb();
    chaos(&setting(&server, "chaos", &[]), MOVING);
}

#[test]
fn marks_in_databases_go_with_their_shards() {
    let (postgres, mariadb) = (testkit::postgres(), testkit::mariadb());
    marks_go_with_their_shards(&mut setting(&postgres, "marks", &FORGETFUL));
    marks_go_with_their_shards(&mut setting(&mariadb, "marks", &FORGETFUL));
}

/// They write down where they are in the same tables.
#[test]
fn pipelines_of_one_database_begin_at_the_same_moment() {
    let server = testkit::mariadb();
    let mut setting = setting(&server, "many", &[]);
    setting.put(json!({ "id": { "S": "a" } }));
    let others: String = (0..12)
        .map(|at| format!("[[pipeline]]\nname = \"p{at}\"\nfrom = \"s\"\nto = \"t\"\ntable = \"T{at}\"\n"))
        .collect();
    setting.file(&others);
    for _ in 0..3 {
        setting.settle();
        for at in 0..12 {
            setting.good(&["resync", &format!("p{at}")]);
        }
    }
    setting.settle();
}

/// A database that goes away under a runner costs nothing but time.
#[test]
fn a_restarted_database_is_found_again() {
    let mut server = testkit::postgres();
    let mut setting = setting(&server, "away", &[]);
    setting.file("[pipeline.columns]\nid = {}\n");
    setting.put(json!({ "id": { "S": "a" } }));
    setting.good(&["--once"]);
    let mut runner = setting.spawn();
    setting.put(json!({ "id": { "S": "b" } }));
    while setting.rows("SELECT id FROM \"T\"").len() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    server.kill();
    server.restart();
    setting.put(json!({ "id": { "S": "c" } }));
    while setting.rows("SELECT id FROM \"T\"").len() < 3 {
        assert!(runner.try_wait().expect("its state").is_none(), "the runner has ended");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    runner.kill().expect("killed");
    runner.wait().expect("its end");
    setting.settle();
}

/// A database that stands still says nothing to anybody: the runner says so, and goes on with another connection.
fn a_frozen_database_is_found_again(server: &TestDatabase, kind: &str) {
    let mut setting = setting(server, "frozen", &[]);
    setting.table = "t".to_owned();
    setting.file("patience_seconds = 1\nlanes = 1\n[pipeline.columns]\nid = {}\n");
    setting.put(json!({ "id": { "S": "a" } }));
    let mut runner = setting.command(&[]).spawn().expect("a runner");
    let mut told = BufReader::new(runner.stderr.take().expect("its words"));
    // The lane has its connection once it has written.
    until(&mut told, "consistent");
    server.freeze();
    setting.put(json!({ "id": { "S": "b" } }));
    let silent = format!("target: {kind}");
    assert!(until(&mut told, "; trying again").contains(&silent));
    server.thaw();
    until(&mut told, "the target answers again");
    // Told to stop meanwhile, it does not wait for what does not come.
    server.freeze();
    setting.put(json!({ "id": { "S": "c" } }));
    until(&mut told, "; trying again");
    terminate(&runner);
    let mut rest = String::new();
    told.read_to_string(&mut rest).expect("its words");
    assert!(rest.ends_with("p: stopped; it goes on from here\n"), "{rest}");
    assert!(runner.wait().expect("its end").success());
    server.thaw();
    setting.settle();
    assert_eq!(setting.rows("SELECT id FROM t ORDER BY id"), [[text("a")], [text("b")], [text("c")]]);
}

#[test]
fn a_frozen_postgres_is_found_again() {
    a_frozen_database_is_found_again(&testkit::postgres(), "PostgreSQL has not answered for");
}

#[test]
fn a_frozen_mariadb_is_found_again() {
    a_frozen_database_is_found_again(&testkit::mariadb(), "MySQL did not answer in time");
}
