//! Versions, aliases, and what both are good for.

use crate::tests::bench::{Bench, zip};
use serde_json::{Value, json};

const F: &str = "/2015-03-31/functions/f";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

fn says(word: &str) -> String {
    format!(
        "def handler(event, context):\n    return ['{word}', context.function_version, context.invoked_function_arn]\n"
    )
}

#[test]
fn a_version_stays_as_it_was() {
    let bench = Bench::new();
    let made = bench.function("f", &says("one"), json!({ "Publish": true }));
    assert_eq!((&made["Version"], &made["FunctionArn"]), (&json!("1"), &json!(ARN)));
    // Unchanged: the same version again.
    assert_eq!(bench.good("POST", &format!("{F}/versions"), json!({}))["Version"], "1");
    let code = json!({ "ZipFile": zip(&says("two")) });
    let updated = bench.good("PUT", &format!("{F}/code"), code);
    assert_eq!(updated["Version"], "$LATEST");
    let refused = bench.bad("POST", &format!("{F}/versions"), json!({ "CodeSha256": made["CodeSha256"] }));
    assert!(refused.contains("is different from current CodeSHA256 in $LATEST"), "{refused}");
    let stale = bench.bad("POST", &format!("{F}/versions"), json!({ "RevisionId": made["RevisionId"] }));
    assert!(stale.starts_with("412 PreconditionFailedException"), "{stale}");
    let second = bench.good("POST", &format!("{F}/versions"), json!({ "Description": "d" }));
    assert_eq!((&second["Version"], &second["Description"]), (&json!("2"), &json!("d")));
    assert_eq!(second["FunctionArn"], format!("{ARN}:2"));

    for (name, qualifier, word, version) in
        [("f", "?Qualifier=1", "one", "1"), ("f:2", "", "two", "2"), ("f", "", "two", "$LATEST")]
    {
        let path = format!("/2015-03-31/functions/{name}/invocations{qualifier}");
        let reply = bench.call("POST", &path, &[], b"");
        let told = reply.json();
        assert_eq!((&told[0], &told[1]), (&json!(word), &json!(version)), "{path}");
        assert_eq!(reply.header("x-amz-executed-version"), version);
    }
    let all = bench.good("GET", &format!("{F}/versions"), Value::Null);
    let listed: Vec<&str> = all["Versions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|version| version["Version"].as_str())
        .collect();
    assert_eq!(listed, ["$LATEST", "1", "2"]);
    let refused = bench.bad("PUT", "/2015-03-31/functions/f:1/configuration", json!({ "Timeout": 5 }));
    assert!(refused.starts_with("400 InvalidParameterValueException"), "{refused}");
    bench.good("DELETE", &format!("{F}?Qualifier=1"), Value::Null);
    let gone = bench.bad("GET", &format!("{F}?Qualifier=1"), Value::Null);
    assert_eq!(gone, format!("404 ResourceNotFoundException: Function not found: {ARN}:1"));
}

#[test]
fn an_alias_moves_and_shares() {
    let bench = Bench::new();
    bench.function("f", &says("one"), json!({ "Publish": true }));
    bench.good("PUT", &format!("{F}/code"), json!({ "ZipFile": zip(&says("two")), "Publish": true }));
    let missing =
        bench.bad("POST", &format!("{F}/aliases"), json!({ "Name": "live", "FunctionVersion": "9" }));
    assert_eq!(missing, format!("404 ResourceNotFoundException: Function not found: {ARN}:9"));
    let alias =
        bench.good("POST", &format!("{F}/aliases"), json!({ "Name": "live", "FunctionVersion": "1" }));
    assert_eq!(alias["AliasArn"], format!("{ARN}:live"));
    let again = bench.bad("POST", &format!("{F}/aliases"), json!({ "Name": "live", "FunctionVersion": "1" }));
    assert_eq!(again, format!("409 ResourceConflictException: Alias already exists: {ARN}:live"));
    let told = bench.invoke("f:live", Value::Null).json();
    assert_eq!(told, json!(["one", "1", format!("{ARN}:live")]));
    let kept = bench.bad("DELETE", &format!("{F}?Qualifier=1"), Value::Null);
    assert!(kept.starts_with("409 ResourceConflictException"), "{kept}");

    let live = format!("{F}/aliases/live");
    let stale = bench.bad("PUT", &live, json!({ "FunctionVersion": "2", "RevisionId": "x" }));
    assert!(stale.starts_with("412"), "{stale}");
    for (weights, words) in [
        (
            json!({ "1": 0.5, "2": 0.1 }),
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ),
        (json!({ "1": 0.5 }), "Version 1 is already included in routing configuration."),
    ] {
        let refused =
            bench.bad("PUT", &live, json!({ "RoutingConfig": { "AdditionalVersionWeights": weights } }));
        assert!(refused.to_lowercase().contains(&words.to_lowercase()), "{refused}");
    }
    bench.good("PUT", &live, json!({ "RoutingConfig": { "AdditionalVersionWeights": { "2": 1.0 } } }));
    assert_eq!(bench.invoke("f:live", Value::Null).json()[0], "two");
    bench.good(
        "PUT",
        &live,
        json!({ "FunctionVersion": "2", "RoutingConfig": { "AdditionalVersionWeights": {} } }),
    );
    assert_eq!(bench.invoke("f:live", Value::Null).json()[0], "two");
    let shown = bench.good("GET", &format!("{F}/configuration?Qualifier=live"), Value::Null);
    assert_eq!((&shown["Version"], &shown["FunctionArn"]), (&json!("2"), &json!(format!("{ARN}:live"))));
    assert_eq!(bench.good("GET", &format!("{F}/aliases"), Value::Null)["Aliases"][0]["Name"], "live");
    bench.good("DELETE", &live, Value::Null);
    let gone = bench.bad("GET", &live, Value::Null);
    assert_eq!(gone, format!("404 ResourceNotFoundException: Cannot find alias arn: {ARN}:live"));
}

#[test]
fn concurrency_is_of_all_versions_together_and_policies_of_each() {
    let bench = Bench::new();
    bench.function("f", &says("one"), json!({ "Publish": true }));
    bench.good("PUT", "/2017-10-31/functions/f/concurrency", json!({ "ReservedConcurrentExecutions": 0 }));
    let reply = bench.invoke("f:1", Value::Null);
    assert_eq!(
        (reply.status, &reply.json()["Reason"]),
        (429, &json!("ReservedFunctionConcurrentInvocationLimitExceeded"))
    );
    bench.good("DELETE", "/2017-10-31/functions/f/concurrency", Value::Null);
    assert_eq!(bench.invoke("f:1", Value::Null).status, 200);

    let grant =
        json!({ "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com" });
    let made = bench.good("POST", &format!("{F}/policy?Qualifier=1"), grant.clone());
    assert!(made["Statement"].as_str().unwrap().contains(&format!("{ARN}:1")), "{made}");
    assert!(bench.bad("GET", &format!("{F}/policy"), Value::Null).starts_with("404"));
    assert!(bench.bad("POST", &format!("{F}/policy?Qualifier=1"), grant.clone()).starts_with("409"));
    assert!(bench.bad("POST", &format!("{F}/policy?Qualifier=$LATEST"), grant).starts_with("400"));
    bench.good("DELETE", &format!("{F}/policy/s?Qualifier=1"), Value::Null);
    assert!(bench.bad("GET", &format!("{F}/policy?Qualifier=1"), Value::Null).starts_with("404"));
}
