//! API Gateway: addresses of their own for functions. HTTP APIs and REST APIs: two services, one place that serves.
//! Never runs a function itself.

mod authorizer;
mod cache;
mod fault;
mod guards;
mod http;
mod live;
mod members;
mod openapi;
mod outside;
mod reply;
mod rest;
mod route_key;
mod tags;
mod target;
mod throttle;
mod visit;

use self::http::Http;
use lambda::{LambdaTargets, ServiceCalls};
use outside::Outside;
use rest::Rest;
use servicekit::address;
use servicekit::call::{Call, Pending};
use store::Store;
use wire::{Protocol, Request, Response, Service, ServiceError};
use world::World;

pub struct ApiGateway {
    http: Http,
    rest: Rest,
    targets: ServiceCalls,
}

/// The service that callers of methods sign for.
pub static EXECUTE: Service = Service {
    name: "execute-api",
    signing_name: "execute-api",
    protocol: Protocol::RestJson,
    version: "",
    target_prefix: "",
    namespace: "",
    violation_code: "BadRequestException",
    operations: &[],
    refused: &[],
    errors: &[],
};

/// What a caller is told who may not call a method.
pub fn forbidden(error: ServiceError) -> Response {
    reply::message(403, error.message.as_deref().unwrap_or("Forbidden"))
        .with_header("x-amzn-errortype", error.name())
}

impl ApiGateway {
    /// `own`: `http://host:port` of this server.
    pub fn new(store: &Store, world: &World, own: &str, targets: &LambdaTargets) -> ApiGateway {
        let outside = Outside::new();
        ApiGateway {
            http: Http::new(store, world, own, &outside),
            rest: Rest::new(store, world, &outside),
            targets: ServiceCalls::new("apigateway.amazonaws.com", targets),
        }
    }

    pub fn call(&self, call: Call) -> Pending<'_, Response> {
        Box::pin(async move {
            let answer = match call.input() {
                Ok(input) if call.service.name == "apigatewayv2" => self.http.answer(&call, &input).await,
                Ok(input) => self.rest.answer(&self.targets, &call, &input).await,
                Err(error) => Err(error),
            };
            call.settle(answer)
        })
    }

    /// The ARN of the method that a request is to, if that asks for a signature.
    pub fn signed(&self, request: &Request) -> Option<String> {
        let (id, path) = address::of(request)?;
        self.http.signed(&id, &path, request).or_else(|| self.rest.signed(&id, &path, request))
    }

    /// The answer to a request to an API's address; None when it is to something else.
    pub async fn serve(&self, request: &Request) -> Option<Response> {
        let (id, path) = address::of(request)?;
        Some(self.serve_at(id, path, request).await)
    }

    fn serve_at<'a>(&'a self, id: String, path: String, request: &'a Request) -> Pending<'a> {
        Box::pin(async move {
            if let Some(answer) = self.http.serve(&self.targets, &id, &path, request).await {
                return answer;
            }
            if let Some(answer) = self.rest.serve(&self.targets, &id, &path, request).await {
                return answer;
            }
            // As AWS tells of a name that leads nowhere.
            reply::message(403, "Forbidden")
        })
    }
}
