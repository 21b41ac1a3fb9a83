//! Calls that change something are done to their end, also when their client goes away in the middle.

use crate::dispatch::Services;
use servicekit::body::Body;
use servicekit::call::{Call, Pending};
use servicekit::reply::Reply;

impl Services {
    /// Serves a call. A connection that breaks ends whatever serves its request; half a change would stay.
    pub(crate) fn whole(&self, call: Call) -> Pending<'_> {
        if may_be_left(call.service.name, call.operation.name) {
            return self.0.serve(call);
        }
        let inner = self.0.clone();
        Box::pin(to_its_end(async move { inner.serve(call).await }))
    }

    /// The same of S3, where a body is read while it comes: one that does not come to its end changes nothing. There is
    /// none where it has been taken in.
    pub(crate) async fn whole_storage(&self, call: Call, body: Option<Body>) -> Reply {
        let may_be_left = may_be_left("s3", call.operation.name);
        let inner = self.0.clone();
        let serve = async move {
            match body {
                Some(body) => inner.s3.call(call, body).await,
                None => inner.s3.call_taken(call).await,
            }
        };
        match may_be_left {
            true => serve.await,
            false => to_its_end(serve).await,
        }
    }
}

async fn to_its_end<T: Send + 'static>(serve: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(serve).await {
        Ok(answer) => answer,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

/// Whether nothing is left half done when nobody waits for the answer any more.
fn may_be_left(service: &str, operation: &str) -> bool {
    match (service, operation) {
        // A table's items change in one step, or each for itself.
        (
            "dynamodb",
            "PutItem"
            | "UpdateItem"
            | "DeleteItem"
            | "BatchWriteItem"
            | "TransactWriteItems"
            | "ExecuteStatement"
            | "ExecuteTransaction"
            | "BatchExecuteStatement",
        ) => true,
        ("dynamodb", "Query" | "Scan" | "TransactGetItems") => true,
        // A message is not to be hidden for the sake of somebody who has gone.
        ("sqs", "ReceiveMessage") => true,
        // What was begun runs on by itself, and what is accepted is kept before it is begun.
        ("lambda", "Invoke") => true,
        _ => ["Get", "BatchGet", "List", "Describe", "Head"].iter().any(|verb| operation.starts_with(verb)),
    }
}
