//! Versions: a function as it was, under a number, for good.

use super::Functions;
use super::shown::{Shown, configuration, configuration_as};
use super::update::{stale, whole_only};
use crate::name::{FunctionName, conflict, invalid, not_found};
use crate::registry::{Function, key, version_key};
use serde_json::Value;
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{self, integer, object, required, text};
use wire::ServiceError;

/// What must hold of `$LATEST` for it to be published.
#[derive(Clone, Copy, Default)]
pub(super) struct Publication<'a> {
    pub code_sha256: Option<&'a str>,
    pub revision: Option<&'a str>,
    pub description: Option<&'a str>,
}

impl Functions {
    pub(super) async fn publish_version(&self, call: &Call, input: &Value) -> Answer {
        if text(input, "PublishTo").is_some() {
            return Err(invalid("PublishTo is not supported."));
        }
        let wish = Publication {
            code_sha256: text(input, "CodeSha256"),
            revision: text(input, "RevisionId"),
            description: text(input, "Description"),
        };
        let name = self.latest(call, required(input, "FunctionName"))?;
        let published = self.publish(call, &name, wish).await?;
        Ok(configuration(&published, Shown::Settled))
    }

    /// Gives `$LATEST` the next number, unless it has not changed since it got the last one.
    pub(super) async fn publish(
        &self,
        call: &Call,
        name: &FunctionName,
        wish: Publication<'_>,
    ) -> Result<Function, ServiceError> {
        let _alone = self.registry.structure.lock().await;
        let missing = || not_found(&name.arn(&call.caller));
        let latest = self.registry.functions.get(&key(&call.caller, &name.name))?.ok_or_else(missing)?;
        let last = version_key(&call.caller, &name.name, latest.last_version);
        let last = self.registry.versions.get(&last)?;
        let (generation, own, next) = (self.world.uuid(), self.world.uuid(), self.world.uuid());
        let version = self
            .registry
            .functions
            .edit(&key(&call.caller, &name.name), |old| {
                let mut latest = old.ok_or_else(missing)?;
                if wish.revision.is_some_and(|revision| revision != latest.revision) {
                    return Err(stale());
                }
                if let Some(sha) = wish.code_sha256.filter(|sha| *sha != latest.code_digest) {
                    return Err(invalid(format!(
                        "CodeSHA256 ({sha}) is different from current CodeSHA256 in $LATEST ({}). Please try again with the CodeSHA256 in $LATEST.",
                        latest.code_digest
                    )));
                }
                if latest.generation.is_empty() {
                    latest.generation.clone_from(&generation);
                }
                let is_new = latest.published.as_ref() != Some(&latest.generation);
                if let Some(last) = last.clone().filter(|_| !is_new) {
                    return Ok((Edit::Keep, last));
                }
                // A number is taken before its version is there: a crash leaves a gap, and never a number twice.
                latest.last_version += 1;
                latest.published = Some(latest.generation.clone());
                latest.revision.clone_from(&next);
                let mut version = Function { version: Some(latest.last_version), ..latest.clone() };
                version.revision.clone_from(&own);
                if let Some(description) = wish.description {
                    description.clone_into(&mut version.description);
                }
                Ok((Edit::Put(latest), version))
            })
            .await?;
        let number = version.version.unwrap_or_default();
        self.registry.versions.put(&version_key(&call.caller, &name.name, number), version.clone()).await?;
        self.registry.changed.notify_waiters();
        Ok(version)
    }

    pub(super) fn list_versions(&self, call: &Call, input: &Value) -> Answer {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?;
        let latest = self.registry.functions.get(&key(&call.caller, &name.name))?;
        let latest = latest.ok_or_else(|| not_found(&name.arn(&call.caller)))?;
        let mut all = vec![(String::new(), latest)];
        all.extend(self.registry.versions.list(&format!("{}/", key(&call.caller, &name.name)))?);
        let shown =
            all.into_iter().map(|(number, function)| (number, listed(&function, function.version_arn())));
        let limit = integer(input, "MaxItems").unwrap_or(50).clamp(1, 50) as usize;
        let page = fields::page(shown.collect(), text(input, "Marker"), limit, || {
            invalid("The specified marker is invalid.")
        })?;
        Ok(object([("Versions", Some(page.items.into())), ("NextMarker", page.next.map(Value::from))]))
    }

    /// Removes one published version, which no alias may name.
    pub(super) async fn delete_version(&self, call: &Call, name: &FunctionName, number: u64) -> Answer {
        let _alone = self.registry.structure.lock().await;
        let wanted = number.to_string();
        let aliases = self.registry.aliases.list(&format!("{}/", key(&call.caller, &name.name)))?;
        let names = aliases
            .iter()
            .filter(|(_, alias)| alias.version == wanted || alias.weights.contains_key(&wanted));
        let names: Vec<&str> = names.map(|(_, alias)| alias.name.as_str()).collect();
        if !names.is_empty() {
            return Err(conflict(format!(
                "Version {number} cannot be deleted: aliases of the function point to it: {}",
                names.join(", ")
            )));
        }
        self.events.configs.remove(&format!("{}/{number}", key(&call.caller, &name.name))).await?;
        // Removing a version that is not there is a success, if there is a function. [suite: recorded answers]
        if self.registry.functions.get(&key(&call.caller, &name.name))?.is_none() {
            return Err(not_found(&FunctionName { qualifier: None, ..name.clone() }.arn(&call.caller)));
        }
        if let Some(gone) =
            self.registry.versions.remove(&version_key(&call.caller, &name.name, number)).await?
        {
            self.functions.retire(&gone.version_arn());
        }
        Ok(serde_json::json!({ "StatusCode": 204 }))
    }

    /// The name of a function that is to be changed: only `$LATEST` can be.
    pub(super) fn latest(&self, call: &Call, text: &str) -> Result<FunctionName, ServiceError> {
        let name = FunctionName::parse(text, &call.caller)?;
        match name.qualifier.as_deref() {
            None | Some("$LATEST") => Ok(FunctionName { qualifier: None, ..name }),
            Some(_) => {
                self.registry.find(&call.caller, &name)?;
                Err(whole_only())
            }
        }
    }
}

/// A function in a list.
pub(super) fn listed(function: &Function, arn: String) -> Value {
    let mut shown = configuration_as(function, Shown::Settled, arn);
    // Lists tell neither how the last update went nor what runs.
    if let Some(members) = shown.as_object_mut() {
        for member in ["State", "LastUpdateStatus", "RuntimeVersionConfig"] {
            members.shift_remove(member);
        }
    }
    shown
}
