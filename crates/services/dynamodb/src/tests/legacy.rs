use super::Bench;
use serde_json::{Value as Json, json};

#[test]
fn expected_is_a_condition() {
    let bench = Bench::with_tables();
    bench.check(
        "PutItem",
        json!({ "TableName": "Hash", "Item": { "pk": { "S": "e" }, "n": { "N": "5" } } }),
        json!({}),
    );
    let holds = |expected: Json, operator: Option<&str>| {
        let mut delete = json!({
            "TableName": "Hash", "Item": { "pk": { "S": "e" }, "n": { "N": "5" } }, "Expected": expected,
        });
        if let Some(operator) = operator {
            delete["ConditionalOperator"] = json!(operator);
        }
        let answer = bench.ask("PutItem", delete);
        match answer["error"].as_str() {
            None => true,
            Some("ConditionalCheckFailedException") => false,
            Some(_) => panic!("{answer}"),
        }
    };
    let n = |operator: &str, operands: Json| json!({ "n": { "ComparisonOperator": operator, "AttributeValueList": operands } });
    for (operator, operands, expect) in [
        ("EQ", json!([{ "N": "5" }]), true),
        ("EQ", json!([{ "S": "5" }]), false),
        ("NE", json!([{ "N": "4" }]), true),
        ("LT", json!([{ "N": "5" }]), false),
        ("LE", json!([{ "N": "5" }]), true),
        ("GT", json!([{ "N": "4" }]), true),
        ("GE", json!([{ "N": "6" }]), false),
        ("IN", json!([{ "N": "4" }, { "N": "5" }]), true),
        ("BETWEEN", json!([{ "N": "4" }, { "N": "6" }]), true),
        ("NULL", json!([]), false),
        ("NOT_NULL", json!([]), true),
    ] {
        assert_eq!(holds(n(operator, operands.clone()), None), expect, "{operator} {operands}");
    }
    let absent = |operator: &str, operands: Json| json!({ "none": { "ComparisonOperator": operator, "AttributeValueList": operands } });
    assert!(holds(absent("NE", json!([{ "N": "4" }])), None));
    assert!(!holds(absent("NOT_CONTAINS", json!([{ "S": "4" }])), None));
    assert!(holds(json!({ "none": { "Exists": false } }), None));
    assert!(holds(json!({ "n": { "Value": { "N": "5" } } }), None));
    let both = json!({
        "n": { "ComparisonOperator": "EQ", "AttributeValueList": [{ "N": "5" }] },
        "none": { "ComparisonOperator": "NOT_NULL" },
    });
    assert!(!holds(both.clone(), None));
    assert!(holds(both, Some("OR")));
}

#[test]
fn attribute_updates_are_an_update() {
    let bench = Bench::with_tables();
    let item = json!({
        "pk": { "S": "u" }, "n": { "N": "1" }, "set": { "SS": ["a", "b"] }, "gone": { "S": "" }, "list": { "L": [] },
    });
    bench.check("PutItem", json!({ "TableName": "Hash", "Item": item }), json!({}));
    bench.check(
        "UpdateItem",
        json!({
            "TableName": "Hash", "Key": { "pk": { "S": "u" } }, "ReturnValues": "ALL_NEW",
            "AttributeUpdates": {
                "n": { "Action": "ADD", "Value": { "N": "2" } },
                "set": { "Action": "DELETE", "Value": { "SS": ["a"] } },
                "gone": { "Action": "DELETE" },
                "list": { "Action": "ADD", "Value": { "L": [{ "N": "1" }] } },
                "new": { "Value": { "S": "put" } },
            },
        }),
        json!({ "Attributes": {
            "pk": { "S": "u" }, "n": { "N": "3" }, "set": { "SS": ["b"] },
            "list": { "L": [{ "N": "1" }] }, "new": { "S": "put" },
        } }),
    );
    let refuses = |updates: Json, message: &str| {
        bench.refuses(
            "UpdateItem",
            json!({ "TableName": "Hash", "Key": { "pk": { "S": "u" } }, "AttributeUpdates": updates }),
            message,
        );
    };
    refuses(
        json!({ "pk": { "Action": "PUT", "Value": { "S": "x" } } }),
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
    );
    refuses(
        json!({ "a": { "Action": "PUT" } }),
        "One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified",
    );
    refuses(
        json!({ "a": { "Action": "ADD", "Value": { "S": "x" } } }),
        "One or more parameter values were invalid: ADD action is not supported for the type S",
    );
}

#[test]
fn key_conditions_and_filters_are_a_query() {
    let bench = Bench::with_tables();
    for n in 0..4 {
        let item = json!({ "pk": { "S": "q" }, "sk": { "S": format!("k{n}") }, "n": { "N": n.to_string() } });
        bench.check("PutItem", json!({ "TableName": "Both", "Item": item }), json!({}));
    }
    let found = |range: Json, filter: Json| {
        let mut conditions =
            json!({ "pk": { "ComparisonOperator": "EQ", "AttributeValueList": [{ "S": "q" }] } });
        conditions.as_object_mut().unwrap().extend(range.as_object().unwrap().clone());
        let answer = bench.ask(
            "Query",
            json!({ "TableName": "Both", "KeyConditions": conditions, "QueryFilter": filter, "AttributesToGet": ["sk"] }),
        );
        let items = answer["Items"].as_array().unwrap_or_else(|| panic!("{answer}"));
        items.iter().map(|item| item["sk"]["S"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let sk = |operator: &str, operands: Json| json!({ "sk": { "ComparisonOperator": operator, "AttributeValueList": operands } });
    assert_eq!(found(json!({}), json!({})), ["k0", "k1", "k2", "k3"]);
    assert_eq!(found(sk("GT", json!([{ "S": "k1" }])), json!({})), ["k2", "k3"]);
    assert_eq!(found(sk("BETWEEN", json!([{ "S": "k1" }, { "S": "k2" }])), json!({})), ["k1", "k2"]);
    assert_eq!(found(sk("BEGINS_WITH", json!([{ "S": "k3" }])), json!({})), ["k3"]);
    let even =
        json!({ "n": { "ComparisonOperator": "IN", "AttributeValueList": [{ "N": "0" }, { "N": "2" }] } });
    assert_eq!(found(json!({}), even), ["k0", "k2"]);
}
