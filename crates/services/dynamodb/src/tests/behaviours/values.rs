use super::{fails, merged, put};
use crate::tests::Bench;
use serde_json::json;

#[test]
fn members_that_are_unknown_null_or_of_the_wrong_type() {
    let bench = Bench::with_tables();
    let item = json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" } } });
    for (extra, error) in [
        (json!({ "NoSuchMember": { "x": 1 } }), None),
        (json!({ "ConditionExpression": null, "ReturnValues": null, "Expected": null }), None),
        (json!({ "ReturnValues": 5 }), Some("SerializationException")),
        (json!({ "Item": "text" }), Some("SerializationException")),
        (json!({ "Item": { "pk": "text" } }), Some("SerializationException")),
        (json!({ "Item": { "pk": { "S": 1 } } }), Some("SerializationException")),
        (json!({ "Item": { "pk": { "S": "1" }, "a": null } }), Some("ValidationException")),
        (json!({ "Item": { "pk": { "S": "1" }, "a": { "L": [null] } } }), Some("ValidationException")),
    ] {
        let input = merged(item.clone(), extra);
        match error {
            None => bench.check("PutItem", input, json!({})),
            Some(error) => fails(&bench, "PutItem", input, error),
        }
    }
}

#[test]
fn empty_values_are_values_except_in_keys() {
    let bench = Bench::with_tables();
    let item = json!({
        "pk": { "S": "1" }, "s": { "S": "" }, "b": { "B": "" }, "ss": { "SS": ["", "a"] }, "bs": { "BS": [""] },
        "l": { "L": [] }, "m": { "M": {} },
    });
    put(&bench, item.clone());
    bench.check(
        "GetItem",
        json!({ "TableName": "Hash", "Key": { "pk": { "S": "1" } } }),
        json!({ "Item": item }),
    );
    bench.refuses(
        "PutItem",
        json!({ "TableName": "Hash", "Item": { "pk": { "S": "" } } }),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
    );
}

#[test]
fn numbers_have_a_range_and_one_form() {
    let bench = Bench::with_tables();
    for (given, kept) in [
        ("1.0", "1"),
        ("1E2", "100"),
        ("-0", "0"),
        ("0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001"),
        ("99999999999999999999999999999999999999", "99999999999999999999999999999999999999"),
    ] {
        put(&bench, json!({ "pk": { "S": "n" }, "n": { "N": given } }));
        let got = bench.ask("GetItem", json!({ "TableName": "Hash", "Key": { "pk": { "S": "n" } } }));
        assert_eq!(got["Item"]["n"]["N"], kept);
    }
    for given in ["1E126", "-1E126", "1E-131", "100000000000000000000000000000000000001"] {
        let input = json!({ "TableName": "Hash", "Item": { "pk": { "S": "n" }, "n": { "N": given } } });
        fails(&bench, "PutItem", input, "ValidationException");
    }
}
