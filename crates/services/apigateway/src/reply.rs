//! Responses: an API's own, and what a function's answer makes in both payload formats; None where it makes none.

use crate::outside::Answer;
use crate::visit::belongs_to_connection;
use bytes::Bytes;
use http::HeaderName;
use serde_json::{Map, Value, json};
use wire::Response;

/// An API's own answer.
pub(super) fn message(status: u16, message: &str) -> Response {
    Response::new(status, json!({ "message": message }).to_string())
        .with_header("content-type", "application/json")
}

/// Format 2.0: an answer with a `statusCode` says all itself; any other is the body.
pub(super) fn format_2(payload: &Bytes) -> Option<Response> {
    let answer: Value = serde_json::from_slice(payload).ok()?;
    if answer.get("statusCode").is_none() {
        let body = match &answer {
            Value::String(text) => text.clone().into(),
            _ => payload.clone(),
        };
        return Some(Response::new(200, body).with_header("content-type", "application/json"));
    }
    let mut response = with_status(&answer)?;
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        response.headers.append(http::header::SET_COOKIE, cookie.as_str()?.parse().ok()?);
    }
    Some(typed(response))
}

/// Format 1.0: always a `statusCode`, and headers with several values.
pub(super) fn format_1(payload: &Bytes) -> Option<Response> {
    let answer: Value = serde_json::from_slice(payload).ok()?;
    several(&answer).map(typed)
}

/// A response whose headers may have several values.
fn several(answer: &Value) -> Option<Response> {
    let mut response = with_status(answer)?;
    let several = match answer.get("multiValueHeaders") {
        None | Some(Value::Null) => None,
        Some(Value::Object(headers)) => Some(headers),
        Some(_) => return None,
    };
    for (name, values) in several.into_iter().flatten() {
        let Some(name) = header_name(name)? else { continue };
        let single = response.headers.remove(&name);
        for value in values.as_array()? {
            response.headers.append(&name, text(value)?.parse().ok()?);
        }
        if let Some(single) =
            single.filter(|one| !response.headers.get_all(&name).iter().any(|value| value == one))
        {
            response.headers.append(&name, single);
        }
    }
    Some(response)
}

/// What a REST API takes from a function: nothing but these members. `decode`: whether a body in base64 is to be sent as
/// the bytes it stands for.
pub(super) fn rest(payload: &Bytes, decode: bool) -> Option<Response> {
    const MEMBERS: &[&str] = &["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];
    let mut answer: Value = serde_json::from_slice(payload).ok()?;
    let members = answer.as_object_mut()?;
    if members.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
        return None;
    }
    if members.get("statusCode").is_none_or(Value::is_null) {
        members.insert("statusCode".to_owned(), 200.into());
    }
    if !decode {
        members.insert("isBase64Encoded".to_owned(), false.into());
    }
    // These the service says itself: a function's own go by another name.
    for headers in ["headers", "multiValueHeaders"] {
        let Some(Value::Object(headers)) = members.get_mut(headers) else { continue };
        let taken = |name: &String| REMAPPED.contains(&name.to_ascii_lowercase().as_str());
        for name in headers.keys().filter(|name| taken(name)).cloned().collect::<Vec<_>>() {
            let value = headers.shift_remove(&name).unwrap_or_default();
            headers.insert(format!("x-amzn-remapped-{name}"), value);
        }
    }
    let mut response = several(&answer)?;
    if !response.headers.contains_key("content-type") {
        response.set_header("content-type", "application/json");
    }
    Some(response)
}

/// The answer of a server elsewhere as a REST API passes it on.
pub(super) fn passed_on(answer: Answer) -> Response {
    let mut response = Response::new(answer.status.as_u16(), answer.body);
    for (name, value) in &answer.headers {
        let taken = REMAPPED.contains(&name.as_str()) || name == "x-amzn-requestid";
        let name = match taken {
            true => HeaderName::try_from(format!("x-amzn-remapped-{name}")).unwrap_or_else(|_| name.clone()),
            false if belongs_to_connection(name.as_str()) => continue,
            false => name.clone(),
        };
        response.headers.append(name, value.clone());
    }
    if !response.headers.contains_key("content-type") {
        response.set_header("content-type", "application/json");
    }
    response
}

const REMAPPED: &[&str] =
    &["connection", "content-length", "date", "server", "user-agent", "www-authenticate"];

/// Status, body and plain headers, which both formats have.
fn with_status(answer: &Value) -> Option<Response> {
    let status = answer.get("statusCode")?;
    let status = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    let status = u16::try_from(status).ok().filter(|status| (100..600).contains(status))?;
    let body: Bytes = match answer.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if answer.get("isBase64Encoded") == Some(&Value::Bool(true)) => {
            wire::base64::decode(text).ok()?.into()
        }
        Some(Value::String(text)) => text.clone().into(),
        Some(_) => return None,
    };
    let mut response = Response::new(status, body);
    let none = Map::new();
    let headers = match answer.get("headers") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(headers)) => headers,
        Some(_) => return None,
    };
    for (name, value) in headers {
        if let Some(name) = header_name(name)? {
            response.headers.insert(name, text(value)?.parse().ok()?);
        }
    }
    Some(response)
}

/// `Some(None)`: a header that belongs to the connection; None: one that HTTP does not allow.
fn header_name(name: &str) -> Option<Option<HeaderName>> {
    let name: HeaderName = name.to_ascii_lowercase().parse().ok()?;
    Some((!belongs_to_connection(name.as_str())).then_some(name))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn typed(response: Response) -> Response {
    match response.headers.contains_key("content-type") {
        true => response,
        false => response.with_header("content-type", "text/plain; charset=utf-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::{format_1, format_2, rest};
    use serde_json::{Value, json};
    use wire::Response;

    fn told(response: Option<Response>) -> String {
        let Some(response) = response else { return "malformed".to_owned() };
        let mut headers: Vec<String> = response
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?")))
            .collect();
        headers.sort();
        format!(
            "{} [{}] {}",
            response.status.as_u16(),
            headers.join("; "),
            String::from_utf8_lossy(&response.body)
        )
    }

    fn two(answer: Value) -> String {
        told(format_2(&answer.to_string().into()))
    }

    fn one(answer: Value) -> String {
        told(format_1(&answer.to_string().into()))
    }

    #[test]
    fn answers_of_format_2() {
        assert_eq!(two(json!({"a": 1})), r#"200 [content-type: application/json] {"a":1}"#);
        assert_eq!(two(json!("text")), "200 [content-type: application/json] text");
        assert_eq!(two(json!(null)), "200 [content-type: application/json] null");
        assert_eq!(
            two(json!({"statusCode": 204, "headers": null, "body": ""})),
            "204 [content-type: text/plain; charset=utf-8] "
        );
        let whole = json!({
            "statusCode": "201", "body": "aGk=", "isBase64Encoded": true, "cookies": ["a=1", "b=2"],
            "headers": {"Content-Type": "text/html", "X-N": 5, "Content-Length": "9"},
        });
        assert_eq!(two(whole), "201 [content-type: text/html; set-cookie: a=1; set-cookie: b=2; x-n: 5] hi");
        for bad in [
            json!({"statusCode": 0}),
            json!({"statusCode": "many"}),
            json!({"statusCode": null}),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": 200, "headers": []}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
            json!({"statusCode": 200, "headers": {"a": {}}}),
            json!({"statusCode": 200, "body": "?", "isBase64Encoded": true}),
        ] {
            assert_eq!(two(bad.clone()), "malformed", "{bad}");
        }
    }

    #[test]
    fn answers_of_format_1() {
        let whole = json!({
            "statusCode": 200, "body": "b", "headers": {"X-A": "3", "X-B": true},
            "multiValueHeaders": {"x-a": ["1", "2", "3"], "x-c": ["4"]},
        });
        assert_eq!(
            one(whole),
            "200 [content-type: text/plain; charset=utf-8; x-a: 1; x-a: 2; x-a: 3; x-b: true; x-c: 4] b"
        );
        assert_eq!(one(json!({"a": 1})), "malformed");
        assert_eq!(one(json!({"statusCode": 200, "multiValueHeaders": {"a": "b"}})), "malformed");
    }

    #[test]
    fn answers_that_rest_apis_take() {
        let of = |answer: Value, decode| told(rest(&answer.to_string().into(), decode));
        assert_eq!(of(json!({}), false), "200 [content-type: application/json] ");
        let nulls = json!({"statusCode": "201", "headers": null, "multiValueHeaders": null, "body": null});
        assert_eq!(of(nulls, false), "201 [content-type: application/json] ");
        let encoded = json!({"statusCode": 200, "body": "aGk=", "isBase64Encoded": true});
        assert_eq!(of(encoded.clone(), false), "200 [content-type: application/json] aGk=");
        assert_eq!(of(encoded, true), "200 [content-type: application/json] hi");
        let remapped = json!({"headers": {"Date": "d", "X-T": true}, "multiValueHeaders": {"x-t": ["a"]}});
        assert_eq!(
            of(remapped, false),
            "200 [content-type: application/json; x-amzn-remapped-date: d; x-t: a; x-t: true] "
        );
        for bad in [
            json!({"message": "hi"}),
            json!("text"),
            json!(null),
            json!({"statusCode": 200, "body": {}}),
            json!({"statusCode": "x"}),
        ] {
            assert_eq!(of(bad.clone(), false), "malformed", "{bad}");
        }
    }
}
