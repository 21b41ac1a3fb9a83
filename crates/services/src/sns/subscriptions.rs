//! Who is told what is published: queues and functions.

use super::{Sns, Subscription, filter, invalid};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{object, page, required, text};
use wire::ServiceError;

const PAGE: usize = 100;

impl Sns {
    pub(super) async fn subscribe(&self, input: &Value) -> Answer {
        let topic = required(input, "TopicArn");
        check_arn("TopicArn", topic)?;
        self.topic(topic)?;
        let (protocol, endpoint) = (required(input, "Protocol"), text(input, "Endpoint").unwrap_or_default());
        match protocol {
            "sqs" if endpoint.starts_with("arn:aws:sqs:") && !endpoint.ends_with(".fifo") => {}
            "lambda" if endpoint.starts_with("arn:aws:lambda:") => {}
            "sqs" if endpoint.starts_with("arn:aws:sqs:") => {
                let why = "FIFO SQS Queues can not be subscribed to standard SNS topics";
                return Err(invalid(format!("Invalid parameter: Endpoint Reason: {why}")));
            }
            "sqs" => return Err(invalid("SQS endpoint ARN")),
            "lambda" => return Err(invalid("Lambda endpoint ARN")),
            // Protocols that AWS has and this server does not are told apart from those that nobody has.
            "http" | "https" | "email" | "email-json" | "sms" | "application" | "firehose" => {
                return Err(invalid(format!("Protocol {protocol} is not supported: sqs and lambda are")));
            }
            other => {
                return Err(invalid(format!("Amazon SNS does not support this protocol string: {other}")));
            }
        }
        let attributes = crate::sqs::strings(input, "Attributes");
        let mut made = Subscription {
            protocol: protocol.to_owned(),
            endpoint: endpoint.to_owned(),
            raw: false,
            filter: None,
            filters_body: false,
        };
        for (name, value) in &attributes {
            made.set(name, value).map_err(|told| of_attributes(told, name))?;
        }
        made.check().map_err(|told| of_attributes(told, "FilterPolicy"))?;
        for (id, there) in self.subscriptions.list(&format!("{topic}:"))? {
            if there.protocol == made.protocol && there.endpoint == made.endpoint {
                if !attributes.is_empty() && there != made {
                    return Err(invalid(
                        "Attributes Reason: Subscription already exists with different attributes",
                    ));
                }
                return Ok(json!({ "SubscriptionArn": format!("{topic}:{id}") }));
            }
        }
        let arn = format!("{topic}:{}", self.world.uuid());
        self.subscriptions.put(&arn, made).await?;
        Ok(json!({ "SubscriptionArn": arn }))
    }

    pub(super) async fn unsubscribe(&self, input: &Value) -> Answer {
        let arn = required(input, "SubscriptionArn");
        check_arn("SubscriptionArn", arn)?;
        self.subscriptions.remove(arn).await?;
        Ok(json!({}))
    }

    pub(super) fn list_subscriptions(&self, call: &Call, input: &Value) -> Answer {
        self.list(call, input, &format!("arn:aws:sns:{}:{}:", call.caller.region, call.caller.account))
    }

    pub(super) fn list_subscriptions_by_topic(&self, call: &Call, input: &Value) -> Answer {
        self.topic(required(input, "TopicArn"))?;
        self.list(call, input, &format!("{}:", required(input, "TopicArn")))
    }

    fn list(&self, call: &Call, input: &Value, prefix: &str) -> Answer {
        let found = self.subscriptions.list(prefix)?.into_iter().map(|(rest, subscription)| {
            let arn = format!("{prefix}{rest}");
            let shown = json!({
                "SubscriptionArn": arn,
                "Owner": &*call.caller.account,
                "Protocol": subscription.protocol,
                "Endpoint": subscription.endpoint,
                "TopicArn": topic_of(&arn),
            });
            (rest, shown)
        });
        let page = page(found.collect(), text(input, "NextToken"), PAGE, || invalid("NextToken"))?;
        Ok(object([("Subscriptions", Some(page.items.into())), ("NextToken", page.next.map(Value::from))]))
    }

    pub(super) fn get_subscription_attributes(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "SubscriptionArn");
        let found = self.subscriptions.get(arn)?.ok_or_else(no_subscription)?;
        let mut shown = json!({
            "SubscriptionArn": arn,
            "TopicArn": topic_of(arn),
            "Owner": &*call.caller.account,
            "Protocol": found.protocol,
            "Endpoint": found.endpoint,
            "RawMessageDelivery": found.raw.to_string(),
            "ConfirmationWasAuthenticated": "true",
            "SubscriptionPrincipal": format!("arn:aws:iam::{}:root", call.caller.account),
            "PendingConfirmation": "false",
        });
        if let Some(filter) = found.filter {
            shown["FilterPolicy"] = filter.into();
            let scope = if found.filters_body { "MessageBody" } else { "MessageAttributes" };
            shown["FilterPolicyScope"] = scope.into();
        }
        Ok(json!({ "Attributes": shown }))
    }

    pub(super) async fn set_subscription_attributes(&self, input: &Value) -> Answer {
        let (name, value) =
            (required(input, "AttributeName"), text(input, "AttributeValue").unwrap_or_default());
        self.subscriptions
            .edit(required(input, "SubscriptionArn"), |found| {
                let mut found = found.ok_or_else(no_subscription)?;
                found.set(name, value)?;
                found.check()?;
                Ok((Edit::Put(found), json!({})))
            })
            .await
    }
}

impl Subscription {
    /// Sets one attribute; an empty policy is none.
    fn set(&mut self, name: &str, value: &str) -> Result<(), ServiceError> {
        let lower = value.to_ascii_lowercase();
        let value =
            if name == "RawMessageDelivery" && matches!(&*lower, "true" | "false") { &lower } else { value };
        match (name, value) {
            ("RawMessageDelivery", "true") if self.protocol == "sqs" => self.raw = true,
            ("RawMessageDelivery", "false") => self.raw = false,
            ("RawMessageDelivery", other) if self.protocol == "sqs" || other != "true" => {
                let words = format!("RawMessageDelivery: Invalid value [{other}]. Must be true or false.");
                return Err(invalid(words));
            }
            ("RawMessageDelivery", _) => return Err(invalid("Attributes Reason: RawMessageDelivery")),
            ("FilterPolicy", "" | "{}") => self.filter = None,
            ("FilterPolicy", policy) => self.filter = Some(policy.to_owned()),
            ("FilterPolicyScope", "MessageAttributes") => self.filters_body = false,
            ("FilterPolicyScope", "MessageBody") => self.filters_body = true,
            ("FilterPolicyScope", other) => {
                let words = format!(
                    "FilterPolicyScope: Invalid value [{other}]. Please use either MessageBody or MessageAttributes"
                );
                return Err(invalid(words));
            }
            ("RedrivePolicy" | "DeliveryPolicy" | "SubscriptionRoleArn" | "ReplayPolicy", _) => {
                return Err(invalid(format!("Attributes Reason: {name} is not supported")));
            }
            _ => return Err(invalid("AttributeName")),
        }
        Ok(())
    }

    /// The filter is one that its scope can have.
    fn check(&self) -> Result<(), ServiceError> {
        self.filter.as_deref().map_or(Ok(()), |policy| filter::compile(policy, self.filters_body).map(drop))
    }
}

/// Of attributes that come with a subscription it is told where they stand.
fn of_attributes(told: ServiceError, name: &str) -> ServiceError {
    let words = told.message.as_deref().and_then(|words| words.strip_prefix("Invalid parameter: "));
    match words {
        Some(words) if words.starts_with(&format!("{name}: ")) => {
            invalid(format!("Attributes Reason: {words}"))
        }
        _ => told,
    }
}

/// Refuses what is no ARN, in a parameter of that name.
pub(super) fn check_arn(parameter: &str, arn: &str) -> Result<(), ServiceError> {
    match arn.split(':').count() {
        6.. => Ok(()),
        count => {
            Err(invalid(format!("{parameter} Reason: An ARN must have at least 6 elements, not {count}")))
        }
    }
}

fn topic_of(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(topic, _)| topic)
}

fn no_subscription() -> ServiceError {
    ServiceError::new("NotFoundException", "Subscription does not exist")
}
