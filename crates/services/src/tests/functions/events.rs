//! Events, their settings, and who is told of their end.

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const CONFIG: &str = "/2019-09-25/functions/f/event-invoke-config";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST";

#[test]
fn settings_are_put_merged_and_listed() {
    let bench = Bench::new();
    bench.function("f", "def handler(e, c): pass", json!({}));
    bench.function("g", "def handler(e, c): pass", json!({}));
    let unset =
        format!("404 ResourceNotFoundException: The function {ARN} doesn't have an EventInvokeConfig");
    assert_eq!(bench.bad("GET", CONFIG, Value::Null), unset);
    assert_eq!(bench.bad("POST", CONFIG, json!({ "MaximumRetryAttempts": 1 })), unset);
    assert!(
        bench
            .bad("PUT", CONFIG, json!({}))
            .ends_with("at least one of error handling or destination setting.")
    );
    let queue = json!({ "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:events:us-east-1:123456789012:event-bus/b" } } });
    assert!(bench.bad("PUT", CONFIG, queue).contains("is not supported: destinations are"));
    let to_g = json!({ "OnSuccess": { "Destination": "arn:aws:lambda:us-east-1:123456789012:function:g" } });
    let put = bench.good("PUT", CONFIG, json!({ "MaximumRetryAttempts": 0, "DestinationConfig": to_g }));
    assert_eq!((&put["FunctionArn"], &put["MaximumRetryAttempts"]), (&json!(ARN), &json!(0)));
    let merged = bench.good("POST", CONFIG, json!({ "MaximumEventAgeInSeconds": 60 }));
    assert_eq!(
        (&merged["MaximumRetryAttempts"], &merged["MaximumEventAgeInSeconds"]),
        (&json!(0), &json!(60))
    );
    assert!(merged["DestinationConfig"]["OnSuccess"]["Destination"].as_str().unwrap().ends_with(":g"));
    let listed = bench.good("GET", &format!("{CONFIG}/list"), Value::Null);
    assert_eq!(listed["FunctionEventInvokeConfigs"][0], merged);
    bench.good("DELETE", CONFIG, Value::Null);
    assert_eq!(bench.bad("GET", CONFIG, Value::Null), unset);
}

#[test]
fn the_end_of_an_event_is_told() {
    let bench = Bench::new();
    let place = std::env::temp_dir().join(format!("events-test-{}", world::World::real().hex(12)));
    std::fs::create_dir_all(&place).unwrap();
    let failing =
        "def handler(event, context):\n    if event.get('bad'): raise ValueError('no')\n    return 'fine'";
    // Written beside and moved, so that what is there is whole.
    let writing = "import json, os\ndef handler(event, context):\n    name = os.environ['PLACE'] + '/' + event['requestContext']['condition']\n    open(name, 'w').write(json.dumps(event))";
    bench.function("f", failing, json!({}));
    bench.function("g", writing, json!({ "Environment": { "Variables": { "PLACE": place } } }));
    let to_g = json!({ "Destination": "arn:aws:lambda:us-east-1:123456789012:function:g" });
    let config =
        json!({ "MaximumRetryAttempts": 0, "DestinationConfig": { "OnSuccess": to_g, "OnFailure": to_g } });
    bench.good("PUT", CONFIG, config);
    for payload in [r#"{"bad":true}"#, r#"{"n":1}"#] {
        let event = [("x-amz-invocation-type", "Event")];
        let reply = bench.call("POST", "/2015-03-31/functions/f/invocations", &event, payload.as_bytes());
        assert_eq!((reply.status, reply.body.len()), (202, 0));
    }
    bench.until_events_end();
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(place.join(name)).expect(name)).expect("json")
    };
    let bad = read("RetriesExhausted");
    assert_eq!(bad["requestContext"]["functionArn"], ARN);
    assert_eq!(bad["requestContext"]["approximateInvokeCount"], 1);
    assert_eq!(
        (&bad["requestPayload"], &bad["responseContext"]["functionError"]),
        (&json!({ "bad": true }), &json!("Unhandled"))
    );
    assert_eq!(bad["responsePayload"]["errorMessage"], "no");
    let good = read("Success");
    assert_eq!((&good["requestPayload"], &good["responsePayload"]), (&json!({ "n": 1 }), &json!("fine")));
    let _ = std::fs::remove_dir_all(place);
}

#[test]
fn code_is_where_get_function_says() {
    let bench = Bench::new();
    let made =
        bench.function("f", "def handler(e, c): pass", json!({ "EphemeralStorage": { "Size": 12_288 } }));
    assert_eq!(made["EphemeralStorage"]["Size"], 12_288);
    let shown = bench.good("GET", "/2015-03-31/functions/f", Value::Null);
    let location = shown["Code"]["Location"].as_str().unwrap();
    let path = location.strip_prefix("http://127.0.0.1:4566").unwrap();
    assert_eq!(bench.download(path).map(|zip| json!(zip.len())), Some(made["CodeSize"].clone()));
    assert_eq!(bench.download(&format!("{path}0")), None);
}

#[test]
fn queues_take_failures_and_dead_letters() {
    let bench = Bench::new();
    let queue = |name: &str| {
        let arn = format!("arn:aws:sqs:us-east-1:123456789012:{name}");
        bench.queue("CreateQueue", json!({ "QueueName": name }));
        arn
    };
    let (told, dead) = (queue("told"), queue("dead"));
    let missing = json!({ "TargetArn": "arn:aws:sqs:us-east-1:123456789012:none" });
    bench.function(
        "f",
        "def handler(e, c): raise ValueError('no')",
        json!({ "DeadLetterConfig": { "TargetArn": dead } }),
    );
    let refused =
        bench.bad("PUT", "/2015-03-31/functions/f/configuration", json!({ "DeadLetterConfig": missing }));
    assert!(refused.starts_with("400 InvalidParameterValueException"), "{refused}");
    let config =
        json!({ "MaximumRetryAttempts": 0, "DestinationConfig": { "OnFailure": { "Destination": told } } });
    bench.good("PUT", CONFIG, config);
    let event = [("x-amz-invocation-type", "Event")];
    bench.call("POST", "/2015-03-31/functions/f/invocations", &event, br#"{"n":1}"#);
    bench.until_events_end();
    let received = |name: &str| {
        let url = format!("http://localhost/123456789012/{name}");
        bench.queue("ReceiveMessage", json!({ "QueueUrl": url, "MessageAttributeNames": ["All"] }))["Messages"][0].clone()
    };
    let account: Value = serde_json::from_str(received("told")["Body"].as_str().unwrap()).unwrap();
    assert_eq!(account["requestContext"]["condition"], "RetriesExhausted");
    let letter = received("dead");
    assert_eq!(letter["Body"], r#"{"n":1}"#);
    assert_eq!(letter["MessageAttributes"]["ErrorMessage"]["StringValue"], "no");
}

#[test]
fn an_event_of_a_function_without_concurrency_is_given_up_at_once() {
    let bench = Bench::new();
    let told = bench.queue("CreateQueue", json!({ "QueueName": "told" }))["QueueUrl"].clone();
    bench.function("f", "def handler(e, c): pass", json!({}));
    let on_failure = json!({ "Destination": "arn:aws:sqs:us-east-1:123456789012:told" });
    bench.good("PUT", CONFIG, json!({ "DestinationConfig": { "OnFailure": on_failure } }));
    let none = json!({ "ReservedConcurrentExecutions": 0 });
    bench.good("PUT", "/2017-10-31/functions/f/concurrency", none);
    let event = [("x-amz-invocation-type", "Event")];
    bench.call("POST", "/2015-03-31/functions/f/invocations", &event, b"{}");
    bench.until_events_end();
    let received = bench.queue("ReceiveMessage", json!({ "QueueUrl": told }));
    let body = received["Messages"][0]["Body"].as_str().expect("a message");
    let account: Value = serde_json::from_str(body).expect("JSON");
    let context = &account["requestContext"];
    assert_eq!(
        (&context["condition"], &context["approximateInvokeCount"]),
        (&json!("ZeroReservedConcurrency"), &json!(0))
    );
    assert_eq!(account.get("responseContext"), None);
}
