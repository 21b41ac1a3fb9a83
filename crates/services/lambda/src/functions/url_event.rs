//! Payload format 2.0: an HTTP request as an event, and an answer as an HTTP response.

use super::url_call::header;
use super::urls::Url;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use servicekit::call::Caller;
use wire::{Request, Response, percent};
use world::Timestamp;

pub(super) fn event(
    request: &Request,
    url: &Url,
    path: &str,
    request_id: &str,
    caller: &Caller,
    now: Timestamp,
) -> Value {
    let mut headers = Map::new();
    // What belongs to the connection is not the function's. [suite: recorded answers]
    for name in request.headers.keys().filter(|name| !["cookie", "connection"].contains(&name.as_str())) {
        let values = request.headers.get_all(name).iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        headers.insert(name.to_string(), values.join(",").into());
    }
    let source = request.peer.map_or_else(|| "127.0.0.1".to_owned(), |peer| peer.to_string());
    let port = header(request, "host").and_then(|host| host.rsplit_once(':')).map_or("80", |(_, port)| port);
    for (name, value) in
        [("x-forwarded-for", source.as_str()), ("x-forwarded-port", port), ("x-forwarded-proto", "http")]
    {
        headers.entry(name).or_insert_with(|| value.into());
    }
    let decoded = percent::decode(path);
    let cookies: Vec<&str> =
        header(request, "cookie").into_iter().flat_map(|cookies| cookies.split(';')).map(str::trim).collect();
    let mut query: Map<String, Value> = Map::new();
    for (name, value) in percent::pairs(&request.query) {
        let text = |part: &str| String::from_utf8_lossy(&percent::decode_form(part)).into_owned();
        let (name, value) = (text(name), text(value));
        match query.get_mut(&name) {
            Some(Value::String(before)) => *before = format!("{before},{value}"),
            _ => drop(query.insert(name, value.into())),
        }
    }
    let domain = format!("{}.lambda-url.{}.on.aws", url.id, url.region);
    let mut context = json!({
        "accountId": "anonymous",
        "apiId": url.id,
        "domainName": domain,
        "domainPrefix": url.id,
        "http": {
            "method": request.method.as_str(),
            "path": String::from_utf8_lossy(&decoded),
            "protocol": "HTTP/1.1",
            "sourceIp": source,
            "userAgent": header(request, "user-agent"),
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": common_log_time(now),
        "timeEpoch": now.millis(),
    });
    if url.signed {
        context["accountId"] = json!(*caller.account);
        context["authorizer"] = json!({ "iam": {
            "accessKey": caller.access_key.as_deref(),
            "accountId": *caller.account,
            "callerId": *caller.account,
            "cognitoIdentity": null,
            "principalOrgId": null,
            "userArn": format!("arn:aws:iam::{}:root", caller.account),
            "userId": *caller.account,
        }});
    }
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": false,
    });
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = Value::Object(query);
    }
    if !request.body.is_empty() {
        match std::str::from_utf8(&request.body).ok().filter(|_| is_text(request)) {
            Some(text) => event["body"] = text.into(),
            None => {
                event["body"] = wire::base64::encode(&request.body).into();
                event["isBase64Encoded"] = true.into();
            }
        }
    }
    event
}

/// Whether a body goes into the event as it is.
fn is_text(request: &Request) -> bool {
    let kind = header(request, "content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = ["application/json", "application/javascript", "application/xml"];
    kind.starts_with("text/")
        || known.contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

/// `21/Nov/2026:01:02:03 +0000`
fn common_log_time(now: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let iso = now.iso_seconds();
    let month = iso[5..7].parse::<usize>().ok().and_then(|month| MONTHS.get(month - 1)).unwrap_or(&"Jan");
    format!("{}/{month}/{}:{} +0000", &iso[8..10], &iso[..4], &iso[11..19])
}

/// An answer with a `statusCode` says all itself; any other is a JSON body. None when it makes no response.
pub(super) fn response(payload: &Bytes) -> Option<Response> {
    let answer: Value = serde_json::from_slice(payload).ok()?;
    let Some(status) = answer.get("statusCode") else {
        // A text is its own body; any other is told without the spaces between its parts. [suite: recorded answers]
        let body: Bytes = match answer {
            Value::String(text) => text.into(),
            _ => compact(payload).into(),
        };
        return Some(Response::new(200, body).with_header("content-type", "application/json"));
    };
    let body: Bytes = match answer.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if answer.get("isBase64Encoded") == Some(&Value::Bool(true)) => {
            wire::base64::decode(text).ok()?.into()
        }
        Some(Value::String(text)) => text.clone().into(),
        Some(other) => other.to_string().into(),
    };
    with_head(&answer, status, body)
}

/// JSON without the spaces outside of its texts.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut in_text, mut escaped) = (false, false);
    let mut kept = json.to_vec();
    kept.retain(|byte| {
        let keep = in_text || !byte.is_ascii_whitespace();
        match (in_text, escaped, byte) {
            (true, true, _) => escaped = false,
            (true, false, b'\\') => escaped = true,
            (_, _, b'"') => in_text = !in_text,
            _ => {}
        }
        keep
    });
    kept
}

/// A response with the head that a function gave.
pub(super) fn with_head(answer: &Value, status: &Value, body: Bytes) -> Option<Response> {
    let status = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    let status = u16::try_from(status).ok().filter(|status| (200..600).contains(status))?;
    let mut response = Response::new(status, body).with_header("content-type", "application/json");
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let name = name.to_ascii_lowercase();
        // These belong to the connection.
        if ["connection", "content-length", "transfer-encoding"].contains(&name.as_str()) {
            continue;
        }
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.parse::<http::HeaderValue>())
        else {
            return None;
        };
        response.headers.insert(name, value);
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        response.headers.append(http::header::SET_COOKIE, cookie.as_str()?.parse().ok()?);
    }
    Some(response)
}
