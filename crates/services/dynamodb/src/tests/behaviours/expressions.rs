use super::{fails, merged, put};
use crate::tests::Bench;
use serde_json::{Value as Json, json};

fn update(pk: &str, extra: Json) -> Json {
    merged(json!({ "TableName": "Hash", "Key": { "pk": { "S": pk } } }), extra)
}

#[test]
fn an_update_that_only_removes_makes_no_item_and_one_that_does_nothing_makes_its_key() {
    let bench = Bench::with_tables();
    let answer = bench
        .ask("UpdateItem", update("1", json!({ "UpdateExpression": "REMOVE a", "ReturnValues": "ALL_NEW" })));
    assert_eq!(answer, json!({}), "ALL_NEW of nothing has no Attributes");
    let get = |pk: &str| bench.ask("GetItem", json!({ "TableName": "Hash", "Key": { "pk": { "S": pk } } }));
    assert_eq!(get("1"), json!({}));
    bench.check("UpdateItem", update("2", json!({})), json!({}));
    assert_eq!(get("2"), json!({ "Item": { "pk": { "S": "2" } } }));
}

#[test]
fn constants_of_an_impossible_type_are_errors_and_not_false() {
    let bench = Bench::with_tables();
    put(&bench, json!({ "pk": { "S": "1" }, "a": { "N": "1" } }));
    let values = |values: Json| json!({ "ExpressionAttributeValues": values });
    for (condition, constants) in [
        ("a < :v", json!({ ":v": { "BOOL": true } })),
        ("a <= :v", json!({ ":v": { "NULL": true } })),
        ("a > :v", json!({ ":v": { "L": [] } })),
        ("a >= :v", json!({ ":v": { "M": {} } })),
        ("a BETWEEN :v AND :w", json!({ ":v": { "N": "2" }, ":w": { "S": "x" } })),
        ("a BETWEEN :v AND :w", json!({ ":v": { "N": "2" }, ":w": { "N": "1" } })),
        ("attribute_type(a, :v)", json!({ ":v": { "S": "X" } })),
        ("attribute_type(a, :v)", json!({ ":v": { "N": "1" } })),
        ("begins_with(a, :v)", json!({ ":v": { "N": "1" } })),
    ] {
        let put = json!({
            "TableName": "Hash", "Item": { "pk": { "S": "1" } }, "ConditionExpression": condition,
        });
        fails(&bench, "PutItem", merged(put, values(constants.clone())), "ValidationException");
        let scan = json!({ "TableName": "Hash", "FilterExpression": condition });
        fails(&bench, "Scan", merged(scan, values(constants)), "ValidationException");
    }
    let expected = json!({ "a": { "ComparisonOperator": "LT", "AttributeValueList": [{ "BOOL": true }] } });
    let legacy = json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" } }, "Expected": expected });
    fails(&bench, "PutItem", legacy, "ValidationException");
}

#[test]
fn expressions_have_limits() {
    let bench = Bench::with_tables();
    let scan = |filter: String| {
        let input = json!({
            "TableName": "Hash", "FilterExpression": filter, "ExpressionAttributeValues": { ":v": { "S": "x" } },
        });
        bench.ask("Scan", input)["message"].as_str().unwrap_or_default().to_owned()
    };
    let long = format!("a = :v AND {}", "b".repeat(4_096));
    assert_eq!(
        scan(long.clone()),
        format!(
            "Invalid FilterExpression: Expression size has exceeded the maximum allowed size; expression size: {}",
            long.len()
        )
    );
    let many = vec!["a = :v"; 151].join(" AND ");
    assert_eq!(
        scan(many),
        "Invalid FilterExpression: The expression contains too many operators; operator count: 301"
    );
    let deep = format!("a{} = :v", ".b".repeat(32));
    assert!(
        scan(deep.clone()).starts_with("Invalid FilterExpression: The document path has too many nesting"),
        "{}",
        scan(deep)
    );
    assert!(scan("(".repeat(4_096)).starts_with("Invalid FilterExpression: Syntax error"));
}

#[test]
fn words_of_updates() {
    let bench = Bench::with_tables();
    put(&bench, json!({ "pk": { "S": "1" }, "n": { "N": "9E125" }, "l": { "L": [] } }));
    let refused = |text: &str, values: Json| {
        let input = update("1", json!({ "UpdateExpression": text, "ExpressionAttributeValues": values }));
        let answer = bench.ask("UpdateItem", input);
        assert_eq!(answer["error"], "ValidationException", "{text}: {answer}");
        answer["message"].as_str().unwrap_or_default().replace("1 validation error detected: ", "")
    };
    let one = json!({ ":v": { "N": "1" } });
    assert_eq!(
        refused("SET _a = :v", one.clone()),
        "Invalid UpdateExpression: Syntax error; token: \"_\", near: \"SET _a\""
    );
    assert!(
        refused("SET 1a = :v", one.clone()).starts_with("Invalid UpdateExpression: Syntax error; token: ")
    );
    assert!(
        refused("SET l = list_append(list_append(l, :v), :v)", json!({ ":v": { "L": [] } }))
            .starts_with("Invalid UpdateExpression: ")
    );
    assert_eq!(
        refused("SET n = n + :v", json!({ ":v": { "N": "9E125" } })),
        "Number overflow. Attempting to store a number with magnitude larger than supported range"
    );
    assert_eq!(
        refused("SET a = :w", one.clone()),
        "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :w"
    );
    assert_eq!(
        refused("SET #a = :v", one.clone()),
        "Invalid UpdateExpression: An expression attribute name used in the document path is not defined; attribute name: #a"
    );
    assert_eq!(
        refused("SET a.b = :v, a = :v", one.clone()),
        "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]"
    );
    assert_eq!(
        refused("SET pk = :v", one),
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"
    );
}
