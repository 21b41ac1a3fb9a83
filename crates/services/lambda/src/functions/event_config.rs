//! How events that nobody waits for are treated: attempts, age, destinations.

use super::Functions;
use crate::name::{FunctionName, invalid, missing};
use crate::registry::key;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::documents::{Documents, Edit};
use servicekit::fields::{self, integer, object, required, text};
use servicekit::post::Place;
use wire::ServiceError;

/// The settings of one qualifier. What is absent is the default.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct EventConfig {
    pub retries_max: Option<u32>,
    pub age_s_max: Option<u64>,
    /// ARNs.
    pub on_success: Option<String>,
    pub on_failure: Option<String>,
    pub modified_ms: u64,
}

pub(super) type EventConfigs = Documents<EventConfig>;

/// `$LATEST` stands for a function without a qualifier.
pub(super) fn config_key(caller: &Caller, name: &FunctionName) -> String {
    format!("{}/{}", key(caller, &name.name), name.qualifier.as_deref().unwrap_or("$LATEST"))
}

impl Functions {
    fn event_name(&self, call: &Call, input: &Value) -> Result<FunctionName, ServiceError> {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?
            .qualified(text(input, "Qualifier"))?;
        Ok(FunctionName { qualifier: Some(name.qualifier.unwrap_or_else(|| "$LATEST".to_owned())), ..name })
    }

    /// Puts settings in the place of all there were; an update keeps what it does not name.
    pub(super) async fn put_event_config(&self, call: &Call, input: &Value, update: bool) -> Answer {
        let name = self.event_name(call, input)?;
        let arn = name.arn(&call.caller);
        let settings = ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"];
        if settings.iter().all(|member| input.get(*member).is_none()) {
            return Err(invalid("You must specify at least one of error handling or destination setting."));
        }
        let sought = match update {
            // Whether there is such a version is a matter of its settings.
            true => FunctionName { qualifier: None, ..name.clone() },
            false => name.clone(),
        };
        self.registry.find(&call.caller, &sought).map_err(|_| no_function())?;
        let given = self.read_event_config(call, input, &arn).await?;
        let destination =
            |which: &str| input.get("DestinationConfig").is_some_and(|config| config.get(which).is_some());
        self.events
            .configs
            .edit(&config_key(&call.caller, &name), |old| {
                let mut config = given.clone();
                if update {
                    let old = old.ok_or_else(|| unset(&arn))?;
                    config.retries_max = config.retries_max.or(old.retries_max);
                    config.age_s_max = config.age_s_max.or(old.age_s_max);
                    if !destination("OnSuccess") {
                        config.on_success = old.on_success;
                    }
                    if !destination("OnFailure") {
                        config.on_failure = old.on_failure;
                    }
                }
                Ok((Edit::Put(config.clone()), shown(&arn, &config)))
            })
            .await
    }

    pub(super) fn get_event_config(&self, call: &Call, input: &Value) -> Answer {
        let name = self.event_name(call, input)?;
        let arn = name.arn(&call.caller);
        let found = self.events.configs.get(&config_key(&call.caller, &name))?;
        found.map(|config| shown(&arn, &config)).ok_or_else(|| unset(&arn))
    }

    pub(super) async fn delete_event_config(&self, call: &Call, input: &Value) -> Answer {
        let name = self.event_name(call, input)?;
        let gone = self.events.configs.remove(&config_key(&call.caller, &name)).await?;
        gone.map(|_| json!({})).ok_or_else(|| unset(&name.arn(&call.caller)))
    }

    pub(super) fn list_event_configs(&self, call: &Call, input: &Value) -> Answer {
        let function = self.whole(call, input).map_err(|_| no_function())?;
        let all = self.events.configs.list(&format!("{}/", key(&call.caller, &function.name)))?;
        let entries = all.into_iter().map(|(qualifier, config)| {
            let shown = shown(&format!("{}:{qualifier}", function.arn), &config);
            (qualifier, shown)
        });
        let limit = integer(input, "MaxItems").unwrap_or(50).clamp(1, 50) as usize;
        let page = fields::page(entries.collect(), text(input, "Marker"), limit, || {
            invalid("The specified marker is invalid.")
        })?;
        Ok(object([
            ("FunctionEventInvokeConfigs", Some(page.items.into())),
            ("NextMarker", page.next.map(Value::from)),
        ]))
    }

    async fn read_event_config(
        &self,
        call: &Call,
        input: &Value,
        own: &str,
    ) -> Result<EventConfig, ServiceError> {
        let destination = |which: &str| {
            let given = input.get("DestinationConfig").and_then(|config| config.get(which));
            let arn = given.and_then(|given| text(given, "Destination")).filter(|arn| !arn.is_empty());
            arn.map(str::to_owned)
        };
        let (on_success, on_failure) = (destination("OnSuccess"), destination("OnFailure"));
        for (arn, succeeded) in [(&on_success, true), (&on_failure, false)] {
            if let Some(arn) = arn {
                self.check_destination(&call.caller, arn, own, succeeded).await?;
            }
        }
        Ok(EventConfig {
            retries_max: integer(input, "MaximumRetryAttempts").map(|most| most.clamp(0, 2) as u32),
            age_s_max: integer(input, "MaximumEventAgeInSeconds").map(|most| most.clamp(60, 21_600) as u64),
            on_success,
            on_failure,
            modified_ms: self.world.now().millis(),
        })
    }

    /// A destination must be there: a function, a queue, a topic, and of failures a bucket.
    async fn check_destination(
        &self,
        caller: &Caller,
        arn: &str,
        own: &str,
        succeeded: bool,
    ) -> Result<(), ServiceError> {
        let wrong = || {
            let side = |here: bool, word: &str| match here {
                true => format!("{word}(destination={arn})"),
                false => "null".to_owned(),
            };
            invalid(format!(
                "The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
                side(succeeded, "OnSuccess"),
                side(!succeeded, "OnFailure")
            ))
        };
        if arn.split(':').nth(2) == Some("lambda") {
            let name = FunctionName::parse(arn, caller).map_err(|_| wrong())?;
            let qualifier = Some(name.qualifier.clone().unwrap_or_else(|| "$LATEST".to_owned()));
            if (FunctionName { qualifier, ..name.clone() }).arn(caller) == own {
                return Err(invalid("You can't specify the function as a destination for itself."));
            }
            let found = self.registry.find(caller, &name).map(drop);
            return found.map_err(|_| invalid(format!("The destination ARN {arn} is invalid.")));
        }
        if arn.split(':').nth(2) == Some("events") {
            return Err(invalid(format!(
                "The destination {arn} is not supported: destinations are functions, queues, topics and buckets."
            )));
        }
        let place = Place::parse(arn).ok_or_else(wrong)?;
        if succeeded && matches!(place, Place::Bucket { .. }) {
            return Err(wrong());
        }
        if !place.is_built() {
            return Err(invalid(format!("DestinationConfig: this server has nothing like {arn}.")));
        }
        if self.events.post.is_there(&place, &caller.region).await { Ok(()) } else { Err(wrong()) }
    }

    /// A dead-letter queue, as a call names it: None when it does not, an empty one for none.
    pub(super) async fn dead_letter(
        &self,
        call: &Call,
        input: &Value,
    ) -> Result<Option<String>, ServiceError> {
        let Some(arn) =
            input.get("DeadLetterConfig").map(|config| text(config, "TargetArn").unwrap_or_default())
        else {
            return Ok(None);
        };
        if arn.is_empty() {
            return Ok(Some(String::new()));
        }
        let wrong =
            || invalid(format!("The provided DLQ target {arn} is not a queue or a topic that exists."));
        let place =
            Place::parse(arn).filter(|place| !matches!(place, Place::Bucket { .. })).ok_or_else(wrong)?;
        if !place.is_built() {
            return Err(invalid(format!("DeadLetterConfig: this server has nothing like {arn}.")));
        }
        if self.events.post.is_there(&place, &call.caller.region).await {
            Ok(Some(arn.to_owned()))
        } else {
            Err(wrong())
        }
    }
}

fn no_function() -> ServiceError {
    missing("The function doesn't exist.")
}

fn unset(arn: &str) -> ServiceError {
    missing(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

fn shown(arn: &str, config: &EventConfig) -> Value {
    let side = |arn: &Option<String>| match arn {
        Some(arn) => json!({ "Destination": arn }),
        None => json!({}),
    };
    object([
        ("LastModified", Some((config.modified_ms as f64 / 1_000.0).into())),
        ("FunctionArn", Some(arn.into())),
        ("MaximumRetryAttempts", config.retries_max.map(Value::from)),
        ("MaximumEventAgeInSeconds", config.age_s_max.map(Value::from)),
        (
            "DestinationConfig",
            Some(json!({ "OnSuccess": side(&config.on_success), "OnFailure": side(&config.on_failure) })),
        ),
    ])
}
