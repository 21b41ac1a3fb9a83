//! Servers elsewhere behind routes (`HTTP_PROXY`).

use super::live::Integration;
use super::serve::Place;
use crate::outside::{Errand, Trouble, address};
use crate::reply::message;
use crate::target::with_variables;
use crate::visit::{Visit, belongs_to_connection};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use wire::Response;

/// What an answer may carry.
const ANSWER_BYTES_MAX: usize = 10 << 20;

impl Place<'_> {
    /// The request is passed on, and the answer is the response. `path`: one that is not the integration's.
    pub(super) async fn server(
        &self,
        integration: &Integration,
        method: Option<&Method>,
        visit: &Visit<'_>,
        path: Option<&str>,
    ) -> Response {
        let uri = with_variables(&integration.uri, self.stage.variables.as_ref());
        let uri = match path {
            Some(path) => with_path(&uri, path),
            None => uri,
        };
        let variables = visit.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let url = address(&uri, variables, &[&visit.request.query]);
        let method = method.unwrap_or(&visit.request.method).clone();
        let body = if method == Method::HEAD { Bytes::new() } else { visit.request.body.clone() };
        let errand = Errand {
            method,
            url: &url,
            headers: headers(visit),
            body,
            timeout: integration.timeout,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        match self.outside.ask(errand).await {
            Ok(answer) => {
                let mut response = Response::new(answer.status.as_u16(), answer.body);
                response.headers = answer.headers;
                for name in response.headers.keys().cloned().collect::<Vec<_>>() {
                    if belongs_to_connection(name.as_str()) {
                        response.headers.remove(name);
                    }
                }
                response
            }
            Err(Trouble::Timeout | Trouble::Network(_)) => message(503, "Service Unavailable"),
            Err(Trouble::Address(_) | Trouble::TooLarge) => message(500, "Internal Server Error"),
        }
    }
}

/// The client's headers, and the way that they have come.
fn headers(visit: &Visit<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in visit.headers() {
        let Ok(name) = HeaderName::try_from(name) else { continue };
        if name != "host" && name != "content-length" {
            for value in values.iter().filter_map(|value| HeaderValue::try_from(value).ok()) {
                headers.append(&name, value);
            }
        }
    }
    let way = format!("by={0};for={0};host={1};proto=https", visit.source_ip(), visit.domain());
    headers.extend(HeaderValue::try_from(way).ok().map(|way| (http::header::FORWARDED, way)));
    headers.insert(http::header::VIA, HeaderValue::from_static("HTTP/1.1 AmazonAPIGateway"));
    headers
}

/// A URL with another path.
fn with_path(url: &str, path: &str) -> String {
    let origin = url.find("://").map_or(0, |at| at + 3);
    let end = url[origin..].find(['/', '?']).map_or(url.len(), |at| origin + at);
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{}{slash}{path}", &url[..end])
}
