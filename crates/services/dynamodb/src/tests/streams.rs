use super::Bench;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// A table with a stream, and the stream's ARN.
fn streaming(view: &str) -> (Bench, String) {
    let bench = Bench::new();
    bench.make(json!({
        "TableName": "Log",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": view },
    }));
    let told = bench.ask("DescribeTable", json!({ "TableName": "Log" }));
    let arn = told["Table"]["LatestStreamArn"].as_str().unwrap().to_owned();
    (bench, arn)
}

fn shard(bench: &Bench, arn: &str) -> Json {
    bench.ask("DescribeStream", json!({ "StreamArn": arn }))["StreamDescription"]["Shards"][0].clone()
}

fn iterator(bench: &Bench, arn: &str, kind: &str, sequence: Option<&str>) -> Json {
    let mut input =
        json!({ "StreamArn": arn, "ShardId": shard(bench, arn)["ShardId"], "ShardIteratorType": kind });
    if let Some(sequence) = sequence {
        input["SequenceNumber"] = json!(sequence);
    }
    bench.ask("GetShardIterator", input)
}

fn records(bench: &Bench, iterator: &Json) -> Json {
    bench.ask("GetRecords", json!({ "ShardIterator": iterator["ShardIterator"] }))
}

fn write(bench: &Bench, id: &str, value: &str) {
    bench.check(
        "PutItem",
        json!({ "TableName": "Log", "Item": { "id": { "S": id }, "v": { "S": value } } }),
        json!({}),
    );
}

#[test]
fn changes_are_told_with_both_images() {
    let (bench, arn) = streaming("NEW_AND_OLD_IMAGES");
    let start = iterator(&bench, &arn, "TRIM_HORIZON", None);
    write(&bench, "1", "a");
    write(&bench, "1", "b");
    write(&bench, "1", "b");
    bench.check("DeleteItem", json!({ "TableName": "Log", "Key": { "id": { "S": "1" } } }), json!({}));
    let told = records(&bench, &start);
    let told = told["Records"].as_array().unwrap();
    let names: Vec<&str> = told.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    let modified = &told[1];
    assert_eq!(modified["eventSource"], "aws:dynamodb");
    assert_eq!(modified["awsRegion"], "us-east-1");
    assert_eq!(modified["eventID"].as_str().unwrap().len(), 32);
    let change = &modified["dynamodb"];
    assert_eq!(change["Keys"], json!({ "id": { "S": "1" } }));
    assert_eq!(change["OldImage"]["v"], json!({ "S": "a" }));
    assert_eq!(change["NewImage"]["v"], json!({ "S": "b" }));
    assert_eq!(change["SizeBytes"], 3 + 5 + 5);
    assert_eq!(change["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert!(told[0]["dynamodb"].get("OldImage").is_none() && told[2]["dynamodb"].get("NewImage").is_none());
}

#[test]
fn iterators_begin_where_they_are_told_to() {
    let (bench, arn) = streaming("KEYS_ONLY");
    for id in ["1", "2", "3"] {
        write(&bench, id, "");
    }
    let all = records(&bench, &iterator(&bench, &arn, "TRIM_HORIZON", None));
    let number = |at: usize| all["Records"][at]["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned();
    let ids = |iterator: Json| -> Vec<String> {
        let told = records(&bench, &iterator);
        let told = told["Records"].as_array().unwrap_or_else(|| panic!("{told}")).clone();
        told.iter().map(|record| record["dynamodb"]["Keys"]["id"]["S"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(iterator(&bench, &arn, "AT_SEQUENCE_NUMBER", Some(&number(1)))), ["2", "3"]);
    assert_eq!(ids(iterator(&bench, &arn, "AFTER_SEQUENCE_NUMBER", Some(&number(1)))), ["3"]);
    let latest = iterator(&bench, &arn, "LATEST", None);
    write(&bench, "4", "");
    assert_eq!(ids(latest), ["4"]);
    let next = records(&bench, &iterator(&bench, &arn, "LATEST", None));
    assert_eq!(next["Records"], json!([]));
    assert!(next["NextShardIterator"].is_string());
}

#[test]
fn iterators_expire_and_cannot_be_made_up() {
    let (bench, arn) = streaming("KEYS_ONLY");
    let start = iterator(&bench, &arn, "TRIM_HORIZON", None);
    bench.refuses("GetRecords", json!({ "ShardIterator": "made-up" }), "Invalid ShardIterator");
    bench.pass(Duration::from_secs(15 * 60));
    assert!(records(&bench, &start)["Records"].is_array());
    bench.pass(Duration::from_millis(1));
    assert_eq!(records(&bench, &start)["error"], "ExpiredIteratorException");
}

#[test]
fn a_stream_outlives_its_being_enabled() {
    let (bench, arn) = streaming("KEYS_ONLY");
    write(&bench, "1", "");
    let disable = json!({ "TableName": "Log", "StreamSpecification": { "StreamEnabled": false } });
    let told = bench.ask("UpdateTable", disable.clone());
    assert!(told["TableDescription"].get("StreamSpecification").is_none());
    assert_eq!(told["TableDescription"]["LatestStreamArn"], arn);
    bench.refuses("UpdateTable", disable, "Table has no stream to disable: TableName: Log");
    let stream = &bench.ask("DescribeStream", json!({ "StreamArn": arn }))["StreamDescription"];
    assert_eq!(stream["StreamStatus"], "DISABLED");
    assert!(stream["Shards"][0]["SequenceNumberRange"]["EndingSequenceNumber"].is_string());
    let mut at = iterator(&bench, &arn, "TRIM_HORIZON", None);
    let mut read = 0;
    loop {
        let page = records(&bench, &at);
        read += page["Records"].as_array().unwrap().len();
        match page.get("NextShardIterator") {
            Some(next) => at = json!({ "ShardIterator": next }),
            None => break,
        }
    }
    assert_eq!(read, 1);
    bench.pass(Duration::from_millis(5));
    let enable = json!({ "TableName": "Log", "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" } });
    let told = bench.ask("UpdateTable", enable.clone());
    assert_ne!(told["TableDescription"]["LatestStreamArn"], arn);
    bench.refuses("UpdateTable", enable, "Table already has an enabled stream: TableName: Log");
    let listed = bench.ask("ListStreams", json!({ "TableName": "Log" }));
    assert_eq!(listed["Streams"].as_array().unwrap().len(), 2);
}

#[test]
fn words_of_streams() {
    let (bench, arn) = streaming("KEYS_ONLY");
    let shard = shard(&bench, &arn)["ShardId"].as_str().unwrap().to_owned();
    let ask = |extra: Json| {
        let mut input = json!({ "StreamArn": arn, "ShardId": shard });
        input.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        bench.ask("GetShardIterator", input)["error"].as_str().unwrap_or_default().to_owned()
    };
    for (input, error) in [
        (json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER" }), "ValidationException"),
        (json!({ "ShardIteratorType": "AFTER_SEQUENCE_NUMBER" }), "ValidationException"),
        (
            json!({ "ShardIteratorType": "LATEST", "SequenceNumber": "123456789012345678901" }),
            "ValidationException",
        ),
        (json!({ "ShardIteratorType": "OTHER" }), "ValidationException"),
        (
            json!({ "ShardIteratorType": "LATEST", "StreamArn": "not-an-arn-however-long-it-may-be-written" }),
            "ValidationException",
        ),
        (
            json!({ "ShardIteratorType": "LATEST", "ShardId": "shardId-00000000000000000001-00000000" }),
            "ResourceNotFoundException",
        ),
    ] {
        assert_eq!(ask(input.clone()), error, "{input}");
    }
    let unknown = "arn:aws:dynamodb:us-east-1:123456789012:table/Log/stream/2020-01-01T00:00:00.000";
    bench.check(
        "DescribeStream",
        json!({ "StreamArn": unknown }),
        json!({
            "error": "ResourceNotFoundException",
            "message": format!("Requested resource not found: Stream: {unknown} not found"),
        }),
    );
    for limit in [0, 101] {
        assert_eq!(bench.ask("ListStreams", json!({ "Limit": limit }))["error"], "ValidationException");
    }
    let page = bench.ask("DescribeStream", json!({ "StreamArn": arn, "ExclusiveStartShardId": shard }));
    assert_eq!(page["StreamDescription"]["Shards"], json!([]));
}
