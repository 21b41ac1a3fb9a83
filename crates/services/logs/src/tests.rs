//! Requests and what they are answered, over a store in memory and a simulated clock.

use super::{LogBook, LogQueue, Logs};
use serde_json::{Value, json};
use servicekit::call::{Call, Caller};
use std::time::Duration;
use store::Store;
use wire::Request;
use world::{Timestamp, World};

struct Bench {
    logs: Logs,
    book: LogBook,
    world: World,
    runtime: tokio::runtime::Runtime,
}

const GROUP: &str = "/aws/lambda/f";

impl Bench {
    fn new() -> Bench {
        let world = World::simulated(3);
        let store = Store::memory();
        let book = LogBook::new(&store, &world);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
        Bench { logs: Logs::over(&book, &world), book, world, runtime }
    }

    /// The answer of an operation: its output, or `Name: message`.
    fn ask(&self, operation: &str, input: Value) -> Value {
        let service = &api::tables::logs::SERVICE;
        let call = Call {
            request: Request::post(input.to_string()),
            service,
            operation: service.operation(operation).expect("an operation"),
            caller: Caller { account: "123456789012".into(), region: "us-east-1".into(), access_key: None },
            request_id: "id".into(),
            inside: None,
        };
        let response = self.runtime.block_on(self.logs.call(call));
        let body: Value = serde_json::from_slice(&response.body).expect("JSON");
        match body.get("__type") {
            Some(kind) => {
                let told = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                format!("{}: {}", told(kind), told(&body["message"])).into()
            }
            None => body,
        }
    }

    fn check(&self, operation: &str, input: Value, expect: Value) {
        let found = self.ask(operation, input.clone());
        assert_eq!(found, expect, "{operation} {input}");
    }

    fn now_ms(&self) -> u64 {
        self.world.now().millis()
    }

    /// Puts messages into a stream, a millisecond apart, the first at `at_ms`.
    fn put(&self, stream: &str, at_ms: u64, messages: &[&str]) -> Value {
        let events: Vec<Value> = (at_ms..)
            .zip(messages)
            .map(|(timestamp, message)| json!({ "timestamp": timestamp, "message": message }))
            .collect();
        let input = json!({ "logGroupName": GROUP, "logStreamName": stream, "logEvents": events });
        without_token(self.ask("PutLogEvents", input))
    }

    fn with_streams(streams: &[&str]) -> Bench {
        let bench = Bench::new();
        bench.check("CreateLogGroup", json!({ "logGroupName": GROUP }), json!({}));
        for stream in streams {
            bench.check(
                "CreateLogStream",
                json!({ "logGroupName": GROUP, "logStreamName": stream }),
                json!({}),
            );
        }
        bench
    }

    /// The messages that a filter finds, over all pages, and how many pages that took.
    fn filter(&self, mut input: Value) -> (Vec<String>, usize) {
        input["logGroupName"] = GROUP.into();
        let (mut found, mut ids, mut pages) = (Vec::new(), Vec::new(), 0);
        loop {
            let answer = self.ask("FilterLogEvents", input.clone());
            pages += 1;
            for event in answer["events"].as_array().unwrap_or_else(|| panic!("{answer}")) {
                found.push(event["message"].as_str().expect("a message").to_owned());
                ids.push(event["eventId"].as_str().expect("an id").to_owned());
            }
            match answer.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => break,
            }
        }
        let distinct: std::collections::BTreeSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "event ids are unique");
        (found, pages)
    }
}

/// What is said of events that are in, but for the token that nobody needs.
fn without_token(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        members.remove("nextSequenceToken");
    }
    answer
}

#[test]
fn groups_and_streams_are_made_shown_and_forgotten() {
    let bench = Bench::with_streams(&["b", "a"]);
    let named = json!({ "logGroupName": GROUP });
    bench.check(
        "CreateLogGroup",
        named.clone(),
        "ResourceAlreadyExistsException: The specified log group already exists".into(),
    );
    bench.check(
        "CreateLogStream",
        json!({ "logGroupName": GROUP, "logStreamName": "a" }),
        "ResourceAlreadyExistsException: The specified log stream already exists".into(),
    );
    bench.check(
        "CreateLogStream",
        json!({ "logGroupName": "none", "logStreamName": "a" }),
        "ResourceNotFoundException: The specified log group does not exist.".into(),
    );
    bench.check("CreateLogGroup", json!({ "logGroupName": "/aws/other" }), json!({}));
    let groups = bench.ask("DescribeLogGroups", json!({ "logGroupNamePrefix": "/aws/lambda/" }));
    assert_eq!(
        groups["logGroups"][0]["arn"],
        format!("arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}:*")
    );
    assert_eq!(groups["logGroups"].as_array().map(Vec::len), Some(1));
    let first = bench.ask("DescribeLogGroups", json!({ "limit": 1 }));
    assert_eq!(first["logGroups"][0]["logGroupName"], GROUP);
    let second = bench.ask("DescribeLogGroups", json!({ "limit": 1, "nextToken": first["nextToken"] }));
    assert_eq!(
        (&second["logGroups"][0]["logGroupName"], second.get("nextToken")),
        (&"/aws/other".into(), None)
    );

    let streams = bench.ask("DescribeLogStreams", named.clone());
    let names: Vec<&Value> = streams["logStreams"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|stream| &stream["logStreamName"])
        .collect();
    assert_eq!(names, ["a", "b"]);
    bench.put("b", bench.now_ms(), &["x"]);
    bench.world.advance(Duration::from_secs(1));
    bench.put("a", bench.now_ms(), &["y"]);
    let by_time =
        json!({ "logGroupName": GROUP, "orderBy": "LastEventTime", "descending": true, "limit": 1 });
    let latest = bench.ask("DescribeLogStreams", by_time.clone());
    assert_eq!(latest["logStreams"][0]["logStreamName"], "a");
    let mut next = by_time;
    next["nextToken"] = latest["nextToken"].clone();
    assert_eq!(bench.ask("DescribeLogStreams", next)["logStreams"][0]["logStreamName"], "b");

    bench.check("DeleteLogStream", json!({ "logGroupName": GROUP, "logStreamName": "a" }), json!({}));
    assert_eq!(bench.filter(json!({})).0, ["x"]);
    bench.check("DeleteLogGroup", named.clone(), json!({}));
    bench.check(
        "FilterLogEvents",
        named.clone(),
        "ResourceNotFoundException: The specified log group does not exist.".into(),
    );
    // A group of the same name begins empty.
    bench.check("CreateLogGroup", named.clone(), json!({}));
    assert_eq!(bench.ask("DescribeLogStreams", named)["logStreams"], json!([]));
}

#[test]
fn events_of_one_stream_are_read_in_both_directions() {
    let bench = Bench::with_streams(&["s"]);
    let at_ms = bench.now_ms();
    bench.check("DeleteRetentionPolicy", json!({ "logGroupName": GROUP }), json!({}));
    assert_eq!(bench.put("s", at_ms, &["0", "1", "2", "3", "4"]), json!({}));
    let read = |extra: Value| {
        let mut input = json!({ "logGroupName": GROUP, "logStreamName": "s" });
        for (name, value) in extra.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        let answer = bench.ask("GetLogEvents", input);
        let messages: Vec<String> = answer["events"]
            .as_array()
            .unwrap_or_else(|| panic!("{answer}"))
            .iter()
            .map(|event| event["message"].as_str().expect("text").to_owned())
            .collect();
        (messages.join(""), answer["nextForwardToken"].clone(), answer["nextBackwardToken"].clone())
    };
    assert_eq!(read(json!({})).0, "01234");
    let (first, forward, _) = read(json!({ "startFromHead": true, "limit": 2 }));
    assert_eq!(first, "01");
    let (second, forward, backward) = read(json!({ "nextToken": forward, "limit": 2 }));
    assert_eq!(second, "23");
    assert_eq!(read(json!({ "nextToken": backward })).0, "01");
    let (third, forward, _) = read(json!({ "nextToken": forward }));
    assert_eq!(third, "4");
    // At the end the same token comes back, and finds what is written later.
    let (none, again, _) = read(json!({ "nextToken": forward }));
    assert_eq!((none.as_str(), &again), ("", &forward));
    bench.put("s", at_ms + 10, &["5"]);
    assert_eq!(read(json!({ "nextToken": again })).0, "5");

    let (last, _, backward) = read(json!({ "limit": 2 }));
    assert_eq!(last, "45");
    let (before, _, backward) = read(json!({ "nextToken": backward, "limit": 3 }));
    assert_eq!(before, "123");
    assert_eq!(read(json!({ "nextToken": backward })).0, "0");
    assert_eq!(read(json!({ "startTime": at_ms + 1, "endTime": at_ms + 3 })).0, "12");
    bench.check(
        "GetLogEvents",
        json!({ "logGroupName": GROUP, "logStreamName": "s", "nextToken": "f/x" }),
        "InvalidParameterException: The specified nextToken is invalid.".into(),
    );
    bench.check(
        "GetLogEvents",
        json!({ "logGroupName": GROUP, "logStreamName": "none" }),
        "ResourceNotFoundException: The specified log stream does not exist.".into(),
    );
}

#[test]
fn a_group_is_filtered_and_merged_by_time() {
    let bench = Bench::with_streams(&["one", "two", "three"]);
    let at_ms = bench.now_ms();
    bench.put("one", at_ms, &["a ERROR", "b", "c"]);
    bench.put("two", at_ms + 1, &["d", "e ERROR"]);
    bench.put("three", at_ms + 5, &[r#"{"level":"error","n":3}"#, r#"{"level":"info","n":4}"#]);
    let all = bench.filter(json!({})).0;
    assert_eq!(all.len(), 7);
    assert_eq!((all[0].as_str(), all[6].as_str()), ("a ERROR", r#"{"level":"info","n":4}"#));
    for limit in 1..8 {
        let (paged, pages) = bench.filter(json!({ "limit": limit }));
        assert_eq!(paged, all, "limit {limit}");
        assert_eq!(pages, 7_usize.div_ceil(limit));
    }
    let found = |input: Value| bench.filter(input).0;
    assert_eq!(found(json!({ "filterPattern": "ERROR" })), ["a ERROR", "e ERROR"]);
    assert_eq!(found(json!({ "filterPattern": "ERROR", "limit": 1 })), ["a ERROR", "e ERROR"]);
    assert_eq!(found(json!({ "filterPattern": "ERROR -e" })), ["a ERROR"]);
    assert_eq!(found(json!({ "filterPattern": r#"{ $.level = "error" || $.n > 3 }"# })).len(), 2);
    assert_eq!(found(json!({ "logStreamNames": ["two"] })), ["d", "e ERROR"]);
    assert_eq!(found(json!({ "logStreamNamePrefix": "t" })).len(), 4);
    assert_eq!(found(json!({ "startTime": at_ms + 5 })).len(), 2);
    // The end counts in, unlike that of GetLogEvents.
    assert_eq!(found(json!({ "endTime": at_ms })), ["a ERROR"]);
    assert_eq!(found(json!({ "interleaved": true })).len(), 7);

    let refused = |mut input: Value, words: &str| {
        input["logGroupName"] = GROUP.into();
        bench.check("FilterLogEvents", input, words.into());
    };
    refused(
        json!({ "logStreamNames": ["none"] }),
        "ResourceNotFoundException: The specified log stream does not exist.",
    );
    refused(
        json!({ "logStreamNames": ["one"], "logStreamNamePrefix": "t" }),
        "InvalidParameterException: logStreamNamePrefix and logStreamNames are mutually exclusive parameters.",
    );
    refused(
        json!({ "filterPattern": "{ $.x" }),
        "InvalidParameterException: Invalid filter pattern: a JSON condition ends with '}'",
    );
    refused(json!({ "unmask": true }), "InvalidParameterException: unmask is not supported");
}

#[test]
fn what_is_put_is_held_to_the_rules() {
    let bench = Bench::with_streams(&["s"]);
    let now_ms = bench.now_ms();
    let day_ms = 86_400_000;
    let put = |events: &[(u64, &str)]| {
        let events: Vec<Value> =
            events.iter().map(|(at, message)| json!({ "timestamp": at, "message": message })).collect();
        let input = json!({ "logGroupName": GROUP, "logStreamName": "s", "logEvents": events });
        without_token(bench.ask("PutLogEvents", input))
    };
    assert_eq!(
        put(&[(now_ms, "b"), (now_ms - 1, "a")]),
        "InvalidParameterException: Log events in a single PutLogEvents request must be in chronological order."
    );
    assert_eq!(
        put(&[(now_ms - day_ms - 1, "a"), (now_ms, "b")]),
        "InvalidParameterException: The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
    );
    let big = "x".repeat(300_000);
    assert_eq!(
        put(&[(now_ms, &big), (now_ms, &big), (now_ms, &big), (now_ms, &big)]),
        "InvalidParameterException: Upload too large: 1200104 bytes exceeds limit of 1048576"
    );
    assert_eq!(
        put(&[(now_ms - 15 * day_ms, "old"), (now_ms - 15 * day_ms + 1, "old too")]),
        json!({ "rejectedLogEventsInfo": { "tooOldLogEventEndIndex": 2 } })
    );
    assert_eq!(
        put(&[(now_ms, "now"), (now_ms + 3 * 3_600_000, "ahead")]),
        json!({ "rejectedLogEventsInfo": { "tooNewLogEventStartIndex": 1 } })
    );
    assert_eq!(bench.filter(json!({})).0, ["now"]);
}

#[test]
fn retention_hides_what_is_too_old() {
    let bench = Bench::with_streams(&["s"]);
    let named = json!({ "logGroupName": GROUP, "retentionInDays": 1 });
    bench.put("s", bench.now_ms(), &["old"]);
    bench.world.advance(Duration::from_secs(90_000));
    bench.put("s", bench.now_ms(), &["new"]);
    assert_eq!(bench.filter(json!({})).0, ["old", "new"]);
    bench.check("PutRetentionPolicy", named, json!({}));
    assert_eq!(bench.filter(json!({})).0, ["new"]);
    assert_eq!(bench.ask("DescribeLogGroups", json!({}))["logGroups"][0]["retentionInDays"], 1);
    let wrong = bench.ask("PutRetentionPolicy", json!({ "logGroupName": GROUP, "retentionInDays": 2 }));
    assert!(
        wrong.as_str().is_some_and(|words| words.starts_with(
            "InvalidParameterException: 1 validation error detected: Value '2' at 'retentionInDays'"
        )),
        "{wrong}"
    );
}

#[test]
fn tags() {
    let bench = Bench::with_streams(&[]);
    let arn = format!("arn:aws:logs:us-east-1:123456789012:log-group:{GROUP}");
    bench.check("TagResource", json!({ "resourceArn": arn, "tags": { "a": "1", "b": "2" } }), json!({}));
    bench.check("UntagResource", json!({ "resourceArn": arn, "tagKeys": ["a"] }), json!({}));
    bench.check("ListTagsForResource", json!({ "resourceArn": arn }), json!({ "tags": { "b": "2" } }));
    bench.check("TagLogGroup", json!({ "logGroupName": GROUP, "tags": { "c": "3" } }), json!({}));
    bench.check("UntagLogGroup", json!({ "logGroupName": GROUP, "tags": ["b"] }), json!({}));
    bench.check("ListTagsLogGroup", json!({ "logGroupName": GROUP }), json!({ "tags": { "c": "3" } }));
}

#[test]
fn functions_write_without_waiting() {
    let bench = Bench::new();
    let queue = LogQueue::start(bench.book.clone()).expect("a thread starts");
    let owner = "123456789012/us-east-1";
    for batch in 0..200_u64 {
        let events =
            (0..5).map(|at| (Timestamp::from_millis(bench.now_ms()), format!("{batch} {at}"))).collect();
        queue.write(owner, GROUP, "2026/11/21/[$LATEST]x", events);
    }
    queue.flush();
    let found = bench.filter(json!({ "limit": 300 })).0;
    assert_eq!(found.len(), 1_000);
    // Events of the same millisecond keep the order they came in.
    assert_eq!((found[0].as_str(), found[999].as_str()), ("0 0", "199 4"));
    assert_eq!(bench.ask("DescribeLogGroups", json!({}))["logGroups"][0]["logGroupName"], GROUP);
    queue.close();
    queue.write(owner, GROUP, "s", vec![(Timestamp::from_millis(1), "late".into())]);
    queue.flush();
}

/// Answers recorded from the service itself.
#[test]
fn a_search_tells_less_than_a_list_and_long_names_have_words_of_their_own() {
    let bench = Bench::with_streams(&["s"]);
    let listed = bench.ask("DescribeLogGroups", json!({}))["logGroups"][0].clone();
    assert_eq!((&listed["storedBytes"], &listed["deletionProtectionEnabled"]), (&json!(0), &json!(false)));
    let found =
        bench.ask("DescribeLogGroups", json!({ "logGroupNamePattern": "lambda" }))["logGroups"][0].clone();
    assert!(found["logGroupName"] == GROUP && found.get("storedBytes").is_none(), "{found}");
    bench.check(
        "CreateLogGroup",
        json!({ "logGroupName": "g".repeat(513) }),
        "InvalidParameterException: Invalid LogGroup or LogStream, both must have length less than or equal to 512.".into(),
    );
}
