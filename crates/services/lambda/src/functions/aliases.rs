//! Aliases: names for versions, which may share their calls between two.

use super::Functions;
use super::update::stale;
use crate::name::{FunctionName, arn, conflict, invalid, missing, not_found};
use crate::registry::{Alias, Function, alias_key, key, version_key};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call, Caller};
use servicekit::documents::Edit;
use servicekit::fields::{self, integer, object, required, text};
use std::collections::BTreeMap;
use wire::ServiceError;

impl Functions {
    pub(super) async fn create_alias(&self, call: &Call, input: &Value) -> Answer {
        let _alone = self.registry.structure.lock().await;
        let version = required(input, "FunctionVersion");
        let function = self.whole(call, input).map_err(|error| {
            // It is the version that is looked for. [suite: recorded answers]
            let message = error.message.as_deref().unwrap_or_default();
            if message.starts_with("Function not found") {
                missing(format!("{message}:{version}"))
            } else {
                error
            }
        })?;
        let alias = Alias {
            name: required(input, "Name").to_owned(),
            description: text(input, "Description").unwrap_or_default().to_owned(),
            version: version.to_owned(),
            weights: weights(input).unwrap_or_default(),
            revision: self.world.uuid(),
        };
        self.check_alias(&call.caller, &function, &alias)?;
        let key = alias_key(&call.caller, &function.name, &alias.name);
        let made = self.registry.aliases.edit(&key, |old| match old {
            Some(_) => Err(conflict(format!("Alias already exists: {}:{}", function.arn, alias.name))),
            None => Ok((Edit::Put(alias.clone()), shown(&function.arn, &alias))),
        });
        let made = made.await?;
        self.registry.changed.notify_waiters();
        Ok(made)
    }

    pub(super) async fn update_alias(&self, call: &Call, input: &Value) -> Answer {
        let _alone = self.registry.structure.lock().await;
        let function = self.whole(call, input)?;
        let name = required(input, "Name");
        let revision = self.world.uuid();
        let key = alias_key(&call.caller, &function.name, name);
        let changed = self.registry.aliases.edit(&key, |old| {
            let mut alias =
                old.ok_or_else(|| missing(format!("Alias not found: {}:{name}", function.arn)))?;
            if text(input, "RevisionId").is_some_and(|given| given != alias.revision) {
                return Err(stale());
            }
            if let Some(version) = text(input, "FunctionVersion") {
                version.clone_into(&mut alias.version);
            }
            if let Some(description) = text(input, "Description") {
                description.clone_into(&mut alias.description);
            }
            if let Some(weights) = weights(input) {
                alias.weights = weights;
            }
            alias.revision.clone_from(&revision);
            self.check_alias(&call.caller, &function, &alias)?;
            Ok((Edit::Put(alias.clone()), shown(&function.arn, &alias)))
        });
        let changed = changed.await?;
        self.registry.changed.notify_waiters();
        Ok(changed)
    }

    pub(super) fn get_alias(&self, call: &Call, input: &Value) -> Answer {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?;
        let (arn, alias) = (arn(&call.caller, &name.name), required(input, "Name"));
        let found = self.registry.aliases.get(&alias_key(&call.caller, &name.name, alias))?;
        found.map(|found| shown(&arn, &found)).ok_or_else(|| no_alias(&arn, alias))
    }

    /// Removing an alias that is not there is a success.
    pub(super) async fn delete_alias(&self, call: &Call, input: &Value) -> Answer {
        let _alone = self.registry.structure.lock().await;
        let function = self.whole(call, input)?;
        let key = alias_key(&call.caller, &function.name, required(input, "Name"));
        self.urls.remove(&key).await?;
        self.events.configs.remove(&key).await?;
        self.registry.aliases.remove(&key).await?;
        Ok(json!({}))
    }

    pub(super) fn list_aliases(&self, call: &Call, input: &Value) -> Answer {
        let function = self.whole(call, input)?;
        let version = text(input, "FunctionVersion");
        let all = self.registry.aliases.list(&format!("{}/", key(&call.caller, &function.name)))?;
        let wanted = all.into_iter().filter(|(_, alias)| {
            version.is_none_or(|version| alias.version == version || alias.weights.contains_key(version))
        });
        let entries = wanted.map(|(name, alias)| (name, shown(&function.arn, &alias))).collect();
        let limit = integer(input, "MaxItems").unwrap_or(50).clamp(1, 50) as usize;
        let page = fields::page(entries, text(input, "Marker"), limit, || {
            invalid("The specified marker is invalid.")
        })?;
        Ok(object([("Aliases", Some(page.items.into())), ("NextMarker", page.next.map(Value::from))]))
    }

    /// The function that is named, whatever the qualifier.
    pub(super) fn whole(&self, call: &Call, input: &Value) -> Result<Function, ServiceError> {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?;
        let found = self.registry.functions.get(&key(&call.caller, &name.name))?;
        found.ok_or_else(|| not_found(&arn(&call.caller, &name.name)))
    }

    fn check_alias(&self, caller: &Caller, function: &Function, alias: &Alias) -> Result<(), ServiceError> {
        if alias.weights.len() > 1 {
            return Err(invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
        }
        if !alias.weights.is_empty() && alias.version == "$LATEST" {
            let error = invalid("$LATEST is not supported for an alias pointing to more than 1 version");
            return Err(error.with("Type", Value::Null));
        }
        if alias.weights.contains_key(&alias.version) {
            return Err(invalid(format!(
                "Invalid function version {0}. Function version {0} is already included in routing configuration.",
                alias.version
            )));
        }
        for version in alias.weights.keys().chain([&alias.version]).filter(|version| *version != "$LATEST") {
            let number = version.parse().unwrap_or(0);
            if self.registry.versions.get(&version_key(caller, &function.name, number))?.is_none() {
                return Err(not_found(&format!("{}:{version}", function.arn)));
            }
        }
        Ok(())
    }
}

pub(super) fn no_alias(arn: &str, alias: &str) -> ServiceError {
    missing(format!("Cannot find alias arn: {arn}:{alias}"))
}

fn weights(input: &Value) -> Option<BTreeMap<String, f64>> {
    let routing = input.get("RoutingConfig")?;
    let weights = routing.get("AdditionalVersionWeights").and_then(Value::as_object);
    let pairs = weights.into_iter().flatten();
    Some(pairs.map(|(version, weight)| (version.clone(), weight.as_f64().unwrap_or(0.0))).collect())
}

fn shown(arn: &str, alias: &Alias) -> Value {
    let routing = (!alias.weights.is_empty()).then(|| json!({ "AdditionalVersionWeights": alias.weights }));
    object([
        ("AliasArn", Some(format!("{arn}:{}", alias.name).into())),
        ("Name", Some(alias.name.clone().into())),
        ("FunctionVersion", Some(alias.version.clone().into())),
        ("Description", Some(alias.description.clone().into())),
        ("RoutingConfig", routing),
        ("RevisionId", Some(alias.revision.clone().into())),
    ])
}
