//! `millstream export` and `import`: tables to files and back.

use crate::copies::{millstream, path};
use crate::support::{create_table, start};
use serde_json::{Value, json};
use testkit::{Client, TempDir};

fn scan(client: &mut Client, table: &str) -> Vec<Value> {
    let found = client.dynamodb("Scan", &json!({ "TableName": table })).expect("an answer").json();
    let mut items = found["Items"].as_array().expect("items").clone();
    items.sort_by_key(Value::to_string);
    items
}

#[test]
fn a_table_goes_out_to_files_and_comes_back() {
    let dir = TempDir::new("moves");
    let node = start(&dir);
    let mut client = node.client();
    create_table(&mut client, "Tab");
    create_table(&mut client, "Twin");
    for number in 0..60 {
        let item = json!({
            "id": { "S": format!("i{number}") },
            "n": { "N": number.to_string() },
            "bytes": { "B": "AP8=" },
            "deep": { "M": { "list": { "L": [{ "BOOL": true }, { "NULL": true }, { "SS": ["ä", "\n"] }] } } },
        });
        let answer =
            client.dynamodb("PutItem", &json!({ "TableName": "Tab", "Item": item })).expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let out = TempDir::new("moves-out");
    let (url, to) = (node.url(), out.path().join("export"));
    let (done, said) = millstream(&["export", "Tab", path(&to), "--endpoint", &url]);
    assert!(done && said.contains("60 items in 1 files"), "{said}");
    let import = |table: &str, from: &str, more: &[&str]| {
        millstream(&[&["import", table, from, "--endpoint", &url], more].concat())
    };
    let (done, said) = import("Twin", path(&to), &[]);
    assert!(done && said.contains("Twin: 60 items put"), "{said}");
    assert_eq!(scan(&mut client, "Twin"), scan(&mut client, "Tab"));

    // What is not as the manifest says is found before anything is put.
    let inside =
        std::fs::read_dir(to.join("AWSDynamoDB")).expect("a directory").next().expect("one").expect("one");
    let data = std::fs::read_dir(inside.path().join("data"))
        .expect("a directory")
        .next()
        .expect("one")
        .expect("one");
    let mut bytes = std::fs::read(data.path()).expect("a file");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(data.path(), &bytes).expect("written");
    create_table(&mut client, "Empty");
    let (done, said) = import("Empty", path(&to), &[]);
    assert!(!done && said.contains("not what its manifest says"), "{said}");
    assert_eq!(scan(&mut client, "Empty"), [] as [Value; 0]);
}

#[test]
fn rows_become_items() {
    let dir = TempDir::new("rows");
    let node = start(&dir);
    let mut client = node.client();
    create_table(&mut client, "Tab");
    let (url, file) = (node.url(), dir.path().join("rows.csv"));
    let import = |text: &str, more: &[&str]| {
        std::fs::write(&file, text).expect("written");
        millstream(&[&["import", "Tab", path(&file), "--endpoint", &url], more].concat())
    };
    // The last row of a key counts.
    let (done, said) = import("id;name\n1;\"a;b\"\n2;\n1;c\n", &["--csv-delimiter", ";"]);
    assert!(done, "{said}");
    let items = scan(&mut client, "Tab");
    assert_eq!(items, [json!({ "id": { "S": "1" }, "name": { "S": "c" } }), json!({ "id": { "S": "2" } })]);
    for (text, why) in [("name\nx\n", "without the key attribute id"), ("id\n\"x\n", "a quote is not closed")]
    {
        let (done, said) = import(text, &[]);
        assert!(!done && said.contains(why) && said.contains("rows.csv"), "{said}");
    }
    std::fs::write(dir.path().join("lines.json"), "{\"id\":{\"S\":\"3\"}}\nx\n").expect("written");
    let lines = dir.path().join("lines.json");
    let (done, said) = millstream(&["import", "Tab", path(&lines), "--endpoint", &url]);
    assert!(!done && said.contains("line 2 is no JSON"), "{said}");
}
