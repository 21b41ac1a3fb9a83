//! A call to a function's address: the request as an event, the answer as a response. Payload format 2.0.

use super::Functions;
use super::url_event::{event, response};
use super::url_stream;
use super::urls::{Cors, PATH, Url};
use crate::name::FunctionName;
use ::functions::{Invocation, InvokeError};
use servicekit::call::Caller;
use servicekit::reply::Reply;
use std::sync::Arc;
use wire::{Request, Response};

const BODY_BYTES_MAX: usize = 6_291_456;

impl Functions {
    /// None when the request is not to a function's address: by path, or by host as on AWS.
    pub(crate) async fn call_url(&self, request: &Request) -> Option<Reply> {
        let (id, path) = address(request)?;
        let key = self.urls.by_id.get(&id).ok().flatten();
        let url = key.and_then(|key| self.urls.by_function.get(&key).ok().flatten());
        let Some(url) = url.filter(|url| url.id == id) else {
            // Whose it was is nobody's business. [suite: recorded answers]
            return Some(denied(None).into());
        };
        let origin = header(request, "origin");
        let allowed = url.cors.as_ref().and_then(|cors| Some((cors, allowed_origin(cors, origin?)?)));
        let mut reply = match (&url.cors, preflight(request)) {
            (Some(cors), Some(_)) => preflight_answer(cors, allowed.is_some()).into(),
            _ => self.answer_url(request, &url, &path).await,
        };
        if let Some((cors, origin)) = allowed {
            grant(&mut reply.response, cors, &origin);
        }
        Some(reply)
    }

    /// The function whose address a request is to, if that asks for a signature.
    pub(crate) fn signed_url(&self, request: &Request) -> Option<String> {
        let (id, _) = address(request)?;
        let key = self.urls.by_id.get(&id).ok().flatten()?;
        let url = self.urls.by_function.get(&key).ok().flatten()?;
        (url.id == id && url.signed).then_some(url.function_arn)
    }

    async fn answer_url(&self, request: &Request, url: &Url, path: &str) -> Reply {
        let scope = wire::sigv4::scope(request);
        if url.signed && scope.is_none() {
            return denied(Some(FORBIDDEN)).into();
        }
        if request.body.len() > BODY_BYTES_MAX {
            return told(413, "Request Entity Too Large").into();
        }
        let caller = Caller {
            account: url.account.as_str().into(),
            region: url.region.as_str().into(),
            access_key: scope.map(|scope| scope.access_key.into()),
        };
        let found = FunctionName::parse(&url.function_arn, &caller)
            .and_then(|name| self.registry.pick(&caller, &name, self.world.random_u64()));
        let Some(config) = found.ok().and_then(|function| self.registry.config(&function, &caller)) else {
            return told(404, "The function of this URL does not exist.").into();
        };
        let request_id = self.world.uuid();
        let payload = event(request, url, path, &request_id, &caller, self.world.now());
        let invocation = Invocation {
            request_id: request_id.clone(),
            payload: payload.to_string().into(),
            client_context: None,
            function_arn: url.function_arn.clone(),
        };
        let answered = if url.streaming {
            match self.functions.invoke_streaming(Arc::new(config), invocation).await {
                Ok(answer) => Ok(url_stream::respond(answer).await),
                Err(error) => Err(error),
            }
        } else {
            let done = self.functions.invoke(Arc::new(config), invocation).await;
            done.map(|done| if done.failed { None } else { response(&done.payload).map(Reply::from) })
        };
        let mut reply = match answered {
            Ok(reply) => reply.unwrap_or_else(|| told_text(502, "Internal Server Error").into()),
            Err(InvokeError::Throttled { .. }) => told(429, "Rate Exceeded.").into(),
            Err(InvokeError::Closed) => told(503, "Service Unavailable").into(),
        };
        reply.response.set_header("x-amzn-requestid", &request_id);
        reply
    }
}

/// The id of an address and the path behind it.
fn address(request: &Request) -> Option<(String, String)> {
    if let Some(rest) = request.path.strip_prefix(PATH) {
        let (id, path) = rest.split_once('/').unwrap_or((rest, ""));
        return Some((id.to_owned(), one_slash(path)));
    }
    let (id, rest) = header(request, "host")?.split_once('.')?;
    rest.starts_with("lambda-url.").then(|| (id.to_owned(), one_slash(&request.path)))
}

/// A path begins with one slash, however many its address and the client wrote. [suite: recorded answers]
fn one_slash(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

pub(super) fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

fn told(status: u16, message: &str) -> Response {
    let body = serde_json::json!({ "Message": message }).to_string();
    Response::new(status, body).with_header("content-type", "application/json")
}

/// What is told of an address that may not be called, or that is none.
pub(crate) fn denied(message: Option<&str>) -> Response {
    let body = serde_json::json!({ "Message": message }).to_string();
    Response::new(403, body)
        .with_header("content-type", "application/json")
        .with_header("x-amzn-errortype", "AccessDeniedException")
}

pub(crate) const FORBIDDEN: &str = "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html";

fn told_text(status: u16, text: &'static str) -> Response {
    Response::new(status, text).with_header("content-type", "text/plain")
}

/// The method that a browser asks about before it calls.
fn preflight(request: &Request) -> Option<&str> {
    header(request, "access-control-request-method").filter(|_| request.method == "OPTIONS")
}

fn preflight_answer(cors: &Cors, allowed: bool) -> Response {
    let mut response = Response::new(200, "");
    if !allowed {
        return response;
    }
    if !cors.methods.is_empty() {
        response = response.with_header("access-control-allow-methods", &cors.methods.join(","));
    }
    if !cors.headers.is_empty() {
        response = response.with_header("access-control-allow-headers", &cors.headers.join(","));
    }
    match cors.max_age_s {
        Some(seconds) => response.with_header("access-control-max-age", &seconds.to_string()),
        None => response,
    }
}

/// What is said of an origin: itself, or the star that allows all.
fn allowed_origin(cors: &Cors, origin: &str) -> Option<String> {
    let fits = |pattern: &String| match pattern.split_once('*') {
        Some((before, after)) => {
            origin.len() >= before.len() + after.len()
                && origin.starts_with(before)
                && origin.ends_with(after)
        }
        None => pattern == origin,
    };
    if !cors.origins.iter().any(fits) {
        return None;
    }
    // Browsers take no star together with credentials.
    let star = cors.origins.iter().any(|pattern| pattern == "*") && cors.credentials != Some(true);
    Some(if star { "*".to_owned() } else { origin.to_owned() })
}

/// What the address was told takes the place of what its function says.
fn grant(response: &mut Response, cors: &Cors, origin: &str) {
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = value.parse() {
            response.headers.insert(name, value);
        }
    };
    set("access-control-allow-origin", origin);
    if origin != "*" {
        set("vary", "Origin");
    }
    if cors.credentials == Some(true) {
        set("access-control-allow-credentials", "true");
    }
    if !cors.expose.is_empty() {
        set("access-control-expose-headers", &cors.expose.join(","));
    }
}
