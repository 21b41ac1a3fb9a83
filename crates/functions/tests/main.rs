//! Real functions in real processes.

mod extensions;
mod hostile;
mod java;
mod node;
mod relay;
mod streaming;

use functions::limits::Limits;
use functions::sandbox::{Mode, Sandbox};
use functions::{
    FunctionConfig, Functions, Invocation, LogPlace, LogSink, Outcome, Runtime, Settings, zip_of,
};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use world::{Timestamp, World};

#[derive(Default)]
struct Sink(Mutex<Vec<String>>);

impl LogSink for Sink {
    fn write(&self, _: &LogPlace, _: &str, events: Vec<(Timestamp, String)>) {
        self.0.lock().unwrap().extend(events.into_iter().map(|(_, text)| text));
    }
}

struct House {
    functions: Functions,
    sink: Arc<Sink>,
    world: World,
    dir: PathBuf,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::process::Command::new("chmod").args(["-R", "u+w"]).arg(&self.dir).status();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl House {
    fn new() -> House {
        House::within(Sandbox::detect(Mode::Auto).expect("auto is never refused"))
    }

    fn within(sandbox: Sandbox) -> House {
        House::held(sandbox, Limits::claim())
    }

    fn held(sandbox: Sandbox, limits: Limits) -> House {
        House::with(|settings| {
            settings.sandbox = sandbox;
            settings.limits = limits;
        })
    }

    fn with(change: impl FnOnce(&mut Settings)) -> House {
        let world = World::real();
        let dir = std::env::temp_dir().join(format!("functions-test-{}", world.hex(12)));
        let sink = Arc::new(Sink::default());
        let mut settings = Settings::new(&dir);
        change(&mut settings);
        let functions = Functions::new(settings, &world, sink.clone());
        House { functions, sink, world, dir }
    }

    fn function(&self, runtime: &str, handler: &str, files: &[(&str, &str)]) -> FunctionConfig {
        let code = self.functions.put_code(&zip_of(files)).expect("a package");
        FunctionConfig {
            arn: "arn:aws:lambda:us-east-1:123456789012:function:f".into(),
            name: "f".into(),
            version: "$LATEST".into(),
            revision: self.world.uuid(),
            runtime: Runtime::parse(runtime).expect("a runtime"),
            handler: handler.into(),
            code_sha256: code.sha256,
            layers: Vec::new(),
            timeout: Duration::from_secs(20),
            memory_mb: 128,
            ephemeral_mb: 512,
            environment: [("COLOUR".to_owned(), "green".to_owned())].into(),
            region: "us-east-1".into(),
            credentials: Default::default(),
            log: LogPlace { owner: "o".into(), group: "/aws/lambda/f".into() },
            json_log: None,
            reserved_concurrency: None,
        }
    }

    async fn invoke(&self, config: &FunctionConfig, payload: &str) -> Outcome {
        let invocation = Invocation {
            request_id: self.world.uuid(),
            payload: payload.as_bytes().to_vec().into(),
            client_context: None,
            function_arn: String::new(),
        };
        self.functions.invoke(Arc::new(config.clone()), invocation).await.expect("an outcome")
    }

    fn log(&self) -> String {
        self.sink.0.lock().unwrap().concat()
    }
}

fn text(outcome: &Outcome) -> &str {
    std::str::from_utf8(&outcome.payload).expect("text")
}

const PYTHON: &str = r#"
import json, logging, os, sys, time
print("loading")
count = 0
def handler(event, context):
    global count
    count += 1
    what = event.get("do")
    if what == "raise":
        raise ValueError("boom")
    if what == "exit":
        os._exit(3)
    if what == "abort":
        os.abort()
    if what == "sleep":
        time.sleep(60)
    if what == "set":
        return {1, 2}
    if what == "numbers":
        from decimal import Decimal
        return {"price": Decimal("1.10"), "none": Decimal("NaN"), "text": b"plain"}
    if what == "foreign":
        raise type("Ü☃", (Exception,), {"__str__": lambda self: None})
    if what == "closed":
        sys.stdout.close()
        sys.stderr = None
        raise ValueError("still told")
    if what == "bytes":
        return b"as it is"
    if what == "log":
        logging.getLogger().warning("two\nlines")
        print("out"); print("err", file=sys.stderr)
    if what == "large":
        return "x" * 7_000_000
    return {"count": count, "colour": os.environ["COLOUR"], "left": context.get_remaining_time_in_millis() > 0,
            "name": context.function_name, "echo": event.get("echo")}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_function_answers_and_stays_warm() {
    let house = House::new();
    let config = house.function("python3.12", "app.handler", &[("app.py", PYTHON)]);
    let first = house.invoke(&config, r#"{"echo":"é"}"#).await;
    assert!(!first.failed, "{}", text(&first));
    assert_eq!(text(&first), r#"{"count": 1, "colour": "green", "left": true, "name": "f", "echo": "é"}"#);
    let second = house.invoke(&config, "{}").await;
    assert!(text(&second).starts_with(r#"{"count": 2,"#), "{}", text(&second));
    assert_eq!(house.functions.stats().cold_starts, 1);
    let log = house.log();
    for part in ["INIT_START", "loading\n", "START RequestId: ", "END RequestId: ", "Init Duration: "] {
        assert!(log.contains(part), "{part} is missing in {log}");
    }
    assert_eq!(log.matches("REPORT RequestId: ").count(), 2);
    assert!(log.find("loading") < log.find("START RequestId"), "{log}");
    assert!(second.log_tail.starts_with("START RequestId"), "{}", second.log_tail);
    // Another revision is another process.
    let changed = FunctionConfig { revision: "next".into(), ..config };
    assert!(text(&house.invoke(&changed, "{}").await).starts_with(r#"{"count": 1,"#));
    house.functions.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_have_pythons_shape() {
    let house = House::new();
    let config = house.function("python3.12", "app.handler", &[("app.py", PYTHON), ("bad.py", "def f(:\n")]);
    let raised = house.invoke(&config, r#"{"do":"raise"}"#).await;
    assert!(raised.failed);
    for part in [r#""errorMessage": "boom""#, r#""errorType": "ValueError""#, r#""stackTrace": ["  File "#] {
        assert!(text(&raised).contains(part), "{}", text(&raised));
    }
    assert!(
        house.log().contains("[ERROR] ValueError: boom\nTraceback (most recent call last):\n"),
        "{}",
        house.log()
    );
    let unserializable = house.invoke(&config, r#"{"do":"set"}"#).await;
    assert!(text(&unserializable).contains("Runtime.MarshalError"), "{}", text(&unserializable));
    assert!(text(&unserializable).contains("Object of type set is not JSON serializable"));

    // JSON has no form for these; answers have.
    for (what, expected) in
        [("numbers", r#"{"price": 1.10, "none": NaN, "text": "plain"}"#), ("bytes", "as it is")]
    {
        let outcome = house.invoke(&config, &format!(r#"{{"do":"{what}"}}"#)).await;
        assert_eq!((outcome.failed, text(&outcome)), (false, expected));
    }
    // Whatever it is called, and whatever it did to its streams, the failure is told.
    for (what, expected) in [("foreign", "has no text: TypeError"), ("closed", "still told")] {
        let config = FunctionConfig { revision: what.into(), ..config.clone() };
        let outcome = house.invoke(&config, &format!(r#"{{"do":"{what}"}}"#)).await;
        assert!(outcome.failed && text(&outcome).contains(expected), "{what}: {}", text(&outcome));
    }
    let aborted = house.invoke(&config, r#"{"do":"abort"}"#).await;
    assert!(text(&aborted).contains("Runtime exited with error: signal: aborted"), "{}", text(&aborted));

    let exited = house.invoke(&config, r#"{"do":"exit"}"#).await;
    assert!(text(&exited).contains("Runtime exited with error: exit status 3"), "{}", text(&exited));
    let again = house.invoke(&config, "{}").await;
    assert!(text(&again).starts_with(r#"{"count": 1,"#), "a crash starts over: {}", text(&again));

    for (handler, kind) in [
        ("missing.handler", "Runtime.ImportModuleError"),
        ("app.nothing", "Runtime.HandlerNotFound"),
        ("app", "Runtime.MalformedHandlerName"),
        ("bad.f", "Runtime.UserCodeSyntaxError"),
    ] {
        let config = FunctionConfig { handler: handler.into(), revision: handler.into(), ..config.clone() };
        let outcome = house.invoke(&config, "{}").await;
        assert!(outcome.failed && text(&outcome).contains(kind), "{handler}: {}", text(&outcome));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_outs_large_answers_and_lines() {
    let house = House::new();
    let config = house.function("python3.12", "app.handler", &[("app.py", PYTHON)]);
    let large = house.invoke(&config, r#"{"do":"large"}"#).await;
    assert!(text(&large).contains("Function.ResponseSizeTooLarge"), "{}", text(&large));
    house.invoke(&config, r#"{"do":"log"}"#).await;
    let log = house.log();
    assert!(
        log.contains("[WARNING]\t") && log.contains("\ttwo\nlines\n") && log.contains("out\nerr\n"),
        "{log}"
    );
    let brief = FunctionConfig { timeout: Duration::from_secs(1), revision: "brief".into(), ..config };
    let late = house.invoke(&brief, r#"{"do":"sleep"}"#).await;
    assert!(text(&late).contains("Sandbox.Timedout"), "{}", text(&late));
    assert!(text(&late).contains("Task timed out after 1.00 seconds"));
    assert!(house.log().contains("Status: timeout"), "{}", house.log());
}

/// A function that is too slow to load is loaded again, in the time of its invocation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_loads_slowly_is_loaded_in_the_time_of_its_invocation() {
    let house = House::with(|settings| settings.init_max = Duration::from_millis(300));
    let slow = "import time\ntime.sleep(1)\ndef handler(event, context):\n    return context.get_remaining_time_in_millis()";
    let config = house.function("python3.12", "app.handler", &[("app.py", slow)]);
    let config = FunctionConfig { timeout: Duration::from_secs(20), ..config };
    let left: u64 = text(&house.invoke(&config, "{}").await).parse().expect("a number");
    assert!((1..=19_000).contains(&left), "its second to load was a part of its twenty: {left} ms are left");
    let brief =
        FunctionConfig { timeout: Duration::from_millis(500), revision: "brief".into(), ..config.clone() };
    let late = house.invoke(&brief, "{}").await;
    assert!(text(&late).contains("Task timed out after 0.50 seconds"), "{}", text(&late));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bootstrap_is_any_program() {
    const BOOTSTRAP: &str = r#"#!/bin/sh
while true; do
  head=$(mktemp)
  event=$(curl -sS -D "$head" "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next")
  id=$(tr -d '\r' < "$head" | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
  curl -sS -X POST "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response" -d "{\"was\":$event}" > /dev/null
done
"#;
    let house = House::new();
    let config = house.function("provided.al2023", "any", &[("bootstrap", BOOTSTRAP)]);
    for n in 1..=2 {
        let outcome = house.invoke(&config, &n.to_string()).await;
        assert_eq!(text(&outcome), format!(r#"{{"was":{n}}}"#));
    }
    let empty = house.function("provided.al2023", "any", &[("other", "")]);
    assert!(text(&house.invoke(&empty, "1").await).contains("Runtime.InvalidEntrypoint"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bootstrap_may_stream_and_fail_midway() {
    const BOOTSTRAP: &str = r#"#!/usr/bin/env python3
import base64, http.client, json, os
while True:
    link = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    link.request("GET", "/2018-06-01/runtime/invocation/next")
    told = link.getresponse()
    event, id = json.loads(told.read()), told.headers["Lambda-Runtime-Aws-Request-Id"]
    head = "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n\r\n" % id
    body = "3\r\none\r\n4\r\n two\r\n0\r\n"
    if event["bad"]:
        account = base64.b64encode(b'{"errorType":"Midway","errorMessage":"no more?>"}').decode()
        body += "Lambda-Runtime-Function-Error-Type: Midway\r\nLambda-Runtime-Function-Error-Body: %s\r\n" % account
    link.sock.sendall((head + body + "\r\n").encode())
    link.sock.recv(1000)
    link.close()
"#;
    let house = House::new();
    let config = house.function("provided.al2023", "any", &[("bootstrap", BOOTSTRAP)]);
    let good = house.invoke(&config, r#"{"bad":false}"#).await;
    assert_eq!((good.failed, text(&good)), (false, "one two"));
    let bad = house.invoke(&config, r#"{"bad":true}"#).await;
    assert_eq!((bad.failed, text(&bad)), (true, r#"{"errorType":"Midway","errorMessage":"no more?>"}"#));
}

#[test]
fn harmful_packages_are_refused() {
    let house = House::new();
    assert!(house.functions.put_code(b"not a zip").is_err());
    assert!(house.functions.put_code(&zip_of(&[("../escape.py", "x")])).is_err());
    assert!(!house.dir.join("escape.py").exists());
    let once = house.functions.put_code(&zip_of(&[("a.py", "x")])).expect("a package");
    assert_eq!(house.functions.put_code(&zip_of(&[("a.py", "x")])).expect("again"), once);
    assert_eq!(house.functions.code(&once.sha256).expect("kept"), zip_of(&[("a.py", "x")]));
}

const RUBY: &str = r#"
require 'logger'
puts 'loading'
$count = 0
def handler(event:, context:)
  $count += 1
  case event['do']
  when 'raise' then raise ArgumentError, 'boom'
  when 'exit' then exit 3
  when 'mute' then raise Class.new(StandardError) { def message = raise('unspeakable') }
  when 'object' then Class.new { def to_json(*) = raise('unspeakable') }.new
  when 'log' then Logger.new($stdout).info("two\nlines")
  else
    { count: $count, colour: ENV['COLOUR'], name: context.function_name, echo: event['echo'],
      left: context.get_remaining_time_in_millis.positive? && context.get_remaining_time_in_millis <= 20_000 }
  end
end
module Jobs
  class Clerk
    def self.file(event:, context:) = { file: event['n'] }
  end
end
class Clerk
  def self.file(event:, context:) = event['n']
end
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ruby_handlers_and_their_errors() {
    let house = House::new();
    let files = [("app.rb", RUBY), ("bad.rb", "def f(:\n"), ("lost.rb", "require 'nowhere'")];
    let base = house.function("ruby3.3", "app.handler", &files);
    let with =
        |handler: &str| FunctionConfig { handler: handler.into(), revision: handler.into(), ..base.clone() };
    for count in 1..=2 {
        let outcome = house.invoke(&base, r#"{"echo":"é"}"#).await;
        let expected = format!(r#"{{"count":{count},"colour":"green","name":"f","echo":"é","left":true}}"#);
        assert_eq!(text(&outcome), expected);
    }
    let raised = house.invoke(&base, r#"{"do":"raise"}"#).await;
    assert!(raised.failed);
    let told: serde_json::Value = serde_json::from_slice(&raised.payload).expect("JSON");
    assert_eq!(
        (&told["errorType"], &told["errorMessage"]),
        (&"Function<ArgumentError>".into(), &"boom".into())
    );
    let trace = told["stackTrace"].as_array().expect("a trace");
    assert!(trace.len() == 1 && trace[0].as_str().is_some_and(|line| line.contains("app.rb:8:in")), "{told}");
    assert!(
        house.log().contains("Error raised from handler method\n{\n  \"errorMessage\""),
        "{}",
        house.log()
    );
    house.invoke(&base, r#"{"do":"log"}"#).await;
    assert!(house.log().contains("INFO -- ") && house.log().contains(": two\nlines\n"), "{}", house.log());
    let exited = house.invoke(&base, r#"{"do":"exit"}"#).await;
    assert!(text(&exited).contains("Runtime exited with error: exit status 3"), "{}", text(&exited));
    let mute = house.invoke(&base, r#"{"do":"mute"}"#).await;
    assert!(text(&mute).contains("has no text: RuntimeError"), "{}", text(&mute));
    let unspeakable = house.invoke(&base, r#"{"do":"object"}"#).await;
    assert!(text(&unspeakable).contains("Function<RuntimeError>"), "{}", text(&unspeakable));

    assert_eq!(text(&house.invoke(&with("app.Clerk.file"), r#"{"n":7}"#).await), "7");
    assert_eq!(text(&house.invoke(&with("app.Jobs::Clerk.file"), r#"{"n":7}"#).await), r#"{"file":7}"#);
    for (handler, kind) in [
        ("missing.handler", "Init<LoadError>"),
        ("lost.handler", "Init<LoadError>"),
        ("bad.f", "Init<SyntaxError>"),
        ("app", "Init<ArgumentError>"),
        ("app.nothing", "Function<NoMethodError>"),
        ("app.Nothing.nothing", "Function<NameError>"),
    ] {
        let outcome = house.invoke(&with(handler), "{}").await;
        assert!(outcome.failed && text(&outcome).contains(kind), "{handler}: {}", text(&outcome));
    }
}
