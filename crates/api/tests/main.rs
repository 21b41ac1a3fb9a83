mod answer;
mod decode;
mod encode;
mod fuzz;
mod hot;
mod route;
mod violations;

use serde_json::Value;
use wire::{Operation, Request, Service};

fn service(name: &str) -> &'static Service {
    api::SERVICES.iter().find(|service| service.name == name).expect("a service")
}

/// An operation by `service.Name`.
fn operation(name: &str) -> &'static Operation {
    let (service_name, name) = name.split_once('.').expect("service.Operation");
    service(service_name).operation(name).expect("an operation")
}

/// A request of a JSON service.
fn json(operation: &Operation, body: &str) -> Request {
    let target = format!("{}.{}", operation.service.target_prefix, operation.name);
    Request::post(body.to_owned()).with_header("x-amz-target", &target)
}

fn signed_for(request: Request, service: &str) -> Request {
    let credential = format!("AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/{service}/aws4_request");
    request.with_header("authorization", &credential)
}

fn text(value: &Value) -> String {
    value.to_string()
}
