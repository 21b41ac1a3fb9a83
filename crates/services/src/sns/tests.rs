//! What is published reaches who subscribed.

use super::Sns;
use crate::sqs::Queues;
use crate::testing::call;
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
    let call = call(
        service,
        action,
        Request::post(form).with_header("content-type", "application/x-www-form-urlencoded"),
    );
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

#[test]
fn policies_choose_by_attributes_or_body() {
    use super::filter::{attributes, compile, passes};
    use crate::sqs::Attribute;
    let of =
        |kind: &str, text: &str| Attribute { data_type: kind.into(), text: Some(text.into()), binary: None };
    let message = BTreeMap::from([
        ("store".to_owned(), of("String", "shop")),
        ("price".to_owned(), of("Number", "7.50")),
        ("tags".to_owned(), of("String.Array", r#"["red", "blue"]"#)),
    ]);
    let seen = attributes(&message);
    for (policy, wanted) in [
        (r#"{"store": ["shop"]}"#, true),
        (r#"{"store": ["other", {"prefix": "sh"}]}"#, true),
        (r#"{"store": [{"anything-but": ["shop"]}]}"#, false),
        (r#"{"price": [{"numeric": [">", 7, "<=", 7.5]}]}"#, true),
        (r#"{"price": [7.5], "store": ["other"]}"#, false),
        (r#"{"tags": ["blue"]}"#, true),
        (r#"{"tags": ["green"]}"#, false),
        (r#"{"missing": [{"exists": false}]}"#, true),
        (r#"{"missing": ["x"]}"#, false),
        (r#"{"$or": [{"store": ["other"]}, {"price": [7.5]}]}"#, true),
    ] {
        compile(policy, false).unwrap_or_else(|error| panic!("{policy}: {error}"));
        assert_eq!(passes(policy, false, &seen), wanted, "{policy}");
    }
    let body = serde_json::json!({ "order": { "state": "paid" } });
    assert!(passes(r#"{"order": {"state": ["paid"]}}"#, true, &body));
    assert!(!passes(r#"{"order": {"state": ["new"]}}"#, true, &body));
    for (policy, body, words) in [
        ("{", false, "failed to parse JSON"),
        ("[]", false, "must be an object"),
        (r#"{"a": "b"}"#, false, "must be an object or an array"),
        (r#"{"a": [{"b": "c"}]}"#, false, "list of values"),
        (r#"{"a": {"b": ["c"]}}"#, false, "does not support nested"),
        (r#"{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}"#, true, "more than 5 keys"),
    ] {
        let error = compile(policy, body).expect_err("refused");
        assert!(error.message.as_deref().is_some_and(|message| message.contains(words)), "{policy}: {error}");
    }
}

#[tokio::test]
async fn subscribers_get_what_their_filter_lets_through() {
    let (store, world) = (Store::memory(), World::simulated(1));
    let queues = Queues::open(&store, &world).expect("queues");
    queues.create("123456789012/us-east-1/paid", BTreeMap::new(), BTreeMap::new()).await.expect("a queue");
    let sns = Sns::over(&store, &world, &queues);
    ask(&sns, "CreateTopic", &[("Name", "news")]).await;
    let subscribe = [
        ("TopicArn", TOPIC),
        ("Protocol", "sqs"),
        ("Endpoint", "arn:aws:sqs:us-east-1:123456789012:paid"),
        ("Attributes.entry.1.key", "FilterPolicy"),
        ("Attributes.entry.1.value", r#"{"state": ["paid"]}"#),
        ("Attributes.entry.2.key", "RawMessageDelivery"),
        ("Attributes.entry.2.value", "true"),
    ];
    let (status, answer) = ask(&sns, "Subscribe", &subscribe).await;
    assert_eq!(status, 200, "{answer}");
    let arn = answer.split("SubscriptionArn>").nth(1).expect("an ARN").trim_end_matches("</").to_owned();
    let publish = async |message: &str, state: &str| {
        let input = [
            ("TopicArn", TOPIC),
            ("Message", message),
            ("MessageAttributes.entry.1.Name", "state"),
            ("MessageAttributes.entry.1.Value.DataType", "String"),
            ("MessageAttributes.entry.1.Value.StringValue", state),
        ];
        assert_eq!(ask(&sns, "Publish", &input).await.0, 200);
    };
    publish("one", "new").await;
    publish("two", "paid").await;
    assert_eq!(next(&queues, "paid").await["Body"], "two");
    let scope = [
        ("SubscriptionArn", arn.as_str()),
        ("AttributeName", "FilterPolicyScope"),
        ("AttributeValue", "MessageBody"),
    ];
    assert_eq!(ask(&sns, "SetSubscriptionAttributes", &scope).await.0, 200);
    publish("no object", "paid").await;
    publish(r#"{"state": "paid"}"#, "new").await;
    assert_eq!(next(&queues, "paid").await["Body"], r#"{"state": "paid"}"#);
    let shown = ask(&sns, "GetSubscriptionAttributes", &[("SubscriptionArn", arn.as_str())]).await.1;
    assert!(shown.contains("MessageBody") && shown.contains("paid"), "{shown}");
}

/// Answers recorded from the service itself.
#[tokio::test]
async fn what_was_recorded_is_what_is_answered() {
    let (store, world) = (Store::memory(), World::simulated(1));
    let sns = Sns::over(&store, &world, &Queues::open(&store, &world).expect("queues"));
    let tag = |number: u8, key: &'static str, value: &'static str| match number {
        1 => [("Tags.member.1.Key", key), ("Tags.member.1.Value", value)],
        _ => [("Tags.member.2.Key", key), ("Tags.member.2.Value", value)],
    };
    let make =
        |tags: &[[(&'static str, &'static str); 2]]| [&[("Name", "news")][..], &tags.concat()].concat();
    let both = make(&[tag(1, "a", "1"), tag(2, "b", "2")]);
    for (asked, status) in
        [(both, 200), (make(&[tag(1, "b", "2")]), 200), (make(&[]), 200), (make(&[tag(1, "a", "2")]), 400)]
    {
        assert_eq!(ask(&sns, "CreateTopic", &asked).await.0, status, "{asked:?}");
    }
    let told = ask(&sns, "GetTopicAttributes", &[("TopicArn", TOPIC)]).await.1;
    assert!(told.contains("__default_policy_ID") && told.contains("EffectiveDeliveryPolicy"), "{told}");
    let (status, told) = ask(&sns, "Publish", &[("TopicArn", "topic"), ("Message", "m")]).await;
    assert_eq!(status, 400);
    assert!(told.contains("TopicArn Reason: An ARN must have at least 6 elements, not 1"), "{told}");
    let raw = [
        ("TopicArn", TOPIC),
        ("Protocol", "sqs"),
        ("Endpoint", "arn:aws:sqs:us-east-1:123456789012:raw"),
        ("Attributes.entry.1.key", "RawMessageDelivery"),
        ("Attributes.entry.1.value", "TrUe"),
    ];
    let (_, told) = ask(&sns, "Subscribe", &raw).await;
    let arn = told.split_once("<SubscriptionArn>").expect("an ARN").1.split_once('<').expect("an end").0;
    let told = ask(&sns, "GetSubscriptionAttributes", &[("SubscriptionArn", arn)]).await.1;
    assert!(told.contains("<value>true</value>") && told.contains("SubscriptionPrincipal"), "{told}");
}
