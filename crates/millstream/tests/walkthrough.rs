//! The first walkthrough, typed as it was published, with the real AWS CLI; and the second page's payload.

use crate::support::{BINARY, aws, create_function, create_mapping, create_table, eventually, start};
use serde_json::{Value, json};
use testkit::{Node, TempDir};

#[test]
fn the_first_walkthrough() {
    let (dir, files) = (TempDir::new("walkthrough"), TempDir::new("walkthrough-files"));
    let node = Node::start(BINARY, dir.path(), &["--sandbox", "auto"]);
    let ok = |arguments: &[&str]| {
        let (success, text) = aws(&node, &files, arguments);
        assert!(success, "aws {}: {text}", arguments.join(" "));
        text
    };
    let json = |arguments: &[&str]| -> Value {
        let text = ok(arguments);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };

    let made = json(&[
        "dynamodb",
        "create-table",
        "--table-name",
        "UserEvents",
        "--attribute-definitions",
        "AttributeName=UserID,AttributeType=S",
        "AttributeName=EventID,AttributeType=S",
        "--key-schema",
        "AttributeName=UserID,KeyType=HASH",
        "AttributeName=EventID,KeyType=RANGE",
        "--billing-mode",
        "PAY_PER_REQUEST",
        "--stream-specification",
        "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES",
    ]);
    assert_eq!(made["TableDescription"]["TableStatus"], "CREATING");
    eventually("the table is active", || {
        ok(&["dynamodb", "describe-table", "--table-name", "UserEvents", "--query", "Table.TableStatus"])
            == "\"ACTIVE\""
    });
    let stream = ok(&[
        "dynamodb",
        "describe-table",
        "--table-name",
        "UserEvents",
        "--query",
        "Table.LatestStreamArn",
        "--output",
        "text",
    ]);
    assert!(
        stream.starts_with("arn:aws:dynamodb:us-east-1:123456789012:table/UserEvents/stream/20"),
        "{stream}"
    );

    let code = "import json\n\ndef handler(event, context):\n    print(\"Received event:\")\n    print(json.dumps(event, indent=2))\n    return {\"statusCode\": 200}\n";
    let zip = wire::base64::decode(&crate::support::zip("lambda_function.py", code)).expect("a package");
    std::fs::write(files.path().join("function.zip"), zip).expect("a file");
    let trust = r#"{"Version": "2012-10-17","Statement": [{"Effect": "Allow","Principal": {"Service": "lambda.amazonaws.com"},"Action": "sts:AssumeRole"}]}"#;
    json(&["iam", "create-role", "--role-name", "DynamoStreamRole", "--assume-role-policy-document", trust]);
    let policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole";
    ok(&["iam", "attach-role-policy", "--role-name", "DynamoStreamRole", "--policy-arn", policy]);
    let function = json(&[
        "lambda",
        "create-function",
        "--function-name",
        "StreamLogger",
        "--runtime",
        "python3.12",
        "--zip-file",
        "fileb://function.zip",
        "--handler",
        "lambda_function.handler",
        "--role",
        "arn:aws:iam::123456789012:role/DynamoStreamRole",
    ]);
    assert_eq!(function["FunctionArn"], "arn:aws:lambda:us-east-1:123456789012:function:StreamLogger");

    let mapping = json(&[
        "lambda",
        "create-event-source-mapping",
        "--function-name",
        "StreamLogger",
        "--event-source",
        &stream,
        "--starting-position",
        "LATEST",
    ]);
    assert_eq!(mapping["State"], "Creating");
    let uuid = mapping["UUID"].as_str().expect("an id");
    let states = [
        "lambda",
        "list-event-source-mappings",
        "--function-name",
        "StreamLogger",
        "--query",
        "EventSourceMappings[].State",
    ];
    eventually("the mapping is enabled", || json(&states) == json!(["Enabled"]));

    let key = r#"{"UserID": {"S": "USER#1001"}, "EventID": {"S": "LOGIN#001"}}"#;
    let item = r#"{"UserID": {"S": "USER#1001"}, "EventID": {"S": "LOGIN#001"}, "Device": {"S": "Chrome"}}"#;
    ok(&["dynamodb", "put-item", "--table-name", "UserEvents", "--item", item]);
    ok(&[
        "dynamodb",
        "update-item",
        "--table-name",
        "UserEvents",
        "--key",
        key,
        "--update-expression",
        "SET Device = :d",
        "--expression-attribute-values",
        r#"{":d": {"S": "Firefox"}}"#,
    ]);
    ok(&["dynamodb", "delete-item", "--table-name", "UserEvents", "--key", key]);

    // What `aws logs tail` asks for, as version 1 of the CLI can.
    let log = || {
        let messages = json(&[
            "logs",
            "filter-log-events",
            "--log-group-name",
            "/aws/lambda/StreamLogger",
            "--query",
            "events[].message",
        ]);
        let messages: Vec<String> = serde_json::from_value(messages).expect("messages");
        messages.concat()
    };
    eventually("three events are in the log", || {
        aws(&node, &files, &["logs", "describe-log-streams", "--log-group-name", "/aws/lambda/StreamLogger"])
            .0
            && ["INSERT", "MODIFY", "REMOVE"]
                .iter()
                .all(|name| log().contains(&format!("\"eventName\": \"{name}\"")))
    });
    let text = log();
    for part in [
        "Received event:",
        "START RequestId: ",
        "END RequestId: ",
        "REPORT RequestId: ",
        "\"OldImage\"",
        "\"NewImage\"",
        "Firefox",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }

    let update = ["lambda", "update-event-source-mapping", "--uuid", uuid];
    assert_eq!(json(&[&update[..], &["--no-enabled"]].concat())["State"], "Disabling");
    eventually("the mapping is disabled", || json(&states) == json!(["Disabled"]));
    let later = r#"{"UserID": {"S": "USER#1002"}, "EventID": {"S": "LATER"}}"#;
    ok(&["dynamodb", "put-item", "--table-name", "UserEvents", "--item", later]);
    ok(&[&update[..], &["--enabled"]].concat());
    eventually("what was written meanwhile is delivered", || log().contains("LATER"));
    assert_eq!(log().matches("\"eventName\"").count(), 4, "nothing is lost and nothing repeated");

    ok(&["lambda", "delete-event-source-mapping", "--uuid", uuid]);
    ok(&["lambda", "delete-function", "--function-name", "StreamLogger"]);
    let (refused, text) = aws(&node, &files, &["iam", "delete-role", "--role-name", "DynamoStreamRole"]);
    assert!(!refused && text.contains("DeleteConflict"), "{text}");
    ok(&["iam", "detach-role-policy", "--role-name", "DynamoStreamRole", "--policy-arn", policy]);
    ok(&["iam", "delete-role", "--role-name", "DynamoStreamRole"]);
    ok(&["dynamodb", "delete-table", "--table-name", "UserEvents"]);
    assert_eq!(json(&["dynamodb", "list-tables"]), json!({ "TableNames": [] }));
    assert!(node.stop().success());
}

#[test]
fn the_payload_of_the_second_page() {
    let dir = TempDir::new("payload");
    let node = start(&dir);
    let mut client = node.client();
    let stream = create_table(&mut client, "test-table");
    let out = dir.path().join("event.json");
    let code = "import json, os\ndef handler(event, context):\n    json.dump(event, open(os.environ['OUT'] + '.part', 'w'))\n    os.rename(os.environ['OUT'] + '.part', os.environ['OUT'])\n";
    let put = |client: &mut testkit::Client, name: &str| {
        let item = json!({ "id": { "S": "1" }, "name": { "S": name } });
        let answer = client
            .dynamodb("PutItem", &json!({ "TableName": "test-table", "Item": item }))
            .expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    put(&mut client, "Tung");
    create_function(&mut client, "f", code, &json!({ "OUT": out }));
    create_mapping(&mut client, "f", &stream, 100);
    put(&mut client, "Tung Nguyen");
    eventually("the event arrives", || out.exists());
    let event: Value = serde_json::from_slice(&std::fs::read(&out).expect("an event")).expect("JSON");
    let mut record = event["Records"][0].clone();
    assert_eq!(event["Records"].as_array().map(Vec::len), Some(1), "LATEST begins behind what was there");

    let taken = |value: &mut Value| std::mem::take(value);
    let id = taken(&mut record["eventID"]);
    assert!(
        id.as_str().is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())),
        "{id}"
    );
    let sequence = taken(&mut record["dynamodb"]["SequenceNumber"]);
    assert!(sequence.as_str().is_some_and(|text| (21..=40).contains(&text.len())), "{sequence}");
    assert!(taken(&mut record["dynamodb"]["ApproximateCreationDateTime"]).is_u64());
    assert_eq!(
        record,
        json!({
            "eventID": null,
            "eventName": "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": null,
                "Keys": { "id": { "S": "1" } },
                "NewImage": { "name": { "S": "Tung Nguyen" }, "id": { "S": "1" } },
                "OldImage": { "name": { "S": "Tung" }, "id": { "S": "1" } },
                "SequenceNumber": null,
                "SizeBytes": 32,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": stream,
        })
    );
}
