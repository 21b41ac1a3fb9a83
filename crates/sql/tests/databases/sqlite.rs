//! SQLite: the contract, and what is its own.

use crate::contract;
use sql::{Connection, Kind, Settings, Value};
use testkit::TempDir;

fn open(dir: &TempDir) -> Connection {
    Connection::open(&Settings::sqlite(dir.path().join("test.db"))).expect("a database")
}

#[test]
fn it_keeps_the_contract() {
    let dir = TempDir::new("sql");
    contract::check(&mut || open(&dir));
}

#[test]
fn a_second_writer_waits_and_is_told() {
    let dir = TempDir::new("sql");
    let mut settings = Settings::sqlite(dir.path().join("test.db"));
    settings.statement_timeout = Some(std::time::Duration::from_millis(20));
    let mut one = Connection::open(&settings).unwrap();
    let mut other = Connection::open(&settings).unwrap();
    one.begin().unwrap();
    assert_eq!(other.begin().unwrap_err().kind, Kind::Conflict);
    one.commit().unwrap();
    other.begin().unwrap();
    other.rollback().unwrap();
}

#[test]
fn a_reader_never_writes_nor_makes_a_file() {
    let dir = TempDir::new("sql");
    let url = format!("sqlite:{}?mode=ro", dir.path().join("test.db").display());
    let settings = Settings::parse(&url).unwrap();
    assert_eq!(Connection::open(&settings).err().map(|error| error.kind), Some(Kind::Unreachable));
    open(&dir).batch("CREATE TABLE t (a)").unwrap();
    let mut reader = Connection::open(&settings).unwrap();
    let refused = reader.execute("INSERT INTO t VALUES (?1)", &[Value::Integer(1)]);
    assert_eq!(refused.unwrap_err().kind, Kind::Refused);
}

#[test]
fn numbers_sort_as_numbers() {
    let dir = TempDir::new("sql");
    let mut database = open(&dir);
    database.batch("CREATE TABLE t (n NUMERIC BLOB)").unwrap();
    for number in ["10", "9", "-1", "0.5"] {
        database.execute("INSERT INTO t VALUES (?1)", &[Value::Numeric(number.to_owned())]).unwrap();
    }
    let sorted = database.query("SELECT n FROM t ORDER BY n", &[]).unwrap().rows;
    let sorted: Vec<&str> = sorted.iter().filter_map(|row| row[0].as_text()).collect();
    assert_eq!(sorted, ["-1", "0.5", "9", "10"]);
}
