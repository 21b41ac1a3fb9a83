//! Which operation of which service a request is for.
//!
//! In this order: the target header's prefix; a form's Action and Version; the credential scope's service, then any service,
//! by method and path. S3, whose paths are anybody's, is asked only what is signed for it. Bodies are looked at only where a form says it is one.

mod storage;

use crate::encode::{encode_error, encode_stray};
use crate::{Operation, Protocol, Request, Response, Service, ServiceError, percent, sigv4};

use http::HeaderName;

pub use storage::{bucket_and_key, route as route_storage};

/// The header that names service and operation in the JSON protocols.
pub static TARGET: HeaderName = HeaderName::from_static("x-amz-target");

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
        match self.service {
            Some(service) => encode_error(service, self.error, request_id),
            None => encode_stray(self.error, request_id),
        }
    }
}

/// Finds the operation a request is for among `services`.
pub fn route(request: &Request, services: &[&'static Service]) -> Result<Route, RouteError> {
    if let Some(target) = request.headers.get(&TARGET) {
        return by_target(target.to_str().unwrap_or_default(), request, services);
    }
    if let Some(form) = Form::of(request) {
        return by_form(&form, request, services);
    }
    let storage = services.iter().find(|service| service.protocol == Protocol::RestXml);
    match storage
        .filter(|service| sigv4::scope(request).is_some_and(|scope| scope.service == service.signing_name))
    {
        Some(service) => storage::route(request, service),
        None => by_path(request, services),
    }
}

/// The refusal of an operation that the service has and we do not.
pub fn not_implemented(service: &Service, operation: &str) -> ServiceError {
    let message = format!("{}.{operation} is not implemented", service.name);
    ServiceError::new("NotImplemented", message).with_status(501)
}

fn by_target(target: &str, request: &Request, services: &[&'static Service]) -> Result<Route, RouteError> {
    let (prefix, name) = target.rsplit_once('.').unwrap_or((target, ""));
    let service = services.iter().find(|service| !prefix.is_empty() && service.target_prefix == prefix);
    match service {
        Some(service) => by_name(service, name)
            .unwrap_or_else(|| Err(RouteError { service: Some(service), error: unknown_operation(service) })),
        None => Err(stray(request, services)),
    }
}

fn by_name(service: &'static Service, name: &str) -> Option<Result<Route, RouteError>> {
    if let Some(operation) = service.operation(name) {
        return Some(Ok(Route { service, operation }));
    }
    let refused = || RouteError { service: Some(service), error: not_implemented(service, name) };
    service.refuses(name).then(|| Err(refused()))
}

/// The Action and Version of a query call, from its body or, for a GET, its query.
struct Form {
    action: String,
    version: String,
}

impl Form {
    fn of(request: &Request) -> Option<Form> {
        let is_form = request
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let body = if is_form { std::str::from_utf8(&request.body).unwrap_or_default() } else { "" };
        Form::read(body).or_else(|| Form::read(&request.query))
    }

    fn read(text: &str) -> Option<Form> {
        let field = |name: &str| {
            let (_, value) = percent::pairs(text).find(|(key, _)| *key == name)?;
            String::from_utf8(percent::decode_form(value)).ok()
        };
        Some(Form { action: field("Action")?, version: field("Version").unwrap_or_default() })
    }
}

fn by_form(form: &Form, request: &Request, services: &[&'static Service]) -> Result<Route, RouteError> {
    let scope = sigv4::scope(request);
    let signed_for = |service: &&&'static Service| {
        scope.as_ref().is_some_and(|scope| scope.service == service.signing_name)
    };
    let speaks = |service: &&&'static Service| {
        matches!(service.protocol, Protocol::Query | Protocol::Ec2)
            && (form.version.is_empty() || service.version == form.version)
    };
    let mut candidates: Vec<&'static Service> = services.iter().filter(speaks).copied().collect();
    // Two services may share a version's date: the one that signed goes first.
    candidates.sort_by_key(|service| !signed_for(&service));
    for service in &candidates {
        if let Some(found) = by_name(service, &form.action) {
            return found;
        }
    }
    let service = candidates.first().copied().or_else(|| services.iter().find(signed_for).copied());
    let message = format!("Could not find operation {} for version {}", form.action, form.version);
    Err(RouteError { service, error: ServiceError::new("InvalidAction", message).with_status(400) })
}

fn by_path(request: &Request, services: &[&'static Service]) -> Result<Route, RouteError> {
    let scope = sigv4::scope(request);
    let signed_for = |service: &&'static Service| {
        scope.as_ref().is_some_and(|scope| scope.service == service.signing_name)
    };
    let mut candidates: Vec<&'static Service> =
        services.iter().filter(|service| service.protocol == Protocol::RestJson).copied().collect();
    candidates.sort_by_key(|service| !signed_for(service));
    let segments = segments(&request.path);
    let method = request.method.as_str();
    let mut refused = None;
    for service in candidates {
        let fits = |uri: &str, verb: &str| {
            (verb == method && asks(uri, &request.query) && pair(uri, &segments, |_, _| ()))
                .then(|| fixed(uri))
        };
        // Where two forms fit, the one with more fixed segments is meant.
        let operation = service
            .operations
            .iter()
            .filter_map(|operation| Some((fits(operation.uri, operation.method)?, operation)))
            .max_by_key(|(fixed, _)| *fixed);
        let other = service
            .refused
            .iter()
            .filter_map(|other| Some((fits(other.uri, other.method)?, other)))
            .max_by_key(|(fixed, _)| *fixed);
        match (operation, other) {
            (Some((fixed, operation)), other)
                if other.as_ref().is_none_or(|(others, _)| *others <= fixed) =>
            {
                return Ok(Route { service, operation });
            }
            (_, Some((_, other))) => {
                refused.get_or_insert(RouteError {
                    service: Some(service),
                    error: not_implemented(service, other.name),
                });
            }
            _ => {}
        }
    }
    Err(refused.unwrap_or_else(|| stray(request, services)))
}

/// A request of no service, or of nothing that its service has.
fn stray(request: &Request, services: &[&'static Service]) -> RouteError {
    let scope = sigv4::scope(request);
    let service = scope
        .and_then(|scope| services.iter().find(|service| service.signing_name == scope.service).copied());
    match service {
        Some(service) => RouteError { service: Some(service), error: unknown_operation(service) },
        None => RouteError { service: None, error: unknown_to_all(request) },
    }
}

/// What nobody's operation answers: in JSON's words to who speaks JSON, as a page that is not there to others.
fn unknown_to_all(request: &Request) -> ServiceError {
    let kind = request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let bare = kind.is_empty() && request.method == "POST" && request.body.is_empty();
    if !bare && !matches!(kind, "application/json" | "application/x-amz-json-1.0") {
        return ServiceError::silent("com.amazon.coral.service#UnknownOperationException").with_status(404);
    }
    let is_json = bare || serde_json::from_slice::<serde_json::Value>(&request.body).is_ok();
    let name = if is_json { "UnknownOperationException" } else { "SerializationException" };
    ServiceError::silent(format!("com.amazon.coral.service#{name}"))
}

fn unknown_operation(service: &Service) -> ServiceError {
    match service.protocol {
        Protocol::Json10 | Protocol::Json11 => {
            ServiceError::silent("com.amazon.coral.service#UnknownOperationException")
        }
        Protocol::RestJson => ServiceError::silent("UnknownOperationException").with_status(404),
        Protocol::RestXml => {
            let message = "The specified method is not allowed against this resource.";
            ServiceError::new("MethodNotAllowed", message).with_status(405)
        }
        Protocol::Query | Protocol::Ec2 => {
            ServiceError::new("MissingAction", "The request is missing an action or a required parameter.")
        }
    }
}

/// A path's segments, still encoded. One slash at the end counts for nothing: older clients send it.
pub(crate) fn segments(path: &str) -> Vec<&str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() { Vec::new() } else { path.split('/').collect() }
}

/// Whether the query holds what the form fixes of it (`/x?List=ALL`).
fn asks(uri: &str, query: &str) -> bool {
    let fixed = uri.split_once('?').map_or("", |(_, fixed)| fixed);
    percent::pairs(fixed).all(|wanted| percent::pairs(query).any(|given| given == wanted))
}

fn fixed(uri: &str) -> usize {
    let query = percent::pairs(uri.split_once('?').map_or("", |(_, query)| query)).count();
    segments(path_of(uri)).iter().filter(|part| !part.starts_with('{')).count() + query
}

/// A form's path without the fixed query that some have (`/x?list-type=2`).
fn path_of(uri: &str) -> &str {
    uri.split_once('?').map_or(uri, |(path, _)| path)
}

/// Lays a form beside a path; tells each label's name and encoded value. False where they do not fit.
pub(crate) fn pair<'u, 'a>(
    uri: &'u str,
    segments: &[&'a str],
    mut label: impl FnMut(&'u str, std::borrow::Cow<'a, str>),
) -> bool {
    let form = self::segments(path_of(uri));
    for (at, part) in form.iter().enumerate() {
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix("+}")) {
            // A greedy label takes the rest, slashes and all.
            if at >= segments.len() {
                return false;
            }
            label(name, segments[at..].join("/").into());
            return true;
        }
        let Some(segment) = segments.get(at) else {
            return false;
        };
        if let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            if segment.is_empty() {
                return false;
            }
            label(name, (*segment).into());
        } else if part != segment {
            return false;
        }
    }
    form.len() == segments.len()
}
