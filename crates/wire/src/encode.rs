//! From a tree of modelled member names to a response.

use crate::{Operation, Response, Service, ServiceError};
use bytes::Bytes;
use serde_json::Value;

/// A success, in the operation's protocol.
pub fn encode(operation: &Operation, output: Value, request_id: &str) -> Response {
    let _ = (operation, output, request_id);
    panic!("not yet")
}

/// A success whose body is the given bytes; `output` fills headers and status.
pub fn encode_payload(operation: &Operation, output: Value, body: Bytes, request_id: &str) -> Response {
    let _ = (operation, output, body, request_id);
    panic!("not yet")
}

/// An error, in the service's protocol.
pub fn encode_error(service: &Service, error: ServiceError, request_id: &str) -> Response {
    let _ = (service, error, request_id);
    panic!("not yet")
}

/// A success of a JSON service whose body is already written.
pub fn json_response(service: &Service, body: Vec<u8>, request_id: &str) -> Response {
    let _ = (service, body, request_id);
    panic!("not yet")
}
