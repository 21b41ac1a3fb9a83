use super::Bench;
use serde_json::{Value as Json, json};

fn simple(extra: Json) -> Json {
    let mut table = json!({
        "TableName": "New",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    table.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    table
}

#[test]
fn a_table_is_made_described_listed_and_deleted() {
    let bench = Bench::new();
    let made = bench.ask("CreateTable", simple(json!({ "Tags": [{ "Key": "k", "Value": "v" }] })));
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/New";
    assert_eq!(made["TableDescription"]["TableArn"], arn);
    let told = &bench.ask("DescribeTable", json!({ "TableName": "New" }))["Table"];
    assert_eq!(told["TableStatus"], "ACTIVE");
    assert_eq!(told["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(told["KeySchema"], json!([{ "AttributeName": "pk", "KeyType": "HASH" }]));
    assert_eq!(told["DeletionProtectionEnabled"], false);
    assert!(told.get("StreamSpecification").is_none() && told.get("LatestStreamArn").is_none());
    bench.check("ListTables", json!({}), json!({ "TableNames": ["New"] }));
    bench.check(
        "ListTagsOfResource",
        json!({ "ResourceArn": arn }),
        json!({ "Tags": [{ "Key": "k", "Value": "v" }] }),
    );
    let again = bench.ask("CreateTable", simple(json!({})));
    assert_eq!(again, json!({ "error": "ResourceInUseException", "message": "Table already exists: New" }));
    let deleted = &bench.ask("DeleteTable", json!({ "TableName": "New" }))["TableDescription"];
    assert_eq!(deleted["TableStatus"], "DELETING");
    assert!(deleted.get("KeySchema").is_none());
    bench.check(
        "DescribeTable",
        json!({ "TableName": "New" }),
        json!({ "error": "ResourceNotFoundException", "message": "Requested resource not found: Table: New not found" }),
    );
    bench.check("ListTables", json!({}), json!({ "TableNames": [] }));
}

#[test]
fn tags_are_set_and_removed() {
    let bench = Bench::new();
    bench.make(simple(json!({})));
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/New";
    let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }]);
    bench.check("TagResource", json!({ "ResourceArn": arn, "Tags": tags }), Json::Null);
    bench.check("ListTagsOfResource", json!({ "ResourceArn": arn }), json!({ "Tags": tags }));
    bench.check("UntagResource", json!({ "ResourceArn": arn, "TagKeys": ["a"] }), Json::Null);
    bench.check(
        "ListTagsOfResource",
        json!({ "ResourceArn": arn }),
        json!({ "Tags": [{ "Key": "b", "Value": "2" }] }),
    );
    let other = json!({ "ResourceArn": "arn:aws:dynamodb:us-east-1:000000000000:table/New" });
    assert_eq!(bench.ask("ListTagsOfResource", other)["error"], "AccessDeniedException");
}

#[test]
fn a_table_is_changed_one_concern_at_a_time() {
    let bench = Bench::new();
    bench.make(simple(json!({
        "BillingMode": "PROVISIONED", "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 5 },
    })));
    let update = |change: Json| {
        let mut update = json!({ "TableName": "New" });
        update.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        bench.ask("UpdateTable", update)
    };
    let message = |answer: Json| answer["message"].as_str().unwrap_or_default().to_owned();
    assert!(message(update(json!({}))).starts_with("At least one of ProvisionedThroughput, BillingMode"));
    let same = json!({ "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 5 } });
    assert!(message(update(same)).starts_with("The provisioned throughput for the table will not change."));
    let more = json!({ "ProvisionedThroughput": { "ReadCapacityUnits": 10, "WriteCapacityUnits": 5 } });
    assert!(update(more)["TableDescription"].is_object());
    let told = bench.ask("DescribeTable", json!({ "TableName": "New" }));
    assert_eq!(told["Table"]["ProvisionedThroughput"]["ReadCapacityUnits"], 10);
    let both = json!({ "DeletionProtectionEnabled": true, "BillingMode": "PAY_PER_REQUEST" });
    assert_eq!(
        message(update(both)),
        "One or more parameter values were invalid: DeletionProtection modification must be the only operation in the request"
    );
    assert!(update(json!({ "DeletionProtectionEnabled": true }))["TableDescription"].is_object());
    bench.refuses(
        "DeleteTable",
        json!({ "TableName": "New" }),
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
    );
}

#[test]
fn words_of_new_tables() {
    let bench = Bench::new();
    let check = |extra: Json, message: &str| bench.refuses("CreateTable", simple(extra), message);
    check(
        json!({ "TableName": null }),
        "The parameter 'TableName' is required but was not present in the request",
    );
    check(
        json!({ "TableName": "ab" }),
        "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3",
    );
    check(
        json!({ "KeySchema": null }),
        "1 validation error detected: Value null at 'keySchema' failed to satisfy constraint: Member must not be null",
    );
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    check(
        json!({ "KeySchema": [key("pk", "HASH"), key("pk", "RANGE")] }),
        "Invalid KeySchema: Some index key attribute have no definition",
    );
    check(
        json!({ "KeySchema": [key("pk", "HASH"), key("sk", "RANGE"), key("x", "RANGE")] }),
        "1 validation error detected: Value '[KeySchemaElement(attributeName=pk, keyType=HASH), KeySchemaElement(attributeName=sk, keyType=RANGE), KeySchemaElement(attributeName=x, keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2",
    );
    check(
        json!({ "KeySchema": [key("pk", "INVALID")] }),
        "1 validation error detected: Value 'INVALID' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]",
    );
    check(
        json!({ "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "INVALID" }] }),
        "1 validation error detected: Value 'INVALID' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]",
    );
    let defined = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let index = |name: &str, hash: &str, range: Option<&str>| {
        let range = range.map(|range| key(range, "RANGE"));
        let keys: Vec<Json> = [key(hash, "HASH")].into_iter().chain(range).collect();
        json!({ "IndexName": name, "KeySchema": keys, "Projection": { "ProjectionType": "ALL" } })
    };
    check(
        json!({
            "AttributeDefinitions": [defined("pk"), defined("a")],
            "LocalSecondaryIndexes": [index("one", "pk", Some("a"))],
        }),
        "One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
    );
    check(
        json!({
            "AttributeDefinitions": [defined("pk"), defined("a"), defined("b")],
            "GlobalSecondaryIndexes": [index("same", "a", None), index("same", "b", None)],
        }),
        "One or more parameter values were invalid: Duplicate index name: same",
    );
    check(
        json!({ "AttributeDefinitions": [defined("pk"), defined("a")] }),
        "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
    );
    check(
        json!({ "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 5 } }),
        "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
    );
    check(
        json!({ "StreamSpecification": { "StreamEnabled": true } }),
        "One or more parameter values were invalid: Table is being created with a stream enabled, UpdateViewType is required",
    );
}
