//! What clients are told who ask for more throughput than there is.

use super::Bench;
use engine::Settings;
use serde_json::{Value as Json, json};
use std::time::Duration;

const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/Narrow";

/// A bench with the table `Narrow`, which reads and writes one unit a second and has saved up nothing.
fn narrow() -> Bench {
    let bench = Bench::set(Settings { throttle: true, ..Settings::default() });
    bench.make(json!({
        "TableName": "Narrow",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 },
    }));
    while bench.ask("PutItem", item("PutItem")).get("error").is_none() {}
    while bench.ask("GetItem", item("GetItem")).get("error").is_none() {}
    bench
}

fn item(operation: &str) -> Json {
    let member = if operation == "PutItem" { "Item" } else { "Key" };
    json!({ "TableName": "Narrow", member: { "pk": { "S": "a" } }, "ConsistentRead": true })
}

fn refused(side: &str) -> Json {
    json!({
        "error": "ProvisionedThroughputExceededException",
        "message": "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
        "ThrottlingReasons": [{ "reason": format!("Table{side}ProvisionedThroughputExceeded"), "resource": ARN }],
    })
}

#[test]
fn single_operations_are_refused() {
    let bench = narrow();
    let key = json!({ "pk": { "S": "a" } });
    let statement = json!({ "Statement": "SELECT * FROM Narrow WHERE pk = 'a'" });
    for (operation, input, side) in [
        ("PutItem", item("PutItem"), "Write"),
        ("UpdateItem", json!({ "TableName": "Narrow", "Key": key }), "Write"),
        ("DeleteItem", json!({ "TableName": "Narrow", "Key": key }), "Write"),
        ("GetItem", item("GetItem"), "Read"),
        ("Scan", json!({ "TableName": "Narrow" }), "Read"),
        ("ExecuteStatement", statement, "Read"),
    ] {
        bench.check(operation, input, refused(side));
    }
    bench.pass(Duration::from_secs(1));
    bench.check("PutItem", item("PutItem"), json!({}));
}

#[test]
fn batches_give_back_what_was_left() {
    let bench = narrow();
    let put = |pk: &str| json!({ "PutRequest": { "Item": { "pk": { "S": pk } } } });
    let delete = json!({ "DeleteRequest": { "Key": { "pk": { "S": "a" } } } });
    let batch = json!({ "RequestItems": { "Narrow": [put("x"), put("y"), delete] }, "ReturnConsumedCapacity": "TOTAL" });
    bench.check("BatchWriteItem", batch.clone(), refused("Write"));
    bench.pass(Duration::from_secs(1));
    bench.check(
        "BatchWriteItem",
        batch,
        json!({
            "UnprocessedItems": { "Narrow": [put("y"), delete] },
            "ConsumedCapacity": [{ "TableName": "Narrow", "CapacityUnits": 1.0 }],
        }),
    );
    let keys =
        |names: &[&str]| names.iter().map(|name| json!({ "pk": { "S": name } })).collect::<Vec<Json>>();
    let wanted = |names: &[&str]| json!({ "Narrow": { "Keys": keys(names), "ConsistentRead": true } });
    let read = json!({ "RequestItems": wanted(&["x", "y", "a"]) });
    bench.check(
        "BatchGetItem",
        read.clone(),
        json!({ "Responses": { "Narrow": keys(&["x"]) }, "UnprocessedKeys": wanted(&["y", "a"]) }),
    );
    bench.check("BatchGetItem", read, refused("Read"));
}

#[test]
fn transactions_say_why_in_their_places() {
    let bench = narrow();
    let put = |pk: &str| json!({ "Put": { "TableName": "Narrow", "Item": { "pk": { "S": pk } } } });
    bench.pass(Duration::from_secs(2));
    let told = bench.ask("TransactWriteItems", json!({ "TransactItems": [put("x"), put("y")] }));
    assert_eq!(told["error"], "TransactionCanceledException");
    let codes: Vec<&str> = told["CancellationReasons"]
        .as_array()
        .expect("reasons")
        .iter()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    assert_eq!(codes, ["None", "ProvisionedThroughputExceeded"]);
}

#[test]
fn limits_on_demand_have_words_of_their_own() {
    let bench = Bench::set(Settings { throttle: true, ..Settings::default() });
    bench.make(json!({
        "TableName": "Narrow",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
        "OnDemandThroughput": { "MaxWriteRequestUnits": 1 },
    }));
    bench.check("PutItem", item("PutItem"), json!({}));
    bench.check(
        "PutItem",
        item("PutItem"),
        json!({
            "error": "ThrottlingException",
            "message": "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
            "throttlingReasons": [{ "reason": "TableWriteMaxOnDemandThroughputExceeded", "resource": ARN }],
        }),
    );
}
