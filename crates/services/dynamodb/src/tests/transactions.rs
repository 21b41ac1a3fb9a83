use super::Bench;
use serde_json::{Value as Json, json};
use std::time::Duration;

fn put(pk: &str, a: &str) -> Json {
    json!({ "Put": { "TableName": "Hash", "Item": { "pk": { "S": pk }, "a": { "S": a } } } })
}

fn get(pk: &str) -> Json {
    json!({ "Get": { "TableName": "Hash", "Key": { "pk": { "S": pk } } } })
}

#[test]
fn all_happens_or_nothing_and_the_reasons_stand_in_their_places() {
    let bench = Bench::with_tables();
    bench.check(
        "TransactWriteItems",
        json!({ "TransactItems": [put("1", "x"), put("2", "y")], "ReturnConsumedCapacity": "TOTAL" }),
        json!({ "ConsumedCapacity": [{ "TableName": "Hash", "CapacityUnits": 4.0, "WriteCapacityUnits": 4.0 }] }),
    );
    let mut third = put("2", "z");
    third["Put"]["ConditionExpression"] = json!("attribute_not_exists(pk)");
    third["Put"]["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    bench.check(
        "TransactWriteItems",
        json!({ "TransactItems": [put("1", "lost"), third] }),
        json!({
            "error": "TransactionCanceledException",
            "message": "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]",
            "CancellationReasons": [
                { "Code": "None" },
                {
                    "Code": "ConditionalCheckFailed",
                    "Message": "The conditional request failed",
                    "Item": { "pk": { "S": "2" }, "a": { "S": "y" } },
                },
            ],
        }),
    );
    bench.check(
        "TransactGetItems",
        json!({ "TransactItems": [get("2"), get("0"), get("1")], "ReturnConsumedCapacity": "TOTAL" }),
        json!({
            "Responses": [
                { "Item": { "pk": { "S": "2" }, "a": { "S": "y" } } },
                {},
                { "Item": { "pk": { "S": "1" }, "a": { "S": "x" } } },
            ],
            "ConsumedCapacity": [{ "TableName": "Hash", "CapacityUnits": 6.0, "ReadCapacityUnits": 6.0 }],
        }),
    );
}

#[test]
fn all_four_kinds_in_one() {
    let bench = Bench::with_tables();
    bench.check(
        "TransactWriteItems",
        json!({ "TransactItems": [put("u", "1"), put("d", "1"), put("c", "1")] }),
        json!({}),
    );
    let of = |kind: &str, pk: &str, more: Json| {
        let mut one = json!({ "TableName": "Hash", "Key": { "pk": { "S": pk } } });
        for (member, value) in more.as_object().expect("an object") {
            one[member] = value.clone();
        }
        json!({ kind: one })
    };
    let values = json!({ ":v": { "S": "2" } });
    bench.check(
        "TransactWriteItems",
        json!({ "TransactItems": [
            of("Update", "u", json!({ "UpdateExpression": "SET a = :v", "ExpressionAttributeValues": values })),
            of("Delete", "d", json!({})),
            of("ConditionCheck", "c", json!({ "ConditionExpression": "attribute_exists(a)" })),
            put("p", "2"),
        ] }),
        json!({}),
    );
    let answer =
        bench.ask("TransactGetItems", json!({ "TransactItems": [get("u"), get("d"), get("c"), get("p")] }));
    let found: Vec<_> = (0..4).map(|at| answer["Responses"][at]["Item"]["a"]["S"].as_str()).collect();
    assert_eq!(found, [Some("2"), None, Some("1"), Some("2")]);
}

#[test]
fn a_token_does_it_once_and_is_forgotten_after_ten_minutes() {
    let bench = Bench::with_tables();
    let add = |n: &str| {
        json!({
            "ClientRequestToken": "once",
            "ReturnConsumedCapacity": "TOTAL",
            "TransactItems": [{ "Update": {
                "TableName": "Hash",
                "Key": { "pk": { "S": "1" } },
                "UpdateExpression": "ADD n :n",
                "ExpressionAttributeValues": { ":n": { "N": n } },
            } }],
        })
    };
    let capacity = |member: &str| json!({ "ConsumedCapacity": [{ "TableName": "Hash", "CapacityUnits": 2.0, member: 2.0 }] });
    bench.check("TransactWriteItems", add("1"), capacity("WriteCapacityUnits"));
    bench.check("TransactWriteItems", add("1"), capacity("ReadCapacityUnits"));
    bench.check(
        "TransactWriteItems",
        add("2"),
        json!({
            "error": "IdempotentParameterMismatchException",
            "message": "Request has the same ClientRequestToken with different parameters",
        }),
    );
    let n = |bench: &Bench| {
        bench.ask("GetItem", json!({ "TableName": "Hash", "Key": { "pk": { "S": "1" } } }))["Item"]["n"]["N"]
            .clone()
    };
    assert_eq!(n(&bench), "1");
    // Tokens of others are others.
    bench.pass(Duration::from_secs(599));
    bench.check("TransactWriteItems", add("1"), capacity("ReadCapacityUnits"));
    bench.pass(Duration::from_secs(1));
    bench.check("TransactWriteItems", add("2"), capacity("WriteCapacityUnits"));
    assert_eq!(n(&bench), "3");
}

#[test]
fn words_of_transactions() {
    let bench = Bench::with_tables();
    let refuses = |items: Json, message: &str| {
        bench.refuses("TransactWriteItems", json!({ "TransactItems": items }), message);
    };
    refuses(
        json!([put("1", "a"), put("1", "b")]),
        "Transaction request cannot include multiple operations on one item",
    );
    refuses(json!([{}]), "TransactItems can only contain one of Check, Put, Update or Delete");
    let mut both = put("1", "a");
    both["Delete"] = json!({ "TableName": "Hash", "Key": { "pk": { "S": "1" } } });
    refuses(json!([both]), "TransactItems can only contain one of Check, Put, Update or Delete");
    let large: Vec<Json> = (0..12).map(|n| put(&n.to_string(), &"x".repeat(390_000))).collect();
    refuses(large.into(), "Transaction payload size cannot exceed 4194304 bytes");
    bench.refuses(
        "TransactGetItems",
        json!({ "TransactItems": [get("1"), get("1")] }),
        "Transaction request cannot include multiple operations on one item",
    );
    let wrong = json!({ "Get": { "TableName": "Hash", "Key": { "no": { "S": "1" } } } });
    let answer = bench.ask("TransactGetItems", json!({ "TransactItems": [get("1"), wrong] }));
    assert_eq!(
        answer["CancellationReasons"],
        json!([{ "Code": "None" }, {
            "Code": "ValidationError",
            "Message": "The provided key element does not match the schema",
        }])
    );
    let keyless = json!({ "Put": { "TableName": "Hash", "Item": { "a": { "S": "1" } } } });
    let answer = bench.ask("TransactWriteItems", json!({ "TransactItems": [keyless] }));
    assert_eq!(answer["CancellationReasons"][0]["Code"], "ValidationError", "{answer}");
}
