//! The other commands, as they are typed.

use crate::support::{BINARY, create_function, create_mapping, create_table, eventually, start};
use serde_json::json;
use std::process::{Command, Output};
use testkit::TempDir;

fn millstream(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().expect("it runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn the_tour_shows_every_change() {
    let output = millstream(&["tour"]);
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    for part in ["INSERT", "MODIFY", "REMOVE", "Chrome → Firefox", "All is cleaned up"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
}

#[test]
fn what_is_not_understood_is_said_and_ends_with_two() {
    for arguments in [
        &["nothing"][..],
        &["serve", "--nothing"],
        &["serve", "--listen", "here"],
        &["explain", "E9999"],
        &[],
    ] {
        let output = millstream(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output));
    }
    let helped = millstream(&["serve", "--help"]);
    assert!(helped.status.success() && text(&helped).contains("--data-dir"), "{}", text(&helped));
    assert!(text(&millstream(&["explain", "E0002"])).contains("in use"));
    assert!(text(&millstream(&["completions", "bash"])).contains("complete"));
}

#[test]
fn a_directory_in_use_is_refused_and_a_stopped_one_checks() {
    let dir = TempDir::new("commands");
    let node = start(&dir);
    crate::support::create_table(&mut node.client(), "Table");
    let path = dir.path().display().to_string();
    let second = millstream(&["serve", "--listen", "127.0.0.1:0", "--data-dir", &path]);
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second).contains("E0002"), "{}", text(&second));
    let remote = millstream(&["serve", "--listen", "0.0.0.0:0", "--memory"]);
    assert!(text(&remote).contains("E0005"), "{}", text(&remote));
    assert!(node.stop().success());
    let checked = millstream(&["check", "--data-dir", &path]);
    assert!(checked.status.success() && text(&checked).contains("all read"), "{}", text(&checked));
}

#[test]
fn a_directory_without_the_key_of_its_secrets_is_refused() {
    let dir = TempDir::new("sealed");
    let node = start(&dir);
    let put = json!({ "Name": "/hidden", "Type": "SecureString", "Value": "hush" });
    let answer = node.client().json("ssm", "AmazonSSM.PutParameter", &put).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(node.stop().success());
    let key = dir.path().join("secrets.key");
    let kept = std::fs::read(&key).expect("a key");
    std::fs::remove_file(&key).expect("removed");
    let path = dir.path().display().to_string();
    let refused = millstream(&["serve", "--listen", "127.0.0.1:0", "--data-dir", &path]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("E0009") && !key.exists(), "{}", text(&refused));

    std::fs::write(&key, kept).expect("put back");
    let node = start(&dir);
    let get = json!({ "Name": "/hidden", "WithDecryption": true });
    let answer = node.client().json("ssm", "AmazonSSM.GetParameter", &get).expect("an answer");
    assert_eq!(answer.json()["Parameter"]["Value"], "hush");
}

#[test]
fn tail_shows_the_changes_of_a_table() {
    let dir = TempDir::new("tail");
    let node = start(&dir);
    let mut client = node.client();
    crate::support::create_table(&mut client, "Table");
    for name in ["Tung", "Tung Nguyen"] {
        let item = serde_json::json!({ "id": { "S": "1" }, "name": { "S": name } });
        let put = serde_json::json!({ "TableName": "Table", "Item": item });
        assert_eq!(client.dynamodb("PutItem", &put).expect("an answer").status, 200);
    }
    let from_start = ["tail", "Table", "--from", "trim-horizon", "--once", "--endpoint", &node.url()];
    let pretty = text(&millstream(&from_start));
    assert!(pretty.contains("INSERT  id=\"1\""), "{pretty}");
    assert!(pretty.contains("name: \"Tung\" → \"Tung Nguyen\""), "{pretty}");
    let output = millstream(&[&from_start[..], &["--json", "--event", "MODIFY"]].concat());
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one record");
    assert_eq!(record["dynamodb"]["SizeBytes"], 32);
    let missing = millstream(&["tail", "NoSuchTable", "--once", "--endpoint", &node.url()]);
    assert!(missing.status.code() == Some(1) && text(&missing).contains("ResourceNotFoundException"));
}

#[test]
fn a_server_that_is_told_twice_leaves_what_is_in_flight() {
    let dir = TempDir::new("twice");
    let node = start(&dir);
    let mut client = node.client();
    let stream = create_table(&mut client, "Tab");
    // One answer in its life: whoever stops the server waits for this.
    let code = "import time\ndef handler(event, context):\n    time.sleep(800)\n";
    create_function(&mut client, "long", code, &json!({}));
    let longer = json!({ "Timeout": 900 });
    let changed =
        client.lambda("PUT", "/2015-03-31/functions/long/configuration", &longer).expect("an answer");
    assert_eq!(changed.status, 200, "{}", changed.text());
    create_mapping(&mut client, "long", &stream, 1);
    let item = json!({ "TableName": "Tab", "Item": { "id": { "S": "1" } } });
    assert_eq!(client.dynamodb("PutItem", &item).expect("an answer").status, 200);
    let runs = |node: &testkit::Node| {
        let metrics = node.client().send("GET", "/_millstream/metrics", "", b"").expect("an answer").text();
        metrics.lines().any(|line| line == "millstream_invocations_total 1")
    };
    eventually("the function runs", || runs(&node));
    node.terminate();
    // It listens no more: the first time was heard.
    eventually("the server stops", || testkit::Client::connect(node.address()).is_err());
    assert_eq!(node.stop().code(), Some(1));
    // What was left comes again.
    let node = start(&dir);
    eventually("the function runs again", || runs(&node));
    node.kill();
}

#[test]
fn a_command_whose_output_nobody_reads_ends_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Command::new(BINARY).arg("help").stdout(writer).output().expect("it runs");
    assert_eq!((output.status.code(), text(&output)), (Some(141), String::new()));
}
