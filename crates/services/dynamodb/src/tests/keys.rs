//! Where keys are concerned: keys to go on at, attributes that indexes have for keys, paths into keys.

use super::Bench;
use serde_json::{Value as Json, json};

const INVALID: &str = "The provided starting key is invalid";
const MISMATCH: &str = "The provided key element does not match the schema";
const OUTSIDE: &str = "The provided starting key is outside query boundaries based on provided conditions";
const PREDICATE: &str = "The provided starting key does not match the range key predicate";

fn key(attributes: &[(&str, &str)]) -> Json {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), json!({ "S": value }))).collect()
}

#[test]
fn a_query_goes_on_only_where_it_could_be() {
    let bench = Bench::with_tables();
    let check = |condition: &str, start: Json, message: &str| {
        let values = json!({ ":a": { "S": "a" }, ":b": { "S": "b" } });
        let values: Json = values
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| condition.contains(name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let input = json!({
            "TableName": "Both",
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ExclusiveStartKey": start,
        });
        bench.refuses("Query", input, message);
    };
    check("pk = :a", key(&[("pk", "a")]), INVALID);
    check("pk = :a", key(&[("pk", "a"), ("a", "a")]), INVALID);
    check("pk = :a", json!({ "pk": { "S": "a" }, "sk": { "N": "1" } }), MISMATCH);
    // It is told of before what the query lacks.
    check("sk = :a", json!({ "pk": { "N": "1" }, "sk": { "S": "a" } }), MISMATCH);
    check("pk = :a", key(&[("pk", "b"), ("sk", "a")]), OUTSIDE);
    check("pk = :a AND sk > :b", key(&[("pk", "a"), ("sk", "a")]), PREDICATE);
    check("pk = :b AND sk > :b", key(&[("pk", "a"), ("sk", "a")]), PREDICATE);
    check(
        "pk = :b AND sk < :b",
        key(&[("pk", "a"), ("sk", "a")]),
        "The query can return at most one row and cannot be restarted",
    );
    let of_index = |start: Json, message: &str| {
        let input = json!({
            "TableName": "Both",
            "IndexName": "global-all",
            "KeyConditionExpression": "a = :a",
            "ExpressionAttributeValues": { ":a": { "S": "a" } },
            "ExclusiveStartKey": start,
        });
        bench.refuses("Query", input, message);
    };
    of_index(key(&[("pk", "a"), ("sk", "a")]), INVALID);
    of_index(json!({ "pk": { "S": "a" }, "sk": { "S": "a" }, "a": { "N": "1" } }), MISMATCH);
    of_index(
        json!({ "pk": { "N": "1" }, "sk": { "S": "a" }, "a": { "S": "a" } }),
        &format!("{INVALID}: {MISMATCH}"),
    );
}

#[test]
fn legacy_conditions_are_of_their_keys_types_and_of_operators_that_keys_have() {
    let bench = Bench::with_tables();
    let check = |operator: &str, value: Json, message: &str| {
        let condition = json!({ "ComparisonOperator": operator, "AttributeValueList": [value] });
        let input = json!({ "TableName": "Hash", "KeyConditions": { "pk": condition } });
        bench.refuses("Query", input, message);
    };
    check("NE", json!({ "S": "a" }), "Attempted conditional constraint is not an indexable operation");
    check("LT", json!({ "S": "a" }), "Query key condition not supported");
    check(
        "LT",
        json!({ "N": "1" }),
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    );
    let filter =
        json!({ "a": { "ComparisonOperator": "IN", "AttributeValueList": [{ "S": "a" }, { "N": "1" }] } });
    bench.refuses(
        "Scan",
        json!({ "TableName": "Hash", "ScanFilter": filter }),
        "One or more parameter values were invalid: AttributeValues inside AttributeValueList must be of same type",
    );
}

#[test]
fn attributes_that_indexes_have_for_keys_keep_their_type() {
    let bench = Bench::with_tables();
    let change = |value: Json| {
        json!({
            "TableName": "Both",
            "Key": key(&[("pk", "1"), ("sk", "1")]),
            "AttributeUpdates": { "b": { "Value": value } },
        })
    };
    let told = |kind: &str| {
        format!(
            "One or more parameter values were invalid: Type mismatch for Index Key b Expected: S Actual: {kind} IndexName: local-keys"
        )
    };
    bench.refuses("UpdateItem", change(json!({ "N": "1" })), &told("N"));
    bench.refuses("UpdateItem", change(json!({ "NULL": true })), &told("NULL"));
    bench.check(
        "PutItem",
        json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" }, "n": { "N": "1" } } }),
        json!({}),
    );
    let add = json!({
        "TableName": "Hash",
        "Key": key(&[("pk", "1")]),
        "AttributeUpdates": { "n": { "Action": "ADD", "Value": { "SS": ["a"] } } },
    });
    bench.refuses("UpdateItem", add, "Type mismatch for attribute to update");
}

#[test]
fn keys_have_nothing_inside() {
    let bench = Bench::with_tables();
    let message = |key: &str| {
        format!(
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {key}"
        )
    };
    let get = json!({ "TableName": "Hash", "Key": key(&[("pk", "1")]), "ProjectionExpression": "pk.x" });
    bench.refuses("GetItem", get, &message("Key: pk"));
    let scan = json!({ "TableName": "Both", "FilterExpression": "attribute_exists(b[1])" });
    bench.refuses("Scan", scan, &message("IndexKey: b"));
    for expression in ["SET b.x = :v", "SET c = b[1] + :v"] {
        let update = json!({
            "TableName": "Both",
            "Key": key(&[("pk", "1"), ("sk", "1")]),
            "UpdateExpression": expression,
            "ExpressionAttributeValues": { ":v": { "N": "1" } },
        });
        bench.refuses("UpdateItem", update, &message("IndexKey: b"));
    }
    // Of an item that the update makes, the key can be read.
    let update = json!({
        "TableName": "Hash",
        "Key": key(&[("pk", "new")]),
        "UpdateExpression": "SET twin = pk",
        "ReturnValues": "UPDATED_NEW",
    });
    bench.check("UpdateItem", update, json!({ "Attributes": { "twin": { "S": "new" } } }));
}

#[test]
fn a_batch_tells_less_of_a_key_that_is_none() {
    let bench = Bench::with_tables();
    for item in [json!({}), json!({ "pk": { "N": "1" } })] {
        let batch = json!({ "RequestItems": { "Hash": [{ "PutRequest": { "Item": item } }] } });
        bench.refuses("BatchWriteItem", batch, MISMATCH);
    }
    let none = bench.ask("BatchWriteItem", json!({ "RequestItems": { "Hash": null } }));
    assert_eq!(none["error"], "ValidationException");
    let unnamed = json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" }, "": { "S": "1" } } });
    bench.refuses(
        "PutItem",
        unnamed,
        "1 validation error detected: One or more parameter values were invalid: Empty attribute name",
    );
}

#[test]
fn definitions_of_tables_stand_once_and_for_each_index() {
    let bench = Bench::with_tables();
    let defined = |kind: &str| json!({ "AttributeName": "x", "AttributeType": kind });
    let table = json!({
        "TableName": "Twice",
        "AttributeDefinitions": [defined("S"), defined("N")],
        "KeySchema": [{ "AttributeName": "x", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    bench.refuses("CreateTable", table, "Attribute Name is duplicated: x");
    let index = json!({
        "IndexName": "more",
        "KeySchema": [{ "AttributeName": "b", "KeyType": "HASH" }],
        "Projection": { "ProjectionType": "ALL" },
    });
    let change = json!({ "TableName": "Both", "GlobalSecondaryIndexUpdates": [{ "Create": index }] });
    bench.refuses(
        "UpdateTable",
        change,
        "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [b], AttributeDefinitions: []",
    );
    let two = json!([{ "Delete": { "IndexName": "none" } }, { "Delete": { "IndexName": "neither" } }]);
    let answer = bench.ask("UpdateTable", json!({ "TableName": "Both", "GlobalSecondaryIndexUpdates": two }));
    assert_eq!(answer["error"], "LimitExceededException");
}
