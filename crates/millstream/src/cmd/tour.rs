//! `millstream tour`: a server in memory, and the first walkthrough on it, live and explained.

use super::Failure;
use serde_json::{Value, json};
use server::{Node, Settings};
use services::Services;
use std::ffi::OsString;
use std::time::Duration;
use wire::Request;
use world::World;

const HANDLER: &str = "import time
def handler(event, context):
    entered = time.time_ns()
    for record in event['Records']:
        change = record['dynamodb']
        print('SAW', entered, record['eventName'], change.get('OldImage', {}).get('Device', {}).get('S', '-'),
              change.get('NewImage', {}).get('Device', {}).get('S', '-'))
";

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    if !typed.is_empty() {
        return Err(Failure::Usage("tour takes no flags".to_owned()));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listen = ([127, 0, 0, 1], 0).into();
        let node = Node::start(Settings { listen, ..Settings::default() }).await?;
        let walked = Tour { services: node.services().clone(), world: World::real() }.walk(&node).await;
        node.shut_down().await;
        walked
    })
}

struct Tour {
    services: Services,
    world: World,
}

impl Tour {
    async fn walk(&self, node: &Node) -> Result<(), Failure> {
        say(&format!(
            "A server, in memory, at http://{}. Any AWS client could be asking it; this time it is the tour.",
            node.address()
        ));
        let stream = self.table().await?;
        self.function().await?;
        let uuid = self.mapping(&stream).await?;

        say(
            "Three writes. Each is acknowledged once it and its stream record are kept; the record then wakes the trigger.",
        );
        let key = json!({ "UserID": { "S": "USER#1001" }, "EventID": { "S": "LOGIN#001" } });
        let mut item = key.clone();
        item["Device"] = json!({ "S": "Chrome" });
        let changes = [
            ("PutItem", json!({ "TableName": "UserEvents", "Item": item })),
            (
                "UpdateItem",
                json!({
                    "TableName": "UserEvents", "Key": key, "UpdateExpression": "SET Device = :d",
                    "ExpressionAttributeValues": { ":d": { "S": "Firefox" } },
                }),
            ),
            ("DeleteItem", json!({ "TableName": "UserEvents", "Key": key })),
        ];
        for (count, (operation, body)) in changes.iter().enumerate() {
            let begun = self.world.elapsed();
            self.dynamodb(operation, body).await?;
            let (took, acknowledged) = (self.world.elapsed() - begun, self.world.now().millis());
            let saw = self.saw(count + 1).await?;
            let [_, entered, name, old, new] = saw.split_whitespace().collect::<Vec<_>>()[..] else {
                return Err(Failure::Failed(format!("the function's log has an unexpected line: {saw}")));
            };
            let entered_ms = entered.parse::<u64>().unwrap_or(0) / 1_000_000;
            tell!(
                "    {operation:<11} acknowledged in {:.2} ms   → {name:<6} Device {old} → {new}, handler entered within {} ms{}",
                took.as_secs_f64() * 1e3,
                entered_ms.saturating_sub(acknowledged) + 1,
                if count == 0 { " (its process started first)" } else { "" },
            );
        }

        say(
            "The trigger is disabled, and something is written meanwhile: nothing is lost, and nothing comes twice.",
        );
        self.lambda(
            "PUT",
            &format!("/2015-03-31/event-source-mappings/{uuid}"),
            &json!({ "Enabled": false }),
        )
        .await?;
        while self.state(&uuid).await? != "Disabled" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.dynamodb("PutItem", &changes[0].1).await?;
        self.lambda("PUT", &format!("/2015-03-31/event-source-mappings/{uuid}"), &json!({ "Enabled": true }))
            .await?;
        tell!("    enabled again    → {}", self.saw(4).await?);

        self.lambda("DELETE", &format!("/2015-03-31/event-source-mappings/{uuid}"), &Value::Null).await?;
        self.lambda("DELETE", "/2015-03-31/functions/StreamLogger", &Value::Null).await?;
        self.dynamodb("DeleteTable", &json!({ "TableName": "UserEvents" })).await?;
        say("All is cleaned up. Now with your own client: `millstream serve`, and docs/getting-started.md.");
        Ok(())
    }

    async fn table(&self) -> Result<String, Failure> {
        say("A table, UserEvents, with a stream of what each item was before and after every change.");
        let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let made = self
            .dynamodb(
                "CreateTable",
                &json!({
                    "TableName": "UserEvents",
                    "AttributeDefinitions": [attribute("UserID"), attribute("EventID")],
                    "KeySchema": [key("UserID", "HASH"), key("EventID", "RANGE")],
                    "BillingMode": "PAY_PER_REQUEST",
                    "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
                }),
            )
            .await?;
        let stream = text(&made["TableDescription"]["LatestStreamArn"]);
        tell!("    {stream}");
        Ok(stream)
    }

    async fn function(&self) -> Result<(), Failure> {
        say(
            "A function, StreamLogger, in Python: a real process, started when it is first needed, then kept warm.",
        );
        let zip = wire::base64::encode(&functions::zip_of(&[("app.py", HANDLER)]));
        self.lambda("POST", "/2015-03-31/functions", &json!({
            "FunctionName": "StreamLogger", "Runtime": "python3.12", "Handler": "app.handler", "Timeout": 10,
            "Role": "arn:aws:iam::123456789012:role/DynamoStreamRole", "Code": { "ZipFile": zip },
        }))
        .await?;
        Ok(())
    }

    async fn mapping(&self, stream: &str) -> Result<String, Failure> {
        say("An event source mapping hands the stream to the function, from now on.");
        let made = self
            .lambda(
                "POST",
                "/2015-03-31/event-source-mappings",
                &json!({
                    "FunctionName": "StreamLogger", "EventSourceArn": stream, "StartingPosition": "LATEST",
                }),
            )
            .await?;
        Ok(text(&made["UUID"]))
    }

    async fn state(&self, uuid: &str) -> Result<String, Failure> {
        let found =
            self.lambda("GET", &format!("/2015-03-31/event-source-mappings/{uuid}"), &Value::Null).await?;
        Ok(text(&found["State"]))
    }

    /// The line that the function wrote about the so-manieth record, from its log.
    async fn saw(&self, count: usize) -> Result<String, Failure> {
        let begun = self.world.elapsed();
        loop {
            let asked = json!({ "logGroupName": "/aws/lambda/StreamLogger" });
            let found = self.json("logs", "Logs_20140328.FilterLogEvents", &asked).await;
            let events = found.as_ref().ok().and_then(|found| found["events"].as_array());
            let messages: Vec<String> =
                events.into_iter().flatten().map(|event| text(&event["message"])).collect();
            let mut seen = messages.iter().filter(|message| message.starts_with("SAW "));
            if let Some(line) = seen.nth(count - 1) {
                return Ok(line.trim().to_owned());
            }
            if self.world.elapsed() - begun > Duration::from_secs(8) {
                let log = messages.concat();
                return Err(Failure::Failed(format!(
                    "the function has not seen record {count}; its log:\n{log}"
                )));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn dynamodb(&self, operation: &str, body: &Value) -> Result<Value, Failure> {
        self.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), body).await
    }

    async fn json(&self, service: &str, target: &str, body: &Value) -> Result<Value, Failure> {
        let request = signed(Request::post(body.to_string()), service);
        self.call(
            request
                .with_header("x-amz-target", target)
                .with_header("content-type", "application/x-amz-json-1.0"),
        )
        .await
    }

    async fn lambda(&self, method: &str, path: &str, body: &Value) -> Result<Value, Failure> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut request = signed(Request::post(body).with_target(path), "lambda");
        request.method = method.parse()?;
        self.call(request).await
    }

    async fn call(&self, request: Request) -> Result<Value, Failure> {
        let answer = self.services.call(request).await;
        if !answer.status.is_success() {
            return Err(Failure::Failed(String::from_utf8_lossy(&answer.body).into_owned()));
        }
        Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
    }
}

/// A signature that is well-formed, which is all that is asked of it.
fn signed(request: Request, service: &str) -> Request {
    let scope = format!("tour/20260101/us-east-1/{service}/aws4_request");
    let signature = "0".repeat(64);
    let value =
        format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}");
    request
        .with_header("authorization", &value)
        .with_header("x-amz-date", "20260101T000000Z")
        .with_header("host", "localhost")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn say(line: &str) {
    tell!("\n{line}");
}
