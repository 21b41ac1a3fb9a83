use super::{Schemas, check, faults};
use serde_json::{Value, json};

/// What does not fit, as one text.
fn told(schema: &Value, document: Value) -> String {
    let pair = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}}});
    let schemas = Schemas::from([("own".to_owned(), schema.clone()), ("pair".to_owned(), pair)]);
    assert_eq!(check(schema, 0), Ok(()), "{schema}");
    faults(&schemas, "own", &document).join("; ")
}

#[test]
fn documents_fit_or_are_told_why_not() {
    let deep = json!({"$ref": "#/definitions/node", "definitions": {
        "node": {"properties": {"next": {"$ref": "#/definitions/node"}, "n": {"maximum": 3}}},
    }});
    for (schema, document, expect) in [
        (json!({}), json!(1), ""),
        (
            json!({"type": "object"}),
            json!([]),
            r#"instance type (array) does not match any allowed primitive type (allowed: ["object"])"#,
        ),
        (
            json!({"type": "number"}),
            json!("1"),
            r#"instance type (string) does not match any allowed primitive type (allowed: ["integer","number"])"#,
        ),
        (json!({"type": ["null", "integer"]}), json!(1), ""),
        (
            json!({"type": "integer"}),
            json!(1.5),
            r#"instance type (number) does not match any allowed primitive type (allowed: ["integer"])"#,
        ),
        (
            json!({"enum": ["a", 1]}),
            json!(2),
            r#"instance value (2) not found in enum (possible values: ["a",1])"#,
        ),
        (
            json!({"required": ["b", "a"]}),
            json!({"c": 1}),
            r#"object has missing required properties (["a","b"])"#,
        ),
        (
            json!({"properties": {"a": {}}, "additionalProperties": false}),
            json!({"a": 1, "b": 2}),
            r#"object instance has properties which are not allowed by the schema: ["b"]"#,
        ),
        (
            json!({"patternProperties": {"^x": {"type": "null"}}, "additionalProperties": {"minimum": 1}}),
            json!({"x1": null, "y": 0}),
            "numeric instance is lower than the required minimum (minimum: 1, found: 0)",
        ),
        (
            json!({"items": {"maximum": 2}}),
            json!([1, 3]),
            "numeric instance is greater than the required maximum (maximum: 2, found: 3)",
        ),
        (
            json!({"items": [{}], "additionalItems": false}),
            json!([1, 2]),
            "array is too long: must have at most 1 elements but instance has 2 elements",
        ),
        (
            json!({"minItems": 1, "uniqueItems": true}),
            json!([]),
            "array is too short: must have at least 1 elements but instance has 0 elements",
        ),
        (
            json!({"uniqueItems": true}),
            json!([{"a": 1}, {"a": 1}]),
            "array must not contain duplicate elements",
        ),
        (json!({"minLength": 2}), json!("é"), r#"string "é" is too short (length: 1, required minimum: 2)"#),
        (
            json!({"maxLength": 1, "pattern": "^a"}),
            json!("bc"),
            r#"string "bc" is too long (length: 2, maximum allowed: 1); ECMA 262 regex "^a" does not match input string "bc""#,
        ),
        (
            json!({"minimum": 1, "exclusiveMinimum": true}),
            json!(1),
            "numeric instance is not strictly greater than the required minimum 1",
        ),
        (json!({"multipleOf": 0.1}), json!(0.3), ""),
        (json!({"multipleOf": 2}), json!(3), "remainder of division is not zero (3 / 2)"),
        (
            json!({"oneOf": [{"type": "null"}, {"$ref": "https://apigateway.amazonaws.com/restapis/x/models/pair"}]}),
            json!({}),
            "instance failed to match exactly one schema (matched 0 out of 2)",
        ),
        (
            json!({"oneOf": [{"type": "null"}, {"$ref": "https://apigateway.amazonaws.com/restapis/x/models/pair"}]}),
            json!({"a": 1}),
            "",
        ),
        (
            json!({"allOf": [{}, {"type": "null"}], "anyOf": [{"type": "null"}]}),
            json!(1),
            "instance failed to match all required schemas (matched only 1 out of 2); instance failed to match at least one required schema among 1",
        ),
        (json!({"not": {"type": "null"}}), json!(null), "instance matched a schema which it should not have"),
        (
            json!({"dependencies": {"a": ["b"]}}),
            json!({"a": 1}),
            "property a of object has missing property dependencies",
        ),
        (
            json!({"minProperties": 1}),
            json!({}),
            "object has too few properties (found 0 but schema requires at least 1)",
        ),
        (
            deep.clone(),
            json!({"next": {"next": {"n": 4}}}),
            "numeric instance is greater than the required maximum (maximum: 3, found: 4)",
        ),
        (json!({"$ref": "#/none"}), json!(1), "the reference #/none leads nowhere"),
    ] {
        assert_eq!(told(&schema, document), expect, "{schema}");
    }
    // A reference to itself ends.
    assert_eq!(told(&json!({"$ref": "#"}), json!(1)), "the document or its schema is too deep");
    // So do two, which are four at the next level.
    let doubled = json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]});
    assert_eq!(told(&doubled, json!(1)), "instance failed to match at least one required schema among 2");
}

#[test]
fn schemas_that_are_none() {
    for schema in [
        json!([]),
        json!({"properties": []}),
        json!({"properties": {"a": 1}}),
        json!({"oneOf": []}),
        json!({"items": 1}),
        json!({"type": 1}),
        json!({"required": true}),
        json!({"pattern": "("}),
        json!({"patternProperties": {"(": {}}}),
    ] {
        assert!(check(&schema, 0).is_err(), "{schema}");
    }
}
