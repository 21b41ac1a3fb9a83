//! PostgreSQL: the contract, and what is its own.

use crate::contract::{self, names};
use crate::servers::{self, open};
use sql::{ColumnKind, Connection, Kind, OnConflict, Settings, Upsert, Value};

#[test]
fn it_keeps_the_contract() {
    let mut server = testkit::postgres();
    let mut admin = open(&server.url("postgres"));
    admin.batch("CREATE DATABASE shop").unwrap();
    // Whatever somebody has set for all who come.
    for setting in ["standard_conforming_strings = off", "backslash_quote = off", "bytea_output = escape"] {
        admin.batch(&format!("ALTER DATABASE shop SET {setting}")).unwrap();
    }
    contract::check(&mut || open(&server.url("shop")));
    servers::doors(&server, "shop");
    types_of_its_own(&mut open(&server.url("shop")));
    errors_of_its_own(&mut open(&server.url("shop")));
    limits(&server.url("shop"));
    crate::tls::postgres_believes_whom_it_should(&server);
    servers::silences(&server, "shop");
    servers::deaths(&mut server, "shop");
}

#[test]
fn who_speaks_otherwise_is_told() {
    servers::strangers("postgres", &testkit::mariadb(), "a MySQL or MariaDB server answers");
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn types_of_its_own(database: &mut Connection) {
    let one = |database: &mut Connection, sql: &str, values: &[Value]| {
        database.query(sql, values).unwrap_or_else(|error| panic!("{sql}: {error}")).rows.remove(0).remove(0)
    };
    for (sql, expected) in [
        ("SELECT '2026-02-28'::date", text("2026-02-28")),
        ("SELECT '03:04:05.5'::time", text("03:04:05.5")),
        ("SELECT '2026-02-28 23:59:59-05'::timestamptz", text("2026-03-01 04:59:59+00")),
        ("SELECT '0044-03-15 BC'::date", text("0044-03-15 BC")),
        ("SELECT '1 year 2 days 03:00'::interval", text("1 year 2 days 03:00:00")),
        ("SELECT 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid", text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("SELECT '10.0.0.1/8'::inet", text("10.0.0.1/8")),
        ("SELECT '::1'::inet", text("::1")),
        ("SELECT 1.5::real", Value::Real(1.5)),
        ("SELECT 'NaN'::numeric", Value::Numeric("NaN".to_owned())),
        ("SELECT 0.00::numeric(4,2)", Value::Numeric("0.00".to_owned())),
        ("SELECT '{\"b\": 1}'::json", Value::Json("{\"b\": 1}".to_owned())),
        ("SELECT ARRAY['a', NULL, 'b,c']", Value::List(vec![text("a"), Value::Null, text("b,c")])),
        ("SELECT '{}'::int[]", Value::List(Vec::new())),
        (
            "SELECT '{{1,2},{3,4}}'::int8[]",
            Value::List(vec![Value::List(vec![1.into(), 2.into()]), Value::List(vec![3.into(), 4.into()])]),
        ),
    ] {
        assert_eq!(one(database, sql, &[]), expected, "{sql}");
    }
    // What is given takes the type that the statement wants.
    let list = Value::List(vec![text("a\"\\ {},"), Value::Null, text("null")]);
    assert_eq!(one(database, "SELECT $1::text[]", std::slice::from_ref(&list)), list);
    assert_eq!(one(database, "SELECT $1::int + 1", &[text("41")]), Value::Integer(42));
    assert_eq!(one(database, "SELECT $1::date", &[text("2026-01-02")]), text("2026-01-02"));
    assert_eq!(one(database, "SELECT $1::float8", &[Value::Real(f64::INFINITY)]), Value::Real(f64::INFINITY));
    let outcome = database.run("UPDATE people SET name = 'x' WHERE id < 3 RETURNING id", &[], 1000).unwrap();
    assert_eq!((outcome.rows.rows.len(), outcome.executed.rows), (3, 3));
}

fn errors_of_its_own(database: &mut Connection) {
    let wrong = database.query("SELECT * FROM\n nowhere", &[]).unwrap_err();
    assert_eq!((wrong.code.as_deref(), wrong.position), (Some("42P01"), Some(16)));
    let nul = database.query("SELECT $1::text", &[text("a\0b")]).unwrap_err();
    assert_eq!(nul.kind, Kind::Data, "{nul:?}");
    // A transaction in which something failed is never said to be committed.
    database.begin().unwrap();
    database.execute("INSERT INTO people VALUES ('Rom', 1, 'x')", &[]).unwrap();
    database.execute("SELECT 1/0", &[]).unwrap_err();
    assert!(database.commit().is_err());
    database.begin().unwrap();
    database.commit().unwrap();
    assert!(database.query("SELECT 1 FROM people WHERE place = 'Rom'", &[]).unwrap().rows.is_empty());
    // A table that somebody else changed is asked about again.
    let columns = names(&["k", "n"]);
    let rows = [vec![text("now"), Value::Integer(1)]];
    let upsert = Upsert {
        table: "sums",
        columns: &columns,
        key: &columns[..1],
        rows: &rows,
        on_conflict: OnConflict::Replace,
    };
    database.upsert(&upsert).unwrap();
    database.batch("ALTER TABLE sums ALTER n TYPE numeric(3)").unwrap();
    let long = [vec![text("now"), Value::Numeric("12345".to_owned())]];
    let mut tries = (0..2).map(|_| database.upsert(&Upsert { rows: &long, ..upsert }).unwrap_err().kind);
    assert!(tries.any(|kind| kind == Kind::Data));
    // A key that no index entry holds is the value's fault, not the server's.
    let mut world = 1_u64;
    let long: String = (0..9000)
        .map(|_| {
            world = world.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + ((world >> 33) % 26) as u8)
        })
        .collect();
    let rows = [vec![text(&long), Value::Integer(1)]];
    assert_eq!(database.upsert(&Upsert { rows: &rows, ..upsert }).unwrap_err().kind, Kind::Data);
    let more = database.run("SELECT repeat('x', 10000)", &[], 5000).unwrap_err();
    assert_eq!(more.kind, Kind::TooLarge);
}

fn limits(url: &str) {
    let mut database = open(&format!("{url}?statement_timeout=0.05"));
    assert_eq!(database.query("SELECT pg_sleep(30)", &[]).unwrap_err().kind, Kind::Timeout);
    database.batch("CREATE SCHEMA other").unwrap();
    let mut settings = Settings::parse(&format!("{url}?schema=other")).unwrap();
    let mut other = Connection::open(&settings).unwrap();
    assert_eq!(other.table("people").unwrap(), None);
    other.create_table(&contract::table("people", &[("k", ColumnKind::Bigint)], &["k"])).unwrap();
    assert_eq!(other.table("people").unwrap().unwrap().columns.len(), 1);
    // It was started without TLS, and is not talked to in the clear when that is not wanted.
    settings = Settings::parse(&format!("{url}?sslmode=require")).unwrap();
    assert_eq!(Connection::open(&settings).err().map(|error| error.kind), Some(Kind::Refused));
}
