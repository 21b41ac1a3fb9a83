//! `millstream backup` and `restore`: copies of everything, made while the server serves.

use crate::support::{BINARY, create_function, create_mapping, create_table, eventually, records, start};
use crate::triggers::fate;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use testkit::{Client, Node, TempDir};

/// A command's success, and what it said.
pub fn millstream(arguments: &[&str]) -> (bool, String) {
    let done = Command::new(BINARY).args(arguments).output().expect("the command runs");
    let text = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8_lossy(&text).into_owned())
}

pub fn path(path: &Path) -> &str {
    path.to_str().expect("text")
}

fn put(client: &mut Client, number: u64) {
    let item = json!({ "id": { "S": format!("i{number}") }, "n": { "N": number.to_string() } });
    let answer = client.dynamodb("PutItem", &json!({ "TableName": "Tab", "Item": item })).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The numbers of all items, in order.
fn numbers(client: &mut Client) -> Vec<u64> {
    let scanned = client.dynamodb("Scan", &json!({ "TableName": "Tab" })).expect("an answer").json();
    let items = scanned["Items"].as_array().expect("items");
    let mut numbers: Vec<u64> = items
        .iter()
        .map(|item| item["n"]["N"].as_str().expect("a number").parse().expect("digits"))
        .collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_copy_made_under_load_is_of_one_moment_and_works() {
    let dir = TempDir::new("copies");
    let node = start(&dir);
    let mut client = node.client();
    let stream = create_table(&mut client, "Tab");
    let code = "def handler(event, context):\n    return len(event['Records'])\n";
    create_function(&mut client, "count", code, &json!({}));
    let uuid = create_mapping(&mut client, "count", &stream, 10);
    let token = "11111111-1111-4111-8111-111111111111";
    let secret = json!({ "Name": "s", "SecretString": "x", "ClientRequestToken": token });
    client.json("secretsmanager", "secretsmanager.CreateSecret", &secret).expect("an answer");
    for (path, body) in [("/things", ""), ("/things/a/b", "kept")] {
        assert_eq!(client.storage("PUT", path, body.as_bytes()).expect("an answer").status, 200, "{path}");
    }
    for number in 0..50 {
        put(&mut client, number);
    }
    eventually("fifty are delivered", || fate(&node, &uuid, "delivered") == 50);

    let (written, over) = (AtomicU64::new(50), AtomicBool::new(false));
    let copies = TempDir::new("copies-out");
    let copy = copies.path().join("copy");
    let before = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = node.client();
            while !over.load(Ordering::Relaxed) {
                put(&mut client, written.load(Ordering::Relaxed));
                written.fetch_add(1, Ordering::Relaxed);
            }
        });
        let before = written.load(Ordering::Relaxed);
        let (done, said) = millstream(&["backup", path(&copy), "--endpoint", &node.url()]);
        over.store(true, Ordering::Relaxed);
        assert!(done, "{said}");
        before
    });
    let (done, said) = millstream(&["backup", path(&copy), "--endpoint", &node.url()]);
    assert!(!done && said.contains("is not empty"), "{said}");

    let restored = copies.path().join("restored");
    let (done, said) = millstream(&["restore", path(&copy), "--data-dir", path(&restored)]);
    assert!(done, "{said}");
    let (done, said) = millstream(&["restore", path(&copy), "--data-dir", path(&restored)]);
    assert!(!done && said.contains("is not empty"), "{said}");
    let (done, said) = millstream(&["check", "--data-dir", path(&restored)]);
    assert!(done, "{said}");

    let twin = Node::start(BINARY, &restored, &[]);
    let mut client = twin.client();
    let found = numbers(&mut client);
    assert!(found.len() as u64 >= before, "{} of {before}", found.len());
    assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>(), "a later write without an earlier one");
    assert_eq!(records(&mut client, &stream).len(), found.len(), "a write without its record");
    let secret = client.json("secretsmanager", "secretsmanager.GetSecretValue", &json!({ "SecretId": "s" }));
    assert_eq!(secret.expect("an answer").json()["SecretString"], "x", "a value without its key");
    assert_eq!(client.storage("GET", "/things/a/b", b"").expect("an answer").text(), "kept");
    // The mapping goes on, and the function's code is there.
    put(&mut client, found.len() as u64);
    eventually("the mapping catches up", || fate(&twin, &uuid, "delivered") == found.len() as u64 + 1);
    // A copy of a stopped server is the same.
    twin.stop();
    let second = copies.path().join("second");
    let (done, said) = millstream(&["backup", path(&second), "--data-dir", path(&restored)]);
    assert!(done, "{said}");
    let again = copies.path().join("again");
    let (done, said) = millstream(&["restore", path(&second), "--data-dir", path(&again)]);
    assert!(done, "{said}");
    let third = Node::start(BINARY, &again, &[]);
    assert_eq!(numbers(&mut third.client()).len(), found.len() + 1);
    assert_eq!(third.client().storage("GET", "/things/a/b", b"").expect("an answer").text(), "kept");
    assert_eq!(fate(&third, &uuid, "delivered"), found.len() as u64 + 1);
}

#[test]
fn a_damaged_copy_is_refused_before_anything_is_written() {
    let dir = TempDir::new("damaged-copy");
    let node = start(&dir);
    let mut client = node.client();
    create_table(&mut client, "Tab");
    put(&mut client, 0);
    let copies = TempDir::new("damaged-copies");
    let (copy, restored) = (copies.path().join("copy"), copies.path().join("restored"));
    let (done, said) = millstream(&["backup", path(&copy), "--endpoint", &node.url()]);
    assert!(done, "{said}");
    let sound = std::fs::read(copy.join("data")).expect("a file");
    let refused = |what: &str| {
        let (done, said) = millstream(&["restore", path(&copy), "--data-dir", path(&restored)]);
        assert!(!done && said.contains(what) && !restored.exists(), "{said}");
    };
    for at in [2, 7, 20, sound.len() - 1] {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x10;
        std::fs::write(copy.join("data"), &bytes).expect("written");
        refused("is damaged");
    }
    std::fs::write(copy.join("data"), &sound[..sound.len() - 1]).expect("written");
    refused("is damaged");
    std::fs::write(copy.join("data"), [&sound[..], b"x"].concat()).expect("written");
    refused("not what its manifest says");
    // Without its manifest, which is written last, it is none.
    std::fs::write(copy.join("data"), &sound).expect("written");
    std::fs::rename(copy.join("MANIFEST.json"), copy.join("elsewhere")).expect("renamed");
    refused("no whole backup");
    std::fs::rename(copy.join("elsewhere"), copy.join("MANIFEST.json")).expect("renamed");

    // A restore that was interrupted leaves a directory that no server takes for whole.
    let (done, said) = millstream(&["restore", path(&copy), "--data-dir", path(&restored)]);
    assert!(done, "{said}");
    std::fs::write(restored.join("RESTORING"), b"").expect("written");
    let (done, said) = millstream(&["serve", "--data-dir", path(&restored), "--listen", "127.0.0.1:0"]);
    assert!(!done && said.contains("restore again"), "{said}");
}

#[test]
fn where_policies_decide_only_the_accounts_own_key_copies() {
    let dir = TempDir::new("copies-enforced");
    let keys = ["--root-access-key", "AKIAROOTROOTROOT", "--root-secret-key", "a-secret-of-the-root"];
    let node = Node::start(BINARY, dir.path(), &[&["--auth", "enforce"][..], &keys].concat());
    let copies = TempDir::new("copies-enforced-out");
    let attempt = |name: &str, key: &str, secret: &str| {
        let done = Command::new(BINARY)
            .args(["backup", path(&copies.path().join(name)), "--endpoint", &node.url()])
            .env("AWS_ACCESS_KEY_ID", key)
            .env("AWS_SECRET_ACCESS_KEY", secret)
            .env_remove("AWS_SESSION_TOKEN")
            .output()
            .expect("the command runs");
        (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let unsigned = node.client().send("POST", "/_millstream/backup", "", b"").expect("an answer");
    assert_eq!(unsigned.status, 403, "{}", unsigned.text());
    for (name, key, secret) in [("a", "AKIANOBODYNOBODY", "any"), ("b", keys[1], "another-secret-than-that")]
    {
        let (done, said) = attempt(name, key, secret);
        assert!(!done, "{said}");
    }
    let (done, said) = attempt("c", keys[1], keys[3]);
    assert!(done, "{said}");
}

#[test]
fn one_copy_at_a_time_and_none_for_pages_in_browsers() {
    let dir = TempDir::new("one-copy");
    let node = start(&dir);
    let ask = |path: &str, headers: &str| {
        node.client()
            .send("POST", path, headers, b"")
            .map(|answer| (answer.status, answer.text()))
            .expect("an answer")
    };
    assert_eq!(ask("/_millstream/backup", "origin: http://example.com\r\n").0, 403);
    assert_eq!(node.client().send("GET", "/_millstream/backup", "", b"").expect("an answer").status, 403);
    let (status, begun) = ask("/_millstream/backup", "");
    assert_eq!(status, 200, "{begun}");
    assert_eq!(ask("/_millstream/backup", "").0, 409);
    assert_eq!(ask("/_millstream/backup/0", "").0, 404);
    let begun: serde_json::Value = serde_json::from_str(&begun).expect("JSON");
    let next = format!("/_millstream/backup/{}", begun["id"].as_str().expect("an id"));
    // Read to its end, it makes room for another.
    for _ in 0..10 {
        let answer = node.client().send("POST", &next, "", b"").expect("an answer");
        assert_eq!(answer.status, 200);
        if answer.text().is_empty() {
            break;
        }
    }
    assert_eq!(ask("/_millstream/backup", "").0, 200);
}
