//! Policies against requests, as tables.

use super::document::Malformed;
use super::*;
use serde_json::{Value, json};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/Music";
const USER: &str = "arn:aws:iam::123456789012:user/ann";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/r/me";

fn document(statement: Value) -> Document {
    Document::read(&json!({ "Version": "2012-10-17", "Statement": statement })).expect("a policy")
}

fn user() -> Who {
    Who { account: "123456789012".into(), arn: USER.into(), role: None }
}

fn context(values: &[(&str, &[&str])]) -> Context {
    let mut context = Context::default();
    for (key, values) in values {
        context.set_all(key, values.iter().map(|value| (*value).to_owned()).collect());
    }
    context
}

/// `+` allowed, `-` denied by a statement, `0` not allowed.
fn verdict(policies: &Policies, who: &Who, action: &str, resource: &str, context: &Context) -> String {
    match decide(policies, &Question { action, resource, who, context }) {
        Verdict::Allowed => "+".to_owned(),
        Verdict::Denied(Why::DeniedBy(kind)) => format!("- {kind}"),
        Verdict::Denied(Why::NotAllowedBy(kind)) => format!("0 {kind}"),
    }
}

fn identity(statement: Value, action: &str, resource: &str, values: &[(&str, &[&str])]) -> char {
    let policies = Policies { identity: vec![document(statement)], ..Policies::default() };
    let told = verdict(&policies, &user(), action, resource, &context(values));
    told.chars().next().expect("a sign")
}

#[test]
fn actions_and_resources() {
    let allow =
        |action: Value, resource: Value| json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let put = "dynamodb:PutItem";
    for (statement, action, resource, expected) in [
        (allow(json!("*"), json!("*")), put, TABLE, '+'),
        (allow(json!("dynamodb:*"), json!("*")), put, TABLE, '+'),
        (allow(json!("DynamoDB:putitem"), json!("*")), put, TABLE, '+'),
        (allow(json!("dynamodb:Put*"), json!(TABLE)), put, TABLE, '+'),
        (allow(json!("dynamodb:Put?tem"), json!(TABLE)), put, TABLE, '+'),
        (allow(json!("dynamodb:Get*"), json!("*")), put, TABLE, '0'),
        (allow(json!(["dynamodb:GetItem", "dynamodb:PutItem"]), json!([TABLE])), put, TABLE, '+'),
        (allow(json!("dynamodb:*"), json!("arn:aws:dynamodb:*:*:table/Mus*")), put, TABLE, '+'),
        (allow(json!("dynamodb:*"), json!("arn:aws:dynamodb:*:*:table/mus*")), put, TABLE, '0'),
        (allow(json!("dynamodb:*"), json!(TABLE)), "dynamodb:Query", &format!("{TABLE}/index/i"), '0'),
        (
            allow(json!("dynamodb:*"), json!(format!("{TABLE}/index/*"))),
            "dynamodb:Query",
            &format!("{TABLE}/index/i"),
            '+',
        ),
        (json!({ "Effect": "Allow", "NotAction": "iam:*", "Resource": "*" }), put, TABLE, '+'),
        (
            json!({ "Effect": "Allow", "NotAction": ["iam:*", "dynamodb:*"], "Resource": "*" }),
            put,
            TABLE,
            '0',
        ),
        (json!({ "Effect": "Allow", "Action": "*", "NotResource": TABLE }), put, TABLE, '0'),
        (json!({ "Effect": "Allow", "Action": "*", "NotResource": TABLE }), put, &format!("{TABLE}2"), '+'),
        (
            json!([{ "Effect": "Allow", "Action": "*", "Resource": "*" }, { "Effect": "Deny", "Action": put, "Resource": TABLE }]),
            put,
            TABLE,
            '-',
        ),
        (
            json!([{ "Effect": "Deny", "Action": put, "Resource": "*" }, { "Effect": "Allow", "Action": "*", "Resource": "*" }]),
            "dynamodb:GetItem",
            TABLE,
            '+',
        ),
        (json!([]), put, TABLE, '0'),
    ] {
        assert_eq!(
            identity(statement.clone(), action, resource, &[]),
            expected,
            "{statement} {action} {resource}"
        );
    }
}

#[test]
fn conditions_of_every_operator() {
    for (condition, values, expected) in [
        (json!({ "StringEquals": { "k": "v" } }), vec![("K", &["v"][..])], true),
        (json!({ "StringEquals": { "k": ["u", "v"] } }), vec![("k", &["v"])], true),
        (json!({ "StringEquals": { "k": "v" } }), vec![("k", &["V"])], false),
        (json!({ "StringEquals": { "k": "v" } }), vec![], false),
        (json!({ "StringEqualsIfExists": { "k": "v" } }), vec![], true),
        (json!({ "StringEqualsIfExists": { "k": "v" } }), vec![("k", &["u"])], false),
        (json!({ "StringNotEquals": { "k": ["u", "v"] } }), vec![("k", &["v"])], false),
        (json!({ "StringNotEquals": { "k": ["u", "v"] } }), vec![("k", &["w"])], true),
        (json!({ "StringNotEquals": { "k": "v" } }), vec![], true),
        (json!({ "StringEqualsIgnoreCase": { "k": "V" } }), vec![("k", &["v"])], true),
        (json!({ "StringNotEqualsIgnoreCase": { "k": "V" } }), vec![("k", &["v"])], false),
        (json!({ "StringLike": { "k": "a*c?" } }), vec![("k", &["abbcd"])], true),
        (json!({ "StringLike": { "k": "a*c?" } }), vec![("k", &["abbc"])], false),
        (json!({ "StringLike": { "k": "a${*}" } }), vec![("k", &["abc"])], false),
        (json!({ "StringNotLike": { "k": "a*" } }), vec![("k", &["b"])], true),
        (
            json!({ "StringEquals": { "k": "${aws:username}" } }),
            vec![("k", &["ann"]), ("aws:username", &["ann"])],
            true,
        ),
        (json!({ "StringEquals": { "k": "${aws:username}" } }), vec![("k", &["ann"])], false),
        (json!({ "StringEquals": { "k": "${aws:username, 'ann'}" } }), vec![("k", &["ann"])], true),
        (
            json!({ "StringLike": { "k": "${aws:username}" } }),
            vec![("k", &["anybody"]), ("aws:username", &["a*"])],
            false,
        ),
        (json!({ "NumericLessThanEquals": { "k": 10 } }), vec![("k", &["10"])], true),
        (json!({ "NumericLessThan": { "k": "10" } }), vec![("k", &["10"])], false),
        (json!({ "NumericGreaterThan": { "k": "9.5" } }), vec![("k", &["10"])], true),
        (json!({ "NumericNotEquals": { "k": "10" } }), vec![("k", &["10.0"])], false),
        (
            json!({ "DateLessThan": { "k": "2026-01-01T00:00:00Z" } }),
            vec![("k", &["2025-12-31T23:59:59Z"])],
            true,
        ),
        (
            json!({ "DateGreaterThan": { "k": "2026-01-01T00:00:00Z" } }),
            vec![("k", &["2025-12-31T23:59:59Z"])],
            false,
        ),
        (json!({ "DateGreaterThan": { "k": "1000" } }), vec![("k", &["2025-12-31T23:59:59Z"])], true),
        (json!({ "Bool": { "k": false } }), vec![("k", &["false"])], true),
        (json!({ "Bool": { "k": "true" } }), vec![], false),
        (json!({ "IpAddress": { "k": "10.0.0.0/8" } }), vec![("k", &["10.200.1.2"])], true),
        (json!({ "IpAddress": { "k": "10.0.0.0/8" } }), vec![("k", &["11.0.0.1"])], false),
        (json!({ "IpAddress": { "k": "10.1.1.1" } }), vec![("k", &["10.1.1.1"])], true),
        (json!({ "IpAddress": { "k": "0.0.0.0/0" } }), vec![("k", &["11.0.0.1"])], true),
        (json!({ "IpAddress": { "k": "2001:db8::/32" } }), vec![("k", &["2001:db8:1::1"])], true),
        (json!({ "NotIpAddress": { "k": "10.0.0.0/8" } }), vec![("k", &["10.0.0.1"])], false),
        (
            json!({ "ArnLike": { "k": "arn:aws:sns:*:123456789012:t*" } }),
            vec![("k", &["arn:aws:sns:eu-west-1:123456789012:topic"])],
            true,
        ),
        (
            json!({ "ArnEquals": { "k": "arn:aws:sns:*:t" } }),
            vec![("k", &["arn:aws:sns:eu-west-1:123456789012:t"])],
            false,
        ),
        (json!({ "ArnNotLike": { "k": "arn:aws:s3:::b" } }), vec![("k", &["arn:aws:s3:::c"])], true),
        (json!({ "Null": { "k": "true" } }), vec![], true),
        (json!({ "Null": { "k": "false" } }), vec![], false),
        (json!({ "ForAllValues:StringEquals": { "k": ["a", "b"] } }), vec![("k", &["a", "b", "a"])], true),
        (json!({ "ForAllValues:StringEquals": { "k": ["a", "b"] } }), vec![("k", &["a", "c"])], false),
        (json!({ "ForAllValues:StringEquals": { "k": ["a"] } }), vec![], true),
        (json!({ "ForAnyValue:StringEquals": { "k": ["a"] } }), vec![("k", &["c", "a"])], true),
        (json!({ "ForAnyValue:StringEquals": { "k": ["a"] } }), vec![], false),
        (json!({ "ForAnyValue:StringNotEquals": { "k": ["a"] } }), vec![("k", &["a", "c"])], true),
        (
            json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["${aws:userid}*"] } }),
            vec![("dynamodb:LeadingKeys", &["AIDA1-x", "AIDA1"]), ("aws:userid", &["AIDA1"])],
            true,
        ),
        // Operators and keys must all hold.
        (json!({ "StringEquals": { "k": "v", "l": "w" } }), vec![("k", &["v"]), ("l", &["x"])], false),
    ] {
        let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition });
        let told = identity(statement, "a:B", "*", &values);
        assert_eq!(told, if expected { '+' } else { '0' }, "{condition} {values:?}");
    }
}

#[test]
fn resources_sessions_and_bounds() {
    let who = Who { account: "123456789012".into(), arn: SESSION.into(), role: Some(ROLE.into()) };
    let say =
        |effect: &str, action: &str| document(json!({ "Effect": effect, "Action": action, "Resource": "*" }));
    let of = |principal: Value, effect: &str| {
        document(json!({ "Effect": effect, "Principal": principal, "Action": "s:*", "Resource": "*" }))
    };
    let all = || vec![say("Allow", "*")];
    let none = Policies::default;
    for (policies, expected) in [
        (none(), "0 identity-based policy"),
        (Policies { is_root: true, ..none() }, "+"),
        (Policies { identity: all(), boundary: Some(say("Allow", "s:*")), ..none() }, "+"),
        (
            Policies { identity: all(), boundary: Some(say("Allow", "t:*")), ..none() },
            "0 permissions boundary",
        ),
        (Policies { identity: all(), session: Some(say("Allow", "t:*")), ..none() }, "0 session policy"),
        (Policies { identity: all(), session: Some(say("Deny", "s:*")), ..none() }, "- session policy"),
        (Policies { resource: Some(of(json!("*"), "Allow")), ..none() }, "+"),
        (Policies { resource: Some(of(json!({ "AWS": ROLE }), "Allow")), ..none() }, "+"),
        (Policies { resource: Some(of(json!({ "AWS": [SESSION] }), "Allow")), ..none() }, "+"),
        // The account as a whole only lets its own policies decide.
        (
            Policies { resource: Some(of(json!({ "AWS": "123456789012" }), "Allow")), ..none() },
            "0 identity-based policy",
        ),
        (
            Policies { resource: Some(of(json!({ "AWS": USER }), "Allow")), ..none() },
            "0 identity-based policy",
        ),
        (
            Policies {
                identity: all(),
                resource: Some(of(json!({ "AWS": "123456789012" }), "Deny")),
                ..none()
            },
            "- resource-based policy",
        ),
        (
            Policies { is_root: true, resource: Some(of(json!("*"), "Deny")), ..none() },
            "- resource-based policy",
        ),
        (
            Policies { resource: Some(of(json!({ "Service": "sns.amazonaws.com" }), "Allow")), ..none() },
            "0 identity-based policy",
        ),
    ] {
        assert_eq!(verdict(&policies, &who, "s:Do", "*", &Context::default()), expected, "{policies:?}");
    }
}

#[test]
fn what_is_no_policy() {
    for (text, words) in [
        ("{", "This policy contains invalid Json"),
        ("{}", "Syntax errors in policy."),
        (r#"{"Statement":[{"Effect":"Maybe","Action":"*","Resource":"*"}]}"#, "Syntax errors in policy."),
        (r#"{"Statement":{"Effect":"Allow","Resource":"*"}}"#, "Policy statement must contain actions."),
        (r#"{"Statement":{"Effect":"Allow","Action":"*","Resourse":"*"}}"#, "Syntax errors in policy."),
        (r#"{"Version":"2020-01-01","Statement":[]}"#, "Syntax errors in policy."),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringIs":{"a":"b"}}}}"#,
            "Invalid Condition type : StringIs.",
        ),
    ] {
        assert_eq!(Document::parse(text).expect_err(text), Malformed(words.to_owned()));
    }
}
