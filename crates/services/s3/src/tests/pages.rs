//! Pages in browsers: the rules of a bucket, and what they let through.

use super::{Bench, Told};
use wire::Request;

const RULES: &str = "<CORSConfiguration>\
    <CORSRule><ID>own</ID><AllowedOrigin>https://*.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
    <AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader>\
    <ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>7</MaxAgeSeconds></CORSRule>\
    <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule></CORSConfiguration>";

async fn with_rules() -> Bench {
    let bench = Bench::with_bucket().await;
    let put = bench.ask("PUT /b-1?cors", &[], RULES).await;
    assert_eq!(put.status, 200, "{}", put.body);
    bench
}

fn asked(method: &str, target: &str, headers: &[(&str, &str)]) -> Request {
    let request = Request { method: method.parse().expect("a method"), ..Request::default() };
    let request = request.with_target(target).with_header("host", "localhost:4566");
    headers.iter().fold(request, |request, (name, value)| request.with_header(name, value))
}

fn lines(headers: &http::HeaderMap) -> Vec<String> {
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        format!("{name}: {}", value.to_str().expect("text"))
    };
    let mut lines: Vec<String> = headers.iter().map(line).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn rules_are_put_told_and_removed() {
    let bench = with_rules().await;
    let told = bench.ask("GET /b-1?cors", &[], "").await;
    assert_eq!(told.elements("AllowedMethod"), ["GET", "PUT", "HEAD"]);
    assert_eq!((told.element("ID"), told.element("MaxAgeSeconds")), ("own".into(), "7".into()));
    let wrong = RULES.replace(">GET<", ">OPTIONS<");
    assert_eq!(bench.ask("PUT /b-1?cors", &[], &wrong).await.element("Code"), "InvalidRequest");
    assert_eq!(bench.ask("PUT /b-1?cors", &[], "<CORSConfiguration/>").await.element("Code"), "MalformedXML");
    assert_eq!(bench.ask("DELETE /b-1?cors", &[], "").await.status, 204);
    let none = bench.ask("GET /b-1?cors", &[], "").await;
    assert_eq!((none.status, none.element("Code").as_str()), (404, "NoSuchCORSConfiguration"));
}

#[tokio::test]
async fn a_browser_asks_before_a_page_may() {
    let bench = with_rules().await;
    let s3 = bench.s3.as_ref().expect("a server");
    let page = ("origin", "https://a.example");
    let put = ("access-control-request-method", "PUT");
    let headers = ("access-control-request-headers", "content-type, X-Amz-Date");
    let granted = s3.preflight(&asked("OPTIONS", "/b-1/k", &[page, put, headers])).expect("a bucket");
    assert_eq!(
        lines(&granted.expect("a rule")),
        [
            "access-control-allow-credentials: true",
            "access-control-allow-headers: content-type, x-amz-date",
            "access-control-allow-methods: GET, PUT",
            "access-control-allow-origin: https://a.example",
            "access-control-expose-headers: ETag",
            "access-control-max-age: 7",
            "vary: Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
        ]
    );
    let other = ("origin", "https://other.org");
    let (delete, trace) =
        (("access-control-request-method", "DELETE"), ("access-control-request-method", "TRACE"));
    let odd = ("access-control-request-headers", "authorization");
    for (headers, code) in [
        (vec![other, put], "AccessForbidden"),
        (vec![page, delete], "AccessForbidden"),
        (vec![page, put, odd], "AccessForbidden"),
        (vec![put], "BadRequest"),
        (vec![page], "BadRequest"),
        (vec![page, trace], "BadRequest"),
    ] {
        let refused = s3.preflight(&asked("OPTIONS", "/b-1/k", &headers)).expect("a bucket");
        assert_eq!(refused.map_err(|fault| fault.name().to_owned()), Err(code.to_owned()), "{headers:?}");
    }
    assert!(s3.preflight(&asked("OPTIONS", "/none/k", &[page, put])).is_none());
    bench.ask("DELETE /b-1?cors", &[], "").await;
    let refused = s3.preflight(&asked("OPTIONS", "/b-1", &[page, put])).expect("a bucket");
    let fault = refused.expect_err("no rules");
    assert_eq!(fault.message.as_deref(), Some("CORSResponse: CORS is not enabled for this bucket."));
    assert_eq!((&fault.members["Method"], &fault.members["ResourceType"]), (&"PUT".into(), &"BUCKET".into()));
}

#[tokio::test]
async fn answers_are_for_the_pages_that_rules_name() {
    let bench = with_rules().await;
    let s3 = bench.s3.as_ref().expect("a server");
    let origin_of = |method: &str, origin: &str| {
        let granted = s3.grant(&asked(method, "/b-1/k", &[("origin", origin)]))?;
        let told =
            granted.get("access-control-allow-origin").map(|value| value.to_str().expect("text").to_owned());
        Some((told?, granted.contains_key("access-control-allow-credentials")))
    };
    assert_eq!(origin_of("GET", "https://a.example"), Some(("https://a.example".to_owned(), true)));
    assert_eq!(origin_of("HEAD", "https://other.org"), Some(("*".to_owned(), false)));
    assert_eq!(origin_of("GET", "https://other.org"), None);
    assert_eq!(s3.grant(&asked("GET", "/b-1/k", &[])), None);
    let by_host = asked("GET", "/k", &[("origin", "https://a.example"), ("host", "b-1.s3.localhost:4566")]);
    assert!(s3.grant(&by_host).is_some());
}

#[tokio::test]
async fn where_a_website_would_lead_is_kept_and_told() {
    let bench = Bench::with_bucket().await;
    let lead = |place: &'static str| [("x-amz-website-redirect-location", place)];
    let place = |told: &Told| told.header("x-amz-website-redirect-location").to_owned();
    assert_eq!(bench.ask("PUT /b-1/k", &lead("/other"), "text").await.status, 200);
    for line in ["GET /b-1/k", "HEAD /b-1/k"] {
        let told = bench.ask(line, &[], "").await;
        assert_eq!((told.status, place(&told)), (200, "/other".to_owned()), "{line}");
    }
    let wrong = bench.ask("PUT /b-1/k", &lead("other"), "text").await;
    assert_eq!((wrong.status, wrong.element("Code").as_str()), (400, "InvalidRedirectLocation"));
    // A copy leads where it says, and nowhere where it says nothing.
    let source = ("x-amz-copy-source", "/b-1/k");
    assert_eq!(bench.ask("PUT /b-1/copy", &[source], "").await.status, 200);
    assert_eq!(place(&bench.ask("HEAD /b-1/copy", &[], "").await), "");
    let there = lead("https://a.example/")[0];
    assert_eq!(bench.ask("PUT /b-1/k", &[source, there], "").await.status, 200);
    assert_eq!(place(&bench.ask("HEAD /b-1/k", &[], "").await), "https://a.example/");
}
