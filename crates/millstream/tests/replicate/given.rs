//! Tables that somebody else has made, changed, or taken away.

use super::databases::setting;
use super::setting::{Setting, keeps_apart, text};
use crate::support::create_table;
use serde_json::json;
use sql::Connection;

fn batch(setting: &Setting, sql: &str) {
    Connection::open(&setting.settings).expect("the target").batch(sql).expect("a statement");
}

/// What was taken away would come back empty: it is told, and copied again when that is asked for.
#[test]
fn a_table_that_lost_something_is_not_gone_on_with() {
    let mut setting = Setting::sqlite();
    setting.file("[pipeline.columns]\nid = {}\nname = {}\n");
    setting.put(json!({ "id": { "S": "a" }, "name": { "S": "n" } }));
    setting.settle();
    for (change, told) in [
        ("ALTER TABLE T RENAME COLUMN name TO title", "has lost the column name"),
        ("DROP TABLE T", "the table T, which this pipeline has filled, is not there"),
    ] {
        batch(&setting, change);
        for word in ["--check", "--once"] {
            let output = setting.bad(&[word]);
            assert!(output.contains(told) && output.contains("resync p"), "{word}: {output}");
        }
        setting.bad(&["verify"]);
        setting.good(&["resync"]);
        setting.settle();
        assert_eq!(setting.rows("SELECT name FROM T"), [[text("n")]]);
    }
    // A column of the pipeline's own may come later.
    setting.file("deletes = \"soft\"\n[pipeline.columns]\nid = {}\nname = {}\n");
    setting.delete("a");
    setting.settle();
    assert_eq!(setting.rows("SELECT id FROM T WHERE deleted_at IS NOT NULL").len(), 1);
}

/// A table whose key takes two items' keys for one would lose one of them.
#[test]
fn keys_that_a_table_would_mix_are_refused_and_the_table_is_left_alone() {
    let setting = Setting::sqlite();
    for (key, told) in [
        ("id INTEGER PRIMARY KEY", "is of type integer, for which '7' and '007' are one"),
        ("id TEXT PRIMARY KEY NOT NULL COLLATE NOCASE", "has the collation NOCASE"),
        ("id TEXT PRIMARY KEY NOT NULL, more INT NOT NULL", "a column more that must not be null"),
        ("number INT", "has the primary key ()"),
    ] {
        batch(&setting, &format!("DROP TABLE IF EXISTS T; CREATE TABLE T ({key})"));
        let before = setting.rows("SELECT sql FROM sqlite_master");
        setting.file("");
        for word in ["--check", "--once"] {
            let output = setting.bad(&[word]);
            assert!(output.contains(told), "{word}: {output}");
        }
        assert_eq!(setting.rows("SELECT sql FROM sqlite_master"), before, "{key}");
    }
}

#[test]
fn mariadb_s_usual_collation_is_refused_for_keys() {
    let server = testkit::mariadb();
    let mut setting = setting(&server, "mixes", &[]);
    batch(&setting, "CREATE TABLE T (id varchar(50) PRIMARY KEY, name text) DEFAULT CHARSET = utf8mb4");
    setting.file("[pipeline.columns]\nid = {}\nname = {}\n");
    for id in ["a", "A"] {
        setting.put(json!({ "id": { "S": id }, "name": { "S": id } }));
    }
    assert!(setting.bad(&["--once"]).contains("_ci, which takes different texts for one"));
    let collation = keeps_apart(&setting);
    batch(
        &setting,
        &format!("ALTER TABLE T MODIFY id varchar(50) CHARACTER SET utf8mb4 COLLATE {collation} NOT NULL"),
    );
    setting.settle();
    assert_eq!(setting.rows("SELECT name FROM T ORDER BY id"), [[text("A")], [text("a")]]);
}

/// Keys that a padding collation would take for one, and texts that an enum would take for its words, are told instead.
#[test]
fn mariadb_s_spaces_and_words_are_bounds() {
    let server = testkit::mariadb();
    let mut setting = setting(&server, "words", &[]);
    batch(
        &setting,
        "CREATE TABLE T (id varchar(50) COLLATE utf8mb4_bin PRIMARY KEY, mood enum('Good','it''s'), tags set('x','y')) \
         DEFAULT CHARSET = utf8mb4",
    );
    setting.file("[pipeline.columns]\nid = {}\nmood = {}\ntags = {}\n");
    let plan = setting.good(&["--plan"]);
    for told in [
        "holds texts that do not end with a space",
        "holds the words 'Good', 'it's'",
        "holds sets of 'x', 'y'",
    ] {
        assert!(plan.contains(told), "{plan}");
    }
    for (id, mood, tags) in [
        ("a", "Good", "x,y"),
        ("a ", "Good", ""),
        ("b", "it's", ""),
        ("c", "good", "x"),
        ("d", "1", "x"),
        ("e", "Good", "y,x"),
    ] {
        setting.put(json!({ "id": { "S": id }, "mood": { "S": mood }, "tags": { "S": tags } }));
    }
    setting.settle();
    let rows = [[text("a"), text("Good"), text("x,y")], [text("b"), text("it's"), text("")]];
    assert_eq!(setting.rows("SELECT id, mood, tags FROM T ORDER BY id"), rows);
    assert_eq!(setting.good(&["quarantine"]).lines().count(), 4);
}

/// An enum's words, and what a domain allows, are the database's to say.
#[test]
fn postgres_s_enums_and_domains_keep_what_they_take() {
    let server = testkit::postgres();
    let mut setting = setting(&server, "words", &[]);
    setting.table = "t".to_owned();
    batch(
        &setting,
        "CREATE TYPE mood AS ENUM ('Good', 'bad'); CREATE DOMAIN short AS varchar(5) CHECK (VALUE <> 'no'); \
         CREATE TABLE t (id text PRIMARY KEY, mood mood, short short)",
    );
    setting.file("[pipeline.columns]\nid = {}\nmood = {}\nshort = {}\n");
    for (id, mood, short) in [
        ("a", "Good", "yes"),
        ("b", "good", "yes"),
        ("c", "bad", "no"),
        ("d", "bad", "long  "),
        ("e", "bad", ""),
    ] {
        setting.put(json!({ "id": { "S": id }, "mood": { "S": mood }, "short": { "S": short } }));
    }
    setting.settle();
    let rows = [[text("a"), text("Good"), text("yes")], [text("e"), text("bad"), text("")]];
    assert_eq!(setting.rows("SELECT id, mood, short FROM t ORDER BY id"), rows);
    assert_eq!(setting.good(&["quarantine"]).lines().count(), 3);
}

/// What rows are kept for is no difference; anything else is.
#[test]
fn rows_that_outlive_their_items_are_no_difference_where_deletes_are_ignored() {
    let mut setting = Setting::sqlite();
    setting.file(
        "deletes = \"ignore\"\nfilter = \"attribute_exists(id)\"\n[pipeline.columns]\nid = {}\nname = {}\n",
    );
    for id in ["a", "b"] {
        setting.put(json!({ "id": { "S": id }, "name": { "S": "n" } }));
    }
    setting.good(&["--once"]);
    setting.delete("a");
    setting.settle();
    batch(&setting, "UPDATE T SET name = 'other' WHERE id = 'b'");
    let told = String::from_utf8(setting.run(&["verify"]).stdout).expect("text");
    assert!(told.contains("the row id = \"b\" differs"), "{told}");
    batch(&setting, "DELETE FROM T WHERE id = 'b'");
    let told = String::from_utf8(setting.run(&["verify"]).stdout).expect("text");
    assert!(told.contains("the row id = \"b\" is missing"), "{told}");
    let output = setting.run(&["verify", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let differences = ["the row id = \"b\" is missing"];
    assert_eq!(
        told,
        json!({
            "pipeline": "p", "items": 1, "rows": 1, "quarantined": 0, "rows_without_item": 1,
            "differences": differences,
        })
    );
    setting.put(json!({ "id": { "S": "b" }, "name": { "S": "another" } }));
    setting.good(&["--once"]);
    assert!(setting.good(&["verify", "--json"]).contains("\"differences\":[]"));
}

/// What `--plan` prints makes the very table that the runner makes, whoever gives it to the server.
#[test]
fn mariadb_s_plan_makes_the_table_of_the_runner() {
    let server = testkit::mariadb();
    let mut setting = setting(&server, "planned", &[]);
    setting.put(
        json!({ "id": { "S": "a" }, "name": { "S": "n" }, "half": { "N": "0.5" }, "raw": { "B": "AA==" } }),
    );
    let kinds =
        ["text", "varchar(20)", "numeric", "bigint", "double", "boolean", "bytes", "json", "typed_json"];
    let columns: String = kinds
        .iter()
        .enumerate()
        .map(|(at, kind)| format!("\"c `{at}\" = {{ type = \"{kind}\" }}\n"))
        .collect();
    for pipeline in [
        "deletes = \"soft\"\n".to_owned(),
        format!(
            "key = [\"c `1\", \"id\", \"c `6\"]\nrest = {{ column = \"more\" }}\n[pipeline.columns]\nid = {{}}\n{columns}"
        ),
    ] {
        setting.file(&pipeline);
        let plan = setting.good(&["--plan"]);
        let at = plan.find("CREATE TABLE").expect("a statement");
        setting.good(&["--once"]);
        let made = setting.rows("SHOW CREATE TABLE T");
        batch(&setting, "DROP TABLE T");
        batch(&setting, &plan[at..]);
        assert_eq!(setting.rows("SHOW CREATE TABLE T"), made, "{plan}");
        setting.good(&["resync"]);
        setting.settle();
        batch(&setting, "DROP TABLE T");
        setting.good(&["resync"]);
    }
}

/// What pipelines remember is no target; a source's name may be any.
#[test]
fn names_of_what_is_remembered_are_no_targets() {
    let mut setting = Setting::sqlite();
    create_table(&mut setting.client, "millstream_marks");
    let file = |setting: &Setting| {
        let path = setting.file("");
        let text = std::fs::read_to_string(&path).expect("a file");
        std::fs::write(&path, text.replace("\"Things\"", "\"millstream_marks\"")).expect("a file");
    };
    setting.table = "millstream_marks".to_owned();
    file(&setting);
    for word in ["--plan", "--check", "--once"] {
        assert!(
            setting.bad(&[word]).contains("names that begin so are of what pipelines remember"),
            "{word}"
        );
    }
    setting.table = "marks".to_owned();
    file(&setting);
    let asked = json!({ "TableName": "millstream_marks", "Item": { "id": { "S": "a" } } });
    assert_eq!(setting.client.dynamodb("PutItem", &asked).expect("an answer").status, 200);
    setting.settle();
    assert_eq!(setting.rows("SELECT id FROM marks"), [[text("a")]]);
}

/// What `--plan` prints stands in a file as it is.
#[test]
fn a_plan_is_a_mapping() {
    let mut setting = Setting::sqlite();
    let drop = "drop = [\"secret\"]\n";
    setting.file(drop);
    setting.put(json!({
        "id": { "S": "a" }, "odd \"name\" é": { "S": "o" }, "a.b[0]": { "N": "1" }, "it's": { "BOOL": true },
        "more": { "L": [] }, "secret": { "S": "s" },
    }));
    let plan = setting.good(&["--plan"]);
    let (mapping, _) = plan.split_once("CREATE TABLE").expect("a statement");
    setting.file(mapping);
    let sorted = |plan: &str| {
        let mut lines: Vec<String> = plan.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let again = setting.good(&["--plan"]);
    assert_eq!(sorted(again.split_once("CREATE TABLE").expect("a statement").0), sorted(mapping));
    let mapping = "[pipeline.columns]\nid = {}\nhalf = { type = \"double\", default = 1 }\nfrom = { constant = \"it's\" }\n";
    setting.file(mapping);
    let plan = setting.good(&["--plan"]);
    assert!(plan.contains("half = { type = \"double\", from = \"half\", default = 1.0 }"), "{plan}");
    assert!(plan.contains("from = { type = \"text\", constant = \"it's\" }"), "{plan}");
}
