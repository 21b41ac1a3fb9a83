//! A request on its way to an API, and the events that functions are given of it.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use wire::{Request, percent};
use world::{Timestamp, World};

/// What the socket knows of its client, as it is told to functions.
const SOURCE_IP: &str = "127.0.0.1";

/// What a request may carry.
pub(super) const BODY_BYTES_MAX: usize = 10 << 20;

/// One request, and what the API made of it.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    pub request: &'a Request,
    /// As on AWS: with the stage where the URL has it.
    pub path: &'a str,
    pub account: &'a str,
    pub region: &'a str,
    pub api: &'a str,
    pub stage: &'a str,
    /// A route's key, or a resource's path.
    pub route: &'a str,
    /// The variables of the path, by name.
    pub variables: &'a [(String, String)],
    pub stage_variables: Option<&'a Value>,
    /// Whether the caller had to sign.
    pub signed: bool,
    pub request_id: &'a str,
    pub trace_id: &'a str,
    pub now: Timestamp,
}

impl Visit<'_> {
    pub fn domain(&self) -> String {
        format!("{}.execute-api.{}.amazonaws.com", self.api, self.region)
    }

    pub fn source_ip(&self) -> &'static str {
        SOURCE_IP
    }

    pub fn user_agent(&self) -> Option<&str> {
        self.request.header("user-agent")
    }

    /// Headers with all their values: the client's, and those the service adds.
    pub fn headers(&self) -> Vec<(String, Vec<String>)> {
        let mut headers: Vec<(String, Vec<String>)> = Vec::new();
        for name in self
            .request
            .headers
            .keys()
            .filter(|name| *name == "content-length" || !belongs_to_connection(name.as_str()))
        {
            let values = self.request.headers.get_all(name).iter();
            let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
            headers.push((name.to_string(), values.collect()));
        }
        let way = match self.request.header("x-forwarded-for") {
            Some(way) => format!("{way}, {SOURCE_IP}"),
            None => SOURCE_IP.to_owned(),
        };
        for (name, value) in [
            ("x-amzn-trace-id", self.trace_id),
            ("x-forwarded-for", way.as_str()),
            ("x-forwarded-port", "443"),
            ("x-forwarded-proto", "https"),
        ] {
            headers.retain(|(other, _)| other != name);
            headers.push((name.to_owned(), vec![value.to_owned()]));
        }
        headers.sort();
        headers
    }

    /// The query's names, each with its values in order, decoded.
    pub fn query(&self) -> Vec<(String, Vec<String>)> {
        let text = |part: &str| String::from_utf8_lossy(&percent::decode_form(part)).into_owned();
        let mut query: Vec<(String, Vec<String>)> = Vec::new();
        for (name, value) in percent::pairs(&self.request.query) {
            let (name, value) = (text(name), text(value));
            match query.iter_mut().find(|(other, _)| *other == name) {
                Some((_, values)) => values.push(value),
                None => query.push((name, vec![value])),
            }
        }
        query
    }

    /// What templates are told of the request: the last value of each name.
    pub fn parameters(&self) -> Value {
        let headers: Vec<_> =
            self.headers().into_iter().map(|(name, values)| (title(&name), values)).collect();
        json!({
            "path": self.path_variables().unwrap_or_else(|| json!({})),
            "querystring": last(&self.query()),
            "header": last(&headers),
        })
    }

    pub fn path_variables(&self) -> Option<Value> {
        let all = self.variables.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
        (!self.variables.is_empty()).then(|| Value::Object(all.collect()))
    }

    pub fn stage_variables(&self) -> Option<Value> {
        self.stage_variables.filter(|all| all.as_object().is_some_and(|all| !all.is_empty())).cloned()
    }

    /// A body as text, or in base64: `(body, isBase64Encoded)`.
    pub fn body(&self, is_text: impl Fn(&Visit<'_>) -> bool) -> Option<(String, bool)> {
        let body: &Bytes = &self.request.body;
        if body.is_empty() {
            return None;
        }
        match std::str::from_utf8(body).ok().filter(|_| is_text(self)) {
            Some(text) => Some((text.to_owned(), false)),
            None => Some((wire::base64::encode(body), true)),
        }
    }

    /// Who signed, as functions behind HTTP APIs are told.
    pub fn iam(&self) -> Value {
        let key = wire::sigv4::scope(self.request).map(|scope| scope.access_key);
        json!({
            "accessKey": key,
            "accountId": self.account,
            "callerId": self.account,
            "cognitoIdentity": null,
            "principalOrgId": null,
            "userArn": format!("arn:aws:iam::{}:root", self.account),
            "userId": self.account,
        })
    }

    /// The request itself, as payload format 2.0 tells it.
    pub fn context_2(&self) -> Value {
        json!({
            "accountId": self.account,
            "apiId": self.api,
            "domainName": self.domain(),
            "domainPrefix": self.api,
            "http": {
                "method": self.request.method.as_str(),
                "path": self.path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE_IP,
                "userAgent": self.user_agent().unwrap_or_default(),
            },
            "requestId": self.request_id,
            "routeKey": self.route,
            "stage": self.stage,
            "time": log_time(self.now),
            "timeEpoch": self.now.millis(),
        })
    }

    /// The event of payload format 2.0: members without a value are absent. `authorizer`: who was let in.
    pub fn event_2(&self, authorizer: Option<Value>) -> Value {
        let mut context = self.context_2();
        if let Some(authorizer) = authorizer {
            context["authorizer"] = authorizer;
        }
        let mut headers = Map::new();
        let mut cookies = Vec::new();
        for (name, values) in self.headers() {
            if name == "cookie" {
                let each = values.iter().flat_map(|value| value.split(';')).map(str::trim);
                cookies.extend(each.filter(|cookie| !cookie.is_empty()).map(Value::from));
            } else {
                headers.insert(name, values.join(",").into());
            }
        }
        let query: Map<String, Value> =
            self.query().into_iter().map(|(name, values)| (name, values.join(",").into())).collect();
        let body = self.body(is_text);
        let members = [
            ("version", Some("2.0".into())),
            ("routeKey", Some(self.route.into())),
            ("rawPath", Some(self.path.into())),
            ("rawQueryString", Some(self.request.query.as_str().into())),
            ("cookies", (!cookies.is_empty()).then(|| cookies.into())),
            ("headers", Some(headers.into())),
            ("queryStringParameters", (!query.is_empty()).then(|| query.into())),
            ("requestContext", Some(context)),
            ("pathParameters", self.path_variables()),
            ("stageVariables", self.stage_variables()),
            ("isBase64Encoded", Some(body.as_ref().is_some_and(|(_, encoded)| *encoded).into())),
            ("body", body.map(|(body, _)| body.into())),
        ];
        servicekit::fields::object(members)
    }

    /// The event of payload format 1.0: every member is there, without a value as null. `titled`: header names in
    /// capitals, as REST APIs pass them.
    pub fn event_1(&self, titled: bool, is_text: impl Fn(&Visit<'_>) -> bool, context: Value) -> Value {
        let name_of = |name: String| if titled { title(&name) } else { name };
        let headers: Vec<_> =
            self.headers().into_iter().map(|(name, values)| (name_of(name), values)).collect();
        let query = self.query();
        let body = self.body(is_text);
        json!({
            "headers": last(&headers),
            "multiValueHeaders": every(&headers),
            "queryStringParameters": (!query.is_empty()).then(|| last(&query)),
            "multiValueQueryStringParameters": (!query.is_empty()).then(|| every(&query)),
            "pathParameters": self.path_variables(),
            "stageVariables": self.stage_variables(),
            "requestContext": context,
            "isBase64Encoded": body.as_ref().is_some_and(|(_, encoded)| *encoded),
            "body": body.map(|(body, _)| body),
        })
    }

    /// What both kinds of API tell of the caller in payload format 1.0.
    pub fn identity(&self) -> Value {
        let key =
            self.signed.then(|| wire::sigv4::scope(self.request).map(|scope| scope.access_key)).flatten();
        let account = self.signed.then_some(self.account);
        json!({
            "accessKey": key,
            "accountId": account,
            "caller": account,
            "cognitoAuthenticationProvider": null,
            "cognitoAuthenticationType": null,
            "cognitoIdentityId": null,
            "cognitoIdentityPoolId": null,
            "principalOrgId": null,
            "sourceIp": SOURCE_IP,
            "user": account,
            "userAgent": self.user_agent(),
            "userArn": account.map(|account| format!("arn:aws:iam::{account}:root")),
        })
    }
}

fn last(all: &[(String, Vec<String>)]) -> Value {
    Value::Object(all.iter().map(|(name, values)| (name.clone(), json!(values.last()))).collect())
}

fn every(all: &[(String, Vec<String>)]) -> Value {
    Value::Object(all.iter().map(|(name, values)| (name.clone(), json!(values))).collect())
}

/// `x-forwarded-for` as `X-Forwarded-For`.
fn title(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    name.split('-').map(word).collect::<Vec<_>>().join("-")
}

pub(super) fn belongs_to_connection(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "content-length"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// Whether an HTTP API puts a body into the event as it is.
pub(super) fn is_text(visit: &Visit<'_>) -> bool {
    let kind = visit.request.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = ["application/json", "application/javascript", "application/xml"];
    kind.starts_with("text/")
        || known.contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
}

/// `21/Nov/2026:01:02:03 +0000`
pub(super) fn log_time(now: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let iso = now.iso_seconds();
    let month = iso[5..7].parse::<usize>().ok().and_then(|month| MONTHS.get(month - 1)).unwrap_or(&"Jan");
    format!("{}/{month}/{}:{} +0000", &iso[8..10], &iso[..4], &iso[11..19])
}

/// The client's own trace, or a new one.
pub(super) fn trace(request: &Request, world: &World) -> String {
    match request.header("x-amzn-trace-id") {
        Some(own) => own.to_owned(),
        None => format!("Root=1-{:08x}-{}", world.now().seconds(), world.hex(24)),
    }
}

/// A short id such as `JKJaXmPLvHcESHA=`.
pub(super) fn short_id(world: &World) -> String {
    let mut bytes = [0; 11];
    world.fill(&mut bytes);
    wire::base64::encode(&bytes).replace('+', "-").replace('/', "_")
}
