use super::Bench;
use serde_json::{Value as Json, json};

fn with(mut base: Json, extra: Json) -> Json {
    base.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    base
}

/// Items 0 to 4 of the collection `p`, each with an index key and data.
fn filled() -> Bench {
    let bench = Bench::with_tables();
    for n in 0..5 {
        let item = json!({
            "pk": { "S": "p" }, "sk": { "S": n.to_string() }, "a": { "S": "x" }, "b": { "S": (9 - n).to_string() },
            "data": { "N": n.to_string() }, "more": { "S": "m" },
        });
        bench.check("PutItem", json!({ "TableName": "Both", "Item": item }), json!({}));
    }
    bench
}

fn query(extra: Json) -> Json {
    let base = json!({
        "TableName": "Both", "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": "p" } },
    });
    with(base, extra)
}

/// The sort keys of an answer's items.
fn sort_keys(answer: &Json) -> Vec<&str> {
    answer["Items"].as_array().expect("items").iter().map(|item| item["sk"]["S"].as_str().unwrap()).collect()
}

#[test]
fn a_query_reads_in_order_and_by_pages() {
    let bench = filled();
    let answer = bench.ask("Query", query(json!({})));
    assert_eq!(sort_keys(&answer), ["0", "1", "2", "3", "4"]);
    assert_eq!((&answer["Count"], &answer["ScannedCount"]), (&json!(5), &json!(5)));
    assert_eq!(answer.get("LastEvaluatedKey"), None);
    let answer = bench.ask("Query", query(json!({ "ScanIndexForward": false, "Limit": 2 })));
    assert_eq!(sort_keys(&answer), ["4", "3"]);
    let start = &answer["LastEvaluatedKey"];
    assert_eq!(start, &json!({ "pk": { "S": "p" }, "sk": { "S": "3" } }));
    let answer = bench.ask("Query", query(json!({ "ScanIndexForward": false, "ExclusiveStartKey": start })));
    assert_eq!(sort_keys(&answer), ["2", "1", "0"]);
}

#[test]
fn a_filter_counts_what_it_holds_back() {
    let bench = filled();
    let filtered = json!({
        "FilterExpression": "#d > :n", "ExpressionAttributeNames": { "#d": "data" },
        "ExpressionAttributeValues": { ":pk": { "S": "p" }, ":n": { "N": "2" } },
    });
    let answer = bench.ask("Query", query(filtered.clone()));
    assert_eq!(sort_keys(&answer), ["3", "4"]);
    assert_eq!((&answer["Count"], &answer["ScannedCount"]), (&json!(2), &json!(5)));
    let counted = bench.ask("Query", query(with(filtered, json!({ "Select": "COUNT" }))));
    assert_eq!(counted, json!({ "Count": 2, "ScannedCount": 5 }));
}

#[test]
fn indexes_give_what_they_hold() {
    let bench = filled();
    let global = |extra: Json| {
        let base = json!({
            "TableName": "Both", "IndexName": "global-some", "KeyConditionExpression": "a = :a",
            "ExpressionAttributeValues": { ":a": { "S": "x" } }, "Limit": 1,
        });
        with(base, extra)
    };
    let answer = bench.ask("Query", global(json!({})));
    let entry = json!({
        "pk": { "S": "p" }, "sk": { "S": "4" }, "a": { "S": "x" }, "b": { "S": "5" }, "data": { "N": "4" },
    });
    assert_eq!(answer["Items"], json!([entry]));
    assert_eq!(
        answer["LastEvaluatedKey"],
        json!({ "pk": { "S": "p" }, "sk": { "S": "4" }, "a": { "S": "x" }, "b": { "S": "5" } })
    );
    bench.refuses(
        "Query",
        global(json!({ "ConsistentRead": true })),
        "Consistent reads are not supported on global secondary indexes",
    );
    let local = json!({ "IndexName": "local-keys", "Select": "ALL_ATTRIBUTES", "Limit": 1 });
    let answer = bench.ask("Query", query(local));
    assert_eq!(answer["Items"][0]["more"], json!({ "S": "m" }), "fetched from the table");
    bench.refuses(
        "Query",
        query(json!({ "IndexName": "none" })),
        "The table does not have the specified index: none",
    );
}

#[test]
fn a_scan_visits_everything_once_in_segments_too() {
    let bench = filled();
    let whole = bench.ask("Scan", json!({ "TableName": "Both" }));
    assert_eq!(sort_keys(&whole).len(), 5);
    let mut seen = Vec::new();
    for segment in 0..3 {
        let answer =
            bench.ask("Scan", json!({ "TableName": "Both", "Segment": segment, "TotalSegments": 3 }));
        seen.extend(sort_keys(&answer).into_iter().map(str::to_owned));
    }
    seen.sort();
    assert_eq!(seen, ["0", "1", "2", "3", "4"]);
}

#[test]
fn words_of_searches() {
    let bench = Bench::with_tables();
    let scan = |extra: Json, message: &str| {
        bench.refuses("Scan", with(json!({ "TableName": "Hash" }), extra), message)
    };
    scan(
        json!({ "Segment": 0 }),
        "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
    );
    scan(
        json!({ "TotalSegments": 4 }),
        "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
    );
    scan(
        json!({ "Segment": 5, "TotalSegments": 5 }),
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 5 is not less than TotalSegments: 5",
    );
    scan(
        json!({ "Limit": 0 }),
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    );
    let check = |extra: Json, message: &str| bench.refuses("Query", query(extra), message);
    check(
        json!({ "Limit": 0 }),
        "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    );
    check(
        json!({ "Select": "OTHER" }),
        "1 validation error detected: Value 'OTHER' at 'select' failed to satisfy constraint: Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
    );
    check(
        json!({ "Select": "SPECIFIC_ATTRIBUTES" }),
        "1 validation error detected: Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
    );
    check(
        json!({ "Select": "COUNT", "ProjectionExpression": "a" }),
        "1 validation error detected: Cannot specify the ProjectionExpression when choosing to get only the Count",
    );
    scan(
        json!({ "Select": "ALL_PROJECTED_ATTRIBUTES" }),
        "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
    );
    check(
        json!({ "KeyConditionExpression": "" }),
        "Invalid KeyConditionExpression: The expression can not be empty;",
    );
    check(json!({ "KeyConditionExpression": "sk = :pk" }), "Query condition missed key schema element: pk");
    check(
        json!({ "ExpressionAttributeNames": { "#unused": "x" } }),
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}",
    );
    check(
        json!({ "FilterExpression": "sk = :pk" }),
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
    );
    bench.refuses(
        "Query",
        json!({ "TableName": "Both" }),
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
    );
}

/// A global index whose partition is one attribute, in which two sort.
fn composite() -> Bench {
    let bench = Bench::new();
    let defined = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    bench.make(json!({
        "TableName": "Many",
        "AttributeDefinitions": [defined("pk", "S"), defined("g", "S"), defined("a", "S"), defined("b", "N")],
        "KeySchema": [key("pk", "HASH")],
        "GlobalSecondaryIndexes": [{
            "IndexName": "many",
            "KeySchema": [key("g", "HASH"), key("a", "RANGE"), key("b", "RANGE")],
            "Projection": { "ProjectionType": "ALL" },
        }],
        "BillingMode": "PAY_PER_REQUEST",
    }));
    for (pk, a, b) in [("1", "x", 30), ("2", "x", 10), ("3", "x", 20), ("4", "y", 5)] {
        let item = json!({
            "pk": { "S": pk }, "g": { "S": "g" }, "a": { "S": a }, "b": { "N": b.to_string() },
        });
        bench.check("PutItem", json!({ "TableName": "Many", "Item": item }), json!({}));
    }
    let sparse = json!({ "pk": { "S": "5" }, "g": { "S": "g" }, "a": { "S": "x" } });
    bench.check("PutItem", json!({ "TableName": "Many", "Item": sparse }), json!({}));
    bench
}

#[test]
fn indexes_of_several_key_attributes() {
    let bench = composite();
    let described = bench.ask("DescribeTable", json!({ "TableName": "Many" }));
    let schema = &described["Table"]["GlobalSecondaryIndexes"][0]["KeySchema"];
    assert_eq!(schema[2], json!({ "AttributeName": "b", "KeyType": "RANGE" }));
    let values = json!({ ":g": { "S": "g" }, ":a": { "S": "x" }, ":b": { "N": "10" }, ":c": { "N": "20" } });
    let ask = |condition: &str| {
        let mut values = values.clone();
        let values = values.as_object_mut().expect("an object");
        values.retain(|name, _| condition.contains(name.as_str()));
        bench.ask(
            "Query",
            json!({
                "TableName": "Many", "IndexName": "many", "KeyConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }),
        )
    };
    for (condition, expect) in [
        ("g = :g", &["2", "3", "1", "4"][..]),
        ("g = :g AND a = :a", &["2", "3", "1"]),
        ("g = :g AND a > :a", &["4"]),
        ("b = :b AND a = :a AND g = :g", &["2"]),
        ("g = :g AND a = :a AND b > :b", &["3", "1"]),
        ("g = :g AND a = :a AND b BETWEEN :b AND :c", &["2", "3"]),
    ] {
        let answer = ask(condition);
        let found: Vec<&str> =
            answer["Items"].as_array().into_iter().flatten().map(|item| text(&item["pk"])).collect();
        assert_eq!(found, expect, "{condition}: {answer}");
    }
    let unpinned = "RANGE key attributes a must have equality conditions specified in the query because a condition is present on key attribute b";
    for (condition, message) in [
        ("g = :g AND b > :b", unpinned),
        ("a = :a AND b > :b", "Query condition missed key schema element: g"),
        ("g = :g AND a > :a AND b = :b", unpinned),
    ] {
        assert_eq!(ask(condition)["message"], message, "{condition}");
    }
    let legacy = json!({
        "TableName": "Many", "IndexName": "many", "KeyConditions": {
            "g": { "ComparisonOperator": "EQ", "AttributeValueList": [{ "S": "g" }] },
            "a": { "ComparisonOperator": "EQ", "AttributeValueList": [{ "S": "x" }] },
            "b": { "ComparisonOperator": "GT", "AttributeValueList": [{ "N": "10" }] },
        },
    });
    assert_eq!(bench.ask("Query", legacy)["Count"], 2);
    let first = json!({
        "TableName": "Many", "IndexName": "many", "KeyConditionExpression": "g = :g", "Limit": 2,
        "ExpressionAttributeValues": { ":g": { "S": "g" } },
    });
    let page = bench.ask("Query", first.clone());
    assert_eq!(
        page["LastEvaluatedKey"],
        json!({ "pk": { "S": "3" }, "g": { "S": "g" }, "a": { "S": "x" }, "b": { "N": "20" } })
    );
    let next = bench.ask("Query", with(first, json!({ "ExclusiveStartKey": page["LastEvaluatedKey"] })));
    assert_eq!(next["Count"], 2);
    let statement = "SELECT pk FROM Many.many WHERE g = 'g' AND a = 'x' AND b > 10";
    let selected = bench.ask("ExecuteStatement", json!({ "Statement": statement }));
    assert_eq!(selected["Items"], json!([{ "pk": { "S": "3" } }, { "pk": { "S": "1" } }]));
}

fn text(value: &Json) -> &str {
    value["S"].as_str().unwrap_or("?")
}
