//! Documents for queues, topics and buckets of the house, sent as any client would send them.

use crate::house::Household;
use std::sync::{Arc, OnceLock, Weak};
use wire::sigv4::{Credentials, Signer};
use wire::{Request, percent};
use world::World;

/// Sends documents. Cheap to clone; of use once the services are there.
#[derive(Clone)]
pub struct Post {
    services: Arc<OnceLock<Weak<dyn Household>>>,
    world: World,
}

/// Where a document can go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Queue { region: String, account: String, name: String },
    Topic { region: String, arn: String },
    Bucket { name: String },
}

impl Place {
    /// None of what is no queue, topic or bucket.
    pub fn parse(arn: &str) -> Option<Place> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, service, region, account, name] = parts.as_slice() else { return None };
        if name.is_empty() || name.contains([':', '/', '?', '#', ' ']) {
            return None;
        }
        match *service {
            "sqs" => Some(Place::Queue {
                region: (*region).to_owned(),
                account: (*account).to_owned(),
                name: (*name).to_owned(),
            }),
            "sns" => Some(Place::Topic { region: (*region).to_owned(), arn: arn.to_owned() }),
            "s3" => Some(Place::Bucket { name: (*name).to_owned() }),
            _ => None,
        }
    }

    fn service(&self) -> &'static str {
        match self {
            Place::Queue { .. } => "sqs",
            Place::Topic { .. } => "sns",
            Place::Bucket { .. } => "s3",
        }
    }

    /// Whether this server has such places at all.
    pub fn is_built(&self) -> bool {
        api::SERVICES.iter().any(|service| service.name == self.service())
    }

    /// Whether it wants to be told of each document to which group it belongs: ours belong to none.
    fn is_fifo(&self) -> bool {
        match self {
            Place::Queue { name, .. } => name.ends_with(".fifo"),
            Place::Topic { arn, .. } => arn.ends_with(".fifo"),
            Place::Bucket { .. } => false,
        }
    }

    /// A request that succeeds when the place is there.
    fn question(&self) -> Request {
        match self {
            Place::Queue { account, name, .. } => queue_call(
                "GetQueueUrl",
                &serde_json::json!({ "QueueName": name, "QueueOwnerAWSAccountId": account }),
            ),
            Place::Topic { arn, .. } => topic_call("GetTopicAttributes", &[("TopicArn", arn)]),
            Place::Bucket { name } => {
                Request { method: http::Method::HEAD, ..Request::default() }.with_target(&format!("/{name}"))
            }
        }
    }

    /// The request that hands a document over. `key`: its name in a bucket.
    fn delivery(&self, key: &str, document: &str) -> Request {
        match self {
            Place::Queue { account, name, .. } => {
                let url = format!("http://localhost/{account}/{name}");
                queue_call("SendMessage", &serde_json::json!({ "QueueUrl": url, "MessageBody": document }))
            }
            Place::Topic { arn, .. } => topic_call("Publish", &[("TopicArn", arn), ("Message", document)]),
            Place::Bucket { name } => {
                Request { method: http::Method::PUT, body: document.to_owned().into(), ..Request::default() }
                    .with_target(&format!("/{name}/{key}"))
                    .with_header("content-type", "application/json")
            }
        }
    }
}

fn queue_call(operation: &str, input: &serde_json::Value) -> Request {
    Request::post(input.to_string())
        .with_header("content-type", "application/x-amz-json-1.0")
        .with_header("x-amz-target", &format!("AmazonSQS.{operation}"))
}

fn topic_call(operation: &str, members: &[(&str, &str)]) -> Request {
    let mut form = format!("Action={operation}&Version=2010-03-31");
    for (name, value) in members {
        form.push_str(&format!("&{name}={}", percent::encode(value)));
    }
    Request::post(form).with_header("content-type", "application/x-www-form-urlencoded")
}

impl Post {
    pub fn new(world: &World) -> Post {
        Post { services: Arc::default(), world: world.clone() }
    }

    /// From here on documents can be sent.
    pub fn open(&self, services: Weak<dyn Household>) {
        let _ = self.services.set(services);
    }

    /// Whether the place is there, and takes documents that are sent this way.
    pub async fn is_there(&self, place: &Place, region: &str) -> bool {
        !place.is_fifo() && self.call(place, region, place.question()).await.is_ok()
    }

    /// Done once the place has the document. `region`: of places whose name has none.
    pub async fn send(&self, place: &Place, region: &str, key: &str, document: &str) -> Result<(), String> {
        self.call(place, region, place.delivery(key, document)).await
    }

    /// Hands a function an event that nobody waits for; done once the event is kept.
    pub async fn invoke(&self, arn: &str, event: &str) -> Result<(), String> {
        let region = arn.split(':').nth(3).unwrap_or_default();
        let path = format!("/2015-03-31/functions/{}/invocations", percent::encode(arn));
        let request =
            Request::post(event.to_owned()).with_target(&path).with_header("x-amz-invocation-type", "Event");
        self.call_service("lambda", region, request).await
    }

    /// Sends a document with attributes that go beside a message: name, type and text of each.
    pub async fn send_with(
        &self,
        place: &Place,
        region: &str,
        document: &str,
        attributes: &[(&str, &str, String)],
    ) -> Result<(), String> {
        let request = match place {
            Place::Queue { account, name, .. } => {
                let told = attributes.iter().map(|(name, kind, text)| {
                    ((*name).to_owned(), serde_json::json!({ "DataType": kind, "StringValue": text }))
                });
                let told: serde_json::Map<_, _> = told.collect();
                queue_call(
                    "SendMessage",
                    &serde_json::json!({
                        "QueueUrl": format!("http://localhost/{account}/{name}"),
                        "MessageBody": document,
                        "MessageAttributes": told,
                    }),
                )
            }
            Place::Topic { arn, .. } => {
                let mut members =
                    vec![("TopicArn".to_owned(), arn.as_str()), ("Message".to_owned(), document)];
                for (at, (name, kind, text)) in attributes.iter().enumerate() {
                    let entry = format!("MessageAttributes.entry.{}", at + 1);
                    members.push((format!("{entry}.Name"), *name));
                    members.push((format!("{entry}.Value.DataType"), *kind));
                    members.push((format!("{entry}.Value.StringValue"), text.as_str()));
                }
                let members: Vec<(&str, &str)> =
                    members.iter().map(|(name, value)| (name.as_str(), *value)).collect();
                topic_call("Publish", &members)
            }
            Place::Bucket { .. } => return Err("a bucket takes no attributes".to_owned()),
        };
        self.call(place, region, request).await
    }

    async fn call(&self, place: &Place, region: &str, request: Request) -> Result<(), String> {
        let region = match place {
            Place::Queue { region, .. } | Place::Topic { region, .. } => region,
            Place::Bucket { .. } => region,
        };
        self.call_service(place.service(), region, request).await
    }

    async fn call_service(&self, service: &str, region: &str, request: Request) -> Result<(), String> {
        let services =
            self.services.get().and_then(Weak::upgrade).ok_or("the server is starting or ending")?;
        let credentials = Credentials {
            access_key: "ASIAMILLSTREAMLOCAL1".to_owned(),
            secret: "millstream".to_owned(),
            session_token: Some("millstream".to_owned()),
        };
        let signer = Signer { credentials, region: region.to_owned(), service: service.to_owned() };
        let request = signer.sign(request.with_header("host", "localhost"), self.world.now());
        let answer = services.take(request).await;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(format!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_known_by_their_arns() {
        let queue = Place::parse("arn:aws:sqs:us-east-1:123456789012:dead").expect("a queue");
        assert_eq!((queue.service(), &queue.delivery("", "x").path[..]), ("sqs", "/"));
        let bucket = Place::parse("arn:aws:s3:::dead").expect("a bucket");
        assert_eq!(bucket.delivery("a/b", "x").path, "/dead/a/b");
        let topic = Place::parse("arn:aws:sns:us-east-1:123456789012:dead").expect("a topic");
        assert!(String::from_utf8_lossy(&topic.delivery("", "a b&c").body).ends_with("Message=a%20b%26c"));
        for other in ["", "x", "arn:aws:s3:::", "arn:aws:s3:::a/b", "arn:aws:lambda:us-east-1:1:function:f"] {
            assert_eq!(Place::parse(other), None, "{other}");
        }
    }
}
