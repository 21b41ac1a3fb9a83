//! From a request to a tree of modelled member names.

mod form;
mod json;
mod rest;
mod storage;
mod xml;

use crate::{Operation, Protocol, Request, ServiceError};
use serde_json::{Map, Value};

/// The operation's input as a JSON object keyed by the model's member names, whatever the protocol.
///
/// Absent and null members are left out, members the model does not know too. Blobs are base64 strings, timestamps are
/// epoch seconds. A member whose blob is the whole body is left out: it is `request.body`.
pub fn decode(request: &Request, operation: &Operation) -> Result<Value, ServiceError> {
    let Some(input) = operation.input else {
        return Ok(Value::Object(Map::new()));
    };
    match operation.service.protocol {
        Protocol::Json10 | Protocol::Json11 => json::decode(operation.service, &request.body, input),
        Protocol::Query | Protocol::Ec2 => form::decode(request, operation.service.protocol, input),
        Protocol::RestJson => rest::decode(request, operation, input),
        Protocol::RestXml => storage::decode(request, input),
    }
}
