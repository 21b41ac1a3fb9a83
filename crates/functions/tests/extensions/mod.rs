//! Programs beside a function, and scripts around it.

use super::{House, PYTHON, text};
use functions::{FunctionConfig, Functions, zip_of};
use std::time::Duration;

/// Registers, asks for telemetry, and prints what it is told.
const WATCHER: &str = r#"#!/usr/bin/env python3
import json, os, sys
from http.client import HTTPConnection
connection = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, headers, body=None):
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, json.loads(answer.read())
base = "/2020-01-01/extension/"
if os.environ.get("COLOUR") == "broken":
    sys.exit(3)
name = {"Lambda-Extension-Name": os.path.basename(__file__)}
_, headers, about = call("POST", base + "register", name, json.dumps({"events": ["INVOKE", "SHUTDOWN"]}))
me = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
if os.environ.get("COLOUR") == "sorry":
    call("POST", base + "init/error", {**me, "Lambda-Extension-Function-Error-Type": "Watcher.NoLicence"}, "{}")
_, _, told = call("PUT", "/2022-07-01/telemetry", me, "{}")
print("watcher of", about["functionName"], about["handler"], told["errorType"], "_HANDLER" in os.environ, flush=True)
while True:
    _, _, event = call("GET", base + "event/next", me)
    print("watcher", event["eventType"], event.get("requestId"), event.get("shutdownReason"), flush=True)
    if event["eventType"] == "SHUTDOWN":
        break
"#;

fn watched(house: &House, colour: &str) -> FunctionConfig {
    let layer = house.functions.put_code(&zip_of(&[("extensions/watcher", WATCHER)])).expect("a layer");
    let mut config = house.function("python3.12", "app.handler", &[("app.py", PYTHON)]);
    config.layers = vec![layer.sha256];
    config.environment.insert("COLOUR".to_owned(), colour.to_owned());
    config
}

/// What the log says, once it says this.
async fn logged(house: &House, part: &str) -> String {
    for _ in 0..1_000 {
        let log = house.log();
        if log.contains(part) {
            return log;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{part} is missing in {}", house.log());
}

/// [reference: lambda-execution §6]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_extension_is_told_of_every_invocation_and_of_the_end() {
    let house = House::new();
    let config = watched(&house, "green");
    let first = house.invoke(&config, "{}").await;
    assert!(!first.failed, "{}", text(&first));
    assert!(text(&first).starts_with(r#"{"count": 1"#), "{}", text(&first));
    let log = logged(&house, "watcher INVOKE ").await;
    for part in [
        "watcher of f app.handler Telemetry.NotSupported False\n",
        "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE,SHUTDOWN]\n",
    ] {
        assert!(log.contains(part), "{part} is missing in {log}");
    }
    let id = log.split("START RequestId: ").nth(1).and_then(|rest| rest.split(' ').next()).expect("an id");
    assert!(log.contains(&format!("watcher INVOKE {id} None\n")), "{log}");
    // A new configuration ends what runs with the old one.
    Functions::retire(&house.functions, &config.arn);
    logged(&house, "watcher SHUTDOWN None SPINDOWN\n").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_extension_that_fails_fails_the_function() {
    let house = House::new();
    for (colour, expect) in [
        (
            "broken",
            r#"{"errorType":"Extension.Crash","errorMessage":"RequestId: # Error: watcher: Runtime exited with error: exit status 3"}"#,
        ),
        (
            "sorry",
            r#"{"errorType":"Watcher.NoLicence","errorMessage":"RequestId: # Error: watcher: Watcher.NoLicence"}"#,
        ),
    ] {
        let failed = house.invoke(&watched(&house, colour), "{}").await;
        let told = text(&failed);
        let id = told.split("RequestId: ").nth(1).and_then(|rest| rest.split(' ').next()).expect("an id");
        assert_eq!(told.replace(id, "#"), expect);
    }
    // A time-out is told, too.
    let mut slow = watched(&house, "green");
    slow.timeout = Duration::from_secs(1);
    assert!(text(&house.invoke(&slow, r#"{"do":"sleep"}"#).await).contains("Sandbox.Timedout"));
    logged(&house, "watcher SHUTDOWN None TIMEOUT\n").await;
}

/// [reference: lambda-execution §4, wrapper scripts]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrapper_starts_the_runtime() {
    let house = House::new();
    let wrap = "#!/bin/sh\nexport COLOUR=wrapped\nexec \"$@\"\n";
    let mut config = house.function("python3.12", "app.handler", &[("app.py", PYTHON), ("wrap", wrap)]);
    let mut run = async |path: &str| {
        config.environment.insert("AWS_LAMBDA_EXEC_WRAPPER".to_owned(), path.to_owned());
        config.revision = house.world.uuid();
        text(&house.invoke(&config, "{}").await).to_owned()
    };
    let told = run("/var/task/wrap").await;
    assert!(told.contains(r#""colour": "wrapped""#), "{told}");
    let told = run("/opt/wrap").await;
    assert!(told.contains(r#"{"errorType":"Runtime.ExitError","#), "{told}");
    assert!(told.contains("Error: Runtime exited with error: exit status 127"), "{told}");
}
