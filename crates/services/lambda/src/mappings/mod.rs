//! Event source mappings: which stream drives which function, and how.

mod read;
mod shown;
mod status;

use super::name::{self, FunctionName, conflict, invalid};
use super::registry::Registry;
use crate::target::LambdaTargets;
use feed::{Change, ErrorKind, Feed, MappingId, NewMapping, Start};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Pending};
use servicekit::documents::unavailable;
use servicekit::fields::{self, integer, object, required, text};
use servicekit::post::{Place, Post};
use shown::shown;
use std::collections::BTreeMap;
use wire::{Response, ServiceError};

pub use status::status;

pub(crate) struct Mappings {
    feed: Feed,
    registry: Registry,
    post: Post,
}

impl Mappings {
    pub fn new(targets: &LambdaTargets, feed: &Feed) -> Mappings {
        Mappings { feed: feed.clone(), registry: targets.registry.clone(), post: targets.post.clone() }
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
            "CreateEventSourceMapping" => self.create(call, input).await,
            "GetEventSourceMapping" => self.get(call, input),
            "ListEventSourceMappings" => self.list(call, input),
            "UpdateEventSourceMapping" => self.update(call, input).await,
            "DeleteEventSourceMapping" => self.delete(call, input).await,
            "ListTags" => self.list_tags(call, input),
            "TagResource" => self.tag(call, input).await,
            "UntagResource" => self.untag(call, input).await,
            _ => Err(call.unknown()),
        }
    }

    /// The order of the checks is the service's. [reference: event-source-mapping §1]
    async fn create(&self, call: &Call, input: &Value) -> Answer {
        let on_failure = read::destination(input)?.flatten();
        let stream = text(input, "EventSourceArn").ok_or_else(|| invalid("Unrecognized event source."))?;
        if is_of_another_service(stream) {
            self.function(call, required(input, "FunctionName"))?;
        }
        if !stream.contains(":dynamodb:") || !stream.contains("/stream/") {
            return Err(invalid("Unrecognized event source."));
        }
        let start = start(input, stream)?;
        let filters = read::filters(input)?.unwrap_or_default();
        read::unsupported(input)?;
        let metrics = read::metrics(input)?.unwrap_or_default();
        let policy = read::policy(input, None)?;
        let tags = read::tags(input);
        read::check_tags(&tags)?;
        let function = self.function(call, required(input, "FunctionName"))?;
        self.check_destination(on_failure, call).await?;
        let new = NewMapping {
            account: call.caller.account.to_string(),
            region: call.caller.region.to_string(),
            stream: stream.to_owned(),
            target: function.clone(),
            start,
            lanes: read::lanes(input).unwrap_or(1),
            policy,
            filters,
            on_failure: on_failure.map(str::to_owned),
            metrics,
            tags,
            enabled: input.get("Enabled").and_then(Value::as_bool).unwrap_or(true),
        };
        let made = self.feed.create(new).await.map_err(|error| match error.kind {
            ErrorKind::Exists => {
                let name = function.rsplit(':').next().unwrap_or_default();
                conflict(format!(
                    "The event source arn (\" {stream} \") and function (\" {name} \") provided mapping already exists. Please update or delete the existing mapping with UUID {}",
                    error.message
                ))
            }
            _ => refused(error),
        })?;
        Ok(shown(&made))
    }

    fn function(&self, call: &Call, name: &str) -> Result<String, ServiceError> {
        let name = FunctionName::parse(name, &call.caller).map_err(|_| invalid("Function does not exist"))?;
        self.registry.find(&call.caller, &name).map_err(|_| invalid("Function does not exist"))?;
        Ok(name.arn(&call.caller))
    }

    /// A destination must be there, of a kind that this server has.
    async fn check_destination(&self, arn: Option<&str>, call: &Call) -> Result<(), ServiceError> {
        let Some(arn) = arn else { return Ok(()) };
        let wrong = || {
            invalid(format!(
                "The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination={arn})) is invalid."
            ))
        };
        let place = Place::parse(arn).ok_or_else(wrong)?;
        if !place.is_built() {
            return Err(invalid(format!("DestinationConfig.OnFailure: this server has nothing like {arn}.")));
        }
        if self.post.is_there(&place, &call.caller.region).await { Ok(()) } else { Err(wrong()) }
    }

    fn get(&self, call: &Call, input: &Value) -> Answer {
        let id = self.own(call, required(input, "UUID"))?;
        self.feed.get(&id).map(|found| shown(&found)).ok_or_else(missing)
    }

    /// The id of a mapping that is the caller's.
    fn own(&self, call: &Call, uuid: &str) -> Result<MappingId, ServiceError> {
        let id = MappingId::new(uuid);
        let found = self.feed.get(&id).ok_or_else(missing)?;
        let own =
            found.mapping.account == *call.caller.account && found.mapping.region == *call.caller.region;
        if own { Ok(id) } else { Err(missing()) }
    }

    fn list(&self, call: &Call, input: &Value) -> Answer {
        let function = match text(input, "FunctionName") {
            Some(name) => Some(FunctionName::parse(name, &call.caller)?.arn(&call.caller)),
            None => None,
        };
        let source = text(input, "EventSourceArn");
        let found = self.feed.list().into_iter().filter(|found| {
            let mapping = &found.mapping;
            mapping.account == *call.caller.account
                && mapping.region == *call.caller.region
                && function.as_ref().is_none_or(|function| mapping.target == *function)
                && source.is_none_or(|source| mapping.stream == source)
        });
        let entries = found.map(|found| (found.mapping.id.to_string(), shown(&found))).collect();
        let limit = integer(input, "MaxItems").unwrap_or(100).clamp(1, 100) as usize;
        let page = fields::page(entries, text(input, "Marker"), limit, || {
            invalid("The specified marker is invalid.")
        })?;
        Ok(object([
            ("EventSourceMappings", Some(page.items.into())),
            ("NextMarker", page.next.map(Value::from)),
        ]))
    }

    async fn update(&self, call: &Call, input: &Value) -> Answer {
        let id = self.own(call, required(input, "UUID"))?;
        let on_failure = read::destination(input)?;
        read::unsupported(input)?;
        self.check_destination(on_failure.flatten(), call).await?;
        let old = self.feed.get(&id).ok_or_else(missing)?.mapping;
        let change = Change {
            target: match text(input, "FunctionName") {
                Some(name) => Some(self.function(call, name)?),
                None => None,
            },
            policy: Some(read::policy(input, Some(&old))?),
            lanes: read::lanes(input),
            filters: read::filters(input)?,
            on_failure: on_failure.map(|on_failure| on_failure.map(str::to_owned)),
            metrics: read::metrics(input)?,
            enabled: input.get("Enabled").and_then(Value::as_bool),
        };
        self.feed.update(&id, change).await.map(|found| shown(&found)).map_err(refused)
    }

    /// The mapping that a tag call names by its ARN.
    fn tagged(&self, call: &Call, input: &Value) -> Result<MappingId, ServiceError> {
        let arn = required(input, "Resource");
        let found = self.own(call, arn.rsplit(':').next().unwrap_or_default());
        found.map_err(|_| name::missing(format!("Event source mapping not found: {arn}")))
    }

    fn list_tags(&self, call: &Call, input: &Value) -> Answer {
        let found = self.feed.get(&self.tagged(call, input)?).ok_or_else(missing)?;
        Ok(json!({ "Tags": found.mapping.tags }))
    }

    async fn tag(&self, call: &Call, input: &Value) -> Answer {
        let id = self.tagged(call, input)?;
        let mut tags = self.feed.get(&id).ok_or_else(missing)?.mapping.tags.clone();
        tags.extend(read::tags(input));
        self.set_tags(&id, tags).await
    }

    async fn untag(&self, call: &Call, input: &Value) -> Answer {
        let id = self.tagged(call, input)?;
        let keys = fields::texts(input, "TagKeys");
        let mut tags = self.feed.get(&id).ok_or_else(missing)?.mapping.tags.clone();
        tags.retain(|key, _| !keys.contains(key));
        self.set_tags(&id, tags).await
    }

    async fn set_tags(&self, id: &MappingId, tags: BTreeMap<String, String>) -> Answer {
        read::check_tags(&tags)?;
        self.feed.tag(id, tags).await.map(|()| json!({})).map_err(refused)
    }

    async fn delete(&self, call: &Call, input: &Value) -> Answer {
        let id = self.own(call, required(input, "UUID"))?;
        self.feed.delete(&id).await.map(|found| shown(&found)).map_err(refused)
    }
}

/// An ARN that another kind of mapping would be for: the function is looked for first. [suite: recorded answers]
fn is_of_another_service(arn: &str) -> bool {
    matches!(arn.split(':').nth(2), Some("sqs" | "kinesis" | "kafka" | "mq" | "rds"))
}

fn start(input: &Value, stream: &str) -> Result<Start, ServiceError> {
    match text(input, "StartingPosition") {
        Some("LATEST") => Ok(Start::Latest),
        Some("TRIM_HORIZON") => Ok(Start::Horizon),
        Some(_) => Err(invalid(format!("Unsupported starting position for arn type: {stream}"))),
        None => Err(invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
        )),
    }
}

fn missing() -> ServiceError {
    ServiceError::new("ResourceNotFoundException", "The resource you requested does not exist.")
        .with_status(404)
        .with("Type", "User")
}

fn refused(error: feed::Error) -> ServiceError {
    match error.kind {
        ErrorKind::NotFound => missing(),
        ErrorKind::Busy => {
            ServiceError::new("ResourceInUseException", error.message).with_status(400).with("Type", "User")
        }
        ErrorKind::StreamNotFound => invalid(error.message),
        ErrorKind::Exists => conflict(error.message),
        ErrorKind::Store => unavailable(error),
    }
}
