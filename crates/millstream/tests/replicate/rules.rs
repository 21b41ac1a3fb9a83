//! Deletes, filters, keys, quarantine: what the file's rules do.

use super::setting::{Setting, text};
use serde_json::json;
use sql::Value;

const COLUMNS: &str = "[pipeline.columns]\nid = {}\nname = { type = \"varchar(5)\" }\n";

#[test]
fn deletes_are_hard_or_soft_or_ignored() {
    for (rule, left, marked) in [("hard", 0, 0), ("soft", 1, 1), ("ignore", 1, 0)] {
        let mut setting = Setting::sqlite();
        setting.file(&format!("deletes = \"{rule}\"\n{COLUMNS}"));
        setting.put(json!({ "id": { "S": "a" }, "name": { "S": "n" } }));
        setting.good(&["--once"]);
        setting.delete("a");
        setting.good(&["--once"]);
        assert_eq!(setting.rows("SELECT id FROM T").len(), left, "{rule}");
        if rule == "soft" {
            assert_eq!(setting.rows("SELECT id FROM T WHERE deleted_at LIKE '20__-__-__T%Z'").len(), marked);
            // It comes back whole.
            setting.put(json!({ "id": { "S": "a" } }));
            setting.settle();
            assert_eq!(setting.rows("SELECT deleted_at FROM T"), [[Value::Null]]);
        }
    }
}

#[test]
fn what_leaves_the_filter_leaves_the_table() {
    let mut setting = Setting::sqlite();
    setting.file(&format!("filter = \"size(#n) < :most\"\nfilter_names = {{ \"#n\" = \"name\" }}\nfilter_values = {{ \":most\" = 3 }}\n{COLUMNS}"));
    for (id, name) in [("a", "x"), ("b", "long"), ("c", "y")] {
        setting.put(json!({ "id": { "S": id }, "name": { "S": name } }));
    }
    setting.settle();
    setting.put(json!({ "id": { "S": "a" }, "name": { "S": "long" } }));
    setting.put(json!({ "id": { "S": "b" }, "name": { "S": "z" } }));
    setting.settle();
    assert_eq!(
        setting.rows("SELECT id, name FROM T ORDER BY id"),
        [[text("b"), text("z")], [text("c"), text("y")]]
    );
}

#[test]
fn a_bad_item_goes_to_quarantine_and_stops_nobody() {
    let mut setting = Setting::sqlite();
    setting.file(COLUMNS);
    setting.put(json!({ "id": { "S": "a" }, "name": { "S": "fine" } }));
    setting.put(json!({ "id": { "S": "b" }, "name": { "S": "too long" } }));
    setting.put(json!({ "id": { "S": "c" }, "name": { "N": "1" } }));
    setting.settle();
    assert_eq!(setting.rows("SELECT id FROM T"), [[text("a")]]);
    let told = setting.good(&["quarantine"]);
    assert!(told.contains("8 characters are more than varchar(5) holds"), "{told}");
    assert!(told.contains("the attribute is of type N, the column varchar(5)"), "{told}");
    // A row that was good goes to quarantine; one that was there is settled.
    setting.put(json!({ "id": { "S": "a" }, "name": { "S": "not fine" } }));
    setting.put(json!({ "id": { "S": "b" }, "name": { "S": "short" } }));
    setting.delete("c");
    setting.settle();
    assert_eq!(setting.rows("SELECT id, name FROM T"), [[text("b"), text("short")]]);
    assert_eq!(setting.good(&["quarantine"]).lines().count(), 1);
}

/// Changes of one item that come in one batch do what they would one by one.
#[test]
fn soft_deletes_of_one_batch_are_those_of_many() {
    let expire = |setting: &mut Setting| {
        let specification = json!({ "Enabled": true, "AttributeName": "until" });
        let asked = json!({ "TableName": "Things", "TimeToLiveSpecification": specification });
        assert_eq!(setting.client.dynamodb("UpdateTimeToLive", &asked).expect("an answer").status, 200);
        setting.put(json!({ "id": { "S": "a" }, "city": { "S": "Bath" }, "until": { "N": "1700000000" } }));
    };
    let item = |city: &str| json!({ "id": { "S": "a" }, "city": { "S": city } });
    let columns = "filter = \"city <> :x\"\nfilter_values = { \":x\" = \"x\" }\n[pipeline.columns]\nid = {}\ncity = {}\n";
    for (key, moved) in [("", 1), ("key = [\"city\", \"id\"]\n", 2)] {
        let mut setting = Setting::sqlite();
        setting.file(&format!("deletes = \"soft\"\n{key}{columns}"));
        setting.put(item("Bath"));
        setting.settle();
        // It moves, and is deleted there: nothing stays where it was.
        setting.put(item("York"));
        setting.delete("a");
        setting.settle();
        let rows = setting.rows("SELECT city FROM T WHERE deleted_at IS NOT NULL");
        assert_eq!(rows, [[text("York")]], "{key}");
        // It comes back elsewhere, and leaves the filter.
        setting.put(item("Ely"));
        setting.put(item("x"));
        setting.settle();
        assert_eq!(setting.rows("SELECT city FROM T WHERE deleted_at IS NOT NULL").len(), moved, "{key}");
        assert_eq!(setting.rows("SELECT city FROM T").len(), moved, "{key}");
    }
    // What time to live took away is not kept because an item that has no row came after it.
    let mut setting = Setting::sqlite();
    setting.file(&format!("deletes = \"soft\"\nttl_deletes = \"hard\"\n{columns}"));
    setting.put(item("Bath"));
    setting.settle();
    expire(&mut setting);
    let key = json!({ "TableName": "Things", "Key": { "id": { "S": "a" } } });
    while setting.client.dynamodb("GetItem", &key).expect("an answer").json()["Item"].is_object() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    setting.put(item("x"));
    setting.settle();
    assert!(setting.rows("SELECT id FROM T").is_empty());
}

/// A row moves with its item, and the next claim takes over what an item gives up.
#[test]
fn keys_may_be_other_than_the_source_s() {
    let mut setting = Setting::sqlite();
    setting.file("key = [\"city\"]\nconflicts = \"newest_wins\"\n[pipeline.columns]\ncity = {}\nid = {}\n");
    setting.put(json!({ "id": { "S": "1" }, "city": { "S": "Bath" } }));
    setting.put(json!({ "id": { "S": "2" }, "city": { "S": "Bath" } }));
    setting.put(json!({ "id": { "S": "3" } }));
    setting.settle();
    assert_eq!(setting.rows("SELECT city, id FROM T"), [[text("Bath"), text("2")]]);
    setting.put(json!({ "id": { "S": "2" }, "city": { "S": "York" } }));
    setting.settle();
    assert_eq!(
        setting.rows("SELECT city, id FROM T ORDER BY city"),
        [[text("Bath"), text("1")], [text("York"), text("2")]]
    );
    setting.delete("1");
    setting.delete("2");
    setting.settle();
    assert!(setting.rows("SELECT city FROM T").is_empty());
}

#[test]
fn a_moving_key_leaves_nothing_behind() {
    let mut setting = Setting::sqlite();
    setting.file("key = [\"city\", \"id\"]\n[pipeline.columns]\ncity = {}\nid = {}\n");
    setting.put(json!({ "id": { "S": "1" }, "city": { "S": "Bath" } }));
    setting.settle();
    for city in ["York", "Ely", "York"] {
        setting.put(json!({ "id": { "S": "1" }, "city": { "S": city } }));
    }
    setting.settle();
    assert_eq!(setting.rows("SELECT city, id FROM T"), [[text("York"), text("1")]]);
}

#[test]
fn what_does_not_fit_is_told_before_anything_is_written() {
    let setting = Setting::sqlite();
    let told = |pipeline: &str| {
        setting.file(pipeline);
        setting.bad(&["--check"])
    };
    assert!(told("deltes = \"hard\"").contains("did you mean `deletes`?"));
    assert!(told("key = [\"city\"]\n[pipeline.columns]\ncity = {}").contains("choose conflicts ="));
    assert!(told("key = [\"ctiy\"]\n[pipeline.columns]\ncity = {}").contains("did you mean 'city'?"));
    setting.file("key = [\"city\", \"id\"]\n[pipeline.columns]\ncity = {}");
    assert!(setting.good(&["--plan"]).contains("id = { type = \"text\", from = \"id\" }"));
    assert!(told("[pipeline.columns]\nid = { type = \"string\" }").contains("text, varchar(N)"));
    assert!(told("key = [\"id\", \"id\"]\n[pipeline.columns]\nid = {}").contains("key names id twice"));
    assert!(told("create = true\ncreate = false").contains("duplicate key"));
    for (kind, value, shown) in [
        ("double", "nan", "NaN is no double"),
        ("double", "-inf", "-inf is no double"),
        ("numeric", "nan", "NaN is no numeric"),
        ("numeric", "\"nan\"", "\"nan\" is no numeric"),
        ("bigint", "0.5", "0.5 is no bigint"),
    ] {
        let column = format!("[pipeline.columns]\nid = {{}}\nn = {{ type = \"{kind}\", default = {value} }}");
        let output = told(&column);
        assert!(output.contains(shown) && output.contains("column n"), "{output}");
    }
    assert!(told("filter = \"a = \"").contains("Syntax error"));
    assert!(told("create = false").contains("there is no table T"));
    setting.file("");
    assert!(setting.bad(&["verify", "--once"]).contains("'verify' has no use for --once"));
    assert!(setting.bad(&["--plan", "--check"]).contains("--plan or --check, not both"));
    assert!(setting.bad(&["run", "p", "--pipeline", "p"]).contains("no use for 'p'"));
    assert!(setting.bad(&["p"]).contains("run p"));
    assert!(setting.good(&["--check"]).contains("p: good"));
    assert!(setting.good(&["--plan"]).contains("CREATE TABLE IF NOT EXISTS \"T\""));
    assert!(setting.good(&["status"]).contains("has not begun"));
}

/// A mapping that has changed, and a table that is not the pipeline's, are refused.
#[test]
fn rows_of_another_mapping_are_not_mixed() {
    let mut setting = Setting::sqlite();
    setting.file(COLUMNS);
    setting.put(json!({ "id": { "S": "a" } }));
    setting.settle();
    setting.file("[pipeline.columns]\nid = {}\nother = {}\n");
    assert!(setting.bad(&["--once"]).contains("the mapping has changed"));
}
