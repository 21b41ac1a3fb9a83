use super::Bench;
use serde_json::{Value as Json, json};

fn put(pk: &str) -> Json {
    json!({ "PutRequest": { "Item": { "pk": { "S": pk } } } })
}

fn delete(pk: &str) -> Json {
    json!({ "DeleteRequest": { "Key": { "pk": { "S": pk } } } })
}

#[test]
fn batches_write_and_read() {
    let bench = Bench::with_tables();
    bench.check(
        "BatchWriteItem",
        json!({ "RequestItems": { "Hash": [put("1"), put("2")] }, "ReturnConsumedCapacity": "TOTAL" }),
        json!({ "UnprocessedItems": {}, "ConsumedCapacity": [{ "TableName": "Hash", "CapacityUnits": 2.0 }] }),
    );
    bench.check(
        "BatchWriteItem",
        json!({ "RequestItems": { "Hash": [put("3"), delete("1")] } }),
        json!({ "UnprocessedItems": {} }),
    );
    let keys: Vec<Json> = ["1", "2", "3"].iter().map(|pk| json!({ "pk": { "S": pk } })).collect();
    let answer = bench.ask("BatchGetItem", json!({ "RequestItems": { "Hash": { "Keys": keys } } }));
    assert_eq!(answer["Responses"]["Hash"], json!([{ "pk": { "S": "2" } }, { "pk": { "S": "3" } }]));
    assert_eq!(answer["UnprocessedKeys"], json!({}));
}

#[test]
fn an_answer_that_is_full_leaves_keys_over() {
    let bench = Bench::with_tables();
    let mut keys = Vec::new();
    for n in 0..43 {
        let item = json!({ "pk": { "S": n.to_string() }, "a": { "S": "x".repeat(400_000) } });
        bench.check("PutItem", json!({ "TableName": "Hash", "Item": item }), json!({}));
        keys.push(json!({ "pk": { "S": n.to_string() } }));
    }
    let request = json!({ "Hash": { "Keys": keys, "ConsistentRead": true, "ProjectionExpression": "pk" } });
    let answer = bench.ask("BatchGetItem", json!({ "RequestItems": request }));
    assert_eq!(answer["Responses"]["Hash"].as_array().unwrap().len(), 41);
    let left =
        json!({ "Hash": { "Keys": &keys[41..], "ConsistentRead": true, "ProjectionExpression": "pk" } });
    assert_eq!(answer["UnprocessedKeys"], left);
}

#[test]
fn words_of_batches() {
    let bench = Bench::with_tables();
    let writes = |items: Json, message: &str| {
        bench.refuses("BatchWriteItem", json!({ "RequestItems": items }), message);
    };
    let gets =
        |items: Json, message: &str| bench.refuses("BatchGetItem", json!({ "RequestItems": items }), message);
    writes(json!({}), "The requestItems parameter is required for BatchWriteItem");
    gets(json!({}), "The requestItems parameter is required for BatchGetItem");
    let keys: Vec<Json> = (0..101).map(|n| json!({ "pk": { "S": n.to_string() } })).collect();
    gets(
        json!({ "Hash": { "Keys": keys } }),
        "1 validation error detected: Value at 'RequestItems.Hash.member.Keys' failed to satisfy constraint: Member must have length less than or equal to 100",
    );
    gets(
        json!({ "Hash": { "Keys": &keys[..60] }, "Both": { "Keys": &keys[..60] } }),
        "Too many items requested for the BatchGetItem call",
    );
    let duplicates = "Provided list of item keys contains duplicates";
    gets(json!({ "Hash": { "Keys": [{ "pk": { "S": "1" } }, { "pk": { "S": "1" } }] } }), duplicates);
    writes(json!({ "Hash": [put("1"), delete("1")] }), duplicates);
    let many: Vec<Json> = (0..26).map(|n| put(&n.to_string())).collect();
    writes(
        json!({ "Hash": &many[..20], "Both": &many[..20] }),
        "Too many items requested for the BatchWriteItem call",
    );
    let answer = bench.ask("BatchWriteItem", json!({ "RequestItems": { "Hash": many } }));
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with("1 validation error detected: Value '{Hash=[") && message.ends_with(
        "]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"
    ), "{message}");
    let missing = json!({ "error": "ResourceNotFoundException", "message": "Requested resource not found" });
    bench.check("BatchWriteItem", json!({ "RequestItems": { "None": [put("1")] } }), missing.clone());
    bench.check(
        "BatchGetItem",
        json!({ "RequestItems": { "None": { "Keys": [{ "pk": { "S": "1" } }] } } }),
        missing,
    );
}
