//! One call on its way through the house: what was asked, which operation it is, and for whom.

use bytes::Bytes;
use serde_json::Value;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use wire::{Operation, Request, Response, Service, ServiceError};

/// What an operation answers with, before it is put into its protocol's form.
pub type Answer = Result<Value, ServiceError>;

/// An answer on its way. Boxed where one room calls into another: an `async fn` is compiled again into every crate and
/// codegen unit that awaits it, with all that it awaits.
pub type Pending<'a, T = Response> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whose resources a call is about: taken from its credential scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: Arc<str>,
    pub region: Arc<str>,
    /// The access key the call was signed with; absent from unsigned calls.
    pub access_key: Option<Arc<str>>,
}

/// A routed call.
pub struct Call {
    pub request: Request,
    pub service: &'static Service,
    pub operation: &'static Operation,
    pub caller: Caller,
    pub request_id: String,
    /// A call that one of our own services makes has no form on the wire.
    pub inside: Option<Inside>,
}

/// The input of a call from inside the house, and the place for its answer.
pub struct Inside {
    pub input: Value,
    pub answer: Arc<Mutex<Option<Answer>>>,
}

impl Inside {
    fn answer(&self, answer: Answer) -> Response {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        Response::new(200, Bytes::new())
    }
}

impl Call {
    /// The input as a tree of modelled member names, with every constraint checked.
    pub fn input(&self) -> Answer {
        let input = self.unchecked_input()?;
        self.check(&input)?;
        Ok(input)
    }

    /// The input with its types checked and nothing else.
    pub fn unchecked_input(&self) -> Answer {
        match &self.inside {
            Some(inside) => Ok(inside.input.clone()),
            None => wire::decode(&self.request, self.operation),
        }
    }

    /// Checks every constraint of the operation's model.
    pub fn check(&self, input: &Value) -> Result<(), ServiceError> {
        wire::violations(input, self.operation).finish()
    }

    /// Puts an answer into the operation's protocol.
    pub fn settle(&self, answer: Answer) -> Response {
        if let Some(inside) = &self.inside {
            return inside.answer(answer);
        }
        match answer {
            Ok(output) => wire::encode(self.operation, output, &self.request_id),
            Err(error) => self.refuse(error),
        }
    }

    /// A success whose body is these bytes: of a JSON service that has written its own.
    pub fn settle_json(&self, body: Vec<u8>) -> Response {
        if let Some(inside) = &self.inside {
            // Some operations answer with nothing at all.
            let body: &[u8] = if body.is_empty() { b"{}" } else { &body };
            return inside.answer(serde_json::from_slice(body).map_err(crate::documents::unavailable));
        }
        wire::json_response(self.service, body, &self.request_id)
    }

    /// A success whose body is a payload member; `output` fills headers and status.
    pub fn settle_payload(&self, mut output: Value, body: Bytes) -> Response {
        if let Some(inside) = &self.inside {
            output["Payload"] = String::from_utf8_lossy(&body).into();
            return inside.answer(Ok(output));
        }
        wire::encode_payload(self.operation, output, body, &self.request_id)
    }

    pub fn refuse(&self, error: ServiceError) -> Response {
        if let Some(inside) = &self.inside {
            return inside.answer(Err(error));
        }
        wire::encode_error(self.service, error, &self.request_id)
    }

    /// The answer to an operation that is known and not built.
    pub fn not_implemented(&self) -> Response {
        self.refuse(self.unknown())
    }

    pub fn unknown(&self) -> ServiceError {
        let message = format!("{}.{} is not implemented", self.service.name, self.operation.name);
        ServiceError::new("NotImplemented", message).with_status(501)
    }
}
