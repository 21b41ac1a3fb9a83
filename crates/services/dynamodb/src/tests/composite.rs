//! Global indexes whose keys are several attributes. [suite: alternator]

use super::Bench;
use serde_json::{Value as Json, json};

fn table(bench: &Bench, name: &str, keys: &[(&str, &str)]) -> Json {
    let mut attributes: Vec<&str> = keys.iter().map(|(attribute, _)| *attribute).chain(["pk"]).collect();
    attributes.sort_unstable();
    attributes.dedup();
    let defined: Vec<Json> =
        attributes.iter().map(|name| json!({ "AttributeName": name, "AttributeType": "S" })).collect();
    let schema: Vec<Json> =
        keys.iter().map(|(name, kind)| json!({ "AttributeName": name, "KeyType": kind })).collect();
    bench.ask(
        "CreateTable",
        json!({
            "TableName": name, "AttributeDefinitions": defined, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "GlobalSecondaryIndexes": [
                { "IndexName": "index", "KeySchema": schema, "Projection": { "ProjectionType": "ALL" } },
            ],
        }),
    )
}

#[test]
fn two_partition_attributes_need_nothing_that_sorts() {
    let bench = Bench::new();
    let made = table(&bench, "Table", &[("a", "HASH"), ("b", "HASH")]);
    assert_eq!(
        made["TableDescription"]["GlobalSecondaryIndexes"][0]["KeySchema"],
        json!([{ "AttributeName": "a", "KeyType": "HASH" }, { "AttributeName": "b", "KeyType": "HASH" }])
    );
    for (key, b) in [("1", "y"), ("2", "z")] {
        let item = json!({ "pk": { "S": key }, "a": { "S": "x" }, "b": { "S": b } });
        bench.check("PutItem", json!({ "TableName": "Table", "Item": item }), json!({}));
    }
    let answer = bench.ask(
        "Query",
        json!({
            "TableName": "Table", "IndexName": "index", "KeyConditionExpression": "a = :a AND b = :b",
            "ExpressionAttributeValues": { ":a": { "S": "x" }, ":b": { "S": "z" } },
        }),
    );
    assert_eq!((&answer["Count"], &answer["Items"][0]["pk"]), (&json!(1), &json!({ "S": "2" })));
}

#[test]
fn schemas_that_are_none() {
    let bench = Bench::new();
    let check = |keys: &[(&str, &str)], message: &str| {
        let answer = table(&bench, "Table", keys);
        assert_eq!(answer, json!({ "error": "ValidationException", "message": message }));
    };
    check(
        &[("a", "HASH"), ("b", "RANGE"), ("c", "HASH")],
        "Invalid KeySchema: HASH KeySchemaElements must precede RANGE KeySchemaElements",
    );
    let same = "Both the Hash Key and the Range Key element in the KeySchema have the same name";
    check(&[("a", "HASH"), ("a", "HASH")], same);
    check(&[("a", "HASH"), ("b", "HASH"), ("a", "RANGE")], same);
}

#[test]
fn all_but_the_last_that_is_spoken_of_are_pinned() {
    let bench = Bench::new();
    let made = table(&bench, "Table", &[("a", "HASH"), ("b", "HASH"), ("c", "RANGE"), ("d", "RANGE")]);
    assert!(made.get("TableDescription").is_some(), "{made}");
    let check = |condition: &str, message: &str| {
        let values: serde_json::Map<String, Json> = [":a", ":b", ":c", ":d"]
            .into_iter()
            .filter(|name| condition.contains(name))
            .map(|name| (name.to_owned(), json!({ "S": "v" })))
            .collect();
        let query = json!({
            "TableName": "Table", "IndexName": "index", "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
        });
        bench.refuses("Query", query, message);
    };
    let hash = "HASH key attributes b must have equality conditions specified in the query";
    check("a = :a", hash);
    check("a = :a AND b > :b", hash);
    let range = "RANGE key attributes c must have equality conditions specified in the query because a condition is present on key attribute d";
    check("a = :a AND b = :b AND d = :d", range);
    check("a = :a AND b = :b AND c > :c AND d = :d", range);
}
