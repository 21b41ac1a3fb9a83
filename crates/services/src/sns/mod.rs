//! Simple Notification Service: topics, who subscribes to them, and what is published.

mod filter;
mod publish;
mod subscriptions;
mod topics;

use crate::dispatch::Parts;
use crate::sqs::Queues;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use servicekit::call::{Answer, Call, Pending};
use servicekit::documents::Documents;
use servicekit::post::Post;
use std::collections::BTreeMap;
use wire::{Response, ServiceError};
use world::World;

pub(crate) struct Sns {
    world: World,
    queues: Queues,
    /// To functions.
    post: Post,
    topics: Documents<Topic>,
    subscriptions: Documents<Subscription>,
}

/// Kept under its ARN.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Topic {
    attributes: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

/// Kept under its ARN, which begins with its topic's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Subscription {
    protocol: String,
    endpoint: String,
    raw: bool,
    /// JSON, as it was given.
    #[serde(default)]
    filter: Option<String>,
    /// Whether the filter looks at a message's body rather than at its attributes.
    #[serde(default)]
    filters_body: bool,
}

impl Sns {
    pub fn new(parts: &Parts) -> Sns {
        Sns {
            world: parts.world.clone(),
            queues: parts.queues.clone(),
            post: parts.targets.post.clone(),
            topics: Documents::new(&parts.store, "sns/topic"),
            subscriptions: Documents::new(&parts.store, "sns/subscription"),
        }
    }

    #[cfg(test)]
    fn over(store: &store::Store, world: &World, queues: &Queues) -> Sns {
        Sns {
            world: world.clone(),
            queues: queues.clone(),
            post: Post::new(world),
            topics: Documents::new(store, "sns/topic"),
            subscriptions: Documents::new(store, "sns/subscription"),
        }
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        Box::pin(async move {
            let answer = match call.input() {
                Ok(input) => self.answer(&call, &input).await,
                Err(error) => Err(error),
            };
            call.settle(answer)
        })
    }

    async fn answer(&self, call: &Call, input: &Value) -> Answer {
        match call.operation.name {
            "CreateTopic" => self.create_topic(call, input).await,
            "DeleteTopic" => self.delete_topic(input).await,
            "ListTopics" => self.list_topics(call, input),
            "GetTopicAttributes" => self.get_topic_attributes(call, input),
            "SetTopicAttributes" => self.set_topic_attributes(input).await,
            "TagResource" => self.tag_resource(input).await,
            "UntagResource" => self.untag_resource(input).await,
            "ListTagsForResource" => self.list_tags(input),
            "Subscribe" => self.subscribe(input).await,
            "Unsubscribe" => self.unsubscribe(input).await,
            "ListSubscriptions" => self.list_subscriptions(call, input),
            "ListSubscriptionsByTopic" => self.list_subscriptions_by_topic(call, input),
            "GetSubscriptionAttributes" => self.get_subscription_attributes(call, input),
            "SetSubscriptionAttributes" => self.set_subscription_attributes(input).await,
            "Publish" => self.publish_message(input).await,
            "PublishBatch" => self.publish_batch(input).await,
            _ => Err(call.unknown()),
        }
    }
}

fn invalid(reason: impl std::fmt::Display) -> ServiceError {
    ServiceError::new("InvalidParameterException", format!("Invalid parameter: {reason}"))
}

fn no_topic() -> ServiceError {
    ServiceError::new("NotFoundException", "Topic does not exist")
}

#[cfg(test)]
mod tests;
