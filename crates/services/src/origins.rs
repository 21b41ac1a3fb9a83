//! Pages in browsers (CORS). AWS lets in every page, as each of its requests is signed with a key that the page must know. So do we
//! where signatures count; where any key will do, only the pages that the operator names.

use http::Method;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
};
use servicekit::Mode;
use servicekit::Settings;
use wire::{Request, Response};

/// How long a browser may remember what it was told, in seconds: two days, as on AWS.
const REMEMBERED_S: &str = "172800";

#[derive(Clone, Debug)]
pub(crate) enum Origins {
    /// As the operator says.
    Any,
    /// As each request is signed. Buckets have rules of their own for pages.
    Signed,
    Listed(Vec<HeaderValue>),
}

impl Origins {
    pub fn of(settings: &Settings) -> Origins {
        if settings.allow_origins.iter().any(|origin| origin == "*") {
            return Origins::Any;
        }
        if settings.allow_origins.is_empty() && settings.auth != Mode::Lenient {
            return Origins::Signed;
        }
        Origins::Listed(settings.allow_origins.iter().filter_map(|origin| origin.parse().ok()).collect())
    }

    /// The page that asks, where it is let in, as answers name it.
    pub fn welcome(&self, request: &Request) -> Option<HeaderValue> {
        let origin = request.headers.get(ORIGIN)?;
        match self {
            Origins::Any | Origins::Signed => Some(HeaderValue::from_static("*")),
            Origins::Listed(all) => all.contains(origin).then(|| origin.clone()),
        }
    }

    /// The same, of a page that asks for what is in a bucket.
    pub fn welcome_to_buckets(&self, request: &Request) -> Option<HeaderValue> {
        match self {
            Origins::Signed => None,
            Origins::Any | Origins::Listed(_) => self.welcome(request),
        }
    }
}

/// The answer to a browser that asks what a page may do, before it lets it.
pub(crate) fn preflight(request: &Request) -> Option<Response> {
    if request.method != Method::OPTIONS {
        return None;
    }
    let mut response = Response::new(200, "");
    for (asked, told) in [
        (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
        (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
    ] {
        if let Some(value) = request.headers.get(asked) {
            response.headers.insert(told, value.clone());
        }
    }
    response.headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED_S));
    Some(response)
}

/// Lets the page read an answer, and all of its headers.
pub(crate) fn open(response: &mut Response, page: HeaderValue) {
    if page != "*" {
        response.headers.append(VARY, HeaderValue::from_static("origin"));
    }
    response.headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, page);
    response.headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Scratch, services_with};
    use wire::Request;
    use world::World;

    fn welcomed(auth: Mode, listed: &[&str], origin: Option<&str>) -> Option<String> {
        let allow_origins = listed.iter().map(|origin| (*origin).to_owned()).collect();
        let settings = Settings { auth, allow_origins, ..Settings::default() };
        let request = Request::post("");
        let request = match origin {
            Some(origin) => request.with_header("origin", origin),
            None => request,
        };
        let page = Origins::of(&settings).welcome(&request)?;
        Some(page.to_str().expect("text").to_owned())
    }

    #[test]
    fn pages_are_let_in_where_signatures_count_or_they_are_named() {
        let (own, other) = ("http://localhost:3000", "http://localhost:3001");
        for (auth, listed, origin, expect) in [
            (Mode::Lenient, &[][..], Some(own), None),
            (Mode::Lenient, &[own], Some(own), Some(own)),
            (Mode::Lenient, &[own], Some(other), None),
            (Mode::Lenient, &[own], None, None),
            (Mode::Lenient, &["*"], Some(other), Some("*")),
            (Mode::Verify, &[], Some(own), Some("*")),
            (Mode::Enforce, &[], Some(own), Some("*")),
            (Mode::Enforce, &[own], Some(other), None),
            (Mode::Enforce, &[], None, None),
        ] {
            assert_eq!(welcomed(auth, listed, origin).as_deref(), expect, "{auth:?} {listed:?} {origin:?}");
        }
    }

    #[tokio::test]
    async fn a_browser_asks_first_and_then_reads_the_answer() {
        let (scratch, world) = (Scratch::new(), World::simulated(7));
        let store = store::Store::memory();
        let mut settings = Settings { objects: Some(scratch.0.join("objects")), ..Settings::default() };
        settings.allow_origins = vec!["http://localhost:3000".to_owned()];
        let services = services_with(&store, &world, &scratch.0, settings);
        let ask = |method: Method, origin: &str| {
            let mut request = Request::post("{}")
                .with_header("origin", origin)
                .with_header("access-control-request-method", "POST")
                .with_header("access-control-request-headers", "authorization,x-amz-target")
                .with_header("x-amz-target", "DynamoDB_20120810.ListTables");
            request.method = method;
            request
        };
        let told = |response: &Response, name: &str| {
            response.headers.get(name).map(|value| value.to_str().expect("text").to_owned())
        };
        let own = "http://localhost:3000";
        let before = services.answer(ask(Method::OPTIONS, own)).await.response;
        assert_eq!((before.status.as_u16(), before.body.len()), (200, 0));
        assert_eq!(told(&before, "access-control-allow-origin").as_deref(), Some(own));
        assert_eq!(told(&before, "access-control-allow-methods").as_deref(), Some("POST"));
        let headers = told(&before, "access-control-allow-headers");
        assert_eq!(headers.as_deref(), Some("authorization,x-amz-target"));
        assert_eq!(told(&before, "access-control-max-age").as_deref(), Some("172800"));
        // The answer is one of DynamoDB's, of a request that is not signed; the page reads it.
        let answer = services.answer(ask(Method::POST, own)).await.response;
        assert!(String::from_utf8_lossy(&answer.body).contains("MissingAuthenticationToken"));
        assert_eq!(told(&answer, "access-control-allow-origin").as_deref(), Some(own));
        assert_eq!(told(&answer, "access-control-max-age"), None);
        // Another page is told nothing.
        for method in [Method::OPTIONS, Method::POST] {
            let answer = services.answer(ask(method, "http://example.com")).await.response;
            assert_eq!(told(&answer, "access-control-allow-origin"), None);
        }
    }

    #[tokio::test]
    async fn buckets_let_in_pages_of_their_own() {
        let (scratch, world) = (Scratch::new(), World::simulated(7));
        let store = store::Store::memory();
        let mut settings = Settings { objects: Some(scratch.0.join("objects")), ..Settings::default() };
        settings.allow_origins = vec!["http://localhost:3000".to_owned()];
        let services = services_with(&store, &world, &scratch.0, settings);
        let signed = |method: Method, target: &str, origin: &str, body: &'static str| {
            let mut request = Request { method, ..Request::default() }.with_target(target);
            for (name, value) in [
                ("origin", origin),
                ("content-length", &body.len().to_string()),
                (
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=k/20261121/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
                ),
                ("x-amz-date", "20261121T000000Z"),
            ] {
                request = request.with_header(name, value);
            }
            services.call_storage(request, Box::new(servicekit::body::Whole(Some(body.into()))))
        };
        let (own, friend, other) = ("http://localhost:3000", "https://a.example", "https://other.org");
        let rules = "<CORSConfiguration><CORSRule><AllowedOrigin>https://a.example</AllowedOrigin>\
            <AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>";
        for (target, body) in [("/b-1", ""), ("/b-1?cors", rules), ("/b-1/k", "text")] {
            assert_eq!(signed(Method::PUT, target, own, body).await.response.status, 200, "{target}");
        }
        for (origin, status, expect) in
            [(own, 200, Some(own)), (friend, 200, Some(friend)), (other, 403, None)]
        {
            let told = |response: &Response| {
                let value = response.headers.get(ACCESS_CONTROL_ALLOW_ORIGIN);
                value.map(|value| value.to_str().expect("text").to_owned())
            };
            let before = Request { method: Method::OPTIONS, ..Request::default() }
                .with_target("/b-1/k")
                .with_header("origin", origin)
                .with_header("access-control-request-method", "GET");
            let before = services.answer(before).await.response;
            assert_eq!((before.status.as_u16(), told(&before).as_deref()), (status, expect), "{origin}");
            let answer = signed(Method::GET, "/b-1/k", origin, "").await.response;
            assert_eq!((answer.status.as_u16(), told(&answer).as_deref()), (200, expect), "{origin}");
        }
    }
}
