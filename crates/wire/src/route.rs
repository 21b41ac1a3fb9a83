//! Which operation of which service a request is for.

use crate::{Operation, Request, Response, Service, ServiceError};

#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub service: &'static Service,
    pub operation: &'static Operation,
}

/// A request that no operation answers, and the answer it gets instead.
#[derive(Clone, Debug)]
pub struct RouteError {
    /// The service whose form the answer takes, where one could be told.
    pub service: Option<&'static Service>,
    pub error: ServiceError,
}

impl RouteError {
    pub fn into_response(self, request_id: &str) -> Response {
        let _ = request_id;
        panic!("not yet")
    }
}

/// Finds the operation a request is for among `services`.
pub fn route(request: &Request, services: &[&'static Service]) -> Result<Route, RouteError> {
    let _ = (request, services);
    panic!("not yet")
}
