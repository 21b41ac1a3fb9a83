//! Refusals in the words that were recorded from the service. [reference: lambda-execution §10]

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const F: &str = "/2015-03-31/functions/f";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:";

fn percent(arn: &str) -> String {
    arn.replace(':', "%3A").replace('$', "%24")
}

#[test]
fn refusals_are_those_that_were_recorded() {
    let bench = Bench::new();
    bench.function("f", "def handler(event, context): pass", json!({ "Publish": true }));
    let statement = |principal: &str| json!({ "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": principal });
    bench.good("POST", &format!("{F}:1/policy"), statement("*"));
    let asynchronous = "/2019-09-25/functions/";
    let unknown =
        "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:4d2f8a6e-0000-4000-8000-000000000000";
    let of_alias = "400 InvalidParameterValueException: Tags on function aliases and versions are not supported. Please specify a function ARN.";
    let whole_only = "400 InvalidParameterValueException: This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.";
    let missing = |what: &str| format!("404 ResourceNotFoundException: {what}");
    let invalid = |what: &str| format!("400 InvalidParameterValueException: {what}");
    let tags = |arn: &str| format!("/2017-03-31/tags/{}", percent(arn));
    let cases: Vec<(&str, String, Value, String)> = vec![
        ("PUT", format!("{F}:1/configuration"), json!({ "Timeout": 5 }), whole_only.to_owned()),
        (
            "PUT",
            "/2017-10-31/functions/f%3A1/concurrency".to_owned(),
            json!({ "ReservedConcurrentExecutions": 1 }),
            whole_only.to_owned(),
        ),
        ("GET", tags(&format!("{ARN}f:1")), Value::Null, of_alias.to_owned()),
        ("POST", tags(&format!("{ARN}f:1")), json!({ "Tags": { "a": "b" } }), of_alias.to_owned()),
        ("GET", tags(&format!("{ARN}nobody")), Value::Null, missing(&format!("Function not found: {ARN}nobody"))),
        (
            "POST",
            tags(unknown),
            json!({ "Tags": { "a": "b" } }),
            missing(&format!("Event source mapping not found: {unknown}")),
        ),
        (
            "POST",
            format!("{F}/policy"),
            statement("somebody"),
            invalid("The provided principal was invalid. Please check the principal and try again."),
        ),
        (
            "POST",
            format!("{F}/policy?Qualifier=$LATEST"),
            statement("*"),
            invalid("We currently do not support adding policies for $LATEST."),
        ),
        (
            "POST",
            format!("{F}:1/policy"),
            statement("*"),
            "409 ResourceConflictException: The statement id (s) provided already exists. Please provide a new statement id, or remove the existing statement.".to_owned(),
        ),
        ("DELETE", format!("{F}/policy/s"), Value::Null, missing("No policy is associated with the given resource.")),
        ("DELETE", format!("{F}:1/policy/t"), Value::Null, missing("Statement t is not found in resource policy.")),
        (
            "DELETE",
            "/2015-03-31/functions/nobody/policy/s".to_owned(),
            Value::Null,
            missing(&format!("No policy found for: {ARN}nobody")),
        ),
        ("GET", format!("{F}/policy"), Value::Null, missing("The resource you requested does not exist.")),
        ("PUT", format!("{F}/aliases/live"), json!({}), missing(&format!("Alias not found: {ARN}f:live"))),
        ("GET", format!("{F}/aliases/live"), Value::Null, missing(&format!("Cannot find alias arn: {ARN}f:live"))),
        (
            "PUT",
            format!("{asynchronous}nobody/event-invoke-config"),
            json!({ "MaximumRetryAttempts": 1 }),
            missing("The function doesn't exist."),
        ),
        (
            "GET",
            format!("{asynchronous}nobody/event-invoke-config/list"),
            Value::Null,
            missing("The function doesn't exist."),
        ),
        (
            "GET",
            format!("{asynchronous}nobody/event-invoke-config"),
            Value::Null,
            missing(&format!("The function {ARN}nobody:$LATEST doesn't have an EventInvokeConfig")),
        ),
        (
            "PUT",
            format!("{asynchronous}f/event-invoke-config"),
            json!({ "DestinationConfig": { "OnSuccess": { "Destination": format!("{ARN}nobody") } } }),
            invalid(&format!("The destination ARN {ARN}nobody is invalid.")),
        ),
        (
            "PUT",
            format!("{asynchronous}f/event-invoke-config"),
            json!({ "DestinationConfig": { "OnSuccess": { "Destination": format!("{ARN}f") } } }),
            invalid("You can't specify the function as a destination for itself."),
        ),
        (
            "PUT",
            format!("{F}/configuration"),
            json!({ "Layers": ["arn:aws:lambda:eu-west-1:123456789012:layer:l:1"] }),
            invalid("Layers are not in the same region as the function. Layers are expected to be in region us-east-1."),
        ),
        (
            "DELETE",
            "/2018-10-31/layers/l/versions/0".to_owned(),
            Value::Null,
            invalid("Layer Version Cannot be less than 1"),
        ),
    ];
    for (method, path, body, expect) in cases {
        assert_eq!(bench.bad(method, &path, body), expect, "{method} {path}");
    }
}
