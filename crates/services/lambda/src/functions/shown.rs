//! A function as its configuration is shown.

use crate::registry::Function;
use serde_json::{Value, json};
use servicekit::fields::object;
use sha2::{Digest, Sha256};

/// What a function is shown to be doing.
#[derive(Clone, Copy)]
pub(super) enum Shown {
    /// In the answer to its creation: it is ready by the next call.
    Creating,
    /// In the answer to an update.
    Updating,
    Settled,
}

/// With the ARN of what is shown: `$LATEST` goes without its name.
pub(super) fn configuration(function: &Function, shown: Shown) -> Value {
    let arn = if function.version.is_some() { function.version_arn() } else { function.arn.clone() };
    configuration_as(function, shown, arn)
}

/// With the ARN by which it was asked for.
pub(super) fn configuration_as(function: &Function, shown: Shown, arn: String) -> Value {
    let (state, reason, code) = match shown {
        Shown::Creating => ("Pending", Some("The function is being created."), Some("Creating")),
        _ => ("Active", None, None),
    };
    let (update, update_reason, update_code) = match shown {
        Shown::Creating => (None, None, None),
        Shown::Updating => (Some("InProgress"), Some("The function is being created."), Some("Creating")),
        Shown::Settled => (Some("Successful"), None, None),
    };
    object([
        ("FunctionName", Some(function.name.clone().into())),
        ("FunctionArn", Some(arn.into())),
        ("Runtime", Some(function.runtime.clone().into())),
        ("Role", Some(function.role.clone().into())),
        ("Handler", Some(function.handler.clone().into())),
        ("CodeSize", Some(function.code_bytes.into())),
        ("Description", Some(function.description.clone().into())),
        ("Timeout", Some(function.timeout_s.into())),
        ("MemorySize", Some(function.memory_mb.into())),
        ("LastModified", Some(modified(function).into())),
        ("CodeSha256", Some(function.code_digest.clone().into())),
        ("Version", Some(function.version().into())),
        ("Environment", function.environment.as_ref().map(|variables| json!({ "Variables": variables }))),
        ("VpcConfig", function.vpc.as_ref().map(super::vpc::shown)),
        ("DeadLetterConfig", function.dead_letter.as_ref().map(|arn| json!({ "TargetArn": arn }))),
        ("Layers", (!function.layers.is_empty()).then(|| layers(function))),
        ("TracingConfig", Some(json!({ "Mode": "PassThrough" }))),
        ("RevisionId", Some(function.revision.clone().into())),
        ("State", Some(state.into())),
        ("StateReason", reason.map(Value::from)),
        ("StateReasonCode", code.map(Value::from)),
        ("LastUpdateStatus", update.map(Value::from)),
        ("LastUpdateStatusReason", update_reason.map(Value::from)),
        ("LastUpdateStatusReasonCode", update_code.map(Value::from)),
        ("PackageType", Some("Zip".into())),
        ("Architectures", Some(json!([function.architecture]))),
        ("EphemeralStorage", Some(json!({ "Size": function.ephemeral_mb.unwrap_or(512) }))),
        ("SnapStart", Some(json!({ "ApplyOn": "None", "OptimizationStatus": "Off" }))),
        ("RuntimeVersionConfig", Some(json!({ "RuntimeVersionArn": runtime_arn(function) }))),
        ("LoggingConfig", Some(logging(function))),
    ])
}

/// What stands for the build of a runtime: a name that is its own, and always the same.
fn runtime_arn(function: &Function) -> String {
    let region = function.arn.split(':').nth(3).unwrap_or_default();
    let digest = Sha256::digest(function.runtime.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("arn:aws:lambda:{region}::runtime:{digest}")
}

fn layers(function: &Function) -> Value {
    function.layers.iter().map(|layer| json!({ "Arn": layer.arn, "CodeSize": layer.code_bytes })).collect()
}

fn logging(function: &Function) -> Value {
    match &function.json_log {
        None => json!({ "LogFormat": "Text", "LogGroup": function.log_group }),
        Some((application, system)) => json!({
            "LogFormat": "JSON",
            "ApplicationLogLevel": application,
            "SystemLogLevel": system,
            "LogGroup": function.log_group,
        }),
    }
}

fn modified(function: &Function) -> String {
    format!("{}+0000", world::Timestamp::from_millis(function.modified_ms).iso_millis())
}
