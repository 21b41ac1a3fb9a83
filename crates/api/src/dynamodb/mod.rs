//! DynamoDB's busiest requests, read straight from their bytes, and items, written straight to bytes.
//!
//! The fast path never explains: `read` answers `None` for whatever is wrong, rare or old-fashioned, and the caller then takes
//! the way of `wire::decode` and `wire::violations`, which finds AWS's words for it.

mod attributes;
mod quoted;
mod requests;
mod stream;
mod writer;

pub use attributes::{Attribute, Attributes, Text};
pub use quoted::string;
pub use requests::*;
pub use stream::{StreamRecord, stream_record};
pub use writer::{Object, item, value};
