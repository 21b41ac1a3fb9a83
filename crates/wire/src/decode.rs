//! From a request to a tree of modelled member names.

use crate::{Operation, Request, ServiceError};
use serde_json::Value;

/// The operation's input as a JSON object keyed by the model's member names, whatever the protocol.
/// Blobs are base64 strings, timestamps are epoch seconds. A member whose blob is the whole body is left out: it is
/// `request.body`.
pub fn decode(request: &Request, operation: &Operation) -> Result<Value, ServiceError> {
    let _ = (request, operation);
    panic!("not yet")
}
