//! Logs of JSON documents, and their levels.

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const CONFIGURATION: &str = "/2015-03-31/functions/f/configuration";

/// The log of one invocation, a line each.
fn log(bench: &Bench) -> Vec<String> {
    let tail = [("x-amz-log-type", "Tail")];
    let reply = bench.call("POST", "/2015-03-31/functions/f/invocations", &tail, b"");
    let bytes = wire::base64::decode(reply.header("x-amz-log-result")).expect("base64");
    String::from_utf8(bytes).expect("text").lines().map(str::to_owned).collect()
}

/// Of documents: the platform's kinds, and the application's messages.
fn words(lines: &[String]) -> Vec<String> {
    let word = |line: &String| {
        let told: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no document: {line}"));
        let word = told.get("type").or_else(|| told.get("message")).or_else(|| told.get("errorMessage"));
        word.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    lines.iter().map(word).collect()
}

#[test]
fn levels_decide_what_is_logged() {
    let bench = Bench::new();
    let text = "import logging\ndef handler(event, context):\n    logging.debug('fine')\n    logging.info('plain')\n    logging.warning('grave')\n    if event.get('bad'): raise ValueError('no')";
    let made = bench.function("f", text, json!({ "LoggingConfig": { "LogFormat": "JSON" } }));
    assert_eq!(made["LoggingConfig"]["ApplicationLogLevel"], "INFO");
    assert_eq!(words(&log(&bench)), ["platform.start", "plain", "grave", "platform.report"]);
    let set = |logging: Value| bench.good("PUT", CONFIGURATION, json!({ "LoggingConfig": logging }));
    set(json!({ "ApplicationLogLevel": "WARN", "SystemLogLevel": "DEBUG" }));
    assert_eq!(words(&log(&bench)), ["platform.start", "grave", "platform.runtimeDone", "platform.report"]);
    let shown = set(json!({ "SystemLogLevel": "WARN", "ApplicationLogLevel": "ERROR" }));
    assert_eq!(
        (&shown["LoggingConfig"]["SystemLogLevel"], &shown["LoggingConfig"]["LogFormat"]),
        (&json!("WARN"), &json!("JSON"))
    );
    assert_eq!(words(&log(&bench)), Vec::<String>::new());
    let refused = bench.bad(
        "PUT",
        CONFIGURATION,
        json!({ "LoggingConfig": { "LogFormat": "Text", "SystemLogLevel": "WARN" } }),
    );
    assert!(refused.starts_with("400 InvalidParameterValueException"), "{refused}");
    set(json!({ "LogFormat": "Text" }));
    assert!(log(&bench)[0].starts_with("START RequestId: "));
}
