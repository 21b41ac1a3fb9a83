use super::{fails, merged};
use crate::tests::Bench;
use serde_json::{Value as Json, json};
use std::time::Duration;

fn table(stream: Json) -> Json {
    json!({
        "TableName": "Log",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": stream,
    })
}

/// A table with a stream, and the stream's ARN.
fn streaming() -> (Bench, String) {
    let bench = Bench::new();
    bench.make(table(json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" })));
    let told = bench.ask("DescribeTable", json!({ "TableName": "Log" }));
    let arn = told["Table"]["LatestStreamArn"].as_str().expect("it has a stream").to_owned();
    (bench, arn)
}

fn described(bench: &Bench, arn: &str, extra: Json) -> Json {
    bench.ask("DescribeStream", merged(json!({ "StreamArn": arn }), extra))["StreamDescription"].clone()
}

/// All records so far, without their numbers and times.
fn records(bench: &Bench, arn: &str) -> Vec<Json> {
    let mut records = Vec::new();
    for shard in described(bench, arn, json!({}))["Shards"].as_array().expect("shards") {
        let start =
            json!({ "StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON" });
        let iterator = bench.ask("GetShardIterator", start)["ShardIterator"].clone();
        let page = bench.ask("GetRecords", json!({ "ShardIterator": iterator }));
        records.extend(page["Records"].as_array().expect("records").iter().cloned());
    }
    records
}

#[test]
fn an_open_shard_has_a_beginning_and_no_end() {
    let (bench, arn) = streaming();
    let shard = &described(&bench, &arn, json!({}))["Shards"][0];
    assert!((28..=65).contains(&shard["ShardId"].as_str().unwrap_or_default().len()), "{shard}");
    let range = &shard["SequenceNumberRange"];
    assert!(
        range["StartingSequenceNumber"].is_string() && range.get("EndingSequenceNumber").is_none(),
        "{range}"
    );
    let numbered = json!({
        "StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON",
        "SequenceNumber": range["StartingSequenceNumber"],
    });
    fails(&bench, "GetShardIterator", numbered, "ValidationException");
}

#[test]
fn words_of_requests_about_streams() {
    let (bench, arn) = streaming();
    let malformed = "not-an-arn-however-long-it-may-be-written";
    fails(&bench, "DescribeStream", json!({ "StreamArn": malformed }), "ValidationException");
    fails(&bench, "ListStreams", json!({ "ExclusiveStartStreamArn": malformed }), "ValidationException");
    let shard = described(&bench, &arn, json!({}))["Shards"][0]["ShardId"].clone();
    let start = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "LATEST" });
    let iterator = bench.ask("GetShardIterator", start)["ShardIterator"].clone();
    for limit in [0, 1_001] {
        let input = json!({ "ShardIterator": iterator, "Limit": limit });
        fails(&bench, "GetRecords", input, "ValidationException");
    }
    let view = json!({
        "TableName": "Log", "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" },
    });
    bench.refuses("UpdateTable", view, "Table already has an enabled stream: TableName: Log");
    let wrong = merged(
        table(json!({ "StreamEnabled": true, "StreamViewType": "EVERYTHING" })),
        json!({ "TableName": "Other" }),
    );
    fails(&bench, "CreateTable", wrong, "ValidationException");
}

#[test]
fn shards_are_told_by_pages_and_by_their_parents() {
    let (bench, arn) = streaming();
    bench.check("PutItem", json!({ "TableName": "Log", "Item": { "id": { "S": "1" } } }), json!({}));
    bench.pass(Duration::from_secs(4 * 3600 + 1));
    bench.dynamodb.engine.maintain().expect("shards roll over");
    let all = described(&bench, &arn, json!({}))["Shards"].clone();
    let ids: Vec<&str> =
        all.as_array().into_iter().flatten().filter_map(|shard| shard["ShardId"].as_str()).collect();
    let [parent, child] = ids[..] else { panic!("a parent and a child: {all}") };
    assert_eq!(all[1]["ParentShardId"], parent);
    let first = described(&bench, &arn, json!({ "Limit": 1 }));
    assert_eq!(first["LastEvaluatedShardId"], parent, "{first}");
    let next = described(&bench, &arn, json!({ "Limit": 1, "ExclusiveStartShardId": parent }));
    assert_eq!(next["Shards"][0]["ShardId"], child);
    let filter = json!({ "ShardFilter": { "Type": "CHILD_SHARDS", "ShardId": parent } });
    let children = described(&bench, &arn, filter);
    assert_eq!(children["Shards"].as_array().map(Vec::len), Some(1), "{children}");
    assert_eq!(children["Shards"][0]["ShardId"], child);
}

#[test]
fn every_kind_of_write_makes_the_same_records() {
    let told = |write: &dyn Fn(&Bench)| {
        let (bench, arn) = streaming();
        write(&bench);
        let records = records(&bench, &arn);
        let shown = records.iter().map(|record| {
            let change = &record["dynamodb"];
            json!([
                record["eventName"],
                change["Keys"],
                change["OldImage"],
                change["NewImage"],
                change["SizeBytes"],
                record["userIdentity"]
            ])
        });
        shown.collect::<Vec<Json>>()
    };
    let item = json!({ "id": { "S": "1" }, "v": { "N": "1" } });
    let key = json!({ "id": { "S": "1" } });
    let single = told(&|bench| {
        for _ in 0..2 {
            bench.check("PutItem", json!({ "TableName": "Log", "Item": item }), json!({}));
        }
        bench.check("DeleteItem", json!({ "TableName": "Log", "Key": key }), json!({}));
    });
    assert_eq!(single.len(), 2, "a write of the same item makes none: {single:?}");
    let batch = told(&|bench| {
        for request in [json!({ "PutRequest": { "Item": item } }), json!({ "DeleteRequest": { "Key": key } })]
        {
            bench.ask("BatchWriteItem", json!({ "RequestItems": { "Log": [request] } }));
        }
    });
    assert_eq!(batch, single);
    let transaction = told(&|bench| {
        for action in [
            json!({ "Put": { "TableName": "Log", "Item": item } }),
            json!({ "Delete": { "TableName": "Log", "Key": key } }),
        ] {
            bench.check("TransactWriteItems", json!({ "TransactItems": [action] }), json!({}));
        }
    });
    assert_eq!(transaction, single);
    let statements = ["INSERT INTO Log VALUE {'id': '1', 'v': 1}", "DELETE FROM Log WHERE id = '1'"];
    let partiql = told(&|bench| {
        for statement in statements {
            bench.check("ExecuteStatement", json!({ "Statement": statement }), json!({ "Items": [] }));
        }
    });
    assert_eq!(partiql, single);
    let transacted = told(&|bench| {
        for statement in statements {
            let input = json!({ "TransactStatements": [{ "Statement": statement }] });
            bench.check("ExecuteTransaction", input, json!({ "Responses": [] }));
        }
    });
    assert_eq!(transacted, single);
}

#[test]
fn only_the_services_own_deletions_say_who_deleted() {
    let (bench, arn) = streaming();
    let switch =
        json!({ "TableName": "Log", "TimeToLiveSpecification": { "Enabled": true, "AttributeName": "t" } });
    bench.ask("UpdateTimeToLive", switch);
    let over = bench.world.now().seconds() + 10;
    for (id, t) in [("user", "0".to_owned()), ("service", over.to_string())] {
        let item = json!({ "id": { "S": id }, "t": { "N": t } });
        bench.check("PutItem", json!({ "TableName": "Log", "Item": item }), json!({}));
    }
    bench.check("DeleteItem", json!({ "TableName": "Log", "Key": { "id": { "S": "user" } } }), json!({}));
    bench.pass(Duration::from_secs(20));
    bench.dynamodb.engine.maintain().expect("what is over goes");
    let records = records(&bench, &arn);
    let removed: Vec<&Json> = records.iter().filter(|record| record["eventName"] == "REMOVE").collect();
    let [user, service] = removed[..] else { panic!("two go: {records:?}") };
    assert!(user.get("userIdentity").is_none(), "{user}");
    assert_eq!(service["dynamodb"]["Keys"]["id"]["S"], "service");
    assert_eq!(
        service["userIdentity"],
        json!({ "PrincipalId": "dynamodb.amazonaws.com", "Type": "Service" })
    );
}
