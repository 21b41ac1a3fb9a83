//! Key conditions.

use crate::notation::{binder, value};
use model::expression::{ErrorKind, KeyCondition, KeyNames, KeyQuery, RangeCondition};
use std::sync::Arc;

const VALUES: &str = "{h: 'x', r: 1, q: 2, s: 'ab'}";

fn run(text: &str, range: Option<&str>) -> Result<KeyQuery, String> {
    let message = |error: model::expression::ExpressionError| {
        assert_eq!(error.kind, ErrorKind::Invalid);
        error.message
    };
    let program = Arc::new(KeyCondition::compile(text).map_err(message)?);
    let mut binder = binder("{pk: 'pk', sk: 'sk'}", VALUES).map_err(message)?;
    let bound = binder.bind(&program).map_err(message)?;
    bound.check().map_err(message)?;
    bound.resolve(KeyNames { hash: &["pk"], range: range.as_slice() }).map_err(message)
}

#[test]
fn ranges() {
    use RangeCondition::*;
    let (r, q, s) = (value("1"), value("2"), value("'ab'"));
    for (text, expect) in [
        ("pk = :h", None),
        ("(#pk = :h)", None),
        (":h = pk", None),
        ("pk = :h AND sk = :r", Some(Equal(r.clone()))),
        ("sk < :r and pk = :h", Some(Less(r.clone()))),
        ("pk = :h AND sk <= :r", Some(LessOrEqual(r.clone()))),
        ("pk = :h AND #sk > :r", Some(Greater(r.clone()))),
        ("pk = :h AND sk >= :r", Some(GreaterOrEqual(r.clone()))),
        (":h = pk AND :r < sk", Some(Greater(r.clone()))),
        (":h = pk AND :r >= sk", Some(LessOrEqual(r.clone()))),
        ("pk = :h AnD sk BeTwEeN :r aNd :q", Some(Between(r.clone(), q))),
        ("pk = :h AND begins_with(sk, :s)", Some(BeginsWith(s))),
        ("(pk = :h AND (sk = :r))", Some(Equal(r.clone()))),
        ("((sk = :r) AND (pk = :h))", Some(Equal(r))),
    ] {
        assert_eq!(
            run(text, Some("sk")),
            Ok(KeyQuery { hash: vec![value("'x'")], range_equal: vec![], range: expect }),
            "{text}"
        );
    }
}

#[test]
fn faults() {
    for (text, range, expect) in [
        ("", Some("sk"), "Invalid KeyConditionExpression: The expression can not be empty;"),
        ("pk", Some("sk"), "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"pk\""),
        (
            "pk = :h AND sk != :r",
            Some("sk"),
            "Invalid KeyConditionExpression: Syntax error; token: \"!\", near: \"sk !=\"",
        ),
        (
            "((pk = :h))",
            Some("sk"),
            "Invalid KeyConditionExpression: The expression has redundant parentheses;",
        ),
        (
            "pk = :h AND dog(sk, :r)",
            Some("sk"),
            "Invalid KeyConditionExpression: Invalid function name; function: dog",
        ),
        (
            "status = :h",
            Some("sk"),
            "Invalid KeyConditionExpression: Attribute name is a reserved keyword; reserved keyword: status",
        ),
        (
            "pk = :undefined",
            Some("sk"),
            "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; attribute value: :undefined",
        ),
        (
            "pk = :h AND begins_with(sk, :r)",
            Some("sk"),
            "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "pk = :h AND sk BETWEEN :q AND :r",
            Some("sk"),
            "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:2}, upper bound operand: AttributeValue: {N:1}",
        ),
        ("pk = :h or sk = :r", Some("sk"), "Invalid operator used in KeyConditionExpression: OR"),
        ("not pk = :h", Some("sk"), "Invalid operator used in KeyConditionExpression: NOT"),
        ("pk = :h and sk <> :r", Some("sk"), "Invalid operator used in KeyConditionExpression: <>"),
        ("pk in (:h)", Some("sk"), "Invalid operator used in KeyConditionExpression: IN"),
        (
            "pk = :h and attribute_exists(sk)",
            Some("sk"),
            "Invalid operator used in KeyConditionExpression: attribute_exists",
        ),
        (
            "pk = :h and contains(sk, :r)",
            Some("sk"),
            "Invalid operator used in KeyConditionExpression: contains",
        ),
        (
            ":r between sk and pk",
            Some("sk"),
            "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand",
        ),
        (
            "begins_with(:s, sk)",
            Some("sk"),
            "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand",
        ),
        ("size(sk) > :r", Some("sk"), "KeyConditionExpressions cannot contain nested operations"),
        (
            "pk = :h and sk > size(a.b)",
            Some("sk"),
            "KeyConditionExpressions cannot contain nested operations",
        ),
        (
            "pk = sk",
            Some("sk"),
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
        ),
        (
            "pk = :h and sk.x = :r",
            Some("sk"),
            "KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        (":h = :s", Some("sk"), "Invalid condition in KeyConditionExpression: No key attribute specified"),
        (
            "pk = :h and pk = :h",
            Some("sk"),
            "KeyConditionExpressions must only contain one condition per key",
        ),
        ("pk = :h and sk = :r and x = :q", Some("sk"), "Conditions can be of length 1 or 2 only"),
        ("sk = :r", Some("sk"), "Query condition missed key schema element: pk"),
        ("attr1 = :r", Some("sk"), "Query condition missed key schema element: pk"),
        ("pk = :h and attr1 = :r", Some("sk"), "Query condition missed key schema element: sk"),
        ("pk = :h and attr1 = :r", None, "Query key condition not supported"),
        ("pk < :h", Some("sk"), "Query key condition not supported"),
        ("begins_with(pk, :s)", None, "Query key condition not supported"),
    ] {
        assert_eq!(run(text, range), Err(expect.to_owned()), "{text}");
    }
}
