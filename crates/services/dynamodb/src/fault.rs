//! The errors of DynamoDB and its streams, in the service's words.

use engine::{Error, ErrorKind, Side, Throttled};
use serde_json::json;
use wire::ServiceError;

/// What every operation of these services returns when it cannot do what it was asked.
pub(super) type Fault = ServiceError;

/// The request is wrong.
pub(super) fn validation(message: impl Into<String>) -> Fault {
    ServiceError::new("com.amazon.coral.validate#ValidationException", message)
}

/// A parameter's value is wrong, in the envelope that most such messages share.
pub(super) fn parameter(message: impl AsRef<str>) -> Fault {
    validation(format!("One or more parameter values were invalid: {}", message.as_ref()))
}

/// What single writes and queries say of a request that is wrong by itself, whatever the table holds: the envelope of
/// the model's constraints. Reads by key, scans, batches and transactions do without. [suite: moto, since August 2026]
pub(super) fn detected(fault: Fault) -> Fault {
    const ENVELOPE: &str = "1 validation error detected: ";
    match &fault.message {
        Some(message) if fault.name() == "ValidationException" && !message.starts_with(ENVELOPE) => {
            validation(format!("{ENVELOPE}{message}"))
        }
        _ => fault,
    }
}

/// A constraint that the model does not state, in the words of those it does.
pub(super) fn constraint(value: &str, path: &str, rule: &str) -> Fault {
    validation(format!(
        "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: {rule}"
    ))
}

/// A data operation's table does not exist: the message does not say which.
pub(super) fn no_resource() -> Fault {
    ServiceError::new("ResourceNotFoundException", "Requested resource not found")
}

/// A control operation's table does not exist.
pub(super) fn no_table(name: &str) -> Fault {
    ServiceError::new(
        "ResourceNotFoundException",
        format!("Requested resource not found: Table: {name} not found"),
    )
}

pub(super) fn no_stream(arn: &str) -> Fault {
    ServiceError::new(
        "ResourceNotFoundException",
        format!("Requested resource not found: Stream: {arn} not found"),
    )
}

pub(super) fn in_use(message: impl Into<String>) -> Fault {
    ServiceError::new("ResourceInUseException", message)
}

pub(super) fn limit_exceeded(message: impl Into<String>) -> Fault {
    ServiceError::new("LimitExceededException", message)
}

pub(super) fn access_denied(message: impl Into<String>) -> Fault {
    ServiceError::coral("AccessDeniedException", message)
}

/// Something of ours failed; what it was stands in the log, not here.
pub(super) fn internal() -> Fault {
    ServiceError::new("InternalServerError", "The request processing has failed because of an unknown error.")
        .with_status(500)
}

/// What the engine refuses in an operation on items.
pub(super) fn data(error: Error) -> Fault {
    match error.kind {
        ErrorKind::TableNotFound | ErrorKind::StreamNotFound | ErrorKind::ShardNotFound => no_resource(),
        ErrorKind::TableExists | ErrorKind::TableInUse => in_use(error.message),
        ErrorKind::ConditionFailed { .. } => {
            ServiceError::new("ConditionalCheckFailedException", "The conditional request failed")
        }
        ErrorKind::Validation | ErrorKind::IndexNotFound | ErrorKind::ItemTooLarge => {
            validation(error.message)
        }
        ErrorKind::BackupNotFound => ServiceError::new("BackupNotFoundException", error.message),
        ErrorKind::BackupInUse => ServiceError::new("BackupInUseException", error.message),
        ErrorKind::LimitExceeded => limit_exceeded(error.message),
        ErrorKind::Throttled(throttled) => self::throttled(&throttled, error.message),
        ErrorKind::Trimmed => ServiceError::new("TrimmedDataAccessException", error.message),
        _ => failed(error),
    }
}

/// More throughput was asked for than there is.
fn throttled(throttled: &Throttled, message: String) -> Fault {
    let whose = if throttled.is_index { "Index" } else { "Table" };
    let side = match throttled.side {
        Side::Read => "Read",
        Side::Write => "Write",
    };
    let (code, member, what) = match throttled.on_demand {
        true => ("ThrottlingException", "throttlingReasons", "MaxOnDemandThroughputExceeded"),
        false => {
            ("ProvisionedThroughputExceededException", "ThrottlingReasons", "ProvisionedThroughputExceeded")
        }
    };
    let reason = json!({ "reason": format!("{whose}{side}{what}"), "resource": throttled.arn });
    ServiceError::new(code, message).with(member, json!([reason]))
}

/// What the engine refuses in an operation on the table `name`.
pub(super) fn control(error: Error, name: &str) -> Fault {
    match error.kind {
        ErrorKind::TableNotFound => no_table(name),
        ErrorKind::TableExists => in_use(format!("Table already exists: {name}")),
        ErrorKind::IndexNotFound => no_resource(),
        _ => data(error),
    }
}

/// Tells the operator what the client is not told.
pub(super) fn failed(error: impl std::fmt::Display) -> Fault {
    world::say!("dynamodb: {error}");
    internal()
}
