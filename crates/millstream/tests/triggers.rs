//! Event source mappings, as their owners meet them.

use crate::support::{BINARY, create_function, create_table, eventually, start, zip};
use serde_json::{Value, json};
use testkit::{Client, Node, TempDir};

const QUIET: &str = "def handler(event, context):\n    return None\n";

fn map(client: &mut Client, function: &str, stream: &str, more: Value) -> (u16, Value) {
    let mut body =
        json!({ "FunctionName": function, "EventSourceArn": stream, "StartingPosition": "LATEST" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = client.lambda("POST", "/2015-03-31/event-source-mappings", &body).expect("an answer");
    (answer.status, answer.json())
}

fn put(client: &mut Client, table: &str, id: &str, kind: &str) {
    let item = json!({ "id": { "S": id }, "kind": { "S": kind }, "n": { "N": "1234" } });
    let answer = client.dynamodb("PutItem", &json!({ "TableName": table, "Item": item })).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// What a mapping's records came to: the metric of one fate.
pub fn fate(node: &Node, uuid: &str, fate: &str) -> u64 {
    let text = node.client().send("GET", "/_millstream/metrics", "", b"").expect("an answer").text();
    let name = format!("millstream_mapping_records{{mapping=\"{uuid}\",fate=\"{fate}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
}

#[test]
fn filters_pass_what_their_patterns_describe() {
    let dir = TempDir::new("filters");
    let node = start(&dir);
    let mut client = node.client();
    let stream = create_table(&mut client, "Tab");
    let filters = |patterns: &[&str]| {
        let filters: Vec<_> = patterns.iter().map(|pattern| json!({ "Pattern": pattern })).collect();
        json!({ "FilterCriteria": { "Filters": filters } })
    };
    create_function(&mut client, "never", QUIET, &json!({}));
    for bad in ["", "x", "[]", r#"{"eventName":"INSERT"}"#, r#"{"eventName":[]}"#] {
        let (status, answer) = map(&mut client, "never", &stream, filters(&[bad]));
        assert_eq!((status, answer["Type"].as_str()), (400, Some("User")), "{bad}");
        assert_eq!(answer["message"], "Invalid filter pattern definition.", "{bad}");
    }
    // A pattern, and how many of four records pass: two inserts, a change and a removal.
    let cases = [
        (r#"{"eventName":["INSERT"]}"#, 2),
        (r#"{"eventName":["INSERT","REMOVE"],"eventVersion":["1.1"]}"#, 3),
        (r#"{"dynamodb":{"NewImage":{"kind":{"S":["open"]}}}}"#, 1),
        (r#"{"dynamodb":{"NewImage":{"kind":["open"]}}}"#, 0),
        (r#"{"dynamodb":{"NewImage":{"kind":{"S":[{"anything-but":["open"]}]}}}}"#, 2),
        (r#"{"dynamodb":{"OldImage":{"kind":{"S":[{"exists":true}]}}}}"#, 2),
        (r#"{"dynamodb":{"NewImage":{"kind":{"S":[{"exists":false}]}}}}"#, 1),
        (r#"{"dynamodb":{"NewImage":{"kind":[{"exists":true}]}}}"#, 0),
        (r#"{"dynamodb":{"NewImage":{"kind":[{"exists":false}]}}}"#, 4),
        (r#"{"dynamodb":{"NewImage":{"n":{"N":["1234"]}}}}"#, 3),
        (r#"{"dynamodb":{"NewImage":{"n":{"N":[{"numeric":[">",100]}]}}}}"#, 0),
        (
            r#"{"dynamodb":{"ApproximateCreationDateTime":[{"numeric":[">",0]}],"SizeBytes":[{"numeric":["<",9999]}]}}"#,
            4,
        ),
        (r#"{"dynamodb":{"Keys":{"id":{"S":["a"]}},"StreamViewType":[{"wildcard":"NEW*"}]}}"#, 3),
        (r#"{"$or":[{"eventName":["REMOVE"]},{"dynamodb":{"Keys":{"id":{"S":["b"]}}}}]}"#, 2),
        (r#"{"userIdentity":{"type":["Service"]}}"#, 0),
    ];
    let uuids: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(number, (pattern, _))| {
            let function = format!("f{number}");
            create_function(&mut client, &function, QUIET, &json!({}));
            let (status, made) = map(&mut client, &function, &stream, filters(&[pattern]));
            assert_eq!(status, 202, "{made}");
            assert_eq!(made["FilterCriteria"]["Filters"][0]["Pattern"], *pattern);
            made["UUID"].as_str().unwrap().to_owned()
        })
        .collect();
    put(&mut client, "Tab", "a", "open");
    put(&mut client, "Tab", "b", "new");
    put(&mut client, "Tab", "a", "closed");
    let key = json!({ "TableName": "Tab", "Key": { "id": { "S": "a" } } });
    client.dynamodb("DeleteItem", &key).expect("an answer");
    for ((pattern, passing), uuid) in cases.iter().zip(&uuids) {
        eventually(pattern, || {
            fate(&node, uuid, "delivered") == *passing && fate(&node, uuid, "filtered") == 4 - passing
        });
    }
    // An empty list takes the filters away; what is written once a change has its answer meets the mapping as changed.
    let path = format!("/2015-03-31/event-source-mappings/{}", uuids[3]);
    let mut change = |patterns: &[&str], written: &str| {
        eventually("a mapping is there", || {
            client.lambda("GET", &path, &json!({})).expect("an answer").json()["State"] == "Enabled"
        });
        let changed = client.lambda("PUT", &path, &filters(patterns)).expect("an answer");
        assert_eq!(changed.status, 202, "{}", changed.text());
        put(&mut client, "Tab", written, "late");
        changed.json()
    };
    for round in 1..=5 {
        assert_eq!(change(&[], &format!("c{round}")).get("FilterCriteria"), None);
        eventually("a record passes where there is no filter any more", || {
            fate(&node, &uuids[3], "delivered") == round
        });
        change(&[cases[3].0], &format!("d{round}"));
        eventually("none passes where there is one again", || {
            fate(&node, &uuids[3], "filtered") == 4 + round
        });
    }
    // Nothing is counted twice or lost by a restart.
    node.stop();
    let node = start(&dir);
    for ((pattern, passing), uuid) in cases.iter().zip(&uuids).take(3) {
        eventually(pattern, || fate(&node, uuid, "delivered") + fate(&node, uuid, "filtered") == 14);
        assert!(fate(&node, uuid, "delivered") <= passing + 10, "{pattern}");
    }
}

/// The text of a command that must succeed.
fn trigger(node: &Node, arguments: &[&str]) -> String {
    let done = std::process::Command::new(BINARY)
        .arg("trigger")
        .args(arguments)
        .args(["--endpoint", &node.url()])
        .output()
        .expect("the command runs");
    let text = String::from_utf8(done.stdout).expect("text");
    assert!(done.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&done.stderr));
    text
}

#[test]
fn a_blocked_mapping_says_why_and_its_records_can_be_replayed() {
    let dir = TempDir::new("blocked");
    let node = start(&dir);
    let mut client = node.client();
    let stream = create_table(&mut client, "Tab");
    create_function(
        &mut client,
        "broken",
        "def handler(event, context):\n    raise ValueError('no ' + event['Records'][0]['dynamodb']['Keys']['id']['S'])\n",
        &json!({}),
    );
    let (_, made) = map(&mut client, "broken", &stream, json!({}));
    let uuid = made["UUID"].as_str().unwrap();
    for number in 0..5 {
        put(&mut client, "Tab", &format!("i{number}"), "x");
    }
    let mut status = String::new();
    eventually("the status tells of the failure", || {
        status = trigger(&node, &["status", uuid]);
        status.contains("no i0") && status.contains("pending 5;")
    });
    assert!(status.contains("blocked in shardId-") && status.contains("attempts"), "{status}");
    let list = trigger(&node, &["list"]);
    assert_eq!(list, format!("{uuid}  Enabled  Tab → broken  5 pending  PROBLEM: Function call failed\n"));
    let json: Value = serde_json::from_str(&trigger(&node, &["status", "--json"])).expect("JSON");
    assert_eq!((&json[0]["records"]["read"], &json[0]["records"]["pending"]), (&json!(5), &json!(5)));
    let first = json[0]["shards"][0]["blocked"][0]["sequenceNumber"].as_str().expect("a record").to_owned();

    // While that one is stuck, another function is handed the same records, all or from a place on.
    let count = "def handler(event, context):\n    return [len(event['Records']), event['Records'][0]['eventSourceARN']]\n";
    create_function(&mut client, "count", count, &json!({}));
    let replay = |more: &[&str]| trigger(&node, &[&["replay", "count", "--table", "Tab"], more].concat());
    assert_eq!(replay(&["--batch", "2"]), "5 records in 3 batches handed to count\n");
    let next = (first.parse::<u128>().unwrap() + 1).to_string();
    assert_eq!(replay(&["--from", &next, "--since", "3600"]), "4 records in 1 batches handed to count\n");
    assert_eq!(replay(&["--to", &first]), "1 records in 1 batches handed to count\n");
    let event = dir.path().join("event.json");
    std::fs::write(&event, r#"{"Records":[{"eventSourceARN":"here"},{}]}"#).expect("a file");
    assert_eq!(trigger(&node, &["run", "count", event.to_str().unwrap()]).replace(' ', ""), "[2,\"here\"]\n");
}

#[test]
fn records_that_are_given_up_lie_in_the_queue() {
    let dir = TempDir::new("given-up");
    let node = start(&dir);
    let mut client = node.client();
    let stream = create_table(&mut client, "Tab");
    // It fails on one item, and names it where it is asked to.
    create_function(
        &mut client,
        "raises",
        "def handler(event, context):\n    raise ValueError('no')\n",
        &json!({}),
    );
    let names = "def handler(event, context):\n    return {'batchItemFailures': [{'itemIdentifier': event['Records'][0]['dynamodb']['SequenceNumber']}]}\n";
    create_function(&mut client, "names", names, &json!({}));
    let mut sqs = |operation: &str, body: Value| {
        client.json("sqs", &format!("AmazonSQS.{operation}"), &body).expect("an answer").json()
    };
    let url = sqs("CreateQueue", json!({ "QueueName": "dead" }))["QueueUrl"].clone();
    let arn = "arn:aws:sqs:us-east-1:123456789012:dead";
    let mut client = node.client();
    let (status, refused) = map(
        &mut client,
        "raises",
        &stream,
        json!({ "DestinationConfig": { "OnFailure": { "Destination": format!("{arn}er") } } }),
    );
    assert_eq!((status, &refused["Type"]), (400, &json!("User")), "{refused}");
    let uuids = ["raises", "names"].map(|function| {
        let more = json!({
            "MaximumRetryAttempts": 1,
            "FunctionResponseTypes": if function == "names" { vec!["ReportBatchItemFailures"] } else { vec![] },
            "DestinationConfig": { "OnFailure": { "Destination": arn } },
        });
        let (status, made) = map(&mut client, function, &stream, more);
        assert_eq!((status, &made["DestinationConfig"]["OnFailure"]["Destination"]), (202, &json!(arn)));
        made["UUID"].as_str().unwrap().to_owned()
    });
    put(&mut client, "Tab", "a", "x");
    for uuid in &uuids {
        eventually("the record is given up", || fate(&node, uuid, "dead-lettered") == 1);
        assert_eq!(fate(&node, uuid, "pending"), 0);
    }
    let received = sqs("ReceiveMessage", json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 }));
    let mut errors: Vec<String> = Vec::new();
    for message in received["Messages"].as_array().expect("messages") {
        let told: Value = serde_json::from_str(message["Body"].as_str().unwrap()).expect("JSON");
        assert_eq!(told["requestContext"]["condition"], "RetryAttemptsExhausted");
        assert_eq!(told["requestContext"]["approximateInvokeCount"], 2);
        assert_eq!(told["DDBStreamBatchInfo"]["batchSize"], 1);
        errors.push(told["responseContext"]["functionError"].to_string());
    }
    errors.sort();
    assert_eq!(errors, ["\"Unhandled\"", "null"]);
}

#[test]
fn a_bucket_takes_what_is_given_up_with_its_records() {
    let dir = TempDir::new("buckets");
    let node = start(&dir);
    let mut client = node.client();
    let stream = create_table(&mut client, "Tab");
    let raises = "def handler(event, context):\n    raise ValueError('no')\n";
    create_function(&mut client, "raises", raises, &json!({}));
    let destination = json!({
        "MaximumRetryAttempts": 0,
        "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:s3:::dead" } },
    });
    let (status, refused) = map(&mut client, "raises", &stream, destination.clone());
    assert_eq!((status, &refused["Type"]), (400, &json!("User")), "there is no such bucket: {refused}");
    assert_eq!(client.storage("PUT", "/dead", b"").expect("an answer").status, 200);
    let (status, made) = map(&mut client, "raises", &stream, destination);
    assert_eq!(status, 202, "{made}");
    put(&mut client, "Tab", "a", "x");
    let uuid = made["UUID"].as_str().expect("an id");
    eventually("the record is given up", || fate(&node, uuid, "dead-lettered") == 1);
    let listed = client.storage("GET", "/dead?list-type=2", b"").expect("an answer").text();
    let key =
        listed.split_once("<Key>").and_then(|(_, rest)| rest.split_once("</Key>")).expect("an object").0;
    assert!(key.starts_with(&format!("aws/lambda/{uuid}/shardId-")), "{key}");
    let told = client.storage("GET", &format!("/dead/{key}"), b"").expect("an answer").json();
    assert_eq!(told["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(told["payload"]["Records"][0]["dynamodb"]["Keys"], json!({ "id": { "S": "a" } }));
}

#[test]
fn windows_hand_their_state_on_over_a_restart() {
    let dir = TempDir::new("windows");
    let node = start(&dir);
    let mut client = node.client();
    let stream = create_table(&mut client, "Tab");
    // It counts, and writes down what it is handed at the end of a window.
    let out = dir.path().join("windows");
    let code = "import json, os\n\ndef handler(event, context):\n    if event['isFinalInvokeForWindow']:\n        with open(os.environ['OUT'], 'a') as out:\n            out.write(json.dumps(event) + '\\n')\n    return {'state': {'n': event['state'].get('n', 0) + len(event['Records'])}}\n";
    create_function(&mut client, "sums", code, &json!({ "OUT": out.to_str().unwrap() }));
    create_function(&mut client, "forgets", QUIET, &json!({}));
    let (status, refused) = map(
        &mut client,
        "sums",
        &stream,
        json!({ "TumblingWindowInSeconds": 2, "ParallelizationFactor": 2 }),
    );
    assert_eq!((status, &refused["Type"]), (400, &json!("User")), "{refused}");
    let (status, refused) = map(&mut client, "sums", &stream, json!({ "TumblingWindowInSeconds": 901 }));
    assert_eq!(
        (status, refused["message"].as_str()),
        (
            400,
            Some(
                "1 validation error detected: Value '901' at 'tumblingWindowInSeconds' failed to satisfy constraint: Member must have value less than or equal to 900"
            )
        )
    );
    let uuids = ["sums", "forgets"].map(|function| {
        let (status, made) = map(&mut client, function, &stream, json!({ "TumblingWindowInSeconds": 900 }));
        assert_eq!((status, &made["TumblingWindowInSeconds"]), (202, &json!(900)));
        made["UUID"].as_str().unwrap().to_owned()
    });
    put(&mut client, "Tab", "a", "x");
    put(&mut client, "Tab", "b", "x");
    eventually("two are summed", || fate(&node, &uuids[0], "delivered") == 2);
    eventually("an answer without a state is a failure", || {
        trigger(&node, &["status", &uuids[1]]).contains("has to hold a state")
    });
    node.stop();
    let node = start(&dir);
    let mut client = node.client();
    put(&mut client, "Tab", "c", "x");
    eventually("the third is summed", || fate(&node, &uuids[0], "delivered") == 3);
    assert!(!out.exists(), "no window has ended");
    // Another length ends the window that is open.
    let path = format!("/2015-03-31/event-source-mappings/{}", uuids[0]);
    let lanes = client.lambda("PUT", &path, &json!({ "ParallelizationFactor": 2 })).expect("an answer");
    assert_eq!(lanes.status, 400, "{}", lanes.text());
    client.lambda("PUT", &path, &json!({ "TumblingWindowInSeconds": 0 })).expect("an answer");
    eventually("the window ends", || out.exists());
    let text = std::fs::read_to_string(&out).expect("a line");
    let event: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("an event");
    let members: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        members,
        [
            "Records",
            "window",
            "state",
            "shardId",
            "eventSourceARN",
            "isFinalInvokeForWindow",
            "isWindowTerminatedEarly"
        ]
    );
    assert_eq!(
        (&event["state"], &event["Records"], &event["isWindowTerminatedEarly"]),
        (&json!({ "n": 3 }), &json!([]), &json!(false))
    );
    let (start, end) = (event["window"]["start"].as_str().unwrap(), event["window"]["end"].as_str().unwrap());
    assert!(start.len() == 20 && start.ends_with("Z") && start < end, "{event}");
    assert_eq!(event["eventSourceARN"].as_str(), Some(&*stream));
}

/// Where policies decide: the role of a function has to be allowed to read what triggers it.
#[test]
fn a_trigger_needs_its_roles_permissions() {
    let dir = TempDir::new("trigger-enforced");
    let keys = ["--root-access-key", "AKIAROOTROOTROOT", "--root-secret-key", "a-secret-of-the-root"];
    let node = Node::start(BINARY, dir.path(), &[&["--auth", "enforce"][..], &keys].concat());
    let send = |method: &str, service: &str, path: &str, headers: &[(&str, &str)], body: String| {
        let signer = wire::sigv4::Signer {
            credentials: wire::sigv4::Credentials {
                access_key: keys[1].to_owned(),
                secret: keys[3].to_owned(),
                session_token: None,
            },
            region: "us-east-1".to_owned(),
            service: service.to_owned(),
        };
        let mut request = wire::Request::post(body).with_header("host", node.address());
        request.method = method.parse().expect("a method");
        request.path = path.to_owned();
        for (name, value) in headers {
            request = request.with_header(name, value);
        }
        let signed = signer.sign(request, world::World::real().now());
        let lines = signed.headers.iter().filter(|(name, _)| *name != "host");
        let head: String =
            lines.map(|(name, value)| format!("{name}: {}\r\n", value.to_str().expect("text"))).collect();
        node.client().send(method, path, &head, &signed.body).expect("an answer")
    };
    let call = |service: &str, path: &str, headers: &[(&str, &str)], body: String| {
        send("POST", service, path, headers, body)
    };
    let iam = |action: &str, more: &str| {
        let body = format!("Action={action}&Version=2010-05-08&RoleName=reader{more}");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let answer = call("iam", "/", &form, body);
        assert_eq!(answer.status, 200, "{action}: {}", answer.text());
    };
    let encoded = |document: Value| wire::percent::encode(&document.to_string());
    let statement = |what: Value| json!({ "Version": "2012-10-17", "Statement": [what] });
    let trust = json!({ "Effect": "Allow", "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" });
    iam("CreateRole", &format!("&AssumeRolePolicyDocument={}", encoded(statement(trust))));
    let table = json!({
        "TableName": "Tab",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" },
    });
    let headers =
        [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.CreateTable")];
    let made = call("dynamodb", "/", &headers, table.to_string()).json();
    let stream = made["TableDescription"]["LatestStreamArn"].as_str().expect("an ARN");
    for (name, role) in [("f", "reader"), ("g", "stranger")] {
        let function = json!({
            "FunctionName": name, "Runtime": "python3.12", "Handler": "app.handler",
            "Role": format!("arn:aws:iam::123456789012:role/{role}"), "Code": { "ZipFile": zip("app.py", QUIET) },
        });
        assert_eq!(call("lambda", "/2015-03-31/functions", &[], function.to_string()).status, 201);
    }
    let attempt = || {
        let mapping = json!({ "FunctionName": "f", "EventSourceArn": stream, "StartingPosition": "LATEST" });
        let answer = call("lambda", "/2015-03-31/event-source-mappings", &[], mapping.to_string());
        let told = answer.json();
        let said = told["message"].as_str().or(told["UUID"].as_str()).expect("an error or an id");
        (answer.status, said.to_owned())
    };
    let refused = format!(
        "Cannot access stream {stream}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM."
    );
    assert_eq!(attempt(), (400, refused.clone()));
    let actions = [
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:DescribeStream",
        "dynamodb:ListStreams",
    ];
    let allow = |actions: &[&str]| {
        let allow = statement(json!({ "Effect": "Allow", "Action": actions, "Resource": stream }));
        iam("PutRolePolicy", &format!("&PolicyName=p&PolicyDocument={}", encoded(allow)));
    };
    allow(&actions[..3]);
    assert_eq!(attempt(), (400, refused.clone()));
    allow(&actions);
    let (status, uuid) = attempt();
    assert_eq!(status, 202, "{uuid}");
    // Another function's role may not.
    let changed = send(
        "PUT",
        "lambda",
        &format!("/2015-03-31/event-source-mappings/{uuid}"),
        &[],
        json!({ "FunctionName": "g" }).to_string(),
    );
    assert_eq!((changed.status, changed.json()["message"].as_str()), (400, Some(refused.as_str())));
}

#[test]
fn functions_end_with_the_server_however_it_ends() {
    let code = "import os\ndef handler(event, context):\n    return os.getpid()\n";
    for kill in [true, false] {
        let dir = TempDir::new("orphans");
        let node = start(&dir);
        let mut client = node.client();
        create_function(&mut client, "f", code, &json!({}));
        let answer = client.lambda("POST", "/2015-03-31/functions/f/invocations", &json!({}));
        let pid = answer.expect("an answer").json().as_u64().expect("a process's number");
        let process = std::path::PathBuf::from(format!("/proc/{pid}"));
        assert!(process.exists());
        if kill {
            node.kill();
        } else {
            assert!(node.stop().success());
        }
        eventually("the function's process ends", || !process.exists());
    }
}
