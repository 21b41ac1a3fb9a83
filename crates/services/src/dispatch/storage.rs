//! Requests to S3, whose bodies are taken as they come.

use super::Services;
use crate::origins;
use http::Method;
use s3::ObjectsHold;
use servicekit::Mode;
use servicekit::body::Body;
use servicekit::call::Call;
use servicekit::reply::Reply;
use wire::{Request, Response};

impl Services {
    /// Keeps the files of every object there is, until it is dropped: for a copy of all.
    pub fn hold_objects(&self) -> ObjectsHold {
        self.0.s3.hold_files()
    }

    /// Whether a request is for S3, whose bodies are not collected: its head tells.
    pub fn is_storage(&self, head: &Request) -> bool {
        s3::is_storage(head, |name| self.0.s3.has(name))
    }

    /// Answers a request to S3, whose body comes as it is read, as may the answer's.
    pub async fn call_storage(&self, head: Request, body: Body) -> Reply {
        if head.method == Method::OPTIONS
            && let Some(answer) = self.preflight_of_bucket(&head)
        {
            return answer.into();
        }
        // Boxed: few requests come from a page.
        let granted = self.0.s3.grant(&head).map(Box::new);
        let page = self.0.origins.welcome_to_buckets(&head).map(Box::new);
        let mut reply = self.take_storage(head, body, self.0.gate.mode).await;
        match (granted, page) {
            (Some(granted), _) => reply.response.headers.extend(*granted),
            (None, Some(page)) => origins::open(&mut reply.response, *page),
            (None, None) => {}
        }
        reply
    }

    /// The answer to a browser that asks what a page may do with a bucket; None of what is no bucket's. A page that the
    /// operator lets in needs no rule of the bucket's.
    pub(super) fn preflight_of_bucket(&self, request: &Request) -> Option<Response> {
        let request_id = self.0.parts.world.uuid();
        let answer = match (self.0.s3.preflight(request)?, self.0.origins.welcome_to_buckets(request)) {
            (Ok(granted), _) => {
                let mut answer = Response::new(200, "");
                answer.headers.extend(granted);
                answer
            }
            (Err(_), Some(page)) => {
                let mut answer = origins::preflight(request)?;
                origins::open(&mut answer, page);
                answer
            }
            (Err(error), None) => {
                return Some(wire::encode_error(&api::tables::s3::SERVICE, error, &request_id));
            }
        };
        Some(answer.with_header("x-amz-request-id", &request_id))
    }

    pub(super) async fn take_storage(&self, head: Request, body: Body, mode: Mode) -> Reply {
        let inner = &*self.0;
        let request_id = inner.parts.world.uuid();
        let service = &api::tables::s3::SERVICE;
        // The signature is over the path as it came.
        let admitted = match s3::old_link(&head, inner.parts.world.now()) {
            Some(Ok(scope)) if mode != Mode::Lenient => {
                inner.gate.admit_by(scope, |secret| s3::is_signed_with(&head, secret))
            }
            Some(old) => old.map(|scope| (scope, None)),
            None => inner.gate.admit(mode, &head, service),
        };
        let (scope, identity) = match admitted {
            Ok(admitted) => admitted,
            Err(error) => return wire::encode_error(service, error, &request_id).into(),
        };
        let caller = inner.caller(scope);
        let head = s3::lead(head);
        let operation = match wire::route_storage(&head, service) {
            Ok(route) => route.operation,
            Err(unknown) => return unknown.into_response(&request_id).into(),
        };
        let mut call = Call { request: head, service, operation, caller, request_id, inside: None };
        let Some(identity) = identity.filter(|_| mode == Mode::Enforce) else {
            return self.whole_storage(call, Some(body)).await;
        };
        // Which objects are to go, and which tags are to be put, is told by the body.
        let tells = matches!(
            operation.name,
            "DeleteObjects" | "PutBucketTagging" | "PutObjectTagging" | "CreateBucket"
        );
        let mut body = Some(body);
        if tells
            && let Some(body) = body.take()
            && let Err(error) = inner.s3.take_document(&mut call, body).await
        {
            return call.refuse(error).into();
        }
        if operation.name == "DeleteObjects" {
            // Each is refused by itself.
            return match inner.refusals_of(&call, &identity).await {
                Ok(refusals) => inner.s3.delete_but(call, refusals).await,
                Err(error) => call.refuse(error).into(),
            };
        }
        match inner.permit(&call, &identity).await {
            Ok(()) => self.whole_storage(call, body).await,
            Err(error) => call.refuse(error).into(),
        }
    }
}
