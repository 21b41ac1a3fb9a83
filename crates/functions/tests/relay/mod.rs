//! Invocations that follow one another in one environment.

use super::{House, PYTHON, text};
use functions::{FunctionConfig, Invocation, Outcome, Relay};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

impl House {
    fn asked(&self, payload: &str) -> Invocation {
        Invocation {
            request_id: self.world.uuid(),
            payload: payload.as_bytes().to_vec().into(),
            client_context: None,
            function_arn: String::new(),
        }
    }

    /// Two invocations, the second laid ready behind the first.
    async fn two(
        &self,
        config: &FunctionConfig,
        next: &FunctionConfig,
        payload: &str,
        relay: Relay,
    ) -> (Outcome, Result<Outcome, oneshot::error::RecvError>) {
        let behind = Relay::new(|_| true);
        let second = relay
            .follow(Arc::new(next.clone()), self.asked(r#"{"do":"log"}"#), behind)
            .expect("nothing lies there yet");
        let first = self.functions.invoke_relayed(Arc::new(config.clone()), self.asked(payload), relay).await;
        (first.expect("an outcome"), second.await)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_ready_follows_in_the_same_environment() {
    let house = House::new();
    let config = house.function("python3.12", "app.handler", &[("app.py", PYTHON)]);
    let relay = Relay::new(|answer| answer.starts_with(br#"{"count": 1"#));
    let (first, second) = house.two(&config, &config, r#"{"do":"log"}"#, relay).await;
    assert!(first.followed && !first.failed, "{}", text(&first));
    let second = second.expect("it ran");
    assert!(!second.followed && text(&second).starts_with(r#"{"count": 2,"#), "{}", text(&second));
    let stats = house.functions.stats();
    assert_eq!((stats.invocations, stats.cold_starts), (2, 1));
    // Each one's lines stand between its own START and END.
    let log = house.log();
    let lines = log
        .lines()
        .filter_map(|line| ["START", "out", "END", "REPORT"].into_iter().find(|word| line.starts_with(word)));
    let once = ["START", "out", "END", "REPORT"];
    assert_eq!(lines.collect::<Vec<_>>(), [once, once].concat(), "{log}");
    assert!(first.log_tail.contains("out\n") && first.log_tail.contains("REPORT"), "{}", first.log_tail);
    // The environment is free again.
    assert!(text(&house.invoke(&config, "{}").await).starts_with(r#"{"count": 3,"#));
    house.functions.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_follows_an_answer_that_is_not_taken() {
    let house = House::new();
    let config = house.function("python3.12", "app.handler", &[("app.py", PYTHON)]);
    for (payload, accepts) in [(r#"{"do":"raise"}"#, true), ("{}", false), (r#"{"do":"large"}"#, true)] {
        let (first, second) = house.two(&config, &config, payload, Relay::new(move |_| accepts)).await;
        assert!(!first.followed && second.is_err(), "{payload}");
    }
    assert_eq!(house.functions.stats().invocations, 3);
    house.functions.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_follows_in_an_environment_that_is_not_its_own() {
    let house = House::new();
    let config = house.function("python3.12", "app.handler", &[("app.py", PYTHON)]);
    let changed = FunctionConfig { revision: "next".into(), ..config.clone() };
    let stopped = FunctionConfig { reserved_concurrency: Some(0), ..config.clone() };
    for next in [changed, stopped] {
        let (first, second) = house.two(&config, &next, "{}", Relay::new(|_| true)).await;
        assert!(!first.followed && second.is_err());
    }
    // Retired while it runs.
    let functions = house.functions.clone();
    let relay = Relay::new(move |_| {
        functions.retire("arn:aws:lambda:us-east-1:123456789012:function:f");
        true
    });
    let (first, second) = house.two(&config, &config, "{}", relay).await;
    assert!(!first.followed && second.is_err());
    // What was taken back.
    let relay = Relay::new(|_| true);
    let behind = Relay::new(|_| true);
    let second = relay.follow(Arc::new(config.clone()), house.asked("{}"), behind).expect("a place");
    relay.withdraw();
    assert!(
        second.await.is_err()
            && relay.follow(Arc::new(config), house.asked("{}"), Relay::new(|_| true)).is_none()
    );
    house.functions.shutdown().await;
}

/// A runtime of its own kind: it answers one invocation, and then does as it was told.
const ONCE: &str = r#"#!/usr/bin/env python3
import http.client, os, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation/" + path, body)
    answer = api.getresponse()
    return answer.headers["Lambda-Runtime-Aws-Request-Id"], answer.read()
name, event = call("GET", "next")
call("POST", name + "/response", "well")
if b"stay" in event:
    time.sleep(600)
"#;

/// An answer is not kept from who waits for it by a runtime that never fetches what lies ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_counts_without_another_fetch() {
    for payload in [r#"{"then":"stay"}"#, r#"{"then":"leave"}"#] {
        let house = House::new();
        let config = FunctionConfig {
            timeout: Duration::from_secs(900),
            ..house.function("provided.al2023", "none", &[("bootstrap", ONCE)])
        };
        let relay = Relay::new(|_| true);
        let second = relay
            .follow(Arc::new(config.clone()), house.asked("{}"), Relay::new(|_| true))
            .expect("nothing lies there yet");
        let first = house.functions.invoke_relayed(Arc::new(config), house.asked(payload), relay);
        let first = tokio::time::timeout(Duration::from_secs(60), first).await;
        let first = first.expect("long before its time is up").expect("an outcome");
        assert!(first.followed && !first.failed && text(&first) == "well", "{}", text(&first));
        if payload.contains("leave") {
            // Nor does it harm what it left unfetched: that runs elsewhere, as the one invocation that it is.
            let second = second.await.expect("it was handed over");
            assert!(!second.failed && text(&second) == "well", "{}", text(&second));
            let stats = house.functions.stats();
            assert_eq!((stats.invocations, stats.errors, stats.cold_starts), (2, 0, 2));
        }
        house.functions.shutdown().await;
    }
}

/// An environment that was given back before its runtime fetched again may be gone when it is next wanted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_serves_once_serves_every_invocation() {
    let house = House::new();
    let config = house.function("provided.al2023", "none", &[("bootstrap", ONCE)]);
    for _ in 0..5 {
        let outcome = house.invoke(&config, r#"{"then":"leave"}"#).await;
        assert!(!outcome.failed && text(&outcome) == "well", "{}", text(&outcome));
    }
    assert_eq!(house.functions.stats().errors, 0);
    house.functions.shutdown().await;
}
