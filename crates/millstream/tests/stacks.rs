//! A template that makes a table whose stream drives a function: deployed, changed, failed, taken away, with the AWS CLI.

use crate::support::{aws, eventually, start};
use serde_json::Value;
use testkit::{Client, TempDir};

const TEMPLATE: &str = r#"
Parameters:
  Size: {Type: Number, Default: 128, MinValue: 128}
Conditions:
  Large: !Equals [!Ref Size, 256]
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns: [!Sub 'arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole']
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Role.Arn
      MemorySize: !Ref Size
      Environment: {Variables: {TABLE: !Ref Table}}
      Code:
        ZipFile: |
          import os
          def handler(event, context):
              print("saw", event["Records"][0]["eventName"], "of", os.environ["TABLE"])
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Table.StreamArn, FunctionName: !Ref Function, StartingPosition: TRIM_HORIZON}
  Logs: {Type: AWS::Logs::LogGroup, Condition: Large, Properties: {LogGroupName: only-large}}
Outputs:
  Table: {Value: !Ref Table, Export: {Name: !Sub '${AWS::StackName}-table'}}
  Function: {Value: !Ref Function}
"#;

#[test]
fn a_stack_is_deployed_changed_rolled_back_and_taken_away() {
    let (dir, files) = (TempDir::new("stacks"), TempDir::new("stacks-files"));
    let node = start(&dir);
    let run = |arguments: &[&str]| aws(&node, &files, arguments);
    let json = |arguments: &[&str]| -> Value {
        let (success, text) = run(arguments);
        assert!(success, "aws {}: {text}", arguments.join(" "));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    std::fs::write(files.path().join("template.yaml"), TEMPLATE).expect("a file");
    let deploy = |more: &[&str]| {
        let common = ["cloudformation", "deploy", "--stack-name", "demo", "--template-file", "template.yaml"];
        run(&[&common[..], &["--capabilities", "CAPABILITY_IAM"], more].concat())
    };
    let (success, text) = deploy(&[]);
    assert!(success, "{text}");
    let describe =
        || json(&["cloudformation", "describe-stacks", "--stack-name", "demo"])["Stacks"][0].clone();
    let stack = describe();
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE");
    assert_eq!(stack["Outputs"][0]["ExportName"], "demo-table");
    let output = |at: usize| stack["Outputs"][at]["OutputValue"].as_str().expect("a value").to_owned();
    let (table, function) = (output(0), output(1));
    assert!(table.starts_with("demo-Table-") && function.starts_with("demo-Function-"), "{table} {function}");

    let item = format!(r#"{{"TableName":"{table}","Item":{{"id":{{"S":"1"}}}}}}"#);
    json_or_empty(run(&["dynamodb", "put-item", "--cli-input-json", &item]));
    let group = format!("/aws/lambda/{function}");
    eventually("the function has seen the write", || {
        let (_, text) = run(&["logs", "filter-log-events", "--log-group-name", &group, "--output", "text"]);
        text.contains(&format!("saw INSERT of {table}"))
    });

    // A change of one parameter changes the function in place, and what its condition brings is there.
    let (success, text) = deploy(&["--parameter-overrides", "Size=256"]);
    assert!(success, "{text}");
    let configuration = || json(&["lambda", "get-function-configuration", "--function-name", &function]);
    assert_eq!(configuration()["MemorySize"], 256);
    let groups = |node_groups: &str| {
        let found = json(&["logs", "describe-log-groups", "--log-group-name-prefix", node_groups]);
        found["logGroups"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(groups("only-large"), 1);
    let (success, text) = deploy(&["--no-fail-on-empty-changeset"]);
    assert!(success && text.contains("No changes to deploy"), "{text}");

    // A change that cannot be made leaves everything as it was.
    std::fs::write(files.path().join("template.yaml"), TEMPLATE.replace("index.handler", "'no spaces'"))
        .expect("a file");
    let (success, text) = deploy(&[]);
    assert!(!success && text.contains("Failed to create/update"), "{text}");
    assert_eq!(describe()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE");
    assert_eq!(configuration()["Handler"], "index.handler");

    // Replaced where it has to be, and the old one goes.
    let renamed = TEMPLATE.replace("KeySchema: [{AttributeName: id", "KeySchema: [{AttributeName: key");
    let renamed = renamed
        .replace("AttributeDefinitions: [{AttributeName: id", "AttributeDefinitions: [{AttributeName: key");
    std::fs::write(files.path().join("template.yaml"), renamed).expect("a file");
    let (success, text) = deploy(&["--parameter-overrides", "Size=128"]);
    assert!(success, "{text}");
    let tables = json(&["dynamodb", "list-tables"]);
    let names = tables["TableNames"].as_array().expect("names");
    assert!(names.len() == 1 && names[0] != table.as_str(), "{names:?}");
    assert_eq!((groups("only-large"), configuration()["MemorySize"].as_u64()), (0, Some(128)));

    let (success, text) = run(&["cloudformation", "delete-stack", "--stack-name", "demo"]);
    assert!(success, "{text}");
    let (success, text) = run(&["cloudformation", "wait", "stack-delete-complete", "--stack-name", "demo"]);
    assert!(success, "{text}");
    for (arguments, member) in [
        (&["dynamodb", "list-tables"][..], "TableNames"),
        (&["lambda", "list-functions"], "Functions"),
        (&["lambda", "list-event-source-mappings"], "EventSourceMappings"),
        (&["iam", "list-roles"], "Roles"),
    ] {
        assert_eq!(json(arguments)[member].as_array().map(Vec::len), Some(0), "{arguments:?}");
    }
}

fn json_or_empty((success, text): (bool, String)) {
    assert!(success, "{text}");
}

#[test]
fn a_stack_that_a_killed_server_left_unfinished_is_rolled_back() {
    let dir = TempDir::new("stacks-killed");
    let node = start(&dir);
    let resources: Vec<String> = (0..150)
        .map(|n| {
            format!(
                r#""T{n}":{{"Type":"AWS::DynamoDB::Table","Properties":{{"AttributeDefinitions":[{{"AttributeName":"id","AttributeType":"S"}}],"KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}],"BillingMode":"PAY_PER_REQUEST"}}}}"#
            )
        })
        .collect();
    let template = format!(r#"{{"Resources":{{{}}}}}"#, resources.join(","));
    let mut client = node.client();
    // The answer waits for the work, which is cut short.
    let asked = std::thread::spawn(move || {
        form(&mut client, "CreateStack", &[("StackName", "many"), ("TemplateBody", &template)])
    });
    let tables = |client: &mut Client| -> usize {
        let answer = client.dynamodb("ListTables", &serde_json::json!({})).expect("an answer").json();
        answer["TableNames"].as_array().map_or(0, Vec::len)
    };
    let mut other = node.client();
    eventually("some tables are there", || tables(&mut other) >= 3);
    node.kill();
    assert!(asked.join().expect("it ends").is_err(), "the stack was done before the server was killed");

    let node = start(&dir);
    let mut client = node.client();
    eventually("the stack is rolled back", || {
        let told = form(&mut client, "DescribeStacks", &[("StackName", "many")]).expect("an answer");
        told.contains("<StackStatus>ROLLBACK_COMPLETE</StackStatus>")
    });
    assert_eq!(tables(&mut client), 0);
}

/// As the CDK's functions do: by https, to the address's host and path, at no port in particular.
const ANSWERED_BY_HTTPS: &str = r#"
Resources:
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs20.x
      Handler: index.handler
      Role: arn:aws:iam::123456789012:role/r
      Code:
        ZipFile: |
          const https = require('https');
          exports.handler = async (event) => {
            const { hostname, pathname } = new URL(event.ResponseURL);
            const { StackId, RequestId, LogicalResourceId, ResourceProperties: { Size } } = event;
            const body = JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'thing', StackId, RequestId, LogicalResourceId, Data: { Double: Size * 2 } });
            const headers = { 'content-type': '', 'content-length': body.length };
            await new Promise((resolve, reject) => {
              const request = https.request({ hostname, path: pathname, method: 'PUT', headers }, (answer) => answer.on('end', resolve).resume());
              request.on('error', reject).end(body);
            });
          };
  Thing: {Type: Custom::Thing, Properties: {ServiceToken: !GetAtt Function.Arn, Size: 21, ServiceTimeout: 20}}
Outputs: {Double: {Value: !GetAtt Thing.Double}}
"#;

#[test]
fn a_custom_resource_may_answer_by_https() {
    let dir = TempDir::new("stacks-custom");
    let node = start(&dir);
    let mut client = node.client();
    let stack = [("StackName", "custom"), ("TemplateBody", ANSWERED_BY_HTTPS)];
    form(&mut client, "CreateStack", &stack).expect("an answer");
    let mut told = String::new();
    eventually("the stack is there", || {
        told = form(&mut client, "DescribeStacks", &[("StackName", "custom")]).expect("an answer");
        !told.contains("_IN_PROGRESS</StackStatus>")
    });
    assert!(told.contains("<OutputValue>42</OutputValue>"), "{told}");
}

/// One call in the query protocol.
fn form(client: &mut Client, action: &str, members: &[(&str, &str)]) -> std::io::Result<String> {
    let mut body = format!("Action={action}&Version=2010-05-15");
    for (name, value) in members {
        body.push_str(&format!("&{name}={}", wire::percent::encode(value)));
    }
    Ok(client.form("cloudformation", &body)?.text())
}
