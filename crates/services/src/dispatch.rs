//! From a request to the service that answers it.

use crate::call::{Call, Caller};
use crate::dynamodb::Dynamodb;
use crate::iam::Iam;
use crate::lambda::{Lambda, LambdaTargets};
use crate::logs::{LogBook, Logs};
use crate::sqs::{Queues, Sqs};
use crate::sts::Sts;
use engine::Engine;
use feed::Feed;
use functions::Functions;
use std::sync::Arc;
use store::Store;
use wire::{Request, Response};
use world::World;

/// What the services stand on.
#[derive(Clone)]
pub struct Parts {
    pub world: World,
    pub store: Store,
    pub engine: Arc<Engine>,
    pub functions: Functions,
    /// The functions as targets of mappings; the feed was given the same.
    pub targets: LambdaTargets,
    pub feed: Feed,
    /// Log events; the functions write theirs into it through a `LogQueue`.
    pub logs: LogBook,
    pub queues: Queues,
    pub settings: Settings,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// The account every caller belongs to.
    pub account: Arc<str>,
    /// The region of calls that name none.
    pub region: Arc<str>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { account: "123456789012".into(), region: "us-east-1".into() }
    }
}

/// Every AWS service the house speaks, behind one call. Cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

pub(crate) struct Inner {
    parts: Parts,
    dynamodb: Dynamodb,
    lambda: Lambda,
    iam: Iam,
    sts: Sts,
    logs: Logs,
    sqs: Sqs,
}

impl Services {
    pub fn new(parts: Parts) -> Services {
        let post = parts.targets.post.clone();
        let inner = Arc::new(Inner {
            dynamodb: Dynamodb::new(&parts),
            lambda: Lambda::new(&parts),
            iam: Iam::new(&parts),
            sts: Sts::new(&parts),
            logs: Logs::new(&parts),
            sqs: Sqs::new(&parts.queues),
            parts,
        });
        post.open(Arc::downgrade(&inner));
        Services(inner)
    }

    pub(crate) fn of(inner: Arc<Inner>) -> Services {
        Services(inner)
    }

    /// Answers one request. Never fails: whatever is wrong is told in the form of the service that was asked.
    pub async fn call(&self, request: Request) -> Response {
        let inner = &*self.0;
        let request_id = inner.parts.world.uuid();
        let (service, operation) = match wire::route(&request, api::SERVICES) {
            Ok(route) => (route.service, route.operation),
            Err(unknown) => return unknown.into_response(&request_id),
        };
        let scope = match wire::sigv4::lenient(&request, service) {
            Ok(scope) => scope,
            Err(error) => return wire::encode_error(service, error, &request_id),
        };
        let caller = Caller {
            account: inner.parts.settings.account.clone(),
            region: inner.region(&scope.region),
            access_key: Some(scope.access_key.into()),
        };
        let call = Call { request, service, operation, caller, request_id };
        match service.name {
            "dynamodb" | "dynamodbstreams" => inner.dynamodb.call(call).await,
            "lambda" => inner.lambda.call(call).await,
            "iam" => inner.iam.call(call).await,
            "sts" => inner.sts.call(call).await,
            "logs" => inner.logs.call(call).await,
            "sqs" => inner.sqs.call(call).await,
            _ => call.not_implemented(),
        }
    }

    /// The package behind a link that `GetFunction` gave out.
    pub async fn download(&self, path: &str) -> Option<Vec<u8>> {
        self.0.lambda.download(path).await
    }

    /// The answer to a request to a function's address; None when it is to something else.
    pub async fn call_url(&self, request: &Request) -> Option<Response> {
        self.0.lambda.call_url(request).await
    }

    #[cfg(test)]
    pub(crate) fn lambda(&self) -> &Lambda {
        &self.0.lambda
    }

    /// Every mapping's records and what stands in their way, as JSON; or those of one mapping.
    pub fn triggers(&self, id: Option<&str>) -> String {
        let parts = &self.0.parts;
        crate::lambda::mapping_status(&parts.feed, &parts.world, id).to_string()
    }

    /// Lets work in flight finish, makes every checkpoint durable, and ends the functions' processes.
    pub async fn shutdown(&self) {
        self.0.parts.feed.shutdown().await;
        self.0.parts.functions.shutdown().await;
    }
}

impl Inner {
    /// The default region is shared rather than copied for every call.
    fn region(&self, named: &str) -> Arc<str> {
        let default = &self.parts.settings.region;
        if named.is_empty() || named == &**default { default.clone() } else { named.into() }
    }
}
