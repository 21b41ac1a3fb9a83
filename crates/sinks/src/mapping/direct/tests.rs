//! A row that was made at once is the row that is made of the item, and what makes no row is left to the item.

use super::Direct;
use crate::config::{Config, Endpoint};
use crate::mapping::{From, KeySchema, Made, Makes, Mapping, SheetRow, derive, file_columns, lane_hash};
use crate::source::{RecordRows, RecordsPage, ScanPage, ScanRows};
use model::View;
use model::key::KeyType;
use serde_json::{Value as Json, json};
use sql::{Cells, Dialect, Value};
use world::{Random, World};

const COLUMNS: &str = "id = {}\nbig = { type = \"numeric\" }\nwhole = { type = \"bigint\" }\nhalf = { type = \"double\" }\nyes = { type = \"boolean\" }\nname = { type = \"varchar(3)\" }\nraw = { type = \"bytes\" }\nplain = { from = \"m\", type = \"json\" }\nagain = { from = \"m\", type = \"typed_json\" }\ncity = { from = \"m.city\", default = \"none\" }\nkind = { constant = \"k\" }\ntext = { default = \"empty\" }\n";

fn mapping(pipeline: &str) -> (Mapping, KeySchema) {
    let text = format!(
        "[source.s]\ntable = \"T\"\nendpoint = \"http://127.0.0.1:1\"\n[target.t]\nsqlite = \"x.db\"\n[[pipeline]]\nname = \"p\"\nfrom = \"s\"\nto = \"t\"\n{pipeline}"
    );
    let config = Config::parse(&text, &Endpoint::default(), &World::simulated(1)).expect("a configuration");
    let pipeline = &config.pipeline[0];
    let schema = KeySchema { attributes: vec![("id".to_owned(), KeyType::S)] };
    let columns = file_columns(pipeline, Makes::Rows).expect("columns").expect("columns");
    (Mapping::compile(pipeline, "T", &schema, Makes::Rows, columns).expect("a mapping"), schema)
}

/// The mapping that nobody wrote is not read the long way.
#[test]
fn a_derived_mapping_is_direct() {
    let rest = "rest = { column = \"attributes\", form = \"typed\" }\n[pipeline.columns]\nid = {}\nn = { type = \"numeric\" }\nyes = { type = \"boolean\" }\nraw = { type = \"bytes\" }\n";
    let (written, schema) = mapping(rest);
    let page =
        br#"{"Items":[{"id":{"S":"a"},"n":{"N":"1"},"yes":{"BOOL":true},"raw":{"B":"AA=="},"l":{"L":[]}}]}"#;
    let sample = ScanPage::read(page).expect("a page").items;
    let mut derived = derive::columns(&schema, &[], &sample, Dialect::Sqlite, &[]);
    derived.sort_by(|one, two| one.name.cmp(&two.name));
    let mut columns = written.columns.clone();
    columns.retain(|column| !matches!(column.from, From::Rest(_)));
    columns.sort_by(|one, two| one.name.cmp(&two.name));
    assert_eq!(derived, columns, "a derived mapping is one that could be written");
    for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
        assert!(Direct::of(&written, &schema, dialect).is_some(), "{dialect:?}");
    }
}

fn value(random: &mut Random) -> Json {
    let numbers = ["0", "-0", "7", "007", "-12", "1.50", "1E3", "9223372036854775808", "-1E-100"];
    match random.below(9) {
        0 => json!({ "S": "" }),
        1 => json!({ "S": "é😀" }),
        2 => json!({ "S": "a\"b\\\n\0longer" }),
        3 | 4 => json!({ "N": one(&numbers, random) }),
        5 => json!({ "BOOL": random.below(2) == 0 }),
        6 => json!({ "NULL": true }),
        7 => json!({ "B": "AAH/" }),
        _ => json!({ "M": { "city": { "S": "Bath" }, "l": { "L": [{ "NS": ["1", "2"] }] } } }),
    }
}

fn one<'a>(of: &[&'a str], random: &mut Random) -> &'a str {
    of[random.below(of.len() as u64) as usize]
}

/// Mostly what its column holds.
fn fitting(name: &str, random: &mut Random) -> Json {
    if random.below(15) == 0 {
        return value(random);
    }
    match name {
        "big" => json!({ "N": one(&["12.50", "-3", "0", "1E20"], random) }),
        "whole" => json!({ "N": one(&["12", "-3", "0", "1E3"], random) }),
        "half" => json!({ "N": one(&["0.5", "-3", "1E-7"], random) }),
        "yes" => json!({ "BOOL": random.below(2) == 0 }),
        "name" => json!({ "S": one(&["é😀", "abc", ""], random) }),
        "raw" => json!({ "B": "AAH/" }),
        "text" => json!({ "S": "a\"b\\\n \u{1F600}" }),
        _ => value(random),
    }
}

fn item(random: &mut Random) -> Json {
    let mut item = json!({ "id": { "S": format!("i{}", random.below(100)) } });
    for name in ["big", "whole", "half", "yes", "name", "raw", "m", "text", "other", "secret", "a", "zz"] {
        if random.below(3) > 0 {
            item[name] = fitting(name, random);
        }
    }
    item
}

fn values(row: &SheetRow) -> Vec<Value> {
    (0..row.width()).map(|at| row.cell(at).to_value()).collect()
}

/// Pages are read again and again into the same memory.
#[test]
fn rows_are_those_that_items_make() {
    let (mut direct_rows, mut left) = (0, 0);
    let rests = [
        "",
        "rest = { column = \"doc\" }\ndrop = [\"secret\"]\n",
        "rest = { column = \"doc\", form = \"plain\" }\ndeletes = \"soft\"\n",
    ];
    let mut random = Random::from_seed(5);
    for rest in rests {
        let (mapping, schema) = mapping(&format!("{rest}[pipeline.columns]\n{COLUMNS}"));
        for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
            let direct = Direct::of(&mapping, &schema, dialect).expect("a simple mapping");
            for at in 0..400 {
                let item = item(&mut random);
                let scan = json!({ "Count": 1, "Items": [item], "LastEvaluatedKey": { "id": { "S": "x" } } })
                    .to_string();
                let key = json!({ "id": item["id"] });
                let change = json!({ "ApproximateCreationDateTime": 5.5, "Keys": key, "NewImage": item,
                    "OldImage": { "id": { "S": "old" } }, "SequenceNumber": at.to_string() });
                let record = json!({ "eventName": "MODIFY", "dynamodb": change });
                let records = json!({ "Records": [record], "NextShardIterator": "n" }).to_string();
                let page = ScanPage::read(scan.as_bytes()).expect("a page");
                let made = mapping.row(&page.items[0], dialect);
                let rows = ScanRows::read(scan.clone().into_bytes(), &direct);
                let changes = RecordRows::read(records.clone().into_bytes(), &direct);
                let mut stored = Vec::new();
                page.items[0].encode(&mut stored);
                let mut draft = direct.draft("").expect("a draft");
                let is_own = draft.add_item(View::new(&stored).expect("an image")).is_some();
                let Ok(Made::Row(row)) = made else {
                    assert_eq!(rows.err().as_deref(), Some(scan.as_bytes()), "{item}");
                    assert_eq!(changes.err().as_deref(), Some(records.as_bytes()), "{item}");
                    assert!(!is_own, "{item}");
                    left += 1;
                    continue;
                };
                direct_rows += 1;
                let rows = rows.unwrap_or_else(|_| panic!("a row is made of {item}"));
                assert_eq!(values(&rows.rows[0]), row, "{item}");
                let keys = schema.key_of(&page.items[0]);
                let key = schema.bytes(&keys);
                let scanned = &rows.rows[0];
                assert_eq!((scanned.key(), scanned.hash()), (&*key, lane_hash(&key, true)));
                assert_eq!(rows.next, page.next);
                assert!(is_own, "a row is made of the image of {item}");
                let own = &direct.rows(draft.end(), String::new())[0];
                assert_eq!(
                    (values(own), own.key(), own.hash()),
                    (row.clone(), &*key, scanned.hash()),
                    "{item}"
                );
                let changes = changes.expect("a change");
                let told = RecordsPage::read_new(records.as_bytes()).expect("a page");
                let ((sequence, change), two) = (&changes.records[0], &told.records[0]);
                assert_eq!(values(change), row, "{item}");
                assert_eq!(
                    (change.key(), sequence, change.created_s()),
                    (&*schema.bytes(&two.keys), &two.sequence, two.created_s)
                );
                assert_eq!(changes.next, told.next);
            }
        }
    }
    assert!(direct_rows > 100 && left > 100, "{direct_rows} rows, {left} left to items");
}

/// Deletions have no row; who deleted is told; what is told again or out of order says nothing.
#[test]
fn records_are_those_that_are_read_as_items() {
    let (mapping, schema) = mapping(&format!("[pipeline.columns]\n{COLUMNS}"));
    let direct = Direct::of(&mapping, &schema, Dialect::Sqlite).expect("a simple mapping");
    let record = |number: u32, who: Json| json!({ "userIdentity": who, "dynamodb": { "Keys": { "id": { "S": "a" } }, "SequenceNumber": number.to_string() } });
    let ttl = json!({ "PrincipalId": "dynamodb.amazonaws.com", "Type": "Service" });
    let records = [
        record(1, Json::Null),
        record(3, ttl),
        record(2, Json::Null),
        record(3, Json::Null),
        record(10, json!({})),
    ];
    let page = json!({ "Records": records }).to_string();
    let (rows, items) = (
        RecordRows::read(page.clone().into_bytes(), &direct).expect("rows"),
        RecordsPage::read(page.as_bytes()).expect("items"),
    );
    let told: Vec<_> =
        rows.records.iter().map(|(at, row)| (at.to_string(), !row.is_deletion(), row.expired())).collect();
    let wanted = [("1", false, false), ("3", false, true), ("10", false, false)];
    assert_eq!(told, wanted.map(|(at, is_row, expired)| (at.to_owned(), is_row, expired)));
    let other: Vec<_> =
        items.records.iter().map(|one| (one.sequence.to_string(), one.new.is_some(), one.expired)).collect();
    assert_eq!(told, other);
    assert_eq!(rows.next, None);
}

/// What asks more of an item than its attributes sees items.
#[test]
fn other_mappings_see_items() {
    let of = |pipeline: &str| {
        let (mapping, schema) = mapping(pipeline);
        Direct::of(&mapping, &schema, Dialect::Sqlite).is_some()
    };
    assert!(of("[pipeline.columns]\nid = {}\n"));
    for pipeline in [
        "rest = \"columns\"\n[pipeline.columns]\nid = {}\n",
        "key = [\"city\", \"id\"]\n[pipeline.columns]\nid = {}\ncity = {}\n",
        "key = [\"city\"]\nconflicts = \"newest_wins\"\n[pipeline.columns]\ncity = {}\n",
        "filter = \"attribute_exists(a)\"\n[pipeline.columns]\nid = {}\n",
    ] {
        assert!(!of(pipeline), "{pipeline}");
    }
}

/// Of two parts, in whatever order they come and with whatever is made of them.
#[test]
fn keys_are_those_of_items() {
    let (_, mut schema) = mapping("[pipeline.columns]\nid = {}\n");
    schema.attributes = vec![("z".to_owned(), KeyType::N), ("a".to_owned(), KeyType::B)];
    let text = "[source.s]\ntable = \"T\"\nendpoint = \"http://127.0.0.1:1\"\n[target.t]\nsqlite = \"x.db\"\n[[pipeline]]\nname = \"p\"\nfrom = \"s\"\nto = \"t\"\n[pipeline.columns]\nz = { type = \"numeric\" }\na = { type = \"bytes\" }\nalso = { from = \"a\", type = \"typed_json\" }\n";
    let config = Config::parse(text, &Endpoint::default(), &World::simulated(1)).expect("a configuration");
    let columns = file_columns(&config.pipeline[0], Makes::Rows).expect("columns").expect("columns");
    let mapping =
        Mapping::compile(&config.pipeline[0], "T", &schema, Makes::Rows, columns).expect("a mapping");
    for by_keys in [true, false] {
        let direct = Direct::of(&mapping, &schema, Dialect::Sqlite).expect("a simple mapping");
        let direct = direct.dealing(by_keys);
        for item in [
            r#"{"z":{"N":"1.50"},"a":{"B":"AAH/"}}"#,
            r#"{"a":{"B":"AAH\/"},"x":{"L":[{"S":"}"}]},"z":{"N":"1E2"}}"#,
        ] {
            let scan = format!(r#"{{"Items":[{item}],"ScannedCount":1}}"#);
            let page = ScanPage::read(scan.as_bytes()).expect("a page");
            let rows = ScanRows::read(scan.into_bytes(), &direct).expect("rows").rows;
            let key = schema.bytes(&schema.key_of(&page.items[0]));
            assert_eq!((rows[0].key(), rows[0].hash()), (&*key, lane_hash(&key, by_keys)));
            let Ok(Made::Row(row)) = mapping.row(&page.items[0], Dialect::Sqlite) else { panic!("no row") };
            assert_eq!(values(&rows[0]), row);
        }
    }
}
