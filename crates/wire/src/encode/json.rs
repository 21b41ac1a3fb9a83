//! JSON bodies.

use super::time_text;
use crate::shape::{Kind, Location, Shape, TimeFormat};
use crate::{Service, ServiceError};
use serde_json::{Map, Value};

/// A body for a tree of member names: the same tree, unless the model renames a member or writes a time otherwise.
pub(super) fn body(shape: Option<&Shape>, output: &Value) -> Vec<u8> {
    match shape {
        Some(shape) if renames(shape, 0) => serde_json::to_vec(&renamed(shape, output)).unwrap_or_default(),
        _ if output.is_null() => b"{}".to_vec(),
        _ => serde_json::to_vec(output).unwrap_or_default(),
    }
}

/// Whether a shape has, not too deep, anything that the tree writes otherwise.
fn renames(shape: &Shape, depth: usize) -> bool {
    if depth > 8 {
        return false;
    }
    match &shape.kind {
        Kind::Structure(structure) => structure.members.iter().any(|member| {
            (member.location == Location::Body && member.wire_name != member.name)
                || member.time_format.is_some()
                || renames(member.shape, depth + 1)
        }),
        Kind::List(list) => renames(list.member, depth + 1),
        Kind::Map(map) => renames(map.value, depth + 1),
        Kind::Timestamp(format) => !matches!(format, TimeFormat::Default | TimeFormat::Epoch),
        _ => false,
    }
}

fn renamed(shape: &Shape, value: &Value) -> Value {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(members)) => {
            let mut out = Map::with_capacity(members.len());
            for (name, value) in members {
                match structure.member(name) {
                    Some(member) => {
                        let value = match member.time_format {
                            Some(format) if value.is_number() && format != TimeFormat::Epoch => {
                                time_text(format, value).into()
                            }
                            _ => renamed(member.shape, value),
                        };
                        out.insert(member.wire_name.to_string(), value);
                    }
                    None => {
                        out.insert(name.clone(), value.clone());
                    }
                }
            }
            Value::Object(out)
        }
        (Kind::List(list), Value::Array(elements)) => {
            elements.iter().map(|element| renamed(list.member, element)).collect()
        }
        (Kind::Map(map), Value::Object(entries)) => Value::Object(
            entries.iter().map(|(key, value)| (key.clone(), renamed(map.value, value))).collect(),
        ),
        (Kind::Timestamp(format @ (TimeFormat::Iso8601 | TimeFormat::Rfc822)), Value::Number(_)) => {
            time_text(*format, value).into()
        }
        (_, value) => value.clone(),
    }
}

/// `{"__type":"namespace#Code","message":"…"}`
pub(super) fn error(service: &Service, error: &ServiceError) -> Vec<u8> {
    let mut out = Map::new();
    let code = if error.code.contains('#') || service.namespace.is_empty() {
        error.code.to_string()
    } else if service.error(&error.code).is_none() && is_coral(&error.code) {
        format!("com.amazon.coral.service#{}", error.code)
    } else if service.error(&error.code).is_none() && error.code == "ValidationException" {
        "com.amazon.coral.validate#ValidationException".to_string()
    } else {
        format!("{}#{}", service.namespace, spelled(service, &error.code))
    };
    out.insert("__type".into(), code.into());
    if let Some(message) = &error.message {
        out.insert(message_member(service, error).into(), message.clone().into());
    }
    out.extend(error.members.iter().map(|(name, value)| (name.clone(), value.clone())));
    serde_json::to_vec(&out).unwrap_or_default()
}

/// Queues have two codes that only the body spells so; the header beside it has the short ones. [suite: recorded answers]
fn spelled<'a>(service: &Service, code: &'a str) -> &'a str {
    match (service.target_prefix, code) {
        ("AmazonSQS", "InvalidParameterValue") => "InvalidParameterValueException",
        ("AmazonSQS", "MissingParameter") => "MissingRequiredParameterException",
        _ => code,
    }
}

fn is_coral(name: &str) -> bool {
    matches!(
        name,
        "SerializationException"
            | "UnknownOperationException"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignatureException"
            | "InvalidSignatureException"
            | "UnrecognizedClientException"
            | "AccessDeniedException"
            | "ExpiredTokenException"
    )
}

/// Faults of reading and of rights spell the member with a capital, and so do all of Secrets Manager's own.
fn message_member(service: &Service, error: &ServiceError) -> &'static str {
    let capital = match error.name() {
        "SerializationException"
        | "AccessDeniedException"
        | "TransactionCanceledException"
        | "TransactionInProgressException"
        | "IdempotentParameterMismatchException" => true,
        name => service.name == "secretsmanager" && service.error(name).is_some(),
    };
    if capital { "Message" } else { "message" }
}

/// What functions' service spells small, though it is its own.
const SMALL: [&str; 13] = [
    "CapacityProviderLimitExceededException",
    "CodeStorageExceededException",
    "InvalidParameterValueException",
    "InvalidRequestContentException",
    "PolicyLengthExceededException",
    "PreconditionFailedException",
    "ProvisionedConcurrencyConfigNotFoundException",
    "RequestTooLargeException",
    "ResourceConflictException",
    "ResourceNotReadyException",
    "SerializedRequestEntityTooLargeException",
    "TooManyRequestsException",
    "UnsupportedMediaTypeException",
];

/// `{"Type":"User","Message":"…"}` beside the type's header, as functions' service writes it; others spell it small.
pub(super) fn rest_error(service: &Service, error: &ServiceError, sender: bool) -> Vec<u8> {
    let mut out = Map::new();
    // Faults found before the function's own service is reached spell it small, too.
    let small = service.name != "lambda"
        || matches!(
            error.name(),
            "ValidationException" | "AccessDeniedException" | "UnknownOperationException"
        );
    if !small && !error.members.contains_key("Type") {
        out.insert("Type".into(), if sender { "User" } else { "Server" }.into());
    }
    let small = small || SMALL.contains(&error.name());
    // A few have no type; their members say so by null.
    let members = error.members.iter().filter(|(_, value)| !value.is_null());
    out.extend(members.map(|(name, value)| (name.clone(), value.clone())));
    if let Some(message) = &error.message {
        out.insert(if small { "message" } else { "Message" }.into(), message.clone().into());
    }
    serde_json::to_vec(&out).unwrap_or_default()
}
