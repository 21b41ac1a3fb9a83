//! HTTP APIs: parts, stages, deployments, events, answers, other sites' pages.

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
/// Gives the event back, or does what its query says.
const TEXT: &str = "
import json, time
def handler(event, context):
    query = event.get('queryStringParameters') or {}
    if 'fail' in query:
        raise Exception('no')
    if 'slow' in query:
        time.sleep(1)
    if 'answer' in query:
        return json.loads(query['answer'])
    return {'statusCode': 200, 'body': json.dumps(event)}
";

/// A server with the function, which every API may call, and an API without parts.
fn bench() -> (Bench, String) {
    let bench = Bench::new();
    bench.function("f", TEXT, json!({}));
    let statement = json!({
        "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:*/*/*",
    });
    bench.good("POST", "/2015-03-31/functions/f/policy", statement);
    let made = bench.good("POST", "/v2/apis", json!({"name": "a", "protocolType": "HTTP"}));
    let id = made["apiId"].as_str().expect("an id").to_owned();
    assert_eq!(made["apiEndpoint"], format!("http://127.0.0.1:4566/_millstream/api/{id}"));
    (bench, id)
}

fn integration(bench: &Bench, id: &str, format: &str, more: Value) -> String {
    let mut input =
        json!({"integrationType": "AWS_PROXY", "integrationUri": ARN, "payloadFormatVersion": format});
    for (member, value) in more.as_object().into_iter().flatten() {
        input[member] = value.clone();
    }
    let made = bench.good("POST", &format!("/v2/apis/{id}/integrations"), input);
    made["integrationId"].as_str().expect("an id").to_owned()
}

fn route(bench: &Bench, id: &str, key: &str, integration: &str) -> String {
    let input = json!({"routeKey": key, "target": format!("integrations/{integration}")});
    let made = bench.good("POST", &format!("/v2/apis/{id}/routes"), input);
    made["routeId"].as_str().expect("an id").to_owned()
}

fn stage(bench: &Bench, id: &str, input: Value) {
    bench.good("POST", &format!("/v2/apis/{id}/stages"), input);
}

/// `status body` of a GET.
fn get(bench: &Bench, id: &str, target: &str) -> String {
    let reply = bench.url("GET", &format!("/_millstream/api/{id}{target}"), &[], b"");
    assert_eq!(reply.header("apigw-requestid").len(), 16);
    format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body))
}

#[test]
fn a_request_is_an_event_of_either_format() {
    let (bench, id) = bench();
    let (two, one) = (integration(&bench, &id, "2.0", json!({})), integration(&bench, &id, "1.0", json!({})));
    route(&bench, &id, "POST /two/{id}", &two);
    route(&bench, &id, "ANY /one/{proxy+}", &one);
    stage(&bench, &id, json!({"stageName": "$default", "autoDeploy": true}));
    stage(&bench, &id, json!({"stageName": "dev", "autoDeploy": true, "stageVariables": {"k": "v"}}));
    let headers = [("cookie", "a=1; b=2"), ("content-type", "application/json"), ("user-agent", "me")];
    let path = format!("/_millstream/api/{id}/two/a%20b?x=1&x=2&y=c%20d");
    let event = bench.url("POST", &path, &headers, b"{}").json();
    for (pointer, expect) in [
        ("/version", json!("2.0")),
        ("/routeKey", json!("POST /two/{id}")),
        ("/rawPath", json!("/two/a%20b")),
        ("/rawQueryString", json!("x=1&x=2&y=c%20d")),
        ("/cookies", json!(["a=1", "b=2"])),
        ("/queryStringParameters", json!({"x": "1,2", "y": "c d"})),
        ("/pathParameters", json!({"id": "a b"})),
        ("/body", json!("{}")),
        ("/isBase64Encoded", json!(false)),
        ("/requestContext/stage", json!("$default")),
        ("/requestContext/http/method", json!("POST")),
        ("/requestContext/http/userAgent", json!("me")),
        ("/requestContext/domainPrefix", json!(id)),
        ("/headers/x-forwarded-proto", json!("https")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expect), "{pointer}");
    }
    for absent in ["/stageVariables", "/headers/cookie", "/requestContext/authorizer"] {
        assert_eq!(event.pointer(absent), None, "{absent}");
    }
    // The other stage and format, by host: its name is part of the path, and nothing is absent.
    let host = format!("{id}.execute-api.us-east-1.amazonaws.com");
    let event = bench.url("PUT", "/dev/one/a/b?x=1&x=2", &[("host", &host)], &[0xff]).json();
    for (pointer, expect) in [
        ("/version", json!("1.0")),
        ("/resource", json!("/one/{proxy+}")),
        ("/path", json!("/dev/one/a/b")),
        ("/httpMethod", json!("PUT")),
        ("/pathParameters", json!({"proxy": "a/b"})),
        ("/stageVariables", json!({"k": "v"})),
        ("/queryStringParameters", json!({"x": "2"})),
        ("/multiValueQueryStringParameters", json!({"x": ["1", "2"]})),
        ("/multiValueHeaders/host", json!([host])),
        ("/body", json!("/w==")),
        ("/isBase64Encoded", json!(true)),
        ("/requestContext/identity/userArn", Value::Null),
        ("/requestContext/resourcePath", json!("/one/{proxy+}")),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expect), "{pointer}");
    }
}

#[test]
fn what_goes_wrong_has_a_status_and_few_words() {
    let (bench, id) = bench();
    let two = integration(&bench, &id, "2.0", json!({"timeoutInMillis": 50}));
    let slow = route(&bench, &id, "GET /slow", &two);
    route(&bench, &id, "GET /bare", &integration(&bench, &id, "2.0", json!({})));
    let none = json!({"integrationUri": format!("{ARN}-none")});
    route(&bench, &id, "GET /none", &integration(&bench, &id, "2.0", none));
    let signed = json!({"routeKey": "GET /signed", "authorizationType": "AWS_IAM", "target": format!("integrations/{two}")});
    bench.good("POST", &format!("/v2/apis/{id}/routes"), signed);
    let settings = json!({"throttlingBurstLimit": 0, "throttlingRateLimit": 0});
    route(&bench, &id, "GET /often", &two);
    let stages =
        json!({"stageName": "$default", "autoDeploy": true, "routeSettings": {"GET /often": settings}});
    stage(&bench, &id, stages);
    for (target, expect) in [
        ("/slow?slow=1", r#"503 {"message":"Service Unavailable"}"#),
        ("/bare?fail=1", r#"500 {"message":"Internal Server Error"}"#),
        ("/bare?answer={\"statusCode\":0}", r#"500 {"message":"Internal Server Error"}"#),
        ("/bare?answer=\"text\"", "200 text"),
        ("/none", r#"500 {"message":"Internal Server Error"}"#),
        ("/signed", r#"403 {"message":"Forbidden"}"#),
        ("/often", r#"429 {"message":"Too Many Requests"}"#),
        ("/nowhere", r#"404 {"message":"Not Found"}"#),
        ("/", r#"404 {"message":"Not Found"}"#),
    ] {
        assert_eq!(get(&bench, &id, target), expect, "{target}");
    }
    let large = vec![b'x'; (10 << 20) + 1];
    let reply = bench.url("GET", &format!("/_millstream/api/{id}/bare"), &[], &large);
    assert_eq!((reply.status, reply.json()), (413, json!({"message": "Request Entity Too Large"})));
    assert_eq!(bench.url("GET", "/_millstream/api/nothing/", &[], b"").status, 403);
    // Without the statement the function may not be called; with a role it may.
    bench.good("DELETE", "/2015-03-31/functions/f/policy/s", Value::Null);
    assert_eq!(get(&bench, &id, "/bare"), r#"500 {"message":"Internal Server Error"}"#);
    let role = json!({"credentialsArn": "arn:aws:iam::123456789012:role/r"});
    let trusted = integration(&bench, &id, "2.0", role);
    let change = json!({"target": format!("integrations/{trusted}")});
    bench.good("PATCH", &format!("/v2/apis/{id}/routes/{slow}"), change);
    assert_eq!(get(&bench, &id, "/slow?answer=1"), "200 1");
}

#[test]
fn stages_serve_what_was_deployed() {
    let (bench, id) = bench();
    let two = integration(&bench, &id, "2.0", json!({}));
    stage(&bench, &id, json!({"stageName": "$default", "autoDeploy": true}));
    stage(&bench, &id, json!({"stageName": "v1"}));
    assert_eq!(get(&bench, &id, "/a?answer=1"), r#"404 {"message":"Not Found"}"#);
    let key = route(&bench, &id, "GET /a", &two);
    assert_eq!(get(&bench, &id, "/a?answer=1"), "200 1");
    assert_eq!(get(&bench, &id, "/v1/a?answer=1"), r#"404 {"message":"Not Found"}"#);
    let made = bench.good("POST", &format!("/v2/apis/{id}/deployments"), json!({"stageName": "v1"}));
    assert_eq!(get(&bench, &id, "/v1/a?answer=1"), "200 1");
    bench.good("DELETE", &format!("/v2/apis/{id}/routes/{key}"), Value::Null);
    assert_eq!(get(&bench, &id, "/a?answer=1"), r#"404 {"message":"Not Found"}"#);
    assert_eq!(get(&bench, &id, "/v1/a?answer=1"), "200 1");
    let used = made["deploymentId"].as_str().expect("an id");
    let refused = bench.bad("DELETE", &format!("/v2/apis/{id}/deployments/{used}"), Value::Null);
    assert!(
        refused.ends_with("Active stages pointing to this deployment must be moved or deleted"),
        "{refused}"
    );
    bench.good("DELETE", &format!("/v2/apis/{id}/stages/v1"), Value::Null);
    bench.good("DELETE", &format!("/v2/apis/{id}"), Value::Null);
    assert_eq!(bench.url("GET", &format!("/_millstream/api/{id}/"), &[], b"").status, 403);
}

#[test]
fn other_sites_pages_are_told_what_the_api_says() {
    let (bench, id) = bench();
    let two = integration(&bench, &id, "2.0", json!({}));
    route(&bench, &id, "$default", &two);
    stage(&bench, &id, json!({"stageName": "$default", "autoDeploy": true}));
    let cors = json!({"allowOrigins": ["https://a.example", "https://*.b.example"], "allowMethods": ["GET", "PUT"], "allowHeaders": ["x-a"], "maxAge": 7, "exposeHeaders": ["x-b"], "allowCredentials": true});
    bench.good("PATCH", &format!("/v2/apis/{id}"), json!({"corsConfiguration": cors}));
    let ask = |method: &str, origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "PUT")];
        bench.url(method, &format!("/_millstream/api/{id}/x?answer=1"), &headers, b"")
    };
    let reply = ask("OPTIONS", "https://c.b.example");
    let header = |name: &str| reply.header(name).to_owned();
    assert_eq!(
        (reply.status, header("access-control-allow-origin")),
        (204, "https://c.b.example".to_owned())
    );
    assert_eq!(header("access-control-allow-methods"), "GET,PUT");
    assert_eq!(header("access-control-allow-headers"), "x-a");
    assert_eq!(header("access-control-max-age"), "7");
    assert_eq!(header("access-control-allow-credentials"), "true");
    let reply = ask("GET", "https://a.example");
    assert_eq!((reply.status, reply.header("access-control-expose-headers")), (200, "x-b"));
    let strange = ask("OPTIONS", "https://c.example");
    assert_eq!((strange.status, strange.header("access-control-allow-origin")), (204, ""));
    let wrong = json!({"corsConfiguration": {"allowOrigins": ["*"], "allowCredentials": true}});
    let refused = bench.bad("PATCH", &format!("/v2/apis/{id}"), wrong);
    assert!(refused.starts_with("400 BadRequestException"), "{refused}");
    bench.good("DELETE", &format!("/v2/apis/{id}/cors"), Value::Null);
    assert_eq!(ask("GET", "https://a.example").header("access-control-allow-origin"), "");
}

#[test]
fn parts_are_checked_and_refused_by_name() {
    let (bench, id) = bench();
    let api = format!("/v2/apis/{id}");
    let two = integration(&bench, &id, "2.0", json!({}));
    route(&bench, &id, "GET /a", &two);
    for (method, path, input, expect) in [
        (
            "POST",
            "/v2/apis".to_owned(),
            json!({"name": "w", "protocolType": "WEBSOCKET"}),
            "400 BadRequestException: ProtocolType WEBSOCKET is not supported.",
        ),
        (
            "POST",
            format!("{api}/routes"),
            json!({"routeKey": "GET /a"}),
            "409 ConflictException: Route with key GET /a already exists for this API",
        ),
        (
            "POST",
            format!("{api}/routes"),
            json!({"routeKey": "GET /b", "authorizationType": "JWT"}),
            "400 BadRequestException: AuthorizerId is required for AuthorizationType JWT",
        ),
        (
            "POST",
            format!("{api}/routes"),
            json!({"routeKey": "GET /b", "target": "integrations/x"}),
            "404 NotFoundException: Invalid Integration identifier specified x",
        ),
        (
            "POST",
            format!("{api}/integrations"),
            json!({"integrationType": "AWS_PROXY", "integrationUri": ARN}),
            "400 BadRequestException: PayloadFormatVersion is a required parameter for integration",
        ),
        (
            "POST",
            format!("{api}/integrations"),
            json!({"integrationType": "AWS_PROXY", "integrationSubtype": "SQS-SendMessage"}),
            "400 BadRequestException: IntegrationSubtype is not supported.",
        ),
        (
            "POST",
            format!("{api}/stages"),
            json!({"stageName": "a b"}),
            "400 BadRequestException: Stage name only allows a-zA-Z0-9_- and $default",
        ),
        (
            "DELETE",
            format!("{api}/integrations/{two}"),
            Value::Null,
            "409 ConflictException: Cannot delete Integration",
        ),
        (
            "GET",
            "/v2/apis/none".to_owned(),
            Value::Null,
            "404 NotFoundException: Invalid API identifier specified none",
        ),
        (
            "PUT",
            "/v2/apis".to_owned(),
            json!({"body": "{}"}),
            "400 BadRequestException: Invalid OpenAPI input.",
        ),
        (
            "POST",
            format!("/v2/apis/{id}/models"),
            json!({"name": "m", "schema": "{}"}),
            "501 NotImplemented: apigatewayv2.CreateModel is not implemented",
        ),
    ] {
        let refused = bench.bad(method, &path, input);
        assert!(refused.starts_with(expect), "{refused}");
    }
    let arn = format!("arn:aws:apigateway:us-east-1::/apis/{id}").replace('/', "%2F");
    bench.good("POST", &format!("/v2/tags/{arn}"), json!({"tags": {"a": "1", "b": "2"}}));
    bench.good("DELETE", &format!("/v2/tags/{arn}?tagKeys=a"), Value::Null);
    assert_eq!(bench.good("GET", &format!("/v2/tags/{arn}"), Value::Null)["tags"], json!({"b": "2"}));
    assert_eq!(
        bench.good("GET", "/v2/apis?maxResults=1", Value::Null)["items"][0]["tags"],
        json!({"b": "2"})
    );
}
