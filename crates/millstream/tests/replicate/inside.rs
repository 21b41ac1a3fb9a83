//! Pipelines inside a server: no endpoint, no second process.

use crate::support::{BINARY, create_table};
use serde_json::{Value as Json, json};
use sql::{Connection, Settings};
use std::time::Duration;
use testkit::{Client, Node, TempDir};

fn told(client: &mut Client) -> Json {
    let answer = client.send("GET", "/_millstream/replication", "", b"").expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["pipelines"].clone()
}

fn until(client: &mut Client, what: &str, is_so: impl Fn(&Json) -> bool) -> Json {
    for _ in 0..600 {
        let pipelines = told(client);
        if pipelines.as_array().is_some_and(|all| all.iter().all(&is_so)) {
            return pipelines;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} never comes: {}", told(client));
}

fn requests(client: &mut Client) -> u64 {
    let answer = client.send("GET", "/_millstream/metrics", "", b"").expect("an answer").text();
    let told = answer.lines().filter(|line| line.starts_with("millstream_requests_total"));
    told.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// The server's own tables are followed without asking itself over the network.
fn reads_without_calls(client: &mut Client) {
    let before = requests(client);
    std::thread::sleep(Duration::from_secs(1));
    let made = requests(client) - before;
    // Targets are told now and then where a pipeline is. By calls each shard would be looked at many times a second.
    assert!(made <= 50, "{made} requests that nobody sent");
}

#[test]
fn a_server_follows_its_own_tables() {
    let dir = TempDir::new("inside");
    let path = dir.path().join("target.db");
    let file = dir.path().join("pipelines.toml");
    let pipeline = |name: &str, to: &str| {
        format!("[[pipeline]]\nname = \"{name}\"\nfrom = \"s\"\nto = \"{to}\"\ntable = \"Target\"\n")
    };
    let text = format!(
        "[source.s]\ntable = \"Things\"\n[target.f]\nsqlite = \"{}\"\n[target.t]\ndynamodb = {{}}\n{}{}",
        path.display(),
        pipeline("file", "f"),
        pipeline("table", "t")
    );
    std::fs::write(&file, text).expect("a file");
    let data = dir.path().join("data");
    let flags = ["--replicate", file.to_str().expect("a path")];
    for round in 0..2 {
        let node = Node::start(BINARY, &data, &flags);
        let mut client = node.client();
        if round == 0 {
            let waiting = until(&mut client, "waiting", |one| one["phase"] == "waiting");
            assert!(waiting[0]["error"].as_str().expect("an error").contains("there is no table Things"));
        }
        if round == 0 {
            create_table(&mut client, "Things");
        }
        let item = json!({ "id": { "S": format!("i{round}") }, "n": { "N": "1" } });
        let asked = json!({ "TableName": "Things", "Item": item });
        assert_eq!(client.dynamodb("PutItem", &asked).expect("an answer").status, 200);
        until(&mut client, "consistency", |one| {
            one["consistent"] == true && (round == 0 || one["changes"].as_u64() >= Some(1))
        });
        let found = client.dynamodb("Scan", &json!({ "TableName": "Target" })).expect("an answer").json();
        assert_eq!(found["Count"], round + 1);
        if round == 1 {
            reads_without_calls(&mut client);
        }
        let status = node.stop();
        assert!(status.success(), "{status}");
        let mut target = Connection::open(&Settings::sqlite(&path)).expect("the target");
        let rows = target.query("SELECT id FROM \"Target\"", &[]).expect("rows").rows;
        assert_eq!(rows.len(), round + 1);
    }
}
