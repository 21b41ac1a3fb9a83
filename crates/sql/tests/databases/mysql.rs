//! MariaDB or MySQL: the contract, and what is its own.

use crate::contract::{self, names};
use crate::servers::{self, open};
use sql::{ColumnKind, Connection, Kind, OnConflict, Settings, Upsert, Value};

#[test]
fn it_keeps_the_contract() {
    let mut server = testkit::mariadb();
    let mut admin = open(&server.url(""));
    admin.batch("CREATE DATABASE shop").unwrap();
    settings_of_others(&mut admin);
    contract::check(&mut || open(&server.url("shop")));
    servers::doors(&server, "shop");
    types_of_its_own(&mut open(&server.url("shop")));
    rows_of_its_own(&mut open(&server.url("shop")));
    limits(&server.url("shop"));
    servers::silences(&server, "shop");
    servers::deaths(&mut server, "shop");
}

#[test]
fn who_speaks_otherwise_is_told() {
    servers::strangers("mysql", &testkit::postgres(), "says nothing for 1 s");
}

/// Whatever somebody has set for all who come.
fn settings_of_others(admin: &mut Connection) {
    let version = admin.query("SELECT VERSION()", &[]).unwrap();
    let is_mariadb = version.rows[0][0].as_text().unwrap().contains("MariaDB");
    let more = if is_mariadb { ",EMPTY_STRING_IS_NULL" } else { "" };
    admin.batch(&format!("SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES{more}'")).unwrap();
    admin.batch("SET GLOBAL autocommit = 0").unwrap();
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn types_of_its_own(database: &mut Connection) {
    let sql = "CREATE TABLE kinds (id INT AUTO_INCREMENT PRIMARY KEY, b BOOLEAN, u BIGINT UNSIGNED, f FLOAT, \
               d DECIMAL(10,2), bits BIT(1), raw VARBINARY(9), e ENUM('x','y'), day DATE, t TIME, moment DATETIME)";
    database.batch(sql).unwrap();
    let insert = "INSERT INTO kinds (b, u, f, d, bits, raw, e, day, t, moment) VALUES \
                  (true, 18446744073709551615, 0.1, 1.50, 1, x'00ff', 'y', '2026-01-02', '-100:00:01', '2026-01-02 03:04:05')";
    let done = database.execute(insert, &[]).unwrap();
    assert_eq!((done.rows, done.last_insert_id), (1, Some(1)));
    let expected = [
        Value::Integer(1),
        Value::Boolean(true),
        Value::Numeric("18446744073709551615".to_owned()),
        Value::Real(0.1),
        Value::Numeric("1.50".to_owned()),
        Value::Boolean(true),
        Value::Bytes(vec![0, 255]),
        text("y"),
        text("2026-01-02"),
        text("-100:00:01"),
        text("2026-01-02 03:04:05"),
    ];
    let found = database.query("SELECT * FROM kinds WHERE id = ?", &[Value::Integer(1)]).unwrap();
    assert_eq!(found.rows, std::slice::from_ref(&expected));
    let types: Vec<&str> = found.columns.iter().map(|column| column.type_name.as_str()).collect();
    let expected_types = [
        "int",
        "tinyint(1)",
        "bigint unsigned",
        "float",
        "decimal",
        "bit",
        "varbinary",
        "enum",
        "date",
        "time",
        "datetime",
    ];
    assert_eq!(types, expected_types);
    // Two statements are not one.
    assert_eq!(database.execute("SELECT 1; SELECT 2", &[]).unwrap_err().kind, Kind::Syntax);
}

fn rows_of_its_own(database: &mut Connection) {
    let made = contract::table("exact", &[("id", ColumnKind::Numeric), ("v", ColumnKind::Bytes)], &["id"]);
    database.create_table(&made).unwrap();
    let columns = names(&["id", "v"]);
    let upsert = |rows: &[Vec<Value>], database: &mut Connection| {
        let on_conflict = OnConflict::Replace;
        database.upsert(&Upsert { table: "exact", columns: &columns, key: &columns[..1], rows, on_conflict })
    };
    // Digits that a float would lose make two keys.
    let keys = ["12345678901234567890123456789012345", "12345678901234567890123456789012346"];
    let row = |key: &str| vec![Value::Numeric(key.to_owned()), Value::Null];
    upsert(&[row(keys[0]), row(keys[1])], database).unwrap();
    assert_eq!(database.delete("exact", &columns[..1], &[row(keys[0])[..1].to_vec()]).unwrap(), 1);
    // What would be rounded is refused, and nothing of its batch is written.
    let error = upsert(&[row("1"), row("0.0000000000000000000000000000001")], database).unwrap_err();
    assert_eq!(error.kind, Kind::Data);
    // Larger than one packet, and all or nothing still.
    let large = |key: &str| vec![Value::Numeric(key.to_owned()), Value::Bytes(vec![7; 6 << 20])];
    upsert(&[large("1"), large("2"), large("3"), large("4")], database).unwrap();
    assert_eq!(database.query("SELECT count(*) FROM exact", &[]).unwrap().rows, [[Value::Integer(5)]]);
    let beyond = "1".repeat(40);
    assert_eq!(
        upsert(&[large("5"), large("6"), large("7"), row(&beyond)], database).unwrap_err().kind,
        Kind::Data
    );
    assert_eq!(database.query("SELECT count(*) FROM exact", &[]).unwrap().rows, [[Value::Integer(5)]]);
}

fn limits(url: &str) {
    let mut database = open(&format!("{url}?statement_timeout=0.05"));
    assert_eq!(database.query("SELECT SLEEP(3) FROM kinds", &[]).unwrap_err().kind, Kind::Timeout);
    // Some make themselves a certificate, in which nobody believes; without one nobody is talked to in the clear.
    let with = |mode: &str| Connection::open(&Settings::parse(&format!("{url}?sslmode={mode}")).unwrap());
    match with("require") {
        Ok(mut encrypted) => {
            let told = encrypted.query("SHOW STATUS LIKE 'Ssl_cipher'", &[]).unwrap();
            assert!(told.rows[0][1].as_text().is_some_and(|cipher| !cipher.is_empty()), "{told:?}");
        }
        Err(error) => assert_eq!(error.kind, Kind::Refused, "{error}"),
    }
    let error = with("verify-full").err().expect("a stranger");
    assert_eq!(error.kind, Kind::Refused, "{error}");
}
