use super::{fails, merged};
use crate::tests::Bench;
use serde_json::{Value as Json, json};

const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/Hash";

fn change(extra: Json) -> Json {
    merged(json!({ "TableName": "Hash" }), extra)
}

fn index(name: &str, attribute: &str) -> Json {
    json!({ "Create": {
        "IndexName": name,
        "KeySchema": [{ "AttributeName": attribute, "KeyType": "HASH" }],
        "Projection": { "ProjectionType": "ALL" },
    } })
}

fn defined(name: &str, kind: &str) -> Json {
    json!([{ "AttributeName": name, "AttributeType": kind }])
}

#[test]
fn time_to_live_is_switched_once() {
    let bench = Bench::with_tables();
    let switch = |enabled: bool, attribute: &str| {
        let specification = json!({ "Enabled": enabled, "AttributeName": attribute });
        change(json!({ "TimeToLiveSpecification": specification }))
    };
    bench.refuses("UpdateTimeToLive", switch(false, "t"), "TimeToLive is already disabled");
    assert!(bench.ask("UpdateTimeToLive", switch(true, "t")).get("TimeToLiveSpecification").is_some());
    bench.refuses("UpdateTimeToLive", switch(true, "t"), "TimeToLive is already enabled");
    for wrong in [switch(true, "other"), switch(false, "other")] {
        fails(&bench, "UpdateTimeToLive", wrong, "ValidationException");
    }
}

#[test]
fn an_index_is_filled_with_what_fits_and_later_writes_must_fit() {
    let bench = Bench::with_tables();
    let put = |pk: &str, g: Json| json!({ "TableName": "Hash", "Item": { "pk": { "S": pk }, "g": g } });
    bench.check("PutItem", put("text", json!({ "S": "x" })), json!({}));
    bench.check("PutItem", put("number", json!({ "N": "1" })), json!({}));
    let made = change(
        json!({ "AttributeDefinitions": defined("g", "S"), "GlobalSecondaryIndexUpdates": [index("by-g", "g")] }),
    );
    assert!(bench.ask("UpdateTable", made).get("TableDescription").is_some());
    bench.dynamodb.engine.maintain().expect("the index is filled");
    let found = bench.ask("Scan", json!({ "TableName": "Hash", "IndexName": "by-g" }));
    assert_eq!(found["Items"], json!([{ "pk": { "S": "text" }, "g": { "S": "x" } }]), "{found}");
    bench.refuses(
        "PutItem",
        put("later", json!({ "N": "2" })),
        "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g",
    );
    let redefined = change(
        json!({ "AttributeDefinitions": defined("g", "N"), "GlobalSecondaryIndexUpdates": [index("again", "g")] }),
    );
    fails(&bench, "UpdateTable", redefined, "ValidationException");
}

#[test]
fn indexes_are_made_and_deleted_one_at_a_time() {
    let bench = Bench::with_tables();
    let update = |updates: Json| {
        change(json!({
            "AttributeDefinitions": [
                { "AttributeName": "a", "AttributeType": "S" },
                { "AttributeName": "b", "AttributeType": "S" },
            ],
            "GlobalSecondaryIndexUpdates": updates,
        }))
    };
    fails(&bench, "UpdateTable", update(json!([{}])), "ValidationException");
    let both = merged(index("one", "a"), json!({ "Delete": { "IndexName": "one" } }));
    fails(&bench, "UpdateTable", update(json!([both])), "ValidationException");
    let two = update(json!([index("one", "a"), index("two", "b")]));
    fails(&bench, "UpdateTable", two, "LimitExceededException");
    fails(
        &bench,
        "UpdateTable",
        json!({ "TableName": "Both", "GlobalSecondaryIndexUpdates": [
            { "Delete": { "IndexName": "global-all" } }, { "Delete": { "IndexName": "global-some" } },
        ] }),
        "LimitExceededException",
    );
}

#[test]
fn a_global_index_gives_only_what_it_holds() {
    let bench = Bench::with_tables();
    let query = |extra: Json| {
        let query = json!({
            "TableName": "Both", "IndexName": "global-some", "KeyConditionExpression": "a = :a",
            "ExpressionAttributeValues": { ":a": { "S": "x" } },
        });
        merged(query, extra)
    };
    bench.refuses(
        "Query",
        query(json!({ "Select": "ALL_ATTRIBUTES" })),
        "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index global-some because its projection type is not ALL",
    );
    fails(&bench, "Query", query(json!({ "ProjectionExpression": "pk, elsewhere" })), "ValidationException");
}

#[test]
fn a_deletion_tells_no_schema_and_tags_have_limits() {
    let bench = Bench::with_tables();
    let tags = |tags: Json| json!({ "ResourceArn": ARN, "Tags": tags });
    bench.check("TagResource", tags(json!([{ "Key": "k", "Value": "" }])), Json::Null);
    for tag in [
        json!({ "Key": "k".repeat(129), "Value": "v" }),
        json!({ "Key": "k", "Value": "v".repeat(257) }),
        json!({ "Key": "a?b", "Value": "v" }),
        json!({ "Key": "aws:k", "Value": "v" }),
    ] {
        fails(&bench, "TagResource", tags(json!([tag])), "ValidationException");
    }
    let told = &bench.ask("DeleteTable", json!({ "TableName": "Hash" }))["TableDescription"];
    assert_eq!(told["TableStatus"], "DELETING");
    assert!(told.get("KeySchema").is_none() && told.get("AttributeDefinitions").is_none(), "{told}");
}

#[test]
fn names_of_attributes_have_limits() {
    let bench = Bench::with_tables();
    let create = |name: &str| {
        json!({
            "TableName": "Long",
            "AttributeDefinitions": [{ "AttributeName": name, "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": name, "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
        })
    };
    fails(&bench, "CreateTable", create(&"k".repeat(256)), "ValidationException");
    assert!(bench.ask("CreateTable", create(&"k".repeat(255))).get("TableDescription").is_some());
    let put =
        |name: String| json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" }, name: { "S": "" } } });
    bench.check("PutItem", put("n".repeat(65_535)), json!({}));
    fails(&bench, "PutItem", put("n".repeat(65_536)), "ValidationException");
}
