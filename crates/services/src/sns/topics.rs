//! Topics: made, described, deleted.

use super::subscriptions::check_arn;
use super::{Sns, Topic, invalid, no_topic};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{object, page, required, tag_list, tags_of, text, texts};
use std::collections::BTreeMap;
use wire::ServiceError;

const PAGE: usize = 100;

impl Sns {
    pub(super) async fn create_topic(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "Name");
        let fits = (1..=256).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !fits {
            return Err(invalid("Topic Name"));
        }
        if text(input, "DataProtectionPolicy").is_some() {
            return Err(invalid("DataProtectionPolicy is not supported"));
        }
        let mut attributes = crate::sqs::strings(input, "Attributes");
        attributes.retain(|name, value| !(name == "FifoTopic" && value == "false"));
        for (name, value) in &attributes {
            check(name, value)?;
        }
        let arn = format!("arn:aws:sns:{}:{}:{name}", call.caller.region, call.caller.account);
        let tags = tags_of(input, "Tags");
        self.topics
            .edit(&arn, |there| match there {
                None => Ok((Edit::Put(Topic { attributes: attributes.clone(), tags: tags.clone() }), ())),
                Some(there) => {
                    if attributes.iter().any(|(name, value)| there.attributes.get(name) != Some(value)) {
                        return Err(invalid(
                            "Attributes Reason: Topic already exists with different attributes",
                        ));
                    }
                    if tags.iter().any(|(key, value)| there.tags.get(key) != Some(value)) {
                        return Err(invalid("Tags Reason: Topic already exists with different tags"));
                    }
                    Ok((Edit::Keep, ()))
                }
            })
            .await?;
        Ok(json!({ "TopicArn": arn }))
    }

    /// With its subscriptions; deleting what is not there is a success.
    pub(super) async fn delete_topic(&self, input: &Value) -> Answer {
        let arn = required(input, "TopicArn");
        self.topics.remove(arn).await?;
        for (rest, _) in self.subscriptions.list(&format!("{arn}:"))? {
            self.subscriptions.remove(&format!("{arn}:{rest}")).await?;
        }
        Ok(json!({}))
    }

    pub(super) fn list_topics(&self, call: &Call, input: &Value) -> Answer {
        let prefix = format!("arn:aws:sns:{}:{}:", call.caller.region, call.caller.account);
        let topics = self.topics.list(&prefix)?;
        let topics = topics
            .into_iter()
            .map(|(name, _)| (name.clone(), json!({ "TopicArn": format!("{prefix}{name}") })));
        let page = page(topics.collect(), text(input, "NextToken"), PAGE, || invalid("NextToken"))?;
        Ok(object([("Topics", Some(page.items.into())), ("NextToken", page.next.map(Value::from))]))
    }

    pub(super) fn topic(&self, arn: &str) -> Result<Topic, ServiceError> {
        self.topics.get(arn)?.ok_or_else(no_topic)
    }

    pub(super) fn get_topic_attributes(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "TopicArn");
        check_arn("TopicArn", arn)?;
        let topic = self.topic(arn)?;
        let subscriptions = self.subscriptions.list(&format!("{arn}:"))?.len();
        let mut shown = BTreeMap::from([
            ("TopicArn".to_owned(), arn.to_owned()),
            ("Owner".to_owned(), call.caller.account.to_string()),
            ("DisplayName".to_owned(), String::new()),
            ("Policy".to_owned(), default_policy(arn, &call.caller.account)),
            ("EffectiveDeliveryPolicy".to_owned(), DELIVERY.to_owned()),
            ("SubscriptionsConfirmed".to_owned(), subscriptions.to_string()),
            ("SubscriptionsPending".to_owned(), "0".to_owned()),
            ("SubscriptionsDeleted".to_owned(), "0".to_owned()),
        ]);
        shown.extend(topic.attributes);
        Ok(json!({ "Attributes": shown }))
    }

    pub(super) async fn set_topic_attributes(&self, input: &Value) -> Answer {
        let (name, value) =
            (required(input, "AttributeName"), text(input, "AttributeValue").unwrap_or_default());
        check(name, value)?;
        self.change(required(input, "TopicArn"), |topic| {
            topic.attributes.insert(name.to_owned(), value.to_owned());
        })
        .await
    }

    pub(super) async fn tag_resource(&self, input: &Value) -> Answer {
        let tags = tags_of(input, "Tags");
        if input.get("Tags").and_then(Value::as_array).is_some_and(|given| given.len() > tags.len()) {
            return Err(invalid("Duplicated keys are not allowed."));
        }
        self.change(required(input, "ResourceArn"), |topic| topic.tags.extend(tags.clone())).await
    }

    pub(super) async fn untag_resource(&self, input: &Value) -> Answer {
        let keys = texts(input, "TagKeys");
        self.change(required(input, "ResourceArn"), |topic| topic.tags.retain(|key, _| !keys.contains(key)))
            .await
    }

    pub(super) fn list_tags(&self, input: &Value) -> Answer {
        Ok(json!({ "Tags": tag_list(&self.topic(required(input, "ResourceArn"))?.tags) }))
    }

    async fn change(&self, arn: &str, change: impl Fn(&mut Topic)) -> Answer {
        self.topics
            .edit(arn, |topic| {
                let mut topic = topic.ok_or_else(no_topic)?;
                change(&mut topic);
                Ok((Edit::Put(topic), json!({})))
            })
            .await
    }
}

/// How endpoints that speak HTTP would be told; there are none here.
const DELIVERY: &str = r#"{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}"#;

/// What a topic without a policy tells as its own: its account may do everything.
fn default_policy(arn: &str, account: &str) -> String {
    let actions = [
        "GetTopicAttributes",
        "SetTopicAttributes",
        "AddPermission",
        "RemovePermission",
        "DeleteTopic",
        "Subscribe",
        "ListSubscriptionsByTopic",
        "Publish",
    ];
    let statement = json!({
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": { "AWS": "*" },
        "Action": actions.map(|action| format!("SNS:{action}")),
        "Resource": arn,
        "Condition": { "StringEquals": { "AWS:SourceOwner": account } },
    });
    json!({ "Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement] }).to_string()
}

fn check(name: &str, value: &str) -> Result<(), ServiceError> {
    match name {
        "DisplayName" if value.len() <= 100 => Ok(()),
        // Kept, and not evaluated: every caller may publish.
        "Policy" if serde_json::from_str::<Value>(value).is_ok_and(|policy| policy.is_object()) => Ok(()),
        "DisplayName" | "Policy" => Err(invalid(name)),
        _ => Err(invalid(format!("AttributeName: {name} is not supported"))),
    }
}
