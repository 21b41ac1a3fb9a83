//! Mappings as clients make them: what is told of them, and every refusal that the reference has.

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const MAPPINGS: &str = "/2015-03-31/event-source-mappings";
const QUIET: &str = "def handler(event, context):\n    return None\n";

struct Desk {
    bench: Bench,
    stream: String,
}

impl Desk {
    fn new() -> Desk {
        let bench = Bench::new();
        bench.function("quiet", QUIET, json!({}));
        let made = Desk::dynamodb(
            &bench,
            "CreateTable",
            &json!({
                "TableName": "Tab",
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" },
            }),
        );
        let stream = made["TableDescription"]["LatestStreamArn"].as_str().expect("an ARN").to_owned();
        Desk { bench, stream }
    }

    fn dynamodb(bench: &Bench, operation: &str, body: &Value) -> Value {
        let target = format!("DynamoDB_20120810.{operation}");
        let reply = bench.call("POST", "/", &[("x-amz-target", &target)], body.to_string().as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.json());
        reply.json()
    }

    fn input(&self, more: &Value) -> Value {
        let mut input = json!({
            "FunctionName": "quiet", "EventSourceArn": self.stream, "StartingPosition": "LATEST",
        });
        for (member, value) in more.as_object().expect("members") {
            match value {
                Value::Null => drop(input.as_object_mut().expect("members").remove(member)),
                value => input[member] = value.clone(),
            }
        }
        input
    }

    #[track_caller]
    fn refuses(&self, more: Value, expect: &str) {
        let body = self.input(&more).to_string();
        let reply = self.bench.call("POST", MAPPINGS, &[], body.as_bytes());
        let (code, told) = (reply.header("x-amzn-errortype").to_owned(), reply.json());
        let message = told["message"].as_str().unwrap_or_default();
        assert_eq!(format!("{} {code}: {message}", reply.status), expect, "{told}");
        // Violations of the shape come without a type.
        assert_eq!(told["Type"].as_str(), (code != "ValidationException").then_some("User"), "{told}");
    }

    fn settled(&self, uuid: &str) -> Value {
        for _ in 0..500 {
            let found = self.bench.good("GET", &format!("{MAPPINGS}/{uuid}"), Value::Null);
            if matches!(found["State"].as_str(), Some("Enabled" | "Disabled")) {
                return found;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("{uuid} does not settle");
    }
}

/// [reference: event-source-mapping §1, the table of errors]
#[test]
fn refusals_have_the_words_of_the_service() {
    let desk = Desk::new();
    let stream = desk.stream.as_str();
    let wrong = |message: &str| format!("400 InvalidParameterValueException: {message}");
    let violated = |value: &str, member: &str, rule: &str| {
        format!(
            "400 ValidationException: 1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
        )
    };
    let cases = [
        (
            json!({ "StartingPosition": null }),
            wrong(
                "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
            ),
        ),
        (
            json!({ "StartingPosition": "invalid" }),
            violated(
                "invalid",
                "startingPosition",
                "satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
            ),
        ),
        (
            json!({ "StartingPosition": "AT_TIMESTAMP" }),
            wrong(&format!("Unsupported starting position for arn type: {stream}")),
        ),
        (
            json!({ "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1_700_000_000 }),
            wrong(&format!("Unsupported starting position for arn type: {stream}")),
        ),
        (json!({ "EventSourceArn": null }), wrong("Unrecognized event source.")),
        (json!({ "FunctionName": "nobody" }), wrong("Function does not exist")),
        (
            json!({ "DestinationConfig": { "OnSuccess": { "Destination": "arn:aws:sqs:us-east-1:123456789012:q" } } }),
            wrong("Unsupported DestinationConfig parameter for given event source mapping type."),
        ),
        (
            json!({ "FilterCriteria": { "Filters": [{ "Pattern": "{\"eventName\":\"INSERT\"}" }] } }),
            wrong("Invalid filter pattern definition."),
        ),
        (
            json!({ "EventSourceArn": stream.replace("/Tab/", "/Gone/") }),
            wrong(&format!("Stream not found: {}", stream.replace("/Tab/", "/Gone/"))),
        ),
        (
            json!({ "BatchSize": 10_001 }),
            violated("10001", "batchSize", "have value less than or equal to 10000"),
        ),
        (json!({ "BatchSize": 0 }), violated("0", "batchSize", "have value greater than or equal to 1")),
        (
            json!({ "MaximumRetryAttempts": 10_001 }),
            violated("10001", "maximumRetryAttempts", "have value less than or equal to 10000"),
        ),
        (
            json!({ "ParallelizationFactor": 11 }),
            violated("11", "parallelizationFactor", "have value less than or equal to 10"),
        ),
        (
            json!({ "MaximumBatchingWindowInSeconds": 301 }),
            violated("301", "maximumBatchingWindowInSeconds", "have value less than or equal to 300"),
        ),
        (
            json!({ "MaximumRecordAgeInSeconds": -2 }),
            violated("-2", "maximumRecordAgeInSeconds", "have value greater than or equal to -1"),
        ),
        (
            json!({ "MaximumRecordAgeInSeconds": 59 }),
            wrong("MaximumRecordAgeInSeconds must be either -1 or between 60 and 604800"),
        ),
        (
            json!({ "TumblingWindowInSeconds": 901 }),
            violated("901", "tumblingWindowInSeconds", "have value less than or equal to 900"),
        ),
        (
            json!({ "TumblingWindowInSeconds": 9, "ParallelizationFactor": 2 }),
            wrong("Tumbling windows are not supported when ParallelizationFactor is greater than 1."),
        ),
        (
            json!({ "BatchSize": 1001 }),
            wrong(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 1000",
            ),
        ),
        // What would be kept and not honoured is refused by its name.
        (
            json!({ "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/1" }),
            wrong("KMSKeyArn is not supported for this event source."),
        ),
        (
            json!({ "StartingPositionTimestamp": 1_700_000_000 }),
            wrong("StartingPositionTimestamp is not supported for this event source."),
        ),
        (json!({ "Topics": ["topic"] }), wrong("Topics is not supported for this event source.")),
        (json!({ "Queues": ["queue"] }), wrong("Queues is not supported for this event source.")),
        (
            json!({ "ScalingConfig": { "MaximumConcurrency": 2 } }),
            wrong("ScalingConfig is not supported for this event source."),
        ),
        (
            json!({ "ProvisionedPollerConfig": { "MinimumPollers": 1 } }),
            wrong("ProvisionedPollerConfig is not supported for this event source."),
        ),
        (
            json!({ "MetricsConfig": { "Metrics": ["ErrorCount"] } }),
            wrong("MetricsConfig: ErrorCount is not supported for this event source."),
        ),
        (
            json!({ "Tags": { "aws:x": "y" } }),
            wrong("Tag keys that begin with aws: are the service's own: aws:x"),
        ),
    ];
    for (more, expect) in cases {
        desk.refuses(more, &expect);
    }
    // Nothing of these was made.
    assert_eq!(desk.bench.good("GET", MAPPINGS, Value::Null)["EventSourceMappings"], json!([]));
}

/// [reference: event-source-mapping §1, the order of the checks]
#[test]
fn the_first_of_several_faults_is_told() {
    let desk = Desk::new();
    let mut input = json!({
        "DestinationConfig": { "OnSuccess": { "Destination": "arn:aws:sqs:us-east-1:123456789012:q" } },
        "EventSourceArn": null,
        "StartingPosition": null,
        "FilterCriteria": { "Filters": [{ "Pattern": "x" }] },
        "FunctionName": "nobody",
    });
    let order = [
        ("DestinationConfig", "Unsupported DestinationConfig parameter for given event source mapping type."),
        ("EventSourceArn", "Unrecognized event source."),
        (
            "StartingPosition",
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
        ),
        ("FilterCriteria", "Invalid filter pattern definition."),
        ("FunctionName", "Function does not exist"),
    ];
    for (member, message) in order {
        desk.refuses(input.clone(), &format!("400 InvalidParameterValueException: {message}"));
        input.as_object_mut().expect("members").remove(member);
        if member == "EventSourceArn" {
            input[member] = desk.stream.replace("/Tab/", "/Gone/").into();
        }
    }
    desk.refuses(
        input,
        &format!(
            "400 InvalidParameterValueException: Stream not found: {}",
            desk.stream.replace("/Tab/", "/Gone/")
        ),
    );
}

/// [reference: event-source-mapping §1, the answer to a creation; §2, states]
#[test]
fn a_mapping_is_told_as_the_service_tells_it() {
    let desk = Desk::new();
    let bench = &desk.bench;
    let made = bench.good("POST", MAPPINGS, desk.input(&json!({ "FilterCriteria": { "Filters": [] } })));
    let uuid = made["UUID"].as_str().expect("an id").to_owned();
    let mut told = made.clone();
    assert!(told["LastModified"].as_f64().is_some_and(|seconds| seconds > 1.7e9));
    told.as_object_mut().expect("members").remove("LastModified");
    let arn = format!("arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{uuid}");
    assert_eq!(
        told,
        json!({
            "UUID": uuid,
            "StartingPosition": "LATEST",
            "BatchSize": 100,
            "MaximumBatchingWindowInSeconds": 0,
            "ParallelizationFactor": 1,
            "EventSourceArn": desk.stream,
            "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:quiet",
            "LastProcessingResult": "No records processed",
            "State": "Creating",
            "StateTransitionReason": "User action",
            "DestinationConfig": { "OnFailure": {} },
            "MaximumRecordAgeInSeconds": -1,
            "BisectBatchOnFunctionError": false,
            "MaximumRetryAttempts": -1,
            "TumblingWindowInSeconds": 0,
            "FunctionResponseTypes": [],
            "EventSourceMappingArn": arn,
        })
    );
    assert_eq!(
        bench.bad("POST", MAPPINGS, desk.input(&json!({}))),
        format!(
            "409 ResourceConflictException: The event source arn (\" {} \") and function (\" quiet \") provided mapping already exists. Please update or delete the existing mapping with UUID {uuid}",
            desk.stream
        )
    );
    // A record, so that there is a result; then off, and gone.
    let item = json!({ "TableName": "Tab", "Item": { "id": { "S": "a" } } });
    Desk::dynamodb(bench, "PutItem", &item);
    let one = format!("{MAPPINGS}/{uuid}");
    while bench.good("GET", &one, Value::Null)["LastProcessingResult"] != "OK" {
        std::thread::yield_now();
    }
    let changed = bench.good("PUT", &one, json!({ "BatchSize": 7 }));
    assert_eq!(changed["State"], "Updating");
    assert_eq!(
        (&desk.settled(&uuid)["State"], &desk.settled(&uuid)["BatchSize"]),
        (&json!("Enabled"), &json!(7))
    );
    let changed = bench.good("PUT", &one, json!({ "Enabled": false }));
    assert_eq!((&changed["State"], &changed["LastProcessingResult"]), (&json!("Disabling"), &json!("OK")));
    assert_eq!(desk.settled(&uuid)["State"], "Disabled");
    assert_eq!(bench.good("PUT", &one, json!({ "Enabled": true }))["State"], "Enabling");
    // A function that goes leaves its mapping as it is.
    bench.good("DELETE", "/2015-03-31/functions/quiet", Value::Null);
    assert_eq!(desk.settled(&uuid)["State"], "Enabled");
    assert_eq!(bench.good("DELETE", &one, Value::Null)["State"], "Deleting");
    for (method, path) in [
        ("GET", &one),
        ("PUT", &one),
        ("DELETE", &one),
        ("GET", &format!("{MAPPINGS}/4d2f8a6e-0000-4000-8000-000000000000")),
    ] {
        for _ in 0..500 {
            if bench.call(method, path, &[], b"{}").status == 404 {
                break;
            }
        }
        assert_eq!(
            bench.bad(method, path, json!({})),
            "404 ResourceNotFoundException: The resource you requested does not exist."
        );
    }
}

#[test]
fn mappings_have_tags() {
    let desk = Desk::new();
    let bench = &desk.bench;
    let made = bench.good("POST", MAPPINGS, desk.input(&json!({ "Tags": { "a": "1", "b": "2" } })));
    let arn = made["EventSourceMappingArn"].as_str().expect("an ARN").to_owned();
    let tags = format!("/2017-03-31/tags/{}", arn.replace(':', "%3A"));
    assert_eq!(bench.good("GET", &tags, Value::Null), json!({ "Tags": { "a": "1", "b": "2" } }));
    assert!(made.get("Tags").is_none());
    bench.good("POST", &tags, json!({ "Tags": { "b": "3", "c": "" } }));
    bench.good("DELETE", &format!("{tags}?tagKeys=a&tagKeys=nothing"), Value::Null);
    assert_eq!(bench.good("GET", &tags, Value::Null), json!({ "Tags": { "b": "3", "c": "" } }));
    // Tags do not disturb what the mapping does.
    let uuid = made["UUID"].as_str().expect("an id");
    assert_eq!(desk.settled(uuid)["State"], "Enabled");
    assert_eq!(
        bench.bad("POST", &tags, json!({ "Tags": { "aws:x": "y" } })),
        "400 InvalidParameterValueException: Tag keys that begin with aws: are the service's own: aws:x"
    );
    let many: serde_json::Map<_, _> = (0..50).map(|number| (format!("t{number}"), json!(""))).collect();
    assert_eq!(
        bench.bad("POST", &tags, json!({ "Tags": many })),
        "400 InvalidParameterValueException: A mapping has at most 50 tags."
    );
    assert_eq!(
        bench.bad(
            "GET",
            "/2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Aevent-source-mapping%3A4d2f8a6e-0000-4000-8000-000000000000",
            Value::Null
        ),
        "404 ResourceNotFoundException: Event source mapping not found: arn:aws:lambda:us-east-1:123456789012:event-source-mapping:4d2f8a6e-0000-4000-8000-000000000000"
    );
}

/// A document that belongs to no group would never be taken, and hold the lane for good.
#[test]
fn a_fifo_queue_is_no_destination() {
    let desk = Desk::new();
    let input = json!({ "QueueName": "told.fifo", "Attributes": { "FifoQueue": "true" } });
    desk.bench.queue("CreateQueue", input);
    let arn = "arn:aws:sqs:us-east-1:123456789012:told.fifo";
    let destination = json!({ "DestinationConfig": { "OnFailure": { "Destination": arn } } });
    let config = format!("DestinationConfig(onSuccess=null, onFailure=OnFailure(destination={arn}))");
    let expect =
        format!("400 InvalidParameterValueException: The provided destination config {config} is invalid.");
    desk.refuses(destination.clone(), &expect);
    let of_events = "/2019-09-25/functions/quiet/event-invoke-config";
    assert_eq!(desk.bench.bad("PUT", of_events, destination), expect);
}
