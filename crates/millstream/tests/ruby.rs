//! The third walkthrough: a Ruby job of a framework's, triggered by a stream, prints what it was handed.

use crate::support::{BINARY, create_mapping, create_table, eventually, zip};
use serde_json::{Value, json};
use testkit::{Node, TempDir};

const JOB: &str = "require 'json'
class ClerkJob
  def self.file(event:, context:)
    puts \"event #{JSON.dump(event)}\"
    { records: event['Records'].length, request: context.aws_request_id }
  end
end
";

#[test]
fn the_payload_of_the_third_page() {
    let dir = TempDir::new("ruby");
    let node = Node::start(BINARY, dir.path(), &["--sandbox", "auto"]);
    let mut client = node.client();
    let stream = create_table(&mut client, "demo-dev-test-table");
    let function = json!({
        "FunctionName": "clerk_job-file", "Runtime": "ruby3.3", "Handler": "clerk_job.ClerkJob.file",
        "Role": "arn:aws:iam::123456789012:role/r", "Timeout": 30, "Code": { "ZipFile": zip("clerk_job.rb", JOB) },
    });
    let made = client.lambda("POST", "/2015-03-31/functions", &function).expect("an answer");
    assert_eq!(made.status, 201, "{}", made.text());
    create_mapping(&mut client, "clerk_job-file", &stream, 100);
    let item = json!({ "id": { "S": "id-1" }, "name": { "S": "name-1" } });
    let put = json!({ "TableName": "demo-dev-test-table", "Item": item });
    assert_eq!(client.dynamodb("PutItem", &put).expect("an answer").status, 200);

    let asked = json!({ "logGroupName": "/aws/lambda/clerk_job-file", "filterPattern": "event" });
    let mut told = Value::Null;
    eventually("the job prints the event", || {
        let answer = client.json("logs", "Logs_20140328.FilterLogEvents", &asked).expect("an answer");
        let message = answer.json()["events"][0]["message"].as_str().unwrap_or_default().to_owned();
        told = message
            .strip_prefix("event ")
            .map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"));
        !told.is_null()
    });
    let record = &told["Records"][0];
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["eventSourceARN"], stream.as_str());
    assert_eq!(record["dynamodb"]["NewImage"], item);
    assert_eq!(record["dynamodb"]["Keys"], json!({ "id": { "S": "id-1" } }));
    assert_eq!(record["dynamodb"]["OldImage"], Value::Null);
}
