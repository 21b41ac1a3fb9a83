//! Answers and refusals as AWS was recorded to give them: which members are there, how they are spelt. [suite: recorded answers]

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const FUNCTIONS: &str = "/2015-03-31/functions";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:";
const NOTHING: &str = "def handler(event, context): pass";

fn tags(arn: &str) -> String {
    format!("/2017-03-31/tags/{}", arn.replace(':', "%3A"))
}

#[test]
fn a_revision_is_another_once_a_change_is_done() {
    let bench = Bench::new();
    let made = bench.function("f", NOTHING, json!({}));
    let settled = || bench.good("GET", &format!("{FUNCTIONS}/f/configuration"), Value::Null);
    let before = settled();
    assert_ne!(made["RevisionId"], before["RevisionId"]);
    let stale = json!({ "Timeout": 5, "RevisionId": made["RevisionId"] });
    assert!(bench.bad("PUT", &format!("{FUNCTIONS}/f/configuration"), stale).starts_with("412 "));
    let fresh = json!({ "Timeout": 5, "RevisionId": before["RevisionId"] });
    let updating = bench.good("PUT", &format!("{FUNCTIONS}/f/configuration"), fresh);
    assert_ne!(updating["RevisionId"], settled()["RevisionId"]);
    // What is told of a runtime's build, and where.
    let runtime = before["RuntimeVersionConfig"]["RuntimeVersionArn"].as_str().expect("an ARN");
    assert!(runtime.starts_with("arn:aws:lambda:us-east-1::runtime:"), "{runtime}");
    let listed = &bench.good("GET", &format!("{FUNCTIONS}/"), Value::Null)["Functions"][0];
    for absent in ["State", "LastUpdateStatus", "RuntimeVersionConfig"] {
        assert_eq!(listed.get(absent), None, "{listed}");
    }
}

#[test]
fn errors_spell_their_message_as_their_kind_does() {
    let bench = Bench::new();
    bench.function("f", NOTHING, json!({}));
    for (method, path, body, member) in [
        ("GET", "/nobody", Value::Null, "Message"),
        ("DELETE", "/f?Qualifier=$LATEST", Value::Null, "message"),
        ("POST", "/f/versions", json!({ "RevisionId": "another" }), "message"),
        (
            "POST",
            "/f/policy",
            json!({ "StatementId": "a.b", "Action": "lambda:*", "Principal": "*" }),
            "message",
        ),
    ] {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let told = bench.call(method, &format!("{FUNCTIONS}{path}"), &[], &body).json();
        let other = if member == "message" { "Message" } else { "message" };
        assert!(told.get(member).is_some() && told.get(other).is_none(), "{method} {path}: {told}");
    }
}

#[test]
fn policies_keep_their_order_and_an_alias_has_its_own_revision() {
    let bench = Bench::new();
    bench.function("f", NOTHING, json!({ "Publish": true }));
    let policy = format!("{FUNCTIONS}/f/policy");
    let statement =
        |id: &str| json!({ "StatementId": id, "Action": "lambda:InvokeFunction", "Principal": "*" });
    for id in ["z", "a"] {
        bench.good("POST", &policy, statement(id));
    }
    let text = bench.good("GET", &policy, Value::Null)["Policy"].as_str().expect("a policy").to_owned();
    assert!(text.find(r#""Sid":"z""#) < text.find(r#""Sid":"a""#), "{text}");
    let alias = bench.good(
        "POST",
        &format!("{FUNCTIONS}/f/aliases"),
        json!({ "Name": "live", "FunctionVersion": "1" }),
    );
    let of_alias = format!("{policy}?Qualifier=live");
    let mut wrong = statement("s");
    wrong["RevisionId"] = "another".into();
    let told = bench.bad("POST", &of_alias, wrong.clone());
    assert!(told.starts_with("412 ") && told.contains("Call the GetPolicy API"), "{told}");
    wrong["RevisionId"] = alias["RevisionId"].clone();
    bench.good("POST", &of_alias, wrong);
    let revision = &bench.good("GET", &of_alias, Value::Null)["RevisionId"];
    let alias = bench.good("GET", &format!("{FUNCTIONS}/f/aliases/live"), Value::Null);
    assert_eq!((revision, alias["FunctionVersion"].as_str()), (&alias["RevisionId"], Some("1")));
}

#[test]
fn an_address_and_a_layer_tell_what_they_were_asked_for() {
    let bench = Bench::new();
    bench.function("f", NOTHING, json!({}));
    let url = "/2021-10-31/functions/f/url";
    let made = bench.good("POST", url, json!({ "AuthType": "NONE" }));
    assert_eq!(made.get("InvokeMode"), None);
    assert_eq!(bench.good("GET", url, Value::Null)["InvokeMode"], "BUFFERED");
    let changed = bench.good("PUT", url, json!({ "InvokeMode": "RESPONSE_STREAM" }));
    assert_eq!(changed["InvokeMode"], "RESPONSE_STREAM");
    let zip = wire::base64::encode(&functions::zip_of(&[("a.txt", "a")]));
    let layer = bench.good(
        "POST",
        "/2018-10-31/layers/l/versions",
        json!({ "Content": { "ZipFile": zip }, "CompatibleRuntimes": [], "CompatibleArchitectures": [] }),
    );
    assert_eq!((&layer["CompatibleRuntimes"], &layer["CompatibleArchitectures"]), (&json!([]), &json!([])));
    let version = bench.good("GET", "/2018-10-31/layers/l/versions/1", Value::Null);
    assert_eq!(version.get("CompatibleRuntimes"), None);
}

#[test]
fn refusals_of_the_second_recording() {
    let bench = Bench::new();
    bench.function("f", NOTHING, json!({ "Publish": true }));
    // Removing a version that is not there is a success.
    bench.good("DELETE", &format!("{FUNCTIONS}/f?Qualifier=1233"), Value::Null);
    let missing = |what: &str| format!("404 ResourceNotFoundException: {what}");
    let invalid = |what: &str| format!("400 InvalidParameterValueException: {what}");
    let violation = |what: &str| format!("400 ValidationException: 1 validation error detected: {what}");
    let no_version = |of: &str| {
        violation(&format!(
            "Value '{of}' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"
        ))
    };
    let alias = |weights: Value| json!({ "Name": "live", "FunctionVersion": "1", "RoutingConfig": { "AdditionalVersionWeights": weights } });
    let nothing = missing("The resource you requested does not exist.");
    let layer = "arn:aws:lambda:us-east-1:123456789012:layer:l:7";
    let runtime = |name: &str| json!({ "Runtime": name });
    let cases: Vec<(&str, String, Value, String)> = vec![
        ("GET", "/2021-10-31/functions/f/url?Qualifier=1".into(), Value::Null, no_version("1")),
        ("GET", "/2021-10-31/functions/nobody/url".into(), Value::Null, nothing.clone()),
        (
            "POST",
            "/2021-10-31/functions/nobody/url".into(),
            json!({ "AuthType": "NONE" }),
            missing("Function does not exist"),
        ),
        ("GET", "/2021-10-31/functions/nobody/urls".into(), Value::Null, missing("Function does not exist")),
        ("GET", format!("{FUNCTIONS}/nobody/policy"), Value::Null, nothing.clone()),
        ("GET", format!("{FUNCTIONS}/f/policy?Qualifier=77"), Value::Null, nothing),
        (
            "DELETE",
            format!("{FUNCTIONS}/f/policy/s?Qualifier=nobody"),
            Value::Null,
            missing(&format!("Cannot find alias arn: {ARN}f:nobody")),
        ),
        (
            "POST",
            format!("{FUNCTIONS}/f/aliases"),
            json!({ "Name": "2024", "FunctionVersion": "1" }),
            violation(
                "Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
            ),
        ),
        (
            "POST",
            format!("{FUNCTIONS}/f/aliases"),
            alias(json!({ "2": 2 })),
            violation(
                "Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
            ),
        ),
        (
            "PUT",
            format!("{FUNCTIONS}/f/configuration"),
            runtime("python3.7"),
            invalid(
                "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.",
            ),
        ),
        (
            "PUT",
            format!("{FUNCTIONS}/f/configuration"),
            runtime("dotnet8"),
            invalid("The runtime dotnet8 is not run by this server."),
        ),
        (
            "PUT",
            format!("{FUNCTIONS}/f/configuration"),
            runtime("PYTHON3.9"),
            invalid(
                "Value PYTHON3.9 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2] or be a valid ARN",
            ),
        ),
        (
            "PUT",
            "/2017-10-31/functions/f/concurrency".into(),
            json!({ "ReservedConcurrentExecutions": 95 }),
            invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10].",
            ),
        ),
        (
            "PUT",
            "/2017-10-31/functions/nobody/concurrency".into(),
            json!({ "ReservedConcurrentExecutions": 0 }),
            missing(&format!("Function not found: {ARN}nobody:$LATEST")),
        ),
        (
            "POST",
            tags(&format!("{ARN}f")),
            json!({ "Tags": {} }),
            invalid("An error occurred and the request cannot be processed."),
        ),
        (
            "DELETE",
            tags(&format!("{ARN}f")),
            Value::Null,
            violation("Value null at 'tagKeys' failed to satisfy constraint: Member must not be null"),
        ),
        (
            "GET",
            "/2018-10-31/layers/l/versions/7/policy".into(),
            Value::Null,
            missing(&format!("Layer version {layer} does not exist.")),
        ),
        (
            "POST",
            "/2015-03-31/event-source-mappings".into(),
            json!({ "FunctionName": "nobody", "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:q" }),
            invalid("Function does not exist"),
        ),
        (
            "PUT",
            "/2019-09-25/functions/nobody/event-invoke-config".into(),
            json!({}),
            invalid("You must specify at least one of error handling or destination setting."),
        ),
    ];
    for (method, path, body, expect) in cases {
        assert_eq!(bench.bad(method, &path, body), expect, "{method} {path}");
    }
}
