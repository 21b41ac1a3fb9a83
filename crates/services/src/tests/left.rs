//! Clients that go away in the middle of a change: it is made whole.

use super::bench::{Bench, zip};
use serde_json::{Value, json};

const FUNCTION: &str = "/2015-03-31/functions/f";

fn made() -> Value {
    json!({
        "FunctionName": "f",
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Role": "arn:aws:iam::123456789012:role/r",
        "Code": { "ZipFile": zip("def handler(event, context): return 1") },
    })
}

fn status(bench: &Bench, target: &str) -> u16 {
    bench.call("GET", target, &[], b"").status
}

#[test]
fn changes_of_functions_are_made_whole() {
    let bench = Bench::new();
    bench.leave("POST", "/2015-03-31/functions", &[], &made());
    bench.until("the function", || status(&bench, FUNCTION) == 200);
    assert_eq!(bench.invoke("f", json!({})).body, b"1");

    let code = json!({ "ZipFile": zip("def handler(event, context): return 2") });
    bench.leave("PUT", &format!("{FUNCTION}/code"), &[], &code);
    // Its processes are changed with it.
    bench.until("the new code", || bench.invoke("f", json!({})).body == b"2");

    bench.leave("POST", &format!("{FUNCTION}/versions"), &[], &json!({}));
    bench.until("the version", || status(&bench, &format!("{FUNCTION}?Qualifier=1")) == 200);
    let alias = json!({ "Name": "live", "FunctionVersion": "1" });
    bench.leave("POST", &format!("{FUNCTION}/aliases"), &[], &alias);
    bench.until("the alias", || status(&bench, &format!("{FUNCTION}/aliases/live")) == 200);

    bench.leave("DELETE", FUNCTION, &[], &Value::Null);
    bench.until("the end", || status(&bench, FUNCTION) == 404);
    bench.until("the alias's end", || status(&bench, &format!("{FUNCTION}/aliases/live")) == 404);
}

#[test]
fn an_event_that_was_read_is_run() {
    let bench = Bench::new();
    let told = bench.queue("CreateQueue", json!({ "QueueName": "told" }))["QueueUrl"].clone();
    bench.function("f", "def handler(event, context): return event", json!({}));
    let on_success = json!({ "Destination": "arn:aws:sqs:us-east-1:123456789012:told" });
    let config = json!({ "DestinationConfig": { "OnSuccess": on_success } });
    bench.good("PUT", "/2019-09-25/functions/f/event-invoke-config", config);

    let event = [("x-amz-invocation-type", "Event")];
    bench.leave("POST", &format!("{FUNCTION}/invocations"), &event, &json!({ "n": 1 }));
    bench.until_events_end();
    let received = bench.queue("ReceiveMessage", json!({ "QueueUrl": told }));
    let body = received["Messages"][0]["Body"].as_str().expect("a message");
    assert_eq!(serde_json::from_str::<Value>(body).expect("JSON")["responsePayload"], json!({ "n": 1 }));
}
