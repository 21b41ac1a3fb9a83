//! What is published reaches who subscribed.

use super::Sns;
use crate::call::{Call, Caller};
use crate::sqs::Queues;
use serde_json::Value;
use std::collections::BTreeMap;
use store::Store;
use wire::{Request, percent};
use world::World;

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:news";

async fn ask(sns: &Sns, action: &str, members: &[(&str, &str)]) -> (u16, String) {
    let service = &api::tables::sns::SERVICE;
    let mut form = format!("Action={action}&Version=2010-03-31");
    for (name, value) in members {
        form.push_str(&format!("&{name}={}", percent::encode(value)));
    }
    let call = Call {
        request: Request::post(form).with_header("content-type", "application/x-www-form-urlencoded"),
        service,
        operation: service.operation(action).expect("an operation"),
        caller: Caller { account: "123456789012".into(), region: "us-east-1".into(), access_key: None },
        request_id: "id".into(),
        inside: None,
    };
    let response = sns.call(call).await;
    (response.status.as_u16(), String::from_utf8(response.body.to_vec()).expect("text"))
}

async fn next(queues: &Queues, name: &str) -> Value {
    let queue = queues.find(&format!("123456789012/us-east-1/{name}")).expect("the queue");
    let asked = serde_json::json!({ "MessageAttributeNames": ["All"] });
    let mut got = queues.receive(&queue, &asked, "123456789012").await.expect("it can be received");
    got["Messages"][0].take()
}

#[tokio::test]
async fn queues_are_told_in_an_envelope_or_raw() {
    let (store, world) = (Store::memory(), World::simulated(1));
    let queues = Queues::open(&store, &world).expect("queues");
    for name in ["wrapped", "raw"] {
        let key = format!("123456789012/us-east-1/{name}");
        queues.create(&key, BTreeMap::new(), BTreeMap::new()).await.expect("a queue is made");
    }
    let sns = Sns::over(&store, &world, &queues);
    assert_eq!(ask(&sns, "Publish", &[("TopicArn", TOPIC), ("Message", "m")]).await.0, 404);
    assert_eq!(ask(&sns, "CreateTopic", &[("Name", "news")]).await.0, 200);
    let queue = "arn:aws:sqs:us-east-1:123456789012:";
    let wrapped = format!("{queue}wrapped");
    let raw = format!("{queue}raw");
    let subscribe = [("TopicArn", TOPIC), ("Protocol", "sqs"), ("Endpoint", wrapped.as_str())];
    let first = ask(&sns, "Subscribe", &subscribe).await;
    assert_eq!(first, ask(&sns, "Subscribe", &subscribe).await, "twice is once");
    let raw_too = [
        ("TopicArn", TOPIC),
        ("Protocol", "sqs"),
        ("Endpoint", raw.as_str()),
        ("Attributes.entry.1.key", "RawMessageDelivery"),
        ("Attributes.entry.1.value", "true"),
    ];
    assert_eq!(ask(&sns, "Subscribe", &raw_too).await.0, 200);
    let published = [
        ("TopicArn", TOPIC),
        ("Message", r#"{"default": "all", "sqs": "queues"}"#),
        ("MessageStructure", "json"),
        ("Subject", "s"),
        ("MessageAttributes.entry.1.Name", "n"),
        ("MessageAttributes.entry.1.Value.DataType", "Number"),
        ("MessageAttributes.entry.1.Value.StringValue", "7"),
    ];
    let (status, body) = ask(&sns, "Publish", &published).await;
    assert_eq!(status, 200, "{body}");
    let envelope: Value =
        serde_json::from_str(next(&queues, "wrapped").await["Body"].as_str().expect("a body")).expect("json");
    assert_eq!((&envelope["Message"], &envelope["Subject"]), (&"queues".into(), &"s".into()));
    assert_eq!(envelope["MessageAttributes"]["n"]["Value"], "7");
    let raw = next(&queues, "raw").await;
    assert_eq!(
        (&raw["Body"], &raw["MessageAttributes"]["n"]["StringValue"]),
        (&"queues".into(), &"7".into())
    );

    let mail = [("TopicArn", TOPIC), ("Protocol", "email"), ("Endpoint", "a@b")];
    assert!(ask(&sns, "Subscribe", &mail).await.1.contains("Protocol email is not supported"));
    assert!(ask(&sns, "ListSubscriptionsByTopic", &[("TopicArn", TOPIC)]).await.1.contains(&wrapped));
    assert_eq!(ask(&sns, "DeleteTopic", &[("TopicArn", TOPIC)]).await.0, 200);
    let left = ask(&sns, "ListSubscriptions", &[]).await.1;
    assert!(!left.contains(&wrapped), "{left}");
}

#[tokio::test]
async fn batches_answer_by_entry() {
    let (store, world) = (Store::memory(), World::simulated(1));
    let sns = Sns::over(&store, &world, &Queues::open(&store, &world).expect("queues"));
    ask(&sns, "CreateTopic", &[("Name", "news")]).await;
    let batch = [
        ("TopicArn", TOPIC),
        ("PublishBatchRequestEntries.member.1.Id", "good"),
        ("PublishBatchRequestEntries.member.1.Message", "m"),
        ("PublishBatchRequestEntries.member.2.Id", "grouped"),
        ("PublishBatchRequestEntries.member.2.Message", "m"),
        ("PublishBatchRequestEntries.member.2.MessageGroupId", "g"),
    ];
    let (status, body) = ask(&sns, "PublishBatch", &batch).await;
    let (successful, failed) = body.split_once("<Failed>").expect("both lists");
    assert_eq!(status, 200);
    assert!(successful.contains("<Id>good</Id>") && failed.contains("<Id>grouped</Id>"), "{body}");
}
