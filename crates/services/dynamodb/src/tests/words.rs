//! What is wrong, in the service's words, and what is told first.

use super::Bench;
use serde_json::{Value as Json, json};

fn with(mut base: Json, extra: Json) -> Json {
    base.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    base
}

#[test]
fn values_that_are_none() {
    let bench = Bench::with_tables();
    let check = |value: Json, message: &str| {
        bench.refuses(
            "PutItem",
            json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" }, "bad": value } }),
            &format!("1 validation error detected: {message}"),
        );
    };
    check(json!({ "SS": [] }), "One or more parameter values were invalid: An string set  may not be empty");
    check(json!({ "NS": [] }), "One or more parameter values were invalid: An number set  may not be empty");
    check(json!({ "BS": [] }), "One or more parameter values were invalid: Binary sets should not be empty");
    check(
        json!({ "SS": ["a", "a"] }),
        "One or more parameter values were invalid: Input collection [a, a] contains duplicates.",
    );
    check(
        json!({ "SS": ["a", null] }),
        "One or more parameter values were invalid: An string set may not have a null string as a member",
    );
    check(
        json!({ "NULL": false }),
        "One or more parameter values were invalid: Null attribute value types must have the value of true",
    );
    check(json!({}), "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
    check(
        json!({ "S": "a", "N": "1" }),
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
    );
    check(
        json!({ "N": "123456789012345678901234567890123456789" }),
        "Attempting to store more than 38 significant digits in a Number",
    );
    check(
        json!({ "N": "1E+126" }),
        "Number overflow. Attempting to store a number with magnitude larger than supported range",
    );
    check(
        json!({ "N": "1E-131" }),
        "Number underflow. Attempting to store a number with magnitude smaller than supported range",
    );
    check(json!({ "N": "x" }), "The parameter cannot be converted to a numeric value: x");
    check(
        json!({ "M": { "in": { "SS": [] } } }),
        "One or more parameter values were invalid: An string set  may not be empty",
    );
    check(
        json!({ "L": [{ "NS": [] }] }),
        "One or more parameter values were invalid: An number set  may not be empty",
    );
    let deep = (0..40).fold(json!({ "S": "" }), |value, _| json!({ "L": [value] }));
    check(
        deep,
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit",
    );
}

#[test]
fn names_of_tables() {
    let bench = Bench::with_tables();
    let check = |name: Json, message: &str| {
        bench.refuses("PutItem", json!({ "TableName": name, "Item": { "pk": { "S": "1" } } }), message);
    };
    check(
        Json::Null,
        "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null",
    );
    check(
        json!(""),
        "1 validation error detected: Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
    check(
        json!("bad table!@#"),
        "1 validation error detected: Value 'bad table!@#' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
    );
    let long = "a".repeat(256);
    check(
        json!(long),
        &format!(
            "1 validation error detected: Value '{long}' at 'tableName' failed to satisfy constraint: Member must have length less than or equal to 255"
        ),
    );
}

#[test]
fn expressions_and_what_they_do_not_mix_with() {
    let bench = Bench::with_tables();
    let put = json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" } } });
    let check = |extra: Json, message: &str| bench.refuses("PutItem", with(put.clone(), extra), message);
    check(
        json!({ "Expected": { "pk": { "Exists": false } }, "ConditionExpression": "attribute_not_exists(pk)" }),
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}",
    );
    check(
        json!({ "ExpressionAttributeValues": { ":v": { "S": "unused" } } }),
        "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null",
    );
    check(
        json!({ "ConditionExpression": "a = :v", "ExpressionAttributeValues": { ":v": { "NS": [] } } }),
        "1 validation error detected: One or more parameter values were invalid: An number set  may not be empty",
    );
    check(json!({ "ReturnValues": "ALL_NEW" }), "ReturnValues can only be ALL_OLD or NONE");
    check(
        json!({ "ConditionExpression": "" }),
        "1 validation error detected: Invalid ConditionExpression: The expression can not be empty;",
    );

    let update = json!({ "TableName": "Hash", "Key": { "pk": { "S": "1" } } });
    let check =
        |extra: Json, message: &str| bench.refuses("UpdateItem", with(update.clone(), extra), message);
    let values = json!({ ":v": { "S": "" }, ":unused": { "S": "" } });
    check(
        json!({ "UpdateExpression": "SET pk = :v", "ExpressionAttributeValues": { ":v": { "S": "x" } } }),
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
    );
    check(
        json!({ "UpdateExpression": "INVALID SYNTAX HERE", "ExpressionAttributeValues": { ":v": { "S": "x" } } }),
        "1 validation error detected: Invalid UpdateExpression: Syntax error; token: \"INVALID\", near: \"INVALID SYNTAX\"",
    );
    check(
        json!({ "UpdateExpression": "SET a = :v", "ExpressionAttributeValues": values }),
        "1 validation error detected: Value provided in ExpressionAttributeValues unused in expressions: keys: {:unused}",
    );
    check(
        json!({ "UpdateExpression": "SET a = :v" }),
        "1 validation error detected: Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :v",
    );
    check(
        json!({ "UpdateExpression": "SET a = :v", "AttributeUpdates": { "a": { "Value": { "S": "" }, "Action": "PUT" } } }),
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}",
    );
}

#[test]
fn keys_that_are_not_the_tables() {
    let bench = Bench::with_tables();
    let schema = "The provided key element does not match the schema";
    for operation in ["GetItem", "DeleteItem", "UpdateItem"] {
        let check = |key: Json| bench.refuses(operation, json!({ "TableName": "Both", "Key": key }), schema);
        check(json!({ "pk": { "S": "1" } }));
        check(json!({ "pk": { "S": "1" }, "sk": { "N": "1" } }));
        check(json!({ "pk": { "S": "1" }, "sk": { "S": "1" }, "x": { "S": "1" } }));
    }
    let put = |item: Json| json!({ "TableName": "Both", "Item": item });
    bench.refuses(
        "PutItem",
        put(json!({ "pk": { "S": "1" } })),
        "One or more parameter values were invalid: Missing the key sk in the item",
    );
    bench.refuses(
        "PutItem",
        put(json!({ "pk": { "S": "1" }, "sk": { "N": "1" } })),
        "One or more parameter values were invalid: Type mismatch for key sk expected: S actual: N",
    );
    bench.refuses(
        "PutItem",
        put(json!({ "pk": { "S": "" }, "sk": { "S": "1" } })),
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
    );
    bench.refuses(
        "PutItem",
        put(json!({ "pk": { "S": "1" }, "sk": { "S": "1" }, "a": { "N": "1" } })),
        "One or more parameter values were invalid: Type mismatch for Index Key a Expected: S Actual: N IndexName: local-all",
    );
}

#[test]
fn items_that_are_too_large() {
    let bench = Bench::with_tables();
    bench.refuses(
        "PutItem",
        json!({ "TableName": "Hash", "Item": { "pk": { "S": "1" }, "a": { "S": "x".repeat(409_600) } } }),
        "Item size has exceeded the maximum allowed size",
    );
}

#[test]
fn tables_that_are_not_there() {
    let bench = Bench::new();
    let key = json!({ "pk": { "S": "1" } });
    let missing = json!({ "error": "ResourceNotFoundException", "message": "Requested resource not found" });
    let check = |operation: &str, input: Json| {
        bench.check(operation, with(json!({ "TableName": "None" }), input), missing.clone());
    };
    check("PutItem", json!({ "Item": key }));
    check("GetItem", json!({ "Key": key }));
    check("DeleteItem", json!({ "Key": key }));
    check("UpdateItem", json!({ "Key": key }));
    check("Scan", json!({}));
    check(
        "Query",
        json!({ "KeyConditionExpression": "pk = :v", "ExpressionAttributeValues": { ":v": { "S": "1" } } }),
    );
    // What is wrong with the request itself comes first.
    bench.refuses(
        "GetItem",
        json!({ "TableName": "None", "Key": key, "ProjectionExpression": "!!! INVALID !!!" }),
        "Invalid ProjectionExpression: Syntax error; token: \"!\", near: \"!!\"",
    );
}

#[test]
fn operations_that_are_not_built_are_refused_by_name() {
    let bench = Bench::new();
    let answer = bench.ask("CreateGlobalTable", json!({ "GlobalTableName": "None", "ReplicationGroup": [] }));
    assert_eq!(answer["error"], "UnknownOperationException");
    assert!(answer["message"].as_str().unwrap().contains("CreateGlobalTable"));
}
