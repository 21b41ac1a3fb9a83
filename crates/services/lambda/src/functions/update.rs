//! Changing functions: code, configuration, tags, concurrency.

use super::Functions;
use super::create;
use super::shown::{Shown, configuration};
use super::versions::Publication;
use crate::name::{FunctionName, invalid, not_found};
use crate::registry::{Function, key};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{integer, required, text, texts};
use wire::ServiceError;

/// What reservations leave to functions without one, as far as the server runs that many at once.
const UNRESERVED_MIN: u32 = 100;

impl Functions {
    /// Changes a function; one whose processes must be others gets a new revision.
    pub(super) async fn change(
        &self,
        call: &Call,
        name: &str,
        revision: Option<&str>,
        change: impl Fn(&mut Function) -> Result<(), ServiceError>,
    ) -> Result<Function, ServiceError> {
        let name = self.latest(call, name)?;
        let (next, generation) = (self.world.uuid(), self.world.uuid());
        let changed = self
            .registry
            .functions
            .edit(&key(&call.caller, &name.name), |old| {
                let mut function = old.ok_or_else(|| not_found(&name.arn(&call.caller)))?;
                if revision.is_some_and(|revision| revision != function.revision) {
                    return Err(stale());
                }
                let before = function.clone();
                change(&mut function)?;
                let runs_as_before = function.runs_as(&before);
                if !runs_as_before || function.generation.is_empty() {
                    function.generation.clone_from(&generation);
                }
                function.revision.clone_from(&next);
                Ok((Edit::Put(function.clone()), (function, runs_as_before)))
            })
            .await?;
        let (changed, runs_as_before) = changed;
        if !runs_as_before {
            self.functions.retire(&changed.arn);
        }
        self.registry.changed.notify_waiters();
        Ok(changed)
    }

    pub(super) async fn update_code(&self, call: &Call, input: &Value) -> Answer {
        create::refuse_unsupported(input)?;
        let function = self.named(call, input)?;
        let code = self.put_code(input).await?;
        self.check_size(&code.sha256, &function.layers).await?;
        let now_ms = self.world.now().millis();
        let changed = |function: &mut Function| {
            function.modified_ms = now_ms;
            function.code_sha256.clone_from(&code.sha256);
            function.code_digest = wire::base64::encode(&code.digest);
            function.code_bytes = code.bytes;
            if let Some(architecture) = create::architecture(input) {
                function.architecture = architecture;
            }
            Ok(())
        };
        if input.get("DryRun").and_then(Value::as_bool) == Some(true) {
            let mut shown = function;
            changed(&mut shown)?;
            return Ok(configuration(&shown, Shown::Settled));
        }
        let revision = text(input, "RevisionId");
        let function = self.change(call, required(input, "FunctionName"), revision, changed).await?;
        if create::publishes(input) {
            let name = FunctionName { name: function.name, qualifier: None };
            let published = self.publish(call, &name, Publication::default()).await?;
            return Ok(configuration(&self.unsettled(published), Shown::Creating));
        }
        Ok(configuration(&self.unsettled(function), Shown::Updating))
    }

    /// By the time an update is done the function has another revision. [suite: recorded answers]
    fn unsettled(&self, function: Function) -> Function {
        Function { revision: self.world.uuid(), ..function }
    }

    pub(super) async fn update_configuration(&self, call: &Call, input: &Value) -> Answer {
        create::refuse_unsupported(input)?;
        let environment = create::environment(input)?;
        let layers = self.layers_of(call, input)?;
        let dead_letter = self.dead_letter(call, input).await?;
        let vpc = self.vpc(call, input).await?;
        if let Some(layers) = &layers {
            self.check_size(&self.named(call, input)?.code_sha256, layers).await?;
        }
        let runtime = text(input, "Runtime").map(create::runtime).transpose()?;
        let revision = text(input, "RevisionId");
        let now_ms = self.world.now().millis();
        let function = self
            .change(call, required(input, "FunctionName"), revision, |function| {
                function.modified_ms = now_ms;
                let set = |into: &mut String, member: &str| {
                    if let Some(value) = text(input, member) {
                        value.clone_into(into);
                    }
                };
                set(&mut function.role, "Role");
                set(&mut function.handler, "Handler");
                set(&mut function.description, "Description");
                if let Some(runtime) = &runtime {
                    function.runtime.clone_from(runtime);
                }
                if let Some(seconds) = integer(input, "Timeout") {
                    function.timeout_s = seconds.max(1) as u64;
                }
                if let Some(megabytes) = integer(input, "MemorySize") {
                    function.memory_mb = megabytes.max(1) as u32;
                }
                if let Some(megabytes) = create::ephemeral_mb(input) {
                    function.ephemeral_mb = Some(megabytes);
                }
                function.json_log = create::json_log(input, function.json_log.as_ref())?;
                if let Some(arn) = &dead_letter {
                    function.dead_letter = Some(arn.clone()).filter(|arn| !arn.is_empty());
                }
                if let Some(vpc) = &vpc {
                    // A function that was taken out of its network is told to be in none.
                    function.vpc =
                        Some(vpc.clone()).filter(|vpc| !vpc.id.is_empty() || function.vpc.is_some());
                }
                if let Some(layers) = &layers {
                    function.layers.clone_from(layers);
                }
                if environment.is_some() {
                    function.environment.clone_from(&environment);
                }
                if let Some(group) = create::log_group(input) {
                    function.log_group = group;
                }
                Ok(())
            })
            .await?;
        Ok(configuration(&self.unsettled(function), Shown::Updating))
    }

    pub(super) async fn tag(&self, call: &Call, input: &Value) -> Answer {
        let tags = create::tags(input);
        self.untagged(call, input)?;
        if tags.is_empty() {
            return Err(invalid("An error occurred and the request cannot be processed."));
        }
        self.change(call, required(input, "Resource"), None, |function| {
            function.tags.extend(tags.clone());
            if function.tags.len() > create::TAGS_MAX {
                return Err(create::too_many_tags());
            }
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) async fn untag(&self, call: &Call, input: &Value) -> Answer {
        let keys = texts(input, "TagKeys");
        if keys.is_empty() {
            return Err(null("tagKeys"));
        }
        self.untagged(call, input)?;
        self.change(call, required(input, "Resource"), None, |function| {
            function.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    /// Versions and aliases have no tags of their own.
    pub(super) fn untagged(&self, call: &Call, input: &Value) -> Result<FunctionName, ServiceError> {
        let name = FunctionName::parse(required(input, "Resource"), &call.caller)?;
        match name.qualifier {
            None => Ok(name),
            Some(_) => Err(invalid(
                "Tags on function aliases and versions are not supported. Please specify a function ARN.",
            )),
        }
    }

    pub(super) async fn put_concurrency(&self, call: &Call, input: &Value) -> Answer {
        let most = integer(input, "ReservedConcurrentExecutions").unwrap_or(0).max(0) as u32;
        self.check_reservation(call, input, most)?;
        self.change(call, required(input, "FunctionName"), None, |function| {
            function.reserved_concurrency = Some(most);
            Ok(())
        })
        .await?;
        Ok(json!({ "ReservedConcurrentExecutions": most }))
    }

    /// What is reserved is a function's as a whole, and leaves something for the others.
    fn check_reservation(&self, call: &Call, input: &Value, most: u32) -> Result<(), ServiceError> {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?;
        if name.qualifier.is_some() {
            return Err(whole_only());
        }
        let latest = FunctionName { qualifier: Some("$LATEST".to_owned()), ..name.clone() };
        self.registry.find(&call.caller, &name).map_err(|_| not_found(&latest.arn(&call.caller)))?;
        let own = format!("{}/{}/", call.caller.account, call.caller.region);
        let others = self.registry.functions.list(&own)?;
        let others = others.iter().filter(|(_, function)| function.name != name.name);
        let reserved: u32 = others.filter_map(|(_, function)| function.reserved_concurrency).sum();
        let all = self.functions.concurrency_max();
        let least = UNRESERVED_MIN.min(all / 10);
        if most > 0 && reserved.saturating_add(most).saturating_add(least) > all {
            return Err(invalid(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [{least}]."
            ))
            .with("Type", Value::Null));
        }
        Ok(())
    }

    pub(super) async fn delete_concurrency(&self, call: &Call, input: &Value) -> Answer {
        self.change(call, required(input, "FunctionName"), None, |function| {
            function.reserved_concurrency = None;
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }
}

pub(super) fn stale() -> ServiceError {
    stale_of("GetFunction/GetAlias")
}

/// With the operation that tells the present revision.
pub(super) fn stale_of(told_by: &str) -> ServiceError {
    let message = format!(
        "The Revision Id provided does not match the latest Revision Id. Call the {told_by} API to retrieve the latest Revision Id"
    );
    ServiceError::new("PreconditionFailedException", message).with_status(412).with("Type", "User")
}

pub(super) fn whole_only() -> ServiceError {
    invalid(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.",
    )
}

fn null(member: &str) -> ServiceError {
    let message = format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    );
    ServiceError::new("ValidationException", message).with_status(400)
}
