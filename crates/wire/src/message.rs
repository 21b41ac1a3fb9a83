//! One request and one response, as bytes and headers, with the body already whole.

use bytes::Bytes;
use http::header::{AsHeaderName, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use std::net::IpAddr;

/// A request as it arrived: path and query are kept raw, because signatures are made over the raw forms.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: Method,
    /// The path, still percent-encoded, without the query.
    pub path: String,
    /// What follows `?`, still percent-encoded; empty when there is none.
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Who is at the other end of the connection; nobody, where one of our own services asks.
    pub peer: Option<IpAddr>,
}

impl Request {
    /// A `POST /` with a body: the shape of every JSON and query call.
    pub fn post(body: impl Into<Bytes>) -> Request {
        Request { method: Method::POST, path: "/".to_string(), body: body.into(), ..Request::default() }
    }

    /// Splits a request target (`/path?query`) into the two raw parts.
    pub fn with_target(mut self, target: &str) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        self.path = path.to_string();
        self.query = query.to_string();
        self
    }

    /// Sets a header; names and values that HTTP does not allow are left out.
    pub fn with_header(mut self, name: &str, value: &str) -> Request {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.insert(name, value);
        }
        self
    }

    /// A header's value where it is present and visible ASCII.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

#[derive(Clone, Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    pub fn new(status: u16, body: impl Into<Bytes>) -> Response {
        Response {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    /// Sets a header; values that HTTP does not allow are left out.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Response {
        self.set_header(name, value);
        self
    }

    pub fn set_header(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.insert(name, value);
        }
    }
}
