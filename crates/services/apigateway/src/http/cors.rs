//! Other sites' pages: what browsers are told before they call, and with each answer.

use crate::fault::bad;
use serde_json::Value;
use servicekit::fields::{integer, texts};
use wire::{Request, Response, ServiceError};

pub(super) fn is_empty(cors: &Value) -> bool {
    cors.as_object().is_none_or(|members| {
        members.values().all(|value| value.is_null() || value.as_array().is_some_and(Vec::is_empty))
    })
}

pub(super) fn check(cors: &Value) -> Result<(), ServiceError> {
    let all = texts(cors, "AllowOrigins").iter().any(|origin| origin == "*");
    if all && allows_credentials(cors) {
        return Err(bad("AllowCredentials is not supported when AllowOrigins is *"));
    }
    let well = |origin: &String| origin == "*" || origin.contains("://");
    match texts(cors, "AllowOrigins").iter().find(|origin| !well(origin)) {
        Some(origin) => Err(bad(format!("Invalid format for origin {origin}: use <scheme>://<host>"))),
        None => Ok(()),
    }
}

fn allows_credentials(cors: &Value) -> bool {
    cors.get("AllowCredentials") == Some(&Value::Bool(true))
}

/// The origin that a page on it is told is allowed.
fn allowed(cors: &Value, request: &Request) -> Option<String> {
    let origin = request.header("origin")?;
    let fits = |pattern: &String| match pattern.split_once('*') {
        Some((before, after)) => {
            origin.len() >= before.len() + after.len()
                && origin.starts_with(before)
                && origin.ends_with(after)
        }
        None => pattern.eq_ignore_ascii_case(origin),
    };
    let origins = texts(cors, "AllowOrigins");
    let fitting = origins.iter().find(|pattern| fits(pattern))?;
    Some(if fitting == "*" { fitting.clone() } else { origin.to_owned() })
}

/// The answer to a browser's question, whatever routes there are.
pub(super) fn preflight(cors: &Value, request: &Request) -> Option<Response> {
    let asks = request.method == "OPTIONS"
        && request.headers.contains_key("origin")
        && request.headers.contains_key("access-control-request-method");
    if !asks {
        return None;
    }
    let mut response = Response::new(204, "");
    let Some(origin) = allowed(cors, request) else { return Some(response) };
    response.set_header("access-control-allow-origin", &origin);
    for (member, header) in
        [("AllowMethods", "access-control-allow-methods"), ("AllowHeaders", "access-control-allow-headers")]
    {
        let list = texts(cors, member);
        if !list.is_empty() {
            response.set_header(header, &list.join(","));
        }
    }
    if let Some(seconds) = integer(cors, "MaxAge") {
        response.set_header("access-control-max-age", &seconds.to_string());
    }
    if allows_credentials(cors) {
        response.set_header("access-control-allow-credentials", "true");
    }
    Some(response)
}

/// What the API says takes the place of what its functions say.
pub(super) fn grant(cors: &Value, request: &Request, response: &mut Response) {
    let own = |name: &str| name.starts_with("access-control-");
    let theirs: Vec<_> = response.headers.keys().filter(|name| own(name.as_str())).cloned().collect();
    for name in theirs {
        response.headers.remove(name);
    }
    let Some(origin) = allowed(cors, request) else { return };
    response.set_header("access-control-allow-origin", &origin);
    let expose = texts(cors, "ExposeHeaders");
    if !expose.is_empty() {
        response.set_header("access-control-expose-headers", &expose.join(","));
    }
    if allows_credentials(cors) {
        response.set_header("access-control-allow-credentials", "true");
    }
}
