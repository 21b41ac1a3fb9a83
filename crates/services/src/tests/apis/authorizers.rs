//! Who may call a route or a method, as functions and tokens say.

use crate::tests::bench::Bench;
use serde_json::{Value, json};

const ECHO: &str = "
import json
def handler(event, context):
    return {'statusCode': 200, 'body': json.dumps(event)}
";

/// Lets in whose word begins with `ok`, and counts how often it was asked.
const GUARD: &str = "
asked = 0
def handler(event, context):
    global asked
    asked += 1
    word = event.get('authorizationToken') or (event.get('identitySource') or [''])[0]
    arn = event.get('methodArn') or event.get('routeArn')
    if word == 'boom':
        raise Exception('boom')
    if word == 'who':
        raise Exception('Unauthorized')
    told = {'word': word, 'asked': asked, 'kind': event['type'], 'arn': arn}
    if event.get('version') == '2.0':
        return {'isAuthorized': word.startswith('ok'), 'context': told}
    effect = 'Allow' if word.startswith('ok') else 'Deny'
    resource = arn.replace('/pets', '/other') if word == 'elsewhere' else arn
    effect = 'Allow' if word == 'elsewhere' else effect
    statement = {'Action': 'execute-api:Invoke', 'Effect': effect, 'Resource': resource}
    policy = {'Version': '2012-10-17', 'Statement': [statement]}
    return {'principalId': 'me', 'policyDocument': policy, 'context': told}
";

fn arn(function: &str) -> String {
    format!("arn:aws:lambda:us-east-1:123456789012:function:{function}")
}

fn uri(function: &str) -> String {
    format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations", arn(function))
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.function("echo", ECHO, json!({}));
    bench.function("guard", GUARD, json!({}));
    permit(&bench, "echo", "*/*/*");
    bench
}

fn permit(bench: &Bench, function: &str, source: &str) {
    let statement = json!({
        "StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com",
        "SourceArn": format!("arn:aws:execute-api:us-east-1:123456789012:{source}"),
    });
    bench.good("POST", &format!("/2015-03-31/functions/{function}/policy"), statement);
}

fn text(made: &Value, member: &str) -> String {
    made[member].as_str().unwrap_or_else(|| panic!("no {member} in {made}")).to_owned()
}

/// An HTTP API with `GET /pets` before the echo, and its route's path.
fn http_api(bench: &Bench) -> (String, String) {
    let id = text(&bench.good("POST", "/v2/apis", json!({"name": "a", "protocolType": "HTTP"})), "apiId");
    let api = format!("/v2/apis/{id}");
    let integration =
        json!({"integrationType": "AWS_PROXY", "integrationUri": arn("echo"), "payloadFormatVersion": "2.0"});
    let integration = bench.good("POST", &format!("{api}/integrations"), integration);
    let target = format!("integrations/{}", text(&integration, "integrationId"));
    let route =
        bench.good("POST", &format!("{api}/routes"), json!({"routeKey": "GET /pets", "target": target}));
    bench.good("POST", &format!("{api}/stages"), json!({"stageName": "$default", "autoDeploy": true}));
    (id, format!("{api}/routes/{}", text(&route, "routeId")))
}

/// `status body` of a GET, and what the function behind was told of the caller.
fn get(bench: &Bench, path: &str, header: (&str, &str)) -> (String, Value) {
    let headers = if header.1.is_empty() { vec![] } else { vec![header] };
    let reply = bench.url("GET", &format!("/_millstream/api/{path}"), &headers, b"");
    if reply.status == 200 {
        return ("200".to_owned(), reply.json()["requestContext"]["authorizer"].clone());
    }
    (format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)), Value::Null)
}

#[test]
fn functions_guard_the_routes_of_http_apis() {
    let bench = bench();
    let (id, route) = http_api(&bench);
    let authorizers = format!("/v2/apis/{id}/authorizers");
    let input = json!({
        "name": "g", "authorizerType": "REQUEST", "authorizerUri": uri("guard"), "enableSimpleResponses": true,
        "identitySource": ["$request.header.X-Word"], "authorizerPayloadFormatVersion": "2.0", "authorizerResultTtlInSeconds": 60,
    });
    let guard = text(&bench.good("POST", &authorizers, input.clone()), "authorizerId");
    let again = bench.bad("POST", &authorizers, input);
    assert_eq!(again, "409 ConflictException: An authorizer with name g already exists");
    let custom = json!({"authorizationType": "CUSTOM", "authorizerId": guard});
    bench.good("PATCH", &route, custom);
    let ask = |word: &str| get(&bench, &format!("{id}/pets"), ("x-word", word));
    let broken = "500 {\"message\":\"Internal Server Error\"}";
    assert_eq!(ask("ok").0, broken, "its policy does not let it be asked");
    permit(&bench, "guard", &format!("{id}/authorizers/{guard}"));
    for (word, expected) in [
        ("", "401 {\"message\":\"Unauthorized\"}"),
        ("no", "403 {\"message\":\"Forbidden\"}"),
        ("boom", broken),
        ("ok-1", "200"),
    ] {
        assert_eq!(ask(word).0, expected, "{word}");
    }
    let told = ask("ok-1").1["lambda"].clone();
    assert_eq!((&told["word"], &told["kind"]), (&json!("ok-1"), &json!("REQUEST")));
    assert_eq!(told["arn"], format!("arn:aws:execute-api:us-east-1:123456789012:{id}/$default/GET/pets"));
    assert_eq!(ask("ok-1").1["lambda"]["asked"], told["asked"], "what it said is kept");

    // Policies instead of truths, nothing kept.
    let one = format!("{authorizers}/{guard}");
    let change = json!({"enableSimpleResponses": false, "authorizerPayloadFormatVersion": "1.0", "authorizerResultTtlInSeconds": 0});
    bench.good("PATCH", &one, change);
    let (first, second) = (ask("ok-1").1, ask("ok-1").1);
    assert_ne!(first["lambda"]["asked"], second["lambda"]["asked"]);
    for word in ["no", "elsewhere"] {
        assert_eq!(ask(word).0, "403 {\"message\":\"Forbidden\"}", "{word}");
    }
    let used = bench.bad("DELETE", &one, Value::Null);
    assert_eq!(
        used,
        format!(
            "409 ConflictException: Cannot delete authorizer '{guard}', is referenced by one or more routes"
        )
    );
    bench.good("PATCH", &route, json!({"authorizationType": "NONE", "authorizerId": ""}));
    bench.good("DELETE", &one, Value::Null);
    assert_eq!(ask("").0, "200");
}

#[test]
fn tokens_open_the_routes_of_http_apis() {
    let bench = bench();
    let (id, route) = http_api(&bench);
    let authorizers = format!("/v2/apis/{id}/authorizers");
    let input = |issuer: &str| {
        json!({"name": "j", "authorizerType": "JWT", "identitySource": ["$request.header.Authorization"],
            "jwtConfiguration": {"audience": ["pets"], "issuer": issuer}})
    };
    assert!(bench.bad("POST", &authorizers, input("issuer.test")).contains("Invalid issuer"));
    let jwt = text(&bench.good("POST", &authorizers, input("http://issuer.test/")), "authorizerId");
    let wrong = bench.bad("PATCH", &route, json!({"authorizationType": "CUSTOM", "authorizerId": jwt}));
    assert!(wrong.contains("is not of the type that CUSTOM asks for"), "{wrong}");
    bench.good(
        "PATCH",
        &route,
        json!({"authorizationType": "JWT", "authorizerId": jwt, "authorizationScopes": ["read"]}),
    );
    for (headers, expected) in [
        (&[][..], "Bearer"),
        (
            &[("authorization", "Bearer a.b.c")][..],
            "Bearer scope=\"read\" error=\"invalid_token\" error_description=\"the token is malformed\"",
        ),
    ] {
        let reply = bench.url("GET", &format!("/_millstream/api/{id}/pets"), headers, b"");
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, expected));
    }
}

#[test]
fn functions_guard_the_methods_of_rest_apis() {
    let bench = bench();
    let made = bench.good("POST", "/restapis", json!({"name": "a"}));
    let (id, root) = (text(&made, "id"), text(&made, "rootResourceId"));
    let api = format!("/restapis/{id}");
    permit(&bench, "guard", &format!("{id}/authorizers/*"));
    let input = json!({"name": "t", "type": "TOKEN", "authorizerUri": uri("guard"), "identityValidationExpression": "[a-z0-9-]+",
        "identitySource": "method.request.header.X-Word"});
    let token = bench.good("POST", &format!("{api}/authorizers"), input);
    let input = json!({"name": "r", "type": "REQUEST", "authorizerUri": uri("guard"), "authorizerResultTtlInSeconds": 0});
    let request = bench.good("POST", &format!("{api}/authorizers"), input);
    for (part, authorizer) in [("pets", &token), ("open", &request)] {
        let resource = bench.good("POST", &format!("{api}/resources/{root}"), json!({"pathPart": part}));
        let method = format!("{api}/resources/{}/methods/GET", text(&resource, "id"));
        let wrong = bench.bad("PUT", &method, json!({"authorizationType": "CUSTOM", "authorizerId": "none"}));
        assert!(wrong.starts_with("400 BadRequestException: Invalid authorizer ID"), "{wrong}");
        bench.good("PUT", &method, json!({"authorizationType": "CUSTOM", "authorizerId": authorizer["id"]}));
        let proxy = json!({"type": "AWS_PROXY", "httpMethod": "POST", "uri": uri("echo")});
        bench.good("PUT", &format!("{method}/integration"), proxy);
    }
    bench.good("POST", &format!("{api}/deployments"), json!({"stageName": "prod"}));
    let ask = |word: &str| get(&bench, &format!("{id}/prod/pets"), ("x-word", word));
    for (word, expected) in [
        ("", "401 {\"message\":\"Unauthorized\"}"),
        ("NO", "401 {\"message\":\"Unauthorized\"}"),
        ("who", "401 {\"message\":\"Unauthorized\"}"),
        ("no", "403 {\"Message\":\"User is not authorized to access this resource with an explicit deny\"}"),
        ("elsewhere", "403 {\"Message\":\"User is not authorized to access this resource\"}"),
        ("boom", "500 {\"message\": null}"),
        ("ok-1", "200"),
    ] {
        assert_eq!(ask(word).0, expected, "{word}");
    }
    let told = ask("ok-1").1;
    assert_eq!((&told["principalId"], &told["kind"]), (&json!("me"), &json!("TOKEN")));
    assert!(told["asked"].is_string(), "values are texts here");
    assert_eq!(ask("ok-1").1["asked"], told["asked"], "what it said is kept");
    bench.good("DELETE", &format!("{api}/stages/prod/cache/authorizers"), Value::Null);
    assert_ne!(ask("ok-1").1["asked"], told["asked"]);
    // The other one is asked without any word, every time.
    let (status, _) = get(&bench, &format!("{id}/prod/open"), ("x-word", "ok"));
    assert_eq!(
        status,
        "403 {\"Message\":\"User is not authorized to access this resource with an explicit deny\"}"
    );
    let tested = format!("{api}/resources/{root}/methods/GET");
    assert!(bench.bad("POST", &tested, json!({})).starts_with("404"), "the root has no method");
}
