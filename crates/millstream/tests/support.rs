//! What these tests have in common.

use serde_json::{Value, json};
use testkit::{Client, Node, TempDir};

pub const BINARY: &str = env!("CARGO_BIN_EXE_millstream");

pub fn start(dir: &TempDir) -> Node {
    Node::start(BINARY, dir.path(), &[])
}

/// A package of one file, stored without compression.
pub fn zip(name: &str, text: &str) -> String {
    let (name, data) = (name.as_bytes(), text.as_bytes());
    let crc = crc32(data);
    let sizes = |out: &mut Vec<u8>| {
        out.extend(crc.to_le_bytes());
        out.extend((data.len() as u32).to_le_bytes());
        out.extend((data.len() as u32).to_le_bytes());
        out.extend((name.len() as u16).to_le_bytes());
    };
    let mut file = b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0".to_vec();
    sizes(&mut file);
    file.extend([0, 0]);
    file.extend(name);
    file.extend(data);
    let directory = file.len() as u32;
    file.extend(b"PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0\x21\0");
    sizes(&mut file);
    file.extend([0; 8]);
    file.extend((0o100_644_u32 << 16).to_le_bytes());
    file.extend([0; 4]);
    file.extend(name);
    let directory_bytes = file.len() as u32 - directory;
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend(directory_bytes.to_le_bytes());
    file.extend(directory.to_le_bytes());
    file.extend([0, 0]);
    wire::base64::encode(&file)
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1)))
    })
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
