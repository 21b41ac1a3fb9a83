//! Looking functions up.

use super::Functions;
use super::shown::{Shown, configuration_as};
use super::versions::listed;
use crate::name::{FunctionName, invalid};
use crate::registry::Function;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{self, integer, object, required, text};
use wire::ServiceError;

impl Functions {
    pub(super) fn named(&self, call: &Call, input: &Value) -> Result<Function, ServiceError> {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?;
        self.registry.find(&call.caller, &name.qualified(text(input, "Qualifier"))?)
    }

    /// The same with the ARN by which it was asked for.
    pub(super) fn named_as(&self, call: &Call, input: &Value) -> Result<(Function, String), ServiceError> {
        let name = FunctionName::parse(required(input, "FunctionName"), &call.caller)?
            .qualified(text(input, "Qualifier"))?;
        Ok((self.registry.find(&call.caller, &name)?, name.arn(&call.caller)))
    }

    pub(super) fn get(&self, call: &Call, input: &Value) -> Answer {
        let (function, arn) = self.named_as(call, input)?;
        let concurrency =
            function.reserved_concurrency.map(|most| json!({ "ReservedConcurrentExecutions": most }));
        Ok(object([
            ("Configuration", Some(configuration_as(&function, Shown::Settled, arn))),
            (
                "Code",
                Some(json!({ "RepositoryType": "S3", "Location": self.link(call, &function.code_sha256) })),
            ),
            ("Tags", (!function.tags.is_empty()).then(|| json!(function.tags))),
            ("Concurrency", concurrency),
        ]))
    }

    pub(super) fn get_configuration(&self, call: &Call, input: &Value) -> Answer {
        let (function, arn) = self.named_as(call, input)?;
        Ok(configuration_as(&function, Shown::Settled, arn))
    }

    pub(super) fn list(&self, call: &Call, input: &Value) -> Answer {
        if text(input, "MasterRegion").is_some() {
            return Err(invalid("MasterRegion is not supported."));
        }
        let own = format!("{}/{}/", call.caller.account, call.caller.region);
        let mut all = self.registry.functions.list(&own)?;
        let every = text(input, "FunctionVersion") == Some("ALL");
        if every {
            all.extend(self.registry.versions.list(&own)?);
            all.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        let shown = all.into_iter().map(|(name, function)| {
            let arn = if every { function.version_arn() } else { function.arn.clone() };
            (name, listed(&function, arn))
        });
        let limit = integer(input, "MaxItems").unwrap_or(50).clamp(1, 50) as usize;
        let page = fields::page(shown.collect(), text(input, "Marker"), limit, || {
            invalid("The specified marker is invalid.")
        })?;
        Ok(object([("Functions", Some(page.items.into())), ("NextMarker", page.next.map(Value::from))]))
    }

    pub(super) fn account_settings(&self, call: &Call) -> Answer {
        let all =
            self.registry.functions.list(&format!("{}/{}/", call.caller.account, call.caller.region))?;
        // Versions and layers take room, too.
        let own = format!("{}/{}/", call.caller.account, call.caller.region);
        let versions = self.registry.versions.list(&own)?;
        let layers = self.registry.layers.list(&own)?;
        let code = all.iter().chain(&versions).map(|(_, function)| function.code_bytes);
        let bytes: u64 = code.chain(layers.iter().map(|(_, layer)| layer.code_bytes)).sum();
        let most = self.functions.concurrency_max();
        let reserved: u32 = all.iter().filter_map(|(_, function)| function.reserved_concurrency).sum();
        Ok(json!({
            "AccountLimit": {
                "TotalCodeSize": 80_530_636_800_u64,
                "CodeSizeUnzipped": 262_144_000,
                "CodeSizeZipped": 52_428_800,
                "ConcurrentExecutions": most,
                "UnreservedConcurrentExecutions": most.saturating_sub(reserved),
            },
            "AccountUsage": { "TotalCodeSize": bytes, "FunctionCount": all.len() },
        }))
    }

    pub(super) fn list_tags(&self, call: &Call, input: &Value) -> Answer {
        let name = self.untagged(call, input)?;
        Ok(json!({ "Tags": self.registry.find(&call.caller, &name)?.tags }))
    }

    pub(super) fn get_concurrency(&self, call: &Call, input: &Value) -> Answer {
        let reserved = self.named(call, input)?.reserved_concurrency;
        Ok(object([("ReservedConcurrentExecutions", reserved.map(Value::from))]))
    }

    /// No function has one: packages are taken as they come.
    pub(super) fn get_code_signing(&self, call: &Call, input: &Value) -> Answer {
        Ok(json!({ "FunctionName": self.named(call, input)?.name }))
    }

    /// A runtime is the interpreter that the machine has now.
    pub(super) fn get_runtime_management(&self, call: &Call, input: &Value) -> Answer {
        let function = self.named(call, input)?;
        Ok(json!({ "UpdateRuntimeOn": "Auto", "FunctionArn": function.arn }))
    }
}
