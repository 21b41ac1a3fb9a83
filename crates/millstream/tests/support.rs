//! What these tests have in common.

use serde_json::{Value, json};
use std::process::Command;
use testkit::{Client, Node, TempDir};

pub const BINARY: &str = env!("CARGO_BIN_EXE_millstream");

pub fn start(dir: &TempDir) -> Node {
    Node::start(BINARY, dir.path(), &[])
}

/// A package of one file, as a call carries it.
pub fn zip(name: &str, text: &str) -> String {
    wire::base64::encode(&functions::zip_of(&[(name, text)]))
}

/// Makes a table with key `id` and a stream of both images; gives the stream's ARN.
pub fn create_table(client: &mut Client, name: &str) -> String {
    let answer = client
        .dynamodb(
            "CreateTable",
            &json!({
                "TableName": name,
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            }),
        )
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["TableDescription"]["LatestStreamArn"].as_str().expect("an ARN").to_owned()
}

pub fn create_function(client: &mut Client, name: &str, code: &str, variables: &Value) {
    let answer = client
        .lambda(
            "POST",
            "/2015-03-31/functions",
            &json!({
                "FunctionName": name,
                "Runtime": "python3.12",
                "Handler": "app.handler",
                "Role": "arn:aws:iam::123456789012:role/r",
                "Timeout": 30,
                "Code": { "ZipFile": zip("app.py", code) },
                "Environment": { "Variables": variables },
            }),
        )
        .expect("an answer");
    assert_eq!(answer.status, 201, "{}", answer.text());
}

pub fn create_mapping(client: &mut Client, function: &str, stream: &str, batch: u32) -> String {
    let answer = client
        .lambda("POST", "/2015-03-31/event-source-mappings", &json!({
            "FunctionName": function, "EventSourceArn": stream, "StartingPosition": "LATEST", "BatchSize": batch,
        }))
        .expect("an answer");
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["UUID"].as_str().expect("an id").to_owned()
}

/// Every record of a stream, shard by shard.
pub fn records(client: &mut Client, stream: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let described =
        client.streams("DescribeStream", &json!({ "StreamArn": stream })).expect("an answer").json();
    for shard in described["StreamDescription"]["Shards"].as_array().expect("shards") {
        let asked = json!({
            "StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON",
        });
        let mut iterator =
            client.streams("GetShardIterator", &asked).expect("an answer").json()["ShardIterator"].clone();
        while !iterator.is_null() {
            let page = client
                .streams("GetRecords", &json!({ "ShardIterator": iterator }))
                .expect("an answer")
                .json();
            let records = page["Records"].as_array().expect("records").clone();
            if records.is_empty() {
                break;
            }
            all.extend(records);
            iterator = page["NextShardIterator"].clone();
        }
    }
    all
}

/// Waits, by asking again, for what must come; a test that waits in vain says for what.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("in vain: {what}");
}

/// The CLI that the test command installs; `./test` says where.
pub fn aws(node: &Node, dir: &TempDir, arguments: &[&str]) -> (bool, String) {
    let program = std::env::var("MILLSTREAM_TEST_AWS").unwrap_or_else(|_| "aws".to_owned());
    let output = Command::new(&program)
        .args(arguments)
        .current_dir(dir.path())
        .env("AWS_ENDPOINT_URL", node.url())
        .env("AWS_ACCESS_KEY_ID", "any")
        .env("AWS_SECRET_ACCESS_KEY", "any")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_PAGER", "")
        .env_remove("AWS_PROFILE")
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed, which ./test installs: {error}"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).trim().to_owned())
}
