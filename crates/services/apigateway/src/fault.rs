//! The refusals of API Gateway, and members that are refused by name.

use serde_json::Value;
use wire::ServiceError;

pub(super) fn bad(message: impl Into<String>) -> ServiceError {
    ServiceError::new("BadRequestException", message).with_status(400)
}

pub(super) fn missing(message: impl Into<String>) -> ServiceError {
    ServiceError::new("NotFoundException", message).with_status(404)
}

pub(super) fn conflict(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ConflictException", message).with_status(409)
}

pub(super) fn too_many(message: impl Into<String>) -> ServiceError {
    ServiceError::new("LimitExceededException", message).with_status(429)
}

/// Members that are not built. Empty ones, zeroes and `false` ask for nothing.
pub(super) fn refuse(input: &Value, members: &[&str]) -> Result<(), ServiceError> {
    let asks = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    match members.iter().find(|member| input.get(**member).is_some_and(asks)) {
        Some(member) => Err(bad(format!("{member} is not supported."))),
        None => Ok(()),
    }
}
