//! What one service asks of another: the same checks as for a client, the same answer, no form on the wire.

use crate::dispatch::{Inner, Services};
use serde_json::Value;
use servicekit::Mode;
use servicekit::body::{Body, Stored, Whole};
use servicekit::call::{Answer, Call, Caller, Inside, Pending};
use servicekit::documents::unavailable;
use servicekit::house::{Household, Object, path_of};
use servicekit::reply::Tail;
use std::sync::{Arc, Mutex, PoisonError};
use wire::{Request, Response, ServiceError};

impl Household for Inner {
    fn ask<'a>(
        &'a self,
        caller: &'a Caller,
        service: &'a str,
        operation: &'a str,
        input: Value,
    ) -> Pending<'a, Answer> {
        Box::pin(async move {
            let (call, answer) = self.inside(caller, service, operation, input).await?;
            self.serve(call).await;
            told(&answer)
        })
    }

    fn put_object<'a>(&'a self, caller: &'a Caller, input: Value, body: Body) -> Pending<'a, Answer> {
        Box::pin(
            async move { self.ask_storage(caller, "PutObject", input, body).await.map(|(answer, _)| answer) },
        )
    }

    fn get_object<'a>(
        &'a self,
        caller: &'a Caller,
        input: Value,
    ) -> Pending<'a, Result<Stored, ServiceError>> {
        Box::pin(async move {
            match self.ask_storage(caller, "GetObject", input, Box::new(Whole(None))).await? {
                (_, Some(Tail::Stored(stored))) => Ok(stored),
                _ => Err(unavailable("an object came without its bytes")),
            }
        })
    }

    fn object<'a>(
        &'a self,
        place: &'a Object<'a>,
        bytes_max: u64,
    ) -> Pending<'a, Result<Vec<u8>, ServiceError>> {
        Box::pin(self.s3.read(place.bucket, place.key, place.version, bytes_max))
    }

    fn take(self: Arc<Self>, request: Request) -> Pending<'static, Response> {
        Box::pin(async move { Services(self).take(request, Mode::Lenient).await.whole().await })
    }
}

impl Inner {
    /// Asks S3, whose bodies are no members: the body of what is put, and of what is read.
    async fn ask_storage(
        &self,
        caller: &Caller,
        operation: &str,
        input: Value,
        body: Body,
    ) -> Result<(Value, Option<Tail>), ServiceError> {
        let (call, answer) = self.inside(caller, "s3", operation, input).await?;
        let reply = self.s3.call(call, body).await;
        Ok((told(&answer)?, reply.tail))
    }

    /// A call from inside the house that may be made, and the place for its answer.
    async fn inside(
        &self,
        caller: &Caller,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Result<(Call, AnswerPlace), ServiceError> {
        let known = api::SERVICES.iter().find(|known| known.name == service);
        let operation = known.and_then(|known| known.operation(operation)).ok_or_else(|| {
            ServiceError::new("NotImplemented", format!("{service}.{operation} is not implemented"))
        })?;
        let answer = Arc::new(Mutex::new(None));
        let body = serde_json::to_vec(&input).map_err(unavailable)?;
        let request = Request { path: path_of(operation, &input), ..Request::post(body) };
        // What an answer's addresses are made of.
        let host = self.parts.functions.endpoint().trim_start_matches("http://");
        let request = request.with_header("host", host);
        let inside = Some(Inside { input, answer: answer.clone() });
        let (caller, request_id) = (caller.clone(), self.parts.world.uuid());
        let call = Call { request, service: operation.service, operation, caller, request_id, inside };
        // Whom a service asks for may not do through it what he may not do himself.
        let key = call.caller.access_key.clone().filter(|_| self.gate.mode == Mode::Enforce);
        if let Some(known) = key.map(|key| self.gate.keys.find(&key)).transpose()?.flatten() {
            self.permit(&call, &known.identity).await?;
        }
        Ok((call, answer))
    }
}

type AnswerPlace = Arc<Mutex<Option<Answer>>>;

fn told(place: &AnswerPlace) -> Answer {
    let answer = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    answer.unwrap_or_else(|| Err(unavailable("a service gave no answer")))
}
