//! The published walkthroughs' replications, each by its file in `examples/replicate`.

use crate::support::{BINARY, start};
use serde_json::{Value as Json, json};
use sql::{Connection, Settings, Value};
use std::path::PathBuf;
use std::process::Command;
use testkit::{Client, Node, TempDir};

use super::setting::{database, text};

struct Example {
    file: &'static str,
    variable: &'static str,
    /// What the file's variable says, and how the test looks at the same target.
    value: String,
    settings: Settings,
    node: Node,
    _dir: TempDir,
}

impl Example {
    fn new(file: &'static str, variable: &'static str, value: String, settings: Settings) -> Example {
        let dir = TempDir::new("replicate-example");
        let node = start(&dir);
        Example { file, variable, value, settings, node, _dir: dir }
    }

    /// Follows to the tip and verifies; twice, so that changes come by the stream too.
    fn settle(&self) {
        let file: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "..", "..", "examples", "replicate", self.file].iter().collect();
        for word in ["--once", "verify"] {
            let output = Command::new(BINARY)
                .arg("replicate")
                .arg(&file)
                .arg(word)
                .env("AWS_ENDPOINT_URL", self.node.url())
                .env(self.variable, &self.value)
                .output()
                .expect("the command runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }

    fn rows(&self, query: &str) -> Vec<Vec<Value>> {
        Connection::open(&self.settings).expect("the target").query(query, &[]).expect("rows").rows
    }
}

fn table(client: &mut Client, name: &str, key: &str, kind: &str, view: &str) {
    let asked = json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": key, "AttributeType": kind }],
        "KeySchema": [{ "AttributeName": key, "KeyType": "HASH" }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": view },
    });
    assert_eq!(client.dynamodb("CreateTable", &asked).expect("an answer").status, 200);
}

fn put(client: &mut Client, name: &str, item: Json) {
    let answer = client.dynamodb("PutItem", &json!({ "TableName": name, "Item": item })).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn delete(client: &mut Client, name: &str, key: Json) {
    let answer = client.dynamodb("DeleteItem", &json!({ "TableName": name, "Key": key })).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Users of two places, one of whom moves to the other's and one of whom comes. `user`: by address and city.
fn people_move(example: &Example, user: impl Fn(&str, &str) -> Json) {
    let mut client = example.node.client();
    table(&mut client, "users", "email", "S", "NEW_AND_OLD_IMAGES");
    put(&mut client, "users", user("a@x", "Daly City"));
    put(&mut client, "users", user("b@x", "Colma"));
    example.settle();
    put(&mut client, "users", user("b@x", "Daly City"));
    put(&mut client, "users", user("c@x", "Colma"));
    example.settle();
}

/// All go but one.
fn people_go(example: &Example) {
    let mut client = example.node.client();
    for email in ["b@x", "c@x"] {
        delete(&mut client, "users", json!({ "email": { "S": email } }));
    }
    example.settle();
}

#[test]
fn users_by_place_without_zip_codes() {
    let dir = TempDir::new("users");
    let path = dir.path().join("users.db");
    let example = Example::new("users.toml", "USERS_DB", path.display().to_string(), Settings::sqlite(&path));
    people_move(&example, |email, city| {
        json!({
            "email": { "S": email }, "state": { "S": "CA" }, "city": { "S": city }, "zipcode": { "N": "94016" },
            "age": { "N": "40" }, "active": { "BOOL": true },
        })
    });
    let rows = "SELECT city, email, attributes FROM users_by_place ORDER BY city";
    let rest = Value::Json(r#"{"active":{"BOOL":true},"age":{"N":"40"}}"#.to_owned());
    assert_eq!(
        example.rows(rows),
        [vec![text("Colma"), text("c@x"), rest.clone()], vec![text("Daly City"), text("b@x"), rest.clone()]]
    );
    people_go(&example);
    assert_eq!(example.rows(rows), [[text("Daly City"), text("a@x"), rest]]);
}

/// Both of its pipelines: without zip codes and the newest of a place, and with them and a user each.
#[test]
fn users_by_place_in_another_table() {
    let unused = Settings::sqlite("unused.db");
    let example = Example::new("users-table.toml", "USERS", String::new(), unused);
    let user = |email: &str, city: &str| {
        json!({
            "email": { "S": email }, "state": { "S": "CA" }, "city": { "S": city }, "zipcode": { "N": "94016" },
            "tags": { "SS": ["x"] }, "active": { "BOOL": true },
        })
    };
    let scanned = |name: &str| {
        let mut reader = example.node.client();
        let answer = reader.dynamodb("Scan", &json!({ "TableName": name })).expect("an answer").json();
        let mut items = answer["Items"].as_array().expect("items").clone();
        items.sort_by_key(|item| item["city"]["S"].to_string() + &item["email"]["S"].to_string());
        items
    };
    let without = |user: Json| {
        let mut user = user;
        user.as_object_mut().expect("an item").remove("zipcode");
        user
    };
    people_move(&example, user);
    assert_eq!(scanned("users_by_place"), [without(user("c@x", "Colma")), without(user("b@x", "Daly City"))]);
    assert_eq!(
        scanned("users_by_city"),
        [user("c@x", "Colma"), user("a@x", "Daly City"), user("b@x", "Daly City")]
    );
    people_go(&example);
    assert_eq!(scanned("users_by_place"), [without(user("a@x", "Daly City"))]);
    assert_eq!(scanned("users_by_city"), [user("a@x", "Daly City")]);
}

#[test]
fn chefs_into_mysql() {
    let server = testkit::mariadb();
    let (url, settings) = database(&server, "chefdb");
    let example = Example::new("chefs.toml", "CHEFS_URL", url, settings);
    let mut client = example.node.client();
    table(&mut client, "chefs", "ChefId", "S", "NEW_AND_OLD_IMAGES");
    let chef = |id: &str, first: &str, last: &str| json!({ "ChefId": { "S": id }, "firstName": { "S": first }, "lastName": { "S": last } });
    put(&mut client, "chefs", chef("Flay#Bobby", "Bobby", "Flay"));
    put(&mut client, "chefs", chef("Brown#Alton", "Alton", "Brown"));
    example.settle();
    put(&mut client, "chefs", chef("Flay#Bobby", "Robert", "Flay"));
    delete(&mut client, "chefs", json!({ "ChefId": { "S": "Brown#Alton" } }));
    example.settle();
    assert_eq!(
        example.rows("SELECT ChefId, cheffirst, cheflast FROM cheftable"),
        [[text("Flay#Bobby"), text("Robert"), text("Flay")]]
    );
}

#[test]
fn employees_into_postgres() {
    let server = testkit::postgres();
    let (url, settings) = database(&server, "reporting");
    let example = Example::new("employees.toml", "EMPLOYEES_URL", url, settings);
    let mut client = example.node.client();
    // As the walkthrough's own command makes it.
    table(&mut client, "Employees", "Id", "N", "NEW_IMAGE");
    put(
        &mut client,
        "Employees",
        json!({ "Id": { "N": "1" }, "empName": { "S": "Ann" }, "empDepartment": { "S": "IT" } }),
    );
    put(&mut client, "Employees", json!({ "Id": { "N": "2" }, "salary": { "N": "10.50" } }));
    put(
        &mut client,
        "Employees",
        json!({ "Id": { "N": "3" }, "empName": { "S": "a name of more than twenty" } }),
    );
    example.settle();
    put(
        &mut client,
        "Employees",
        json!({ "Id": { "N": "1" }, "empName": { "S": "Ann" }, "empDepartment": { "S": "HR" } }),
    );
    example.settle();
    let rows = r#"SELECT "Id", "Name", "Department", attributes FROM "Employees" ORDER BY "Id""#;
    let id = |id: &str| Value::Numeric(id.to_owned());
    let salary = Value::Json(r#"{"salary": {"N": "10.5"}}"#.to_owned());
    assert_eq!(
        example.rows(rows),
        [vec![id("1"), text("Ann"), text("HR"), Value::Null], vec![id("2"), text("NA"), text("NA"), salary],]
    );
    delete(&mut client, "Employees", json!({ "Id": { "N": "1" } }));
    put(&mut client, "Employees", json!({ "Id": { "N": "3" }, "empName": { "S": "shorter" } }));
    example.settle();
    assert_eq!(example.rows(r#"SELECT "Id" FROM "Employees" ORDER BY "Id""#), [[id("2")], [id("3")]]);
}
