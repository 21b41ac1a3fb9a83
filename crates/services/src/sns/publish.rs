//! What is published goes to every subscriber before the publisher has an answer.

use super::subscriptions::check_arn;
use super::{Sns, Subscription, filter, invalid};
use crate::sqs::{Attribute, attributes};
use serde_json::{Map, Value, json};
use servicekit::call::Answer;
use servicekit::fields::{object, required, text};
use std::collections::BTreeMap;
use wire::ServiceError;

const MESSAGE_BYTES_MAX: usize = 262_144;

/// One message, as it was published.
struct Notice {
    id: String,
    topic: String,
    subject: Option<String>,
    /// By protocol; `default` for the rest.
    messages: BTreeMap<String, String>,
    attributes: BTreeMap<String, Attribute>,
    at: String,
}

impl Notice {
    fn message(&self, protocol: &str) -> &str {
        self.messages.get(protocol).or_else(|| self.messages.get("default")).map_or("", String::as_str)
    }

    /// Whether the subscription's filter, if it has one, lets the message through.
    fn passes(&self, subscription: &Subscription) -> bool {
        let Some(policy) = &subscription.filter else { return true };
        let seen = match subscription.filters_body {
            true => serde_json::from_str(self.message(&subscription.protocol)).unwrap_or_default(),
            false => filter::attributes(&self.attributes),
        };
        filter::passes(policy, subscription.filters_body, &seen)
    }

    fn shown_attributes(&self) -> Map<String, Value> {
        let shown = self.attributes.iter().map(|(name, attribute)| {
            let value = attribute
                .text
                .clone()
                .unwrap_or_else(|| wire::base64::encode(attribute.binary.as_deref().unwrap_or_default()));
            (name.clone(), json!({ "Type": attribute.data_type, "Value": value }))
        });
        shown.collect()
    }

    /// As a queue gets it.
    fn envelope(&self, subscription: &str) -> Value {
        let attributes = self.shown_attributes();
        object([
            ("Type", Some("Notification".into())),
            ("MessageId", Some(self.id.as_str().into())),
            ("TopicArn", Some(self.topic.as_str().into())),
            ("Subject", self.subject.as_deref().map(Value::from)),
            ("Message", Some(self.message("sqs").into())),
            ("Timestamp", Some(self.at.as_str().into())),
            ("SignatureVersion", Some("1".into())),
            ("Signature", Some("".into())),
            ("SigningCertURL", Some("".into())),
            ("UnsubscribeURL", Some(unsubscribe(subscription).into())),
            ("MessageAttributes", (!attributes.is_empty()).then_some(Value::Object(attributes))),
        ])
    }

    /// As a function gets it.
    fn event(&self, subscription: &str) -> Value {
        json!({ "Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription,
            "Sns": {
                "Type": "Notification",
                "MessageId": self.id,
                "TopicArn": self.topic,
                "Subject": self.subject,
                "Message": self.message("lambda"),
                "Timestamp": self.at,
                "SignatureVersion": "1",
                "Signature": "",
                "SigningCertUrl": "",
                "UnsubscribeUrl": unsubscribe(subscription),
                "MessageAttributes": self.shown_attributes(),
            },
        }]})
    }
}

impl Sns {
    pub(super) async fn publish_message(&self, input: &Value) -> Answer {
        if text(input, "PhoneNumber").is_some() {
            return Err(invalid("PhoneNumber is not supported"));
        }
        let topic = text(input, "TopicArn").or_else(|| text(input, "TargetArn"));
        let topic =
            topic.ok_or_else(|| invalid("TopicArn or TargetArn Reason: no value for required parameter"))?;
        self.publish(topic, input).await
    }

    pub(super) async fn publish_batch(&self, input: &Value) -> Answer {
        let entries =
            input.get("PublishBatchRequestEntries").and_then(Value::as_array).cloned().unwrap_or_default();
        let bad = |code, message: &str| Err(ServiceError::new(code, message));
        if entries.is_empty() {
            return bad("EmptyBatchRequestException", "The batch request doesn't contain any entries.");
        }
        if entries.len() > 10 {
            return bad(
                "TooManyEntriesInBatchRequestException",
                "The batch request contains more entries than permissible.",
            );
        }
        let ids: std::collections::BTreeSet<&str> =
            entries.iter().map(|entry| required(entry, "Id")).collect();
        if ids.len() < entries.len() {
            return bad(
                "BatchEntryIdsNotDistinctException",
                "Two or more batch entries in the request have the same Id.",
            );
        }
        let topic = required(input, "TopicArn");
        self.topic(topic)?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in &entries {
            let id = required(entry, "Id");
            match self.publish(topic, entry).await {
                Ok(answer) => successful.push(json!({ "Id": id, "MessageId": answer["MessageId"] })),
                Err(error) => failed.push(json!({
                    "Id": id,
                    "Code": error.name().trim_end_matches("Exception"),
                    "Message": error.message,
                    "SenderFault": error.status.is_none_or(|status| status < 500),
                })),
            }
        }
        Ok(json!({ "Successful": successful, "Failed": failed }))
    }

    async fn publish(&self, topic: &str, input: &Value) -> Answer {
        check_arn("TopicArn", topic)?;
        self.topic(topic)?;
        for member in ["MessageGroupId", "MessageDeduplicationId"] {
            if text(input, member).is_some() {
                return Err(invalid(format!(
                    "{member} Reason: The request includes {member} parameter that is not valid for this topic type"
                )));
            }
        }
        let message = required(input, "Message");
        if message.is_empty() {
            return Err(invalid("Empty message"));
        }
        if message.len() > MESSAGE_BYTES_MAX {
            return Err(invalid("Message too long"));
        }
        let subject = text(input, "Subject").map(str::to_owned);
        if subject
            .as_ref()
            .is_some_and(|subject| subject.is_empty() || subject.len() > 100 || subject.contains('\n'))
        {
            return Err(invalid("Subject"));
        }
        let attributes = attributes(input, "MessageAttributes")
            .map_err(|error| ServiceError::new("ParameterValueInvalid", error.message.unwrap_or_default()))?;
        let notice = Notice {
            id: self.world.uuid(),
            topic: topic.to_owned(),
            subject,
            messages: messages(message, text(input, "MessageStructure"))?,
            attributes,
            at: format!("{}Z", self.world.now().iso_millis()),
        };
        for (rest, subscription) in self.subscriptions.list(&format!("{topic}:"))? {
            if notice.passes(&subscription) {
                self.tell(&notice, &format!("{topic}:{rest}"), &subscription).await?;
            }
        }
        Ok(json!({ "MessageId": notice.id }))
    }

    /// An endpoint that is gone, or refuses what it is told, does not keep others from being told.
    async fn tell(
        &self,
        notice: &Notice,
        arn: &str,
        subscription: &Subscription,
    ) -> Result<(), ServiceError> {
        let done = match (subscription.protocol.as_str(), subscription.raw) {
            ("sqs", true) => {
                let attributes = notice.attributes.clone();
                self.queues.send(&subscription.endpoint, notice.message("sqs"), attributes).await.map(drop)
            }
            ("sqs", false) => {
                let body = notice.envelope(arn).to_string();
                self.queues.send(&subscription.endpoint, &body, BTreeMap::new()).await.map(drop)
            }
            _ => {
                let event = notice.event(arn).to_string();
                let told = self.post.invoke(&subscription.endpoint, &event).await;
                told.map_err(|message| ServiceError::new("EndpointUnavailable", message))
            }
        };
        match done {
            Err(error) if error.status.is_some_and(|status| status >= 500) => Err(error),
            Err(error) => {
                world::say!("{} is not told what {} published: {error}", subscription.endpoint, notice.topic);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

fn messages(message: &str, structure: Option<&str>) -> Result<BTreeMap<String, String>, ServiceError> {
    match structure {
        None => Ok(BTreeMap::from([("default".to_owned(), message.to_owned())])),
        Some("json") => {
            let parsed: Map<String, Value> = serde_json::from_str(message)
                .map_err(|_| invalid("Message Structure - JSON message body failed to parse"))?;
            if !parsed.get("default").is_some_and(Value::is_string) {
                return Err(invalid("Message Structure - No default entry in JSON message body"));
            }
            let texts =
                parsed.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
            Ok(texts.collect())
        }
        Some(_) => Err(invalid("MessageStructure")),
    }
}

fn unsubscribe(subscription: &str) -> String {
    let region = subscription.split(':').nth(3).unwrap_or_default();
    format!("https://sns.{region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={subscription}")
}
