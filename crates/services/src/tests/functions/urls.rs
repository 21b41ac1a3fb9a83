//! Function URLs: addresses, requests as events, answers as responses, other sites' pages.

use crate::tests::bench::{Bench, Reply};
use serde_json::{Value, json};

const URL: &str = "/2021-10-31/functions/f/url";
const ECHO: &str = "def handler(event, context):\n    return event";

/// The path of a new address of `f`.
fn address(bench: &Bench, input: Value) -> String {
    let made = bench.good("POST", URL, input);
    let url = made["FunctionUrl"].as_str().expect("an address");
    url.strip_prefix("http://127.0.0.1:4566").expect("here").to_owned()
}

fn answering(text: &str) -> (Bench, String) {
    let bench = Bench::new();
    bench.function("f", text, json!({}));
    let path = address(&bench, json!({ "AuthType": "NONE" }));
    (bench, path)
}

#[test]
fn a_request_is_an_event() {
    let (bench, path) = answering(ECHO);
    let headers = [("cookie", "a=1; b=2"), ("content-type", "text/plain"), ("user-agent", "me")];
    let reply = bench.url("POST", &format!("{path}some/%20path?x=1&x=2&y=a%20b"), &headers, b"hello");
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    let event = reply.json();
    assert_eq!((&event["version"], &event["rawPath"]), (&json!("2.0"), &json!("/some/%20path")));
    assert_eq!(event["rawQueryString"], "x=1&x=2&y=a%20b");
    assert_eq!(event["queryStringParameters"], json!({ "x": "1,2", "y": "a b" }));
    assert_eq!((&event["cookies"], &event["headers"]["cookie"]), (&json!(["a=1", "b=2"]), &Value::Null));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("hello"), &json!(false)));
    let http = &event["requestContext"]["http"];
    assert_eq!((&http["method"], &http["userAgent"]), (&json!("POST"), &json!("me")));
    assert_eq!(event["requestContext"]["accountId"], "anonymous");
    // What is not text comes in base64, and no body is none.
    let event = bench.url("PUT", &path, &[("content-type", "image/png")], &[0xff, 0]).json();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/wA="), &json!(true)));
    assert_eq!(bench.url("GET", &path, &[], b"").json().get("body"), None);
    // By host, as on AWS.
    let id = path.trim_end_matches('/').rsplit('/').next().expect("an id");
    let host = format!("{id}.lambda-url.us-east-1.localhost:4566");
    assert_eq!(bench.url("GET", "/p", &[("host", &host)], b"").json()["rawPath"], "/p");
    // One slash leads a path, which one member tells as it was meant. What belongs to the connection is nobody's.
    let event = bench.url("GET", &format!("{path}/a%25b"), &[("connection", "keep-alive")], b"").json();
    assert_eq!((&event["rawPath"], &event["headers"]["connection"]), (&json!("/a%25b"), &Value::Null));
    assert_eq!(event["requestContext"]["http"]["path"], "/a%b");
    assert_eq!(event["headers"]["x-forwarded-for"], "127.0.0.1");
    let none = bench.url("GET", "/_millstream/url/none/", &[], b"");
    assert_eq!((none.status, none.header("x-amzn-errortype")), (403, "AccessDeniedException"));
    assert_eq!(none.body, br#"{"Message":null}"#);
}

#[test]
fn an_answer_is_a_response() {
    let text = "import json\ndef handler(event, context):\n    return json.loads(event['body'])";
    let (bench, path) = answering(text);
    let ask = |answer: Value| -> Reply {
        bench.url("POST", &path, &[("content-type", "application/json")], answer.to_string().as_bytes())
    };
    let told = |reply: &Reply| {
        (
            reply.status,
            reply.header("content-type").to_owned(),
            String::from_utf8_lossy(&reply.body).into_owned(),
        )
    };
    let json_of = |text: &str| (200, "application/json".to_owned(), text.to_owned());
    assert_eq!(told(&ask(json!({ "a b": [1, "\\\" c"] }))), json_of(r#"{"a b":[1,"\\\" c"]}"#));
    assert_eq!(told(&ask(json!("text"))), json_of("text"));
    let whole = json!({ "statusCode": 201, "headers": { "Content-Type": "text/html", "X-A": 5 }, "cookies": ["a=1", "b=2"], "body": "<p>" });
    let reply = ask(whole);
    assert_eq!(told(&reply), (201, "text/html".to_owned(), "<p>".to_owned()));
    assert_eq!((reply.header("x-a"), reply.headers.get_all("set-cookie").iter().count()), ("5", 2));
    assert_eq!(
        told(&ask(json!({ "statusCode": 200, "body": "aGk=", "isBase64Encoded": true }))),
        json_of("hi")
    );
    assert_eq!(ask(json!({ "statusCode": "many" })).status, 502);
    let failed = bench.url("POST", &path, &[], b"");
    assert_eq!(
        (failed.status, String::from_utf8_lossy(&failed.body).as_ref()),
        (502, "Internal Server Error")
    );
}

#[test]
fn other_sites_pages_are_told_what_the_settings_say() {
    let (bench, path) = answering(
        "def handler(event, context):\n    return {'statusCode': 200, 'headers': {'access-control-allow-origin': 'x'}}",
    );
    let cors = json!({ "AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 7, "ExposeHeaders": ["x-b"] });
    bench.good("PUT", URL, json!({ "Cors": cors }));
    let asks = [("origin", "https://a.example"), ("access-control-request-method", "GET")];
    let reply = bench.url("OPTIONS", &path, &asks, b"");
    assert_eq!(
        (reply.header("access-control-allow-methods"), reply.header("access-control-max-age")),
        ("GET", "7")
    );
    let reply = bench.url("GET", &path, &[("origin", "https://a.example")], b"");
    assert_eq!(reply.header("access-control-allow-origin"), "https://a.example");
    assert_eq!(reply.header("access-control-expose-headers"), "x-b");
    let other = bench.url("OPTIONS", &path, &[("origin", "https://b.example"), asks[1]], b"");
    assert_eq!(
        (other.header("access-control-allow-methods"), other.header("access-control-allow-origin")),
        ("", "")
    );
}

#[test]
fn an_address_is_made_changed_and_removed() {
    let (bench, path) = answering(ECHO);
    let again = bench.bad("POST", URL, json!({ "AuthType": "NONE" }));
    assert!(again.starts_with("409 ResourceConflictException"), "{again}");
    let streaming = bench.good("PUT", URL, json!({ "InvokeMode": "RESPONSE_STREAM" }));
    assert_eq!(streaming["InvokeMode"], "RESPONSE_STREAM");
    let changed = bench.good("PUT", URL, json!({ "AuthType": "AWS_IAM" }));
    assert_eq!(
        (&changed["AuthType"], &changed["InvokeMode"]),
        (&json!("AWS_IAM"), &json!("RESPONSE_STREAM")),
        "once it was named it is told"
    );
    assert_eq!(bench.url("GET", &path, &[], b"").status, 403);
    let credential = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00";
    let signed = bench.url("GET", &path, &[("authorization", credential)], b"").json();
    assert_eq!(signed["requestContext"]["authorizer"]["iam"]["accessKey"], "AKIAEXAMPLE");
    let listed = bench.good("GET", "/2021-10-31/functions/f/urls", Value::Null);
    assert_eq!(listed["FunctionUrlConfigs"].as_array().map(Vec::len), Some(1));
    bench.good("DELETE", URL, Value::Null);
    assert!(bench.bad("GET", URL, Value::Null).starts_with("404 ResourceNotFoundException"));
    assert_eq!(bench.url("GET", &path, &[], b"").status, 403);
}
