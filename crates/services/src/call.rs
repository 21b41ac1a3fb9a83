//! One call on its way through the house: what was asked, which operation it is, and for whom.

use serde_json::Value;
use std::sync::Arc;
use wire::shape::{Operation, Service};
use wire::{Request, Response, ServiceError};

/// What an operation answers with, before it is put into its protocol's form.
pub(crate) type Answer = Result<Value, ServiceError>;

/// Whose resources a call is about: taken from its credential scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub account: Arc<str>,
    pub region: Arc<str>,
    /// The access key the call was signed with; absent from unsigned calls.
    pub access_key: Option<Arc<str>>,
}

/// A routed call.
pub(crate) struct Call {
    pub request: Request,
    pub service: &'static Service,
    pub operation: &'static Operation,
    pub caller: Caller,
}

impl Call {
    /// The input as a tree of modelled member names, with every constraint checked.
    pub fn input(&self) -> Answer {
        let input = wire::decode(&self.request, self.operation)?;
        wire::violations(&input, self.operation.input).finish()?;
        Ok(input)
    }

    /// Puts an answer into the operation's protocol.
    pub fn settle(&self, answer: Answer) -> Response {
        match answer {
            Ok(output) => wire::encode(self.operation, output),
            Err(error) => wire::encode_error(self.service, error),
        }
    }
}
