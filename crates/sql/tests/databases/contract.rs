//! What holds for every database: run by each with its own connections.

use sql::{Column, ColumnKind, Connection, Dialect, Kind, NewTable, OnConflict, Upsert, Value};

type Open<'a> = &'a mut dyn FnMut() -> Connection;

pub fn check(open: Open<'_>) {
    values_come_back(open);
    rows_are_the_same_however_they_come(open);
    rows_are_replaced_or_kept(open);
    keys_are_compared_byte_by_byte(open);
    a_transaction_is_all_or_nothing(open);
    what_travels_with_begin_and_commit_is_part_of_it(open);
    errors_say_what_to_do(open);
    tables_are_described(open);
    work_under_one_name_is_done_by_one(open);
}

pub fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub fn table(name: &str, columns: &[(&str, ColumnKind)], key: &[&str]) -> NewTable {
    let columns = columns.iter().map(|(name, kind)| Column::new(name, *kind)).collect();
    NewTable { name: name.to_owned(), columns, key: names(key) }
}

pub fn all(database: &mut Connection, table: &str, order: &str) -> Vec<Vec<Value>> {
    let dialect = database.dialect();
    let sql = format!("SELECT * FROM {} ORDER BY {}", dialect.quoted(table), dialect.quoted(order));
    database.query(&sql, &[]).unwrap().rows
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn numeric(text: &str) -> Value {
    Value::Numeric(text.to_owned())
}

fn put(
    database: &mut Connection,
    table: &str,
    columns: &[&str],
    key: &[&str],
    rows: &[Vec<Value>],
) -> Result<u64, sql::Error> {
    let (columns, key) = (names(columns), names(key));
    database.upsert(&Upsert { table, columns: &columns, key: &key, rows, on_conflict: OnConflict::Replace })
}

fn values_come_back(open: Open<'_>) {
    let mut database = open();
    let columns = [
        ("id", ColumnKind::Bigint),
        ("words", ColumnKind::Text),
        ("short", ColumnKind::Varchar(20)),
        ("amount", ColumnKind::Numeric),
        ("ratio", ColumnKind::Double),
        ("raw", ColumnKind::Bytes),
        ("yes", ColumnKind::Boolean),
        ("tree", ColumnKind::Json),
        ("at", ColumnKind::Timestamp),
    ];
    let mut created = table("every kind", &columns, &["id"]);
    created.columns[2].default = Some(database.dialect().literal("it's \\ NA"));
    database.create_table(&created).unwrap();
    database.create_table(&created).unwrap();
    let row = vec![
        Value::Integer(i64::MIN),
        text("naïve ☂ 𝄞 \" ' \\ \n {,}"),
        text("\\N"),
        numeric("-12345678901234567890.123456789012345678"),
        Value::Real(0.1),
        Value::Bytes(vec![0, 255, b'\'', b'\\']),
        Value::Boolean(true),
        Value::Json("{\"a\": [1, null, \"☂\"]}".to_owned()),
        text("2026-05-04 03:02:01.123456"),
    ];
    let empty: Vec<Value> = (0..9).map(|at| if at == 0 { Value::Integer(7) } else { Value::Null }).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    put(&mut database, "every kind", &names, &["id"], &[row.clone(), empty.clone()]).unwrap();
    let mut found = all(&mut database, "every kind", "id");
    assert_eq!(found[1], empty);
    // Each database has its own spelling of a number of its scale, of JSON's spaces and of a time's zone.
    let amount = found[0][3].as_text().unwrap().trim_end_matches('0').to_owned();
    found[0][3] = numeric(&amount);
    // MariaDB's JSON is text with a check.
    let is_json = matches!(found[0][7], Value::Json(_)) || database.dialect() == Dialect::Mysql;
    assert!(is_json, "JSON comes back as such: {:?}", found[0][7]);
    assert_eq!(found[0][7].as_text().unwrap().replace(' ', ""), "{\"a\":[1,null,\"☂\"]}");
    found[0][7] = row[7].clone();
    assert!(found[0][8].as_text().unwrap().starts_with("2026-05-04 03:02:01.123456"), "{:?}", found[0][8]);
    found[0][8] = row[8].clone();
    assert_eq!(found[0], row);

    // The same, one statement at a time, and the default.
    let dialect = database.dialect();
    let insert = format!(
        "INSERT INTO {} (id, words) VALUES ({}, {})",
        dialect.quoted("every kind"),
        dialect.parameter(1),
        dialect.parameter(2)
    );
    let done = database.execute(&insert, &[Value::Integer(9), text("x")]).unwrap();
    assert_eq!(done.rows, 1);
    assert_eq!(all(&mut database, "every kind", "id")[2][2], text("it's \\ NA"));
}

/// New rows, rows over others and rows alone go different ways to some databases.
fn rows_are_the_same_however_they_come(open: Open<'_>) {
    let mut database = open();
    let columns = [
        ("id", ColumnKind::Numeric),
        ("words", ColumnKind::Text),
        ("short", ColumnKind::Varchar(20)),
        ("whole", ColumnKind::Bigint),
        ("ratio", ColumnKind::Double),
        ("raw", ColumnKind::Bytes),
        ("yes", ColumnKind::Boolean),
        ("tree", ColumnKind::Json),
    ];
    let row = |at: usize| -> Vec<Value> {
        let values = [
            numeric(&at.to_string()),
            text(&format!("naïve ☂ {at}\\N\n")),
            text("short"),
            Value::Integer(at as i64 - 20),
            Value::Real(at as f64 / 8.0),
            Value::Bytes(vec![0, 255, at as u8]),
            Value::Boolean(at.is_multiple_of(2)),
            Value::Json(format!("[{at}]")),
        ];
        // Nulls in every column but the key, the first rows' among them.
        let null = |(column, value): (usize, Value)| {
            if column > 0 && (at + column).is_multiple_of(3) { Value::Null } else { value }
        };
        values.into_iter().enumerate().map(null).collect()
    };
    let rows: Vec<Vec<Value>> = (0..90).map(row).collect();
    let (named, key) = (columns.map(|(name, _)| name.to_owned()), names(&["id"]));
    let mut found = Vec::new();
    for (name, on_conflict, most) in [
        ("came fresh", OnConflict::Refuse, 90),
        ("came kept", OnConflict::Keep, 90),
        ("came over", OnConflict::Replace, 90),
        ("came alone", OnConflict::Replace, 1),
    ] {
        database.create_table(&table(name, &columns, &["id"])).unwrap();
        for rows in rows.chunks(most) {
            let upsert = Upsert { table: name, columns: &named, key: &key, rows, on_conflict };
            assert_eq!(database.upsert(&upsert).unwrap(), rows.len() as u64, "{name}");
        }
        found.push(all(&mut database, name, "id"));
    }
    assert_eq!(found[0].len(), 90);
    assert!(found.iter().all(|rows| *rows == found[0]));
    // What does not fit is told alike, too.
    let long = text(&"x".repeat(21));
    let wrong = |at: usize| {
        [vec![numeric(&(at + 1000).to_string()), Value::Null, long.clone()], vec![Value::Null; 5]]
    };
    let rows: Vec<Vec<Value>> = (0..90).map(|at| wrong(at).concat()).collect();
    for on_conflict in [OnConflict::Refuse, OnConflict::Replace] {
        let upsert = Upsert { table: "came fresh", columns: &named, key: &key, rows: &rows, on_conflict };
        assert_eq!(database.upsert(&upsert).unwrap_err().kind, Kind::Data);
    }
    assert_eq!(all(&mut database, "came fresh", "id").len(), 90);
}

fn rows_are_replaced_or_kept(open: Open<'_>) {
    let mut database = open();
    let made = table(
        "people",
        &[("place", ColumnKind::Text), ("id", ColumnKind::Numeric), ("name", ColumnKind::Varchar(9))],
        &["place", "id"],
    );
    database.create_table(&made).unwrap();
    let (columns, key) = (["place", "id", "name"], ["place", "id"]);
    // More rows than any size class, so that every way of cutting is walked.
    let rows: Vec<Vec<Value>> =
        (0..2357).map(|at| vec![text("Ulm"), numeric(&at.to_string()), text("old")]).collect();
    put(&mut database, "people", &columns, &key, &rows).unwrap();
    put(&mut database, "people", &columns, &key, &[vec![text("Ulm"), numeric("3"), Value::Null]]).unwrap();
    let (columns, key) = (names(&columns), names(&key));
    let rows = [vec![text("Ulm"), numeric("4"), text("new")], vec![text("Bern"), numeric("4"), text("new")]];
    let keep =
        Upsert { table: "people", columns: &columns, key: &key, rows: &rows, on_conflict: OnConflict::Keep };
    database.upsert(&keep).unwrap();
    let found = all(&mut database, "people", "id");
    assert_eq!(found.len(), 2358);
    let name = |place: &str, id: i64| {
        found.iter().find(|row| row[0] == text(place) && number(&row[1]) == id).unwrap()[2].clone()
    };
    assert_eq!((name("Ulm", 3), name("Ulm", 4), name("Bern", 4)), (Value::Null, text("old"), text("new")));

    let keys: Vec<Vec<Value>> = (5..2357).map(|at| vec![text("Ulm"), numeric(&at.to_string())]).collect();
    assert_eq!(database.delete("people", &key, &keys).unwrap(), 2352);
    assert_eq!(database.delete("people", &key, &keys).unwrap(), 0);
    assert_eq!(all(&mut database, "people", "id").len(), 6);
    let fresh = |rows: &[Vec<Value>], database: &mut Connection| {
        let on_conflict = OnConflict::Refuse;
        database.upsert(&Upsert { table: "people", columns: &columns, key: &key, rows, on_conflict })
    };
    let mut rows: Vec<Vec<Value>> =
        (100..1457).map(|at| vec![text("Ulm"), numeric(&at.to_string()), text("new")]).collect();
    rows.push(vec![text("Ulm"), numeric("3"), text("new")]);
    assert_eq!(fresh(&rows, &mut database).unwrap_err().kind, Kind::Constraint);
    assert_eq!(all(&mut database, "people", "id").len(), 6, "all of them or none");
    rows.pop();
    assert_eq!(fresh(&rows, &mut database).unwrap(), 1357);
    // Only keys: nothing is left to replace.
    put(&mut database, "people", &["place", "id"], &["place", "id"], &[vec![text("Ulm"), numeric("3")]])
        .unwrap();
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Numeric(text) => text.split('.').next().unwrap().parse().unwrap(),
        other => other.as_integer().unwrap(),
    }
}

fn keys_are_compared_byte_by_byte(open: Open<'_>) {
    let mut database = open();
    database
        .create_table(&table("cases", &[("k", ColumnKind::Text), ("v", ColumnKind::Text)], &["k"]))
        .unwrap();
    let keys = ["a", "A", "a ", "ä", "a\u{308}", ""];
    let rows: Vec<Vec<Value>> = keys.iter().map(|key| vec![text(key), text(key)]).collect();
    put(&mut database, "cases", &["k", "v"], &["k"], &rows).unwrap();
    assert_eq!(all(&mut database, "cases", "k").len(), keys.len());
    assert_eq!(database.delete("cases", &names(&["k"]), &[vec![text("A")]]).unwrap(), 1);
}

fn a_transaction_is_all_or_nothing(open: Open<'_>) {
    let mut database = open();
    database
        .create_table(&table("sums", &[("k", ColumnKind::Text), ("n", ColumnKind::Bigint)], &["k"]))
        .unwrap();
    let row = |key: &str| vec![vec![text(key), Value::Integer(1)]];
    let undone: Result<(), sql::Error> = database.transaction(|database| {
        put(database, "sums", &["k", "n"], &["k"], &row("undone"))?;
        Err(sql::Error::new(Kind::Other, "no"))
    });
    assert_eq!(undone.unwrap_err().message, "no");
    database.transaction(|database| put(database, "sums", &["k", "n"], &["k"], &row("done"))).unwrap();
    database.begin().unwrap();
    put(&mut database, "sums", &["k", "n"], &["k"], &row("rolled back")).unwrap();
    database.rollback().unwrap();
    assert_eq!(all(&mut open(), "sums", "k"), row("done"));
}

/// Texts that are written into the statement, and those that are not.
fn what_travels_with_begin_and_commit_is_part_of_it(open: Open<'_>) {
    let (mut database, mut other) = (open(), open());
    database.for_many_writers().unwrap();
    let columns = [("id", ColumnKind::Text), ("n", ColumnKind::Bigint), ("m", ColumnKind::Text)];
    database.create_table(&table("travels", &columns, &["id"])).unwrap();
    let (all_columns, key) = (names(&["id", "n", "m"]), names(&["id"]));
    for id in ["plain", "it's \\ other"] {
        put(&mut database, "travels", &["id", "n"], &["id"], &[vec![text(id), Value::Integer(1)]]).unwrap();
        let dialect = database.dialect();
        let sql = format!("UPDATE travels SET n = n + 1 WHERE id = {}", dialect.parameter(1));
        assert_eq!(database.begin_with(&sql, &[text("nobody")]).unwrap(), 0);
        database.rollback().unwrap();
        for end in [false, true] {
            assert_eq!(database.begin_with(&sql, &[text(id)]).unwrap(), 1);
            let rows =
                [vec![text(id), Value::Integer(7), Value::Null], vec![text("more"), 8.into(), text(id)]];
            let on_conflict = OnConflict::Replace;
            let upsert =
                Upsert { table: "travels", columns: &all_columns, key: &key, rows: &rows, on_conflict };
            match end {
                true => database.commit_with(&upsert).unwrap(),
                false => {
                    // What fails at the end has done nothing, and the connection is good for more.
                    let lost = Upsert { table: "nowhere", ..upsert };
                    assert_eq!(database.commit_with(&lost).unwrap_err().kind, Kind::Missing);
                    database.rollback().unwrap();
                }
            }
            let sql = format!("SELECT n FROM travels WHERE id = {}", dialect.parameter(1));
            let found = other.query(&sql, &[text(id)]).unwrap().rows;
            assert_eq!(number(&found[0][0]), if end { 7 } else { 1 });
        }
        let found = other.query("SELECT m FROM travels WHERE id = 'more'", &[]).unwrap().rows;
        assert_eq!(found, [[text(id)]]);
    }
}

fn errors_say_what_to_do(open: Open<'_>) {
    let mut database = open();
    let mut made = table(
        "rules",
        &[("k", ColumnKind::Text), ("short", ColumnKind::Varchar(3)), ("n", ColumnKind::Bigint)],
        &["k"],
    );
    made.columns[2].nullable = false;
    database.create_table(&made).unwrap();
    let columns = ["k", "short", "n"];
    let mut check = |row: Vec<Value>, expected: Kind| {
        let error = put(&mut database, "rules", &columns, &["k"], &[row]).unwrap_err();
        assert_eq!(error.kind, expected, "{error:?}");
        assert!(error.code.is_some() || expected == Kind::Data, "{error:?}");
    };
    check(vec![text("a"), text("four"), Value::Integer(1)], Kind::Data);
    check(vec![text("a"), text("for"), Value::Null], Kind::Constraint);
    let mut kind = |sql: &str| database.execute(sql, &[]).unwrap_err().kind;
    assert_eq!(kind("SELECT * FROM nowhere"), Kind::Missing);
    assert_eq!(kind("SELECT absent FROM rules"), Kind::Missing);
    assert_eq!(kind("SELEKT 1"), Kind::Syntax);
    // The connection has survived it all.
    put(&mut database, "rules", &columns, &["k"], &[vec![text("a"), text("for"), Value::Integer(1)]])
        .unwrap();
    let twice = format!("INSERT INTO rules (k, n) VALUES ({}, 1)", database.dialect().parameter(1));
    assert_eq!(database.execute(&twice, &[text("a")]).unwrap_err().kind, Kind::Constraint);
}

fn tables_are_described(open: Open<'_>) {
    let mut database = open();
    assert_eq!(database.table("never made").unwrap(), None);
    let made = table(
        "shape",
        &[("z", ColumnKind::Text), ("b", ColumnKind::Numeric), ("a", ColumnKind::Text)],
        &["z", "a"],
    );
    database.create_table(&made).unwrap();
    database.add_column("shape", &Column::new("Later One", ColumnKind::Varchar(8))).unwrap();
    let shape = database.table("shape").unwrap().unwrap();
    let columns: Vec<(&str, bool)> =
        shape.columns.iter().map(|column| (column.name.as_str(), column.nullable)).collect();
    assert_eq!(columns, [("z", false), ("b", true), ("a", false), ("Later One", true)]);
    assert_eq!(shape.key, ["z", "a"]);
    let expected = match database.dialect() {
        Dialect::Postgres => "character varying(8)",
        _ => "varchar(8)",
    };
    assert_eq!(shape.column("Later One").unwrap().type_name, expected);
    // A write after a column was added knows it.
    put(
        &mut database,
        "shape",
        &["z", "a", "Later One"],
        &["z", "a"],
        &[vec![text("1"), text("2"), text("3")]],
    )
    .unwrap();
}

fn work_under_one_name_is_done_by_one(open: Open<'_>) {
    let mut database = open();
    database
        .locked("schema", |database| {
            database.create_table(&table("made once", &[("k", ColumnKind::Bigint)], &["k"]))
        })
        .unwrap();
    let failed: Result<(), sql::Error> =
        database.locked("schema", |_| Err(sql::Error::new(Kind::Other, "no")));
    assert_eq!(failed.unwrap_err().message, "no");
    // It is free again.
    open().locked("schema", |_| Ok::<_, sql::Error>(())).unwrap();
    assert!(database.table("made once").unwrap().is_some());
    assert!(database.is_open());
}
