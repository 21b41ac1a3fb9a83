//! `AWS::SQS::Queue` and `QueuePolicy`; `AWS::SNS::Topic`, `Subscription` and `TopicPolicy`.

use super::{Change, Cx, only, pick, tags};
use crate::template::evaluate::Made;
use serde_json::{Map, Value, json};
use servicekit::fields::{required, texts};

/// A queue's attributes, and what each goes back to when a template names it no more.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("ContentBasedDeduplication", "false"),
    ("DeduplicationScope", "queue"),
    ("DelaySeconds", "0"),
    ("FifoThroughputLimit", "perQueue"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("RedrivePolicy", ""),
    ("SqsManagedSseEnabled", "true"),
    ("VisibilityTimeout", "30"),
];

pub(super) async fn create_queue(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    let mut attributes = attributes(properties)?;
    let fifo = properties.get("FifoQueue").is_some_and(|fifo| *fifo == true || fifo == "true");
    let mut name = name.to_owned();
    if fifo {
        attributes.insert("FifoQueue".to_owned(), "true".into());
        if properties.get("QueueName").is_none() {
            name.push_str(".fifo");
        }
    }
    // Making a queue that is there already would succeed, and taking the change back would delete somebody else's.
    if cx.ask("sqs", "GetQueueUrl", json!({ "QueueName": name })).await.is_ok() {
        return Err(exists(cx, &name));
    }
    let mut input = json!({ "QueueName": name, "Attributes": attributes });
    let tags = tags::all(properties);
    if !tags.is_empty() {
        input["tags"] = json!(tags);
    }
    let answer = cx.ask("sqs", "CreateQueue", input).await?;
    let url = required(&answer, "QueueUrl").to_owned();
    let arn = format!("arn:aws:sqs:{}:{}:{name}", cx.caller.region, cx.caller.account);
    let attributes = [("Arn", arn), ("QueueName", name), ("QueueUrl", url.clone())];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.into()));
    Ok(Made { id: url, attributes: attributes.into() })
}

pub(super) async fn update_queue(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let mut now = attributes(new)?;
    for (name, default) in ATTRIBUTES {
        if old.get(*name).is_some() && new.get(*name).is_none() {
            now.insert((*name).to_owned(), (*default).into());
        }
    }
    if !now.is_empty() {
        cx.ask("sqs", "SetQueueAttributes", json!({ "QueueUrl": made.id, "Attributes": now })).await?;
    }
    cx.retag("sqs", json!({ "QueueUrl": made.id }), old, new).await?;
    Ok(made.clone())
}

pub(super) async fn delete_queue(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("sqs", "DeleteQueue", json!({ "QueueUrl": made.id })).await
}

/// Texts, as queues have them; what this server's queues do not have they refuse by name.
fn attributes(properties: &Value) -> Result<Map<String, Value>, String> {
    let own = properties.as_object().into_iter().flatten();
    let mut found = Map::new();
    for (name, value) in own.filter(|(name, _)| !["QueueName", "FifoQueue", "Tags"].contains(&name.as_str()))
    {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        found.insert(name.clone(), text.into());
    }
    Ok(found)
}

fn exists(cx: &Cx<'_>, name: &str) -> String {
    format!(
        "Resource handler returned message: \"Resource of type with identifier '{name}' already exists.\" (RequestToken: {}, HandlerErrorCode: AlreadyExists)",
        cx.world.uuid()
    )
}

/// A policy of queues or topics: each that it names gets it, and the ones that it names no more lose it.
pub(super) async fn put_policy(
    cx: &Cx<'_>,
    kind: &str,
    made: Option<&Made>,
    old: &Value,
    new: &Value,
) -> Result<Made, String> {
    let member = policed(kind);
    only(new, &["PolicyDocument", member])?;
    let document = match &new["PolicyDocument"] {
        Value::String(text) => text.clone(),
        document => document.to_string(),
    };
    let (was, now) = (texts(old, member), texts(new, member));
    for one in &now {
        set_policy(cx, kind, one, &document).await?;
    }
    for one in was.iter().filter(|one| !now.contains(one)) {
        let _gone = set_policy(cx, kind, one, "").await;
    }
    Ok(made.cloned().unwrap_or_else(|| Made { id: cx.made_up_name(255), ..Made::default() }))
}

/// What a policy was on may be gone before it.
pub(super) async fn delete_policy(cx: &Cx<'_>, kind: &str, properties: &Value) -> Result<(), String> {
    for one in texts(properties, policed(kind)) {
        let _gone = set_policy(cx, kind, &one, "").await;
    }
    Ok(())
}

fn policed(kind: &str) -> &'static str {
    if kind == "AWS::SQS::QueuePolicy" { "Queues" } else { "Topics" }
}

async fn set_policy(cx: &Cx<'_>, kind: &str, one: &str, document: &str) -> Result<Value, String> {
    if kind == "AWS::SQS::QueuePolicy" {
        let input = json!({ "QueueUrl": one, "Attributes": { "Policy": document } });
        return cx.ask("sqs", "SetQueueAttributes", input).await;
    }
    let document = if document.is_empty() { "{}" } else { document };
    let input = json!({ "TopicArn": one, "AttributeName": "Policy", "AttributeValue": document });
    cx.ask("sns", "SetTopicAttributes", input).await
}

const TOPIC: &[&str] = &["TopicName", "DisplayName", "FifoTopic", "KmsMasterKeyId", "Subscription", "Tags"];

pub(super) async fn create_topic(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    only(properties, TOPIC)?;
    let arn = format!("arn:aws:sns:{}:{}:{name}", cx.caller.region, cx.caller.account);
    if cx.ask("sns", "GetTopicAttributes", json!({ "TopicArn": arn })).await.is_ok() {
        return Err(exists(cx, &arn));
    }
    let mut attributes = Map::new();
    for member in ["DisplayName", "FifoTopic", "KmsMasterKeyId"] {
        if let Some(value) = properties.get(member).filter(|value| **value != false) {
            attributes.insert(member.to_owned(), value.clone());
        }
    }
    let input = json!({ "Name": name, "Attributes": attributes, "Tags": tags::list(properties) });
    cx.ask("sns", "CreateTopic", input).await?;
    let attributes = [("TopicArn".to_owned(), arn.as_str().into()), ("TopicName".to_owned(), name.into())];
    let made = Made { id: arn, attributes: attributes.into() };
    for subscription in subscribers(properties) {
        if let Err(words) = subscribe_to(cx, &made.id, &subscription).await {
            let _removed = delete_topic(cx, &made).await;
            return Err(words);
        }
    }
    Ok(made)
}

pub(super) async fn update_topic(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    only(new, TOPIC)?;
    if old.get("DisplayName") != new.get("DisplayName") {
        let name = new.get("DisplayName").cloned().unwrap_or_else(|| "".into());
        let input = json!({ "TopicArn": made.id, "AttributeName": "DisplayName", "AttributeValue": name });
        cx.ask("sns", "SetTopicAttributes", input).await?;
    }
    let (was, now) = (subscribers(old), subscribers(new));
    for subscription in now.iter().filter(|one| !was.contains(one)) {
        subscribe_to(cx, &made.id, subscription).await?;
    }
    let gone: Vec<&Value> = was.iter().filter(|one| !now.contains(one)).collect();
    if !gone.is_empty() {
        let listed = cx.ask("sns", "ListSubscriptionsByTopic", json!({ "TopicArn": made.id })).await?;
        for one in listed["Subscriptions"].as_array().into_iter().flatten() {
            if gone
                .iter()
                .any(|gone| gone["Endpoint"] == one["Endpoint"] && gone["Protocol"] == one["Protocol"])
            {
                cx.ask("sns", "Unsubscribe", json!({ "SubscriptionArn": one["SubscriptionArn"] })).await?;
            }
        }
    }
    cx.retag("sns", json!({ "ResourceArn": made.id }), old, new).await?;
    Ok(made.clone())
}

pub(super) async fn delete_topic(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("sns", "DeleteTopic", json!({ "TopicArn": made.id })).await
}

fn subscribers(properties: &Value) -> Vec<Value> {
    properties.get("Subscription").and_then(Value::as_array).cloned().unwrap_or_default()
}

async fn subscribe_to(cx: &Cx<'_>, topic: &str, subscription: &Value) -> Result<Value, String> {
    only(subscription, &["Endpoint", "Protocol"])?;
    let mut input = pick(subscription, &["Endpoint", "Protocol"]);
    input.insert("TopicArn".to_owned(), topic.into());
    input.insert("ReturnSubscriptionArn".to_owned(), true.into());
    cx.ask("sns", "Subscribe", input.into()).await
}

pub(super) async fn subscribe(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    if properties.get("Region").is_some_and(|region| *region != *cx.caller.region) {
        return Err("Model validation failed (#/Region: a topic of another region cannot be subscribed to)"
            .to_owned());
    }
    let mut input = pick(properties, &["TopicArn", "Endpoint", "Protocol"]);
    input.insert("Attributes".to_owned(), subscription_attributes(properties).into());
    input.insert("ReturnSubscriptionArn".to_owned(), true.into());
    let answer = cx.ask("sns", "Subscribe", input.into()).await?;
    let arn = required(&answer, "SubscriptionArn").to_owned();
    Ok(Made { attributes: [("Arn".to_owned(), arn.as_str().into())].into(), id: arn })
}

pub(super) async fn update_subscription(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let (was, mut now) = (subscription_attributes(old), subscription_attributes(new));
    for (name, default) in
        [("RawMessageDelivery", "false"), ("FilterPolicy", "{}"), ("FilterPolicyScope", "MessageAttributes")]
    {
        if was.contains_key(name) {
            now.entry(name).or_insert_with(|| default.into());
        }
    }
    for (name, value) in now.iter().filter(|(name, value)| was.get(*name) != Some(*value)) {
        let input = json!({ "SubscriptionArn": made.id, "AttributeName": name, "AttributeValue": value });
        cx.ask("sns", "SetSubscriptionAttributes", input).await?;
    }
    Ok(made.clone())
}

pub(super) async fn unsubscribe(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("sns", "Unsubscribe", json!({ "SubscriptionArn": made.id })).await
}

/// Everything that is no subscription's own member is one of its attributes, as text.
fn subscription_attributes(properties: &Value) -> Map<String, Value> {
    let own = properties.as_object().into_iter().flatten();
    let own =
        own.filter(|(name, _)| !["TopicArn", "Endpoint", "Protocol", "Region"].contains(&name.as_str()));
    own.map(|(name, value)| match value {
        Value::String(text) => (name.clone(), text.as_str().into()),
        other => (name.clone(), other.to_string().into()),
    })
    .collect()
}
