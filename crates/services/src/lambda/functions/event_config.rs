//! How events that nobody waits for are treated: attempts, age, destinations.

use super::Functions;
use crate::call::{Answer, Call, Caller};
use crate::documents::{Documents, Edit};
use crate::fields::{self, integer, object, required, text};
use crate::lambda::name::{FunctionName, invalid, missing};
use crate::lambda::registry::key;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
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
        self.registry.find(&call.caller, &name)?;
        Ok(FunctionName { qualifier: Some(name.qualifier.unwrap_or_else(|| "$LATEST".to_owned())), ..name })
    }

    /// Puts settings in the place of all there were; an update keeps what it does not name.
    pub(super) async fn put_event_config(&self, call: &Call, input: &Value, update: bool) -> Answer {
        let name = self.event_name(call, input)?;
        let arn = name.arn(&call.caller);
        let given = self.read_event_config(call, input, &arn)?;
        let settings = ["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig"];
        if settings.iter().all(|member| input.get(*member).is_none()) {
            return Err(invalid("You must specify at least one of error handling or destination setting."));
        }
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
        let function = self.whole(call, input)?;
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

    fn read_event_config(&self, call: &Call, input: &Value, own: &str) -> Result<EventConfig, ServiceError> {
        let destination = |which: &str| -> Result<Option<String>, ServiceError> {
            let given = input.get("DestinationConfig").and_then(|config| config.get(which));
            let Some(arn) = given.and_then(|given| text(given, "Destination")) else { return Ok(None) };
            if arn.is_empty() {
                return Ok(None);
            }
            self.check_destination(&call.caller, arn, own)?;
            Ok(Some(arn.to_owned()))
        };
        Ok(EventConfig {
            retries_max: integer(input, "MaximumRetryAttempts").map(|most| most.clamp(0, 2) as u32),
            age_s_max: integer(input, "MaximumEventAgeInSeconds").map(|most| most.clamp(60, 21_600) as u64),
            on_success: destination("OnSuccess")?,
            on_failure: destination("OnFailure")?,
            modified_ms: self.world.now().millis(),
        })
    }

    fn check_destination(&self, caller: &Caller, arn: &str, own: &str) -> Result<(), ServiceError> {
        if arn.split(':').nth(2) != Some("lambda") {
            return Err(invalid(format!(
                "The destination {arn} is not supported: destinations are functions."
            )));
        }
        let name = FunctionName::parse(arn, caller)
            .map_err(|_| invalid(format!("The destination ARN {arn} is invalid.")))?;
        let named = FunctionName {
            qualifier: Some(name.qualifier.clone().unwrap_or_else(|| "$LATEST".into())),
            ..name.clone()
        };
        if named.arn(caller) == own {
            return Err(invalid("You can't specify the function as a destination for itself."));
        }
        self.registry
            .find(caller, &name)
            .map(drop)
            .map_err(|_| invalid(format!("The destination ARN {arn} is invalid.")))
    }
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
