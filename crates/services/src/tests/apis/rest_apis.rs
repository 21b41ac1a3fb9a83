//! REST APIs: resources, methods, integrations, deployments, events, answers.

mod exports;
mod imports;
mod templates;
mod validation;

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const URI: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:f/invocations";
/// Gives the event back, or does what its query says; in front of templates it is given something else.
const TEXT: &str = "
import json
def handler(event, context):
    query = event.get('queryStringParameters') or {}
    if 'fail' in query or event.get('fail'):
        raise Exception('Bad: ' + str(event.get('fail')))
    if 'answer' in query:
        return json.loads(query['answer'])
    if 'plain' in event:
        return {'got': event}
    return {'statusCode': 200, 'body': json.dumps(event)}
";

struct Api {
    bench: Bench,
    id: String,
    root: String,
}

impl Api {
    /// A server with the function, which every API may call, and an API without parts.
    fn new(more: Value) -> Api {
        let bench = Bench::new();
        bench.function("f", TEXT, json!({}));
        let statement = json!({
            "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
            "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:*/*/*",
        });
        bench.good("POST", "/2015-03-31/functions/f/policy", statement);
        let mut input = json!({"name": "a"});
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        let made = bench.good("POST", "/restapis", input);
        let text = |member: &str| made[member].as_str().expect(member).to_owned();
        Api { id: text("id"), root: text("rootResourceId"), bench }
    }

    fn path(&self, rest: &str) -> String {
        format!("/restapis/{}{rest}", self.id)
    }

    fn resource(&self, parent: &str, part: &str) -> String {
        let made =
            self.bench.good("POST", &self.path(&format!("/resources/{parent}")), json!({"pathPart": part}));
        made["id"].as_str().expect("an id").to_owned()
    }

    fn method(&self, resource: &str, method: &str, integration: Value) {
        let path = self.path(&format!("/resources/{resource}/methods/{method}"));
        self.bench.good("PUT", &path, json!({"authorizationType": "NONE"}));
        self.bench.good("PUT", &format!("{path}/integration"), integration);
    }

    fn proxy(&self, resource: &str, method: &str) {
        self.method(resource, method, json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": URI}));
    }

    fn deploy(&self, stage: &str) -> String {
        let made = self.bench.good("POST", &self.path("/deployments"), json!({"stageName": stage}));
        made["id"].as_str().expect("an id").to_owned()
    }

    /// `status body` of a GET.
    fn get(&self, target: &str) -> String {
        let reply = self.bench.url("GET", &format!("/_millstream/api/{}{target}", self.id), &[], b"");
        assert_eq!(reply.header("x-amzn-requestid").len(), 36);
        format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body))
    }
}

#[test]
fn a_request_is_an_event_with_every_member() {
    let api = Api::new(json!({"binaryMediaTypes": ["image/*"]}));
    let chefs = api.resource(&api.root, "chefs");
    let chef = api.resource(&chefs, "{id}");
    api.proxy(&chefs, "GET");
    api.proxy(&chef, "ANY");
    let deployment = api.deploy("prod");
    let path = format!("/_millstream/api/{}/prod/chefs/?x=1&x=2&y=a%20b", api.id);
    let event = api.bench.url("GET", &path, &[("x-many", "m"), ("user-agent", "me")], b"").json();
    for (pointer, expect) in [
        ("/resource", json!("/chefs")),
        ("/path", json!("/chefs/")),
        ("/httpMethod", json!("GET")),
        ("/headers/X-Many", json!("m")),
        ("/headers/X-Forwarded-Port", json!("443")),
        ("/multiValueHeaders/X-Many", json!(["m"])),
        ("/queryStringParameters", json!({"x": "2", "y": "a b"})),
        ("/multiValueQueryStringParameters", json!({"x": ["1", "2"], "y": ["a b"]})),
        ("/pathParameters", Value::Null),
        ("/stageVariables", Value::Null),
        ("/body", Value::Null),
        ("/isBase64Encoded", json!(false)),
        ("/requestContext/path", json!("/prod/chefs/")),
        ("/requestContext/stage", json!("prod")),
        ("/requestContext/resourceId", json!(chefs)),
        ("/requestContext/resourcePath", json!("/chefs")),
        ("/requestContext/deploymentId", json!(deployment)),
        ("/requestContext/identity/userAgent", json!("me")),
        ("/requestContext/identity/cognitoIdentityId", Value::Null),
    ] {
        assert_eq!(event.pointer(pointer), Some(&expect), "{pointer}");
    }
    let host = format!("{}.execute-api.us-east-1.amazonaws.com", api.id);
    let headers = [("host", host.as_str()), ("content-type", "image/png")];
    let event = api.bench.url("PUT", "/prod/chefs/a%20b", &headers, &[0xff]).json();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
    assert_eq!(event["pathParameters"], json!({"id": "a b"}));
    // What is no binary type is text, whatever it is.
    let event = api.bench.url("PUT", "/prod/chefs/b", &[("host", &host)], "é".as_bytes()).json();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("é"), &json!(false)));
    // A body in base64 is decoded for who accepts bytes.
    let answer = format!("/prod/chefs/?answer={}", r#"{"body":"aGk=","isBase64Encoded":true}"#);
    let bytes = api.bench.url("GET", &answer, &[("host", &host), ("accept", "image/png")], b"");
    assert_eq!(bytes.body, b"hi");
    assert_eq!(api.bench.url("GET", &answer, &[("host", &host), ("accept", "text/html")], b"").body, b"aGk=");
}

#[test]
fn what_goes_wrong_has_a_status_and_few_words() {
    let api = Api::new(json!({}));
    api.proxy(&api.root, "GET");
    let sub = |part: &str| api.resource(&api.root, part);
    let wrong = sub("wrong-verb");
    api.method(&wrong, "GET", json!({"type": "AWS_PROXY", "httpMethod": "GET", "uri": URI}));
    let none = sub("none");
    api.method(
        &none,
        "GET",
        json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": URI.replace(":f/", ":g/")}),
    );
    let signed = sub("signed");
    api.proxy(&signed, "GET");
    let iam =
        json!({"patchOperations": [{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}]});
    api.bench.good("PATCH", &api.path(&format!("/resources/{signed}/methods/GET")), iam);
    let often = sub("often");
    api.proxy(&often, "GET");
    api.deploy("p");
    let limits = json!({"patchOperations": [
        {"op": "replace", "path": "/~1often/GET/throttling/rateLimit", "value": "0"},
        {"op": "replace", "path": "/~1often/GET/throttling/burstLimit", "value": "0"},
    ]});
    api.bench.good("PATCH", &api.path("/stages/p"), limits);
    for (target, expect) in [
        ("/p", "200 "),
        ("/p/", "200 "),
        ("/p?fail=1", r#"502 {"message": "Internal server error"}"#),
        ("/p?answer={\"message\":1}", r#"502 {"message": "Internal server error"}"#),
        ("/p/wrong-verb", r#"500 {"message": "Internal server error"}"#),
        ("/p/none", r#"500 {"message": "Internal server error"}"#),
        ("/p/signed", r#"403 {"message":"Missing Authentication Token"}"#),
        ("/p/often", r#"429 {"message":"Too Many Requests"}"#),
        ("/p/nowhere", r#"403 {"message":"Missing Authentication Token"}"#),
        ("/q", r#"403 {"message":"Forbidden"}"#),
    ] {
        let got = api.get(target);
        assert!(got.starts_with(expect), "{target}: {got}");
    }
    let reply = api.bench.url("POST", &format!("/_millstream/api/{}/p", api.id), &[], b"");
    assert_eq!(
        (reply.status, reply.header("x-amzn-errortype")),
        (403, "MissingAuthenticationTokenException")
    );
    // The API's own words: for the deployment that comes after them.
    let own = json!({
        "statusCode": "404",
        "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        "responseTemplates": {"application/json": "{\"is\":$context.error.messageString}"},
    });
    api.bench.good("PUT", &api.path("/gatewayresponses/DEFAULT_4XX"), own);
    assert!(api.get("/p/nowhere").starts_with("403 "));
    api.deploy("p");
    let reply = api.bench.url("GET", &format!("/_millstream/api/{}/p/nowhere", api.id), &[], b"");
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (404, "*"));
    assert_eq!(reply.json(), json!({"is": "Missing Authentication Token"}));
}

#[test]
fn stages_serve_what_was_deployed_and_methods_can_be_tried() {
    let api = Api::new(json!({}));
    let refused = api.bench.bad("POST", &api.path("/deployments"), json!({}));
    assert_eq!(refused, "400 BadRequestException: The REST API doesn't contain any methods");
    api.proxy(&api.root, "GET");
    let first = api.deploy("p");
    let new = api.resource(&api.root, "new");
    api.proxy(&new, "GET");
    assert!(api.get("/p/new").starts_with("403 "));
    let tried = api.bench.good(
        "POST",
        &api.path(&format!("/resources/{new}/methods/GET")),
        json!({"pathWithQueryString": "/new?a=1", "stageVariables": {"k": "v"}}),
    );
    let event: Value = serde_json::from_str(tried["body"].as_str().unwrap_or_default()).expect("an event");
    assert_eq!(
        (&tried["status"], &event["requestContext"]["stage"]),
        (&json!(200), &json!("test-invoke-stage"))
    );
    assert_eq!(
        (&event["stageVariables"]["k"], &event["queryStringParameters"]["a"]),
        (&json!("v"), &json!("1"))
    );
    let second = api.bench.good("POST", &api.path("/deployments"), json!({}))["id"].clone();
    assert!(api.get("/p/new").starts_with("403 "));
    let change = json!({"patchOperations": [{"op": "replace", "path": "/deploymentId", "value": second}, {"op": "replace", "path": "/variables/k", "value": "w"}]});
    let stage = api.bench.good("PATCH", &api.path("/stages/p"), change);
    assert_eq!(stage["variables"], json!({"k": "w"}));
    assert!(api.get("/p/new").starts_with("200 "));
    api.bench.good("DELETE", &api.path(&format!("/deployments/{first}")), Value::Null);
    let used = second.as_str().expect("an id");
    let refused = api.bench.bad("DELETE", &api.path(&format!("/deployments/{used}")), Value::Null);
    assert!(
        refused.ends_with("Active stages pointing to this deployment must be moved or deleted"),
        "{refused}"
    );
    let summary =
        api.bench.good("GET", &api.path(&format!("/deployments/{used}?embed=apisummary")), Value::Null);
    assert_eq!(summary["apiSummary"]["/new"]["GET"]["authorizationType"], "NONE");
    api.bench.good("DELETE", &api.path(""), Value::Null);
    assert_eq!(api.bench.url("GET", &format!("/_millstream/api/{}/p", api.id), &[], b"").status, 403);
}

#[test]
fn parts_are_checked_and_refused_by_name() {
    let api = Api::new(json!({}));
    let a = api.resource(&api.root, "a");
    let rest = api.resource(&a, "{proxy+}");
    let method = format!("/resources/{a}/methods/GET");
    let made = api.bench.good("PUT", &api.path(&method), json!({"authorizationType": "none"}));
    assert_eq!(made["authorizationType"], "NONE");
    let lambda = |uri: &str| json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": uri});
    for (method, path, input, expect) in [
        (
            "POST",
            format!("/resources/{}", api.root),
            json!({"pathPart": "a"}),
            "409 ConflictException: Another resource with the same parent already has this name: a",
        ),
        (
            "POST",
            format!("/resources/{rest}"),
            json!({"pathPart": "a"}),
            "400 BadRequestException: Cannot create a child of a resource with a greedy path variable: {proxy+}",
        ),
        (
            "POST",
            format!("/resources/{}", api.root),
            json!({"pathPart": "a b"}),
            "400 BadRequestException: Resource's path part only allow",
        ),
        (
            "POST",
            "/resources/none".to_owned(),
            json!({"pathPart": "b"}),
            "404 NotFoundException: Invalid Resource identifier specified",
        ),
        (
            "POST",
            format!("/resources/{a}"),
            json!({"pathPart": "{id}"}),
            "400 BadRequestException: A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed",
        ),
        (
            "PATCH",
            format!("/resources/{a}"),
            json!({"patchOperations": [{"op": "replace", "path": "/parentId", "value": rest}]}),
            "400 BadRequestException: Resources cannot be cyclical.",
        ),
        (
            "PATCH",
            format!("/resources/{a}"),
            json!({"patchOperations": [{"op": "add", "path": "/pathPart", "value": "b"}]}),
            "400 BadRequestException: Invalid patch path  '/pathPart' specified for op 'add'. Please choose supported operations",
        ),
        (
            "PATCH",
            format!("/resources/{}", api.root),
            json!({"patchOperations": [{"op": "replace", "path": "/pathPart", "value": "b"}]}),
            "400 BadRequestException: Root resource cannot update its pathPart.",
        ),
        (
            "PUT",
            format!("/resources/{a}/methods/HEAD"),
            json!({"authorizationType": "NONE", "requestParameters": {"method.request.header.a": true, "method.request.querystring.a": false}}),
            "400 BadRequestException: Parameter names must be unique across querystring, header and path",
        ),
        (
            "PUT",
            method.clone(),
            json!({"authorizationType": "NONE"}),
            "409 ConflictException: Method already exists for this resource",
        ),
        (
            "PUT",
            format!("/resources/{a}/methods/POST"),
            json!({"authorizationType": "COGNITO_USER_POOLS"}),
            "400 BadRequestException: authorizationType COGNITO_USER_POOLS is not supported",
        ),
        (
            "PUT",
            format!("/resources/{a}/methods/POST"),
            json!({"authorizationType": "NONE", "requestValidatorId": "v"}),
            "400 BadRequestException: Invalid Request Validator identifier specified",
        ),
        (
            "PUT",
            format!("{method}/integration"),
            lambda("arn:aws:apigateway:us-east-1:lambda:x"),
            "400 BadRequestException: AWS ARN for integration must contain path or action",
        ),
        (
            "PUT",
            format!("{method}/integration"),
            lambda("nonsense"),
            "400 BadRequestException: Invalid ARN specified in the request",
        ),
        (
            "PUT",
            format!("{method}/integration"),
            lambda("arn:aws:apigateway:us-east-1:sqs:path/q"),
            "400 BadRequestException: Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
        ),
        (
            "PUT",
            format!("{method}/integration"),
            json!({"type": "OTHER", "httpMethod": "GET"}),
            "400 ValidationException: 1 validation error detected: Value 'OTHER' at 'putIntegrationInput.type' failed to satisfy constraint: Member must satisfy enum value set: [HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
        ),
        (
            "GET",
            format!("{method}/integration"),
            Value::Null,
            "404 NotFoundException: Invalid Integration identifier specified",
        ),
        (
            "POST",
            "/stages".to_owned(),
            json!({"stageName": "s", "deploymentId": "none"}),
            "400 BadRequestException: Deployment id does not exist",
        ),
        (
            "PATCH",
            String::new(),
            json!({"patchOperations": [{"op": "replace", "path": "/nothing", "value": "x"}]}),
            "400 BadRequestException: Invalid patch path  '/nothing' specified for op 'replace'. Must be one of: [",
        ),
        (
            "POST",
            "/documentation/parts".to_owned(),
            json!({"location": {"type": "API"}, "properties": "{}"}),
            "501 NotImplemented: apigateway.CreateDocumentationPart is not implemented",
        ),
    ] {
        let refused = api.bench.bad(method, &api.path(&path), input);
        assert!(refused.starts_with(expect), "{refused}");
    }
    assert_eq!(
        api.bench.bad("GET", "/restapis/none", Value::Null),
        "404 NotFoundException: Invalid API identifier specified 123456789012:none"
    );
    let listed = api.bench.good("GET", &api.path("/resources?embed=methods&limit=500"), Value::Null);
    let found = listed["item"].as_array().into_iter().flatten().find(|one| one["path"] == "/a").expect("/a");
    assert_eq!(found["resourceMethods"]["GET"]["authorizationType"], "NONE");
    api.bench.good("DELETE", &api.path(&format!("/resources/{a}")), Value::Null);
    let left = api.bench.good("GET", &api.path("/resources"), Value::Null);
    assert_eq!(left["item"].as_array().map(Vec::len), Some(1));
    let role = json!({"patchOperations": [{"op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::123456789012:role/r"}]});
    api.bench.good("PATCH", "/account", role);
    let account = api.bench.good("GET", "/account", Value::Null);
    assert_eq!(account["cloudwatchRoleArn"], "arn:aws:iam::123456789012:role/r");
    let arn = format!("arn:aws:apigateway:us-east-1::/restapis/{}", api.id).replace('/', "%2F");
    api.bench.good("PUT", &format!("/tags/{arn}"), json!({"tags": {"a": "1"}}));
    assert_eq!(api.bench.good("GET", &api.path(""), Value::Null)["tags"], json!({"a": "1"}));
}
