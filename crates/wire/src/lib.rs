//! Knows how AWS clients speak over HTTP: JSON, query and REST forms, routing, signatures, constraint violations.
//! Never knows what an operation does, what an attribute value is, or where anything is kept.

pub mod base64;
pub mod build;
mod chunked;
mod decode;
mod encode;
mod error;
pub mod eventstream;
mod message;
pub mod percent;
mod route;
pub mod shape;
pub mod sigv4;
mod time;
mod violations;
pub mod xml;

pub use chunked::{Chunked, Malformed};
pub use decode::decode;
pub use encode::{encode, encode_error, encode_payload, json_response};
pub use error::ServiceError;
pub use message::{Request, Response};
pub use route::{Route, RouteError, TARGET, bucket_and_key, not_implemented, route, route_storage};
pub use shape::{Operation, Protocol, Service};
pub use violations::{Violations, violations};
