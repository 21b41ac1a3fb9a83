//! APIs from documents.

use super::Api;
use serde_json::{Value, json};

pub(super) fn document() -> Value {
    json!({
        "openapi": "3.0.1",
        "info": {"title": "pets", "version": "1.0", "description": "d"},
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": true, "validateRequestParameters": true}},
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": {"BAD_REQUEST_BODY": {"statusCode": 422}},
        "servers": [{"url": "https://a.example/v1/part"}],
        "paths": {
            "/pets/{id}": {
                "parameters": [{"$ref": "#/components/parameters/id"}],
                "post": {
                    "operationId": "Feed",
                    "parameters": [{"in": "query", "name": "q", "required": true}, {"in": "header", "name": "h"}],
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet-Food"}}}},
                    "responses": {
                        "200": {"description": "ok", "headers": {"x-one": {}}, "content": {"application/json": {"schema": {"type": "object"}}}},
                        "default": {"description": "not ok"},
                    },
                    "x-amazon-apigateway-integration": {
                        "type": "mock", "passthroughBehavior": "never", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
                        "responses": {"default": {
                            "statusCode": 200, "responseParameters": {"method.response.header.x-one": "'1'"},
                            "responseTemplates": {"application/json": "fed $input.params('id')"},
                        }},
                    },
                },
            },
            "/keyed": {"x-amazon-apigateway-any-method": {
                "security": [{"key": [], "guard": []}],
                "x-amazon-apigateway-integration": {"type": "http_proxy", "httpMethod": "GET", "uri": "http://127.0.0.1:1/"},
            }},
        },
        "components": {
            "parameters": {"id": {"in": "path", "name": "id", "required": true}},
            "schemas": {
                "Pet-Food": {"type": "object", "required": ["meat"], "properties": {"meat": {"$ref": "#/components/schemas/Meat"}}},
                "Meat": {"enum": ["fish"], "description": "m"},
            },
            "securitySchemes": {
                "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
                "guard": {"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "custom",
                    "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": super::URI}},
            },
        },
    })
}

fn paths(api: &Api, id: &str) -> Vec<String> {
    let told = api.bench.good("GET", &format!("/restapis/{id}/resources"), Value::Null);
    let mut paths: Vec<String> = told["item"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["path"].as_str())
        .map(str::to_owned)
        .collect();
    paths.sort();
    paths
}

#[test]
fn a_document_becomes_an_api_that_serves() {
    let api = Api::new(json!({"binaryMediaTypes": ["a/b"]}));
    let made = api.bench.good(
        "POST",
        "/restapis?mode=import&endpointConfigurationTypes=REGIONAL&basepath=split",
        document(),
    );
    let id = made["id"].as_str().expect("an id");
    for (member, expect) in [
        ("name", json!("pets")),
        ("description", json!("d")),
        ("version", json!("1.0")),
        ("binaryMediaTypes", json!(["image/png"])),
        ("endpointConfiguration", json!({"types": ["REGIONAL"], "ipAddressType": "ipv4"})),
    ] {
        assert_eq!(made[member], expect, "{member}");
    }
    assert_eq!(paths(&api, id), ["/", "/part", "/part/keyed", "/part/pets", "/part/pets/{id}"]);
    let all = api.bench.good("GET", &format!("/restapis/{id}/resources?embed=methods"), Value::Null);
    let found = |path: &str| {
        all["item"].as_array().into_iter().flatten().find(|one| one["path"] == path).expect("a path").clone()
    };
    let feed = &found("/part/pets/{id}")["resourceMethods"]["POST"];
    assert_eq!(feed["operationName"], "Feed");
    assert_eq!(feed["requestModels"], json!({"application/json": "PetFood"}));
    let parameters = json!({
        "method.request.path.id": true, "method.request.querystring.q": true, "method.request.header.h": false,
    });
    assert_eq!(feed["requestParameters"], parameters);
    assert_eq!(feed["methodIntegration"]["passthroughBehavior"], "NEVER");
    assert_eq!(feed["methodIntegration"]["integrationResponses"]["200"]["statusCode"], "200");
    let model = &feed["methodResponses"]["200"]["responseModels"]["application/json"];
    assert!(model.as_str().is_some_and(|name| name.starts_with("MODEL")), "{model}");
    let keyed = &found("/part/keyed")["resourceMethods"]["ANY"];
    assert_eq!((&keyed["apiKeyRequired"], &keyed["authorizationType"]), (&json!(true), &json!("CUSTOM")));
    let guards = api.bench.good("GET", &format!("/restapis/{id}/authorizers"), Value::Null);
    let guard = &guards["item"][0];
    assert_eq!((&guard["id"], &guard["type"]), (&keyed["authorizerId"], &json!("TOKEN")));
    assert_eq!(guard["identitySource"], "method.request.header.Authorization");
    api.bench.good("POST", &format!("/restapis/{id}/deployments"), json!({"stageName": "s"}));
    let ask = |body: &str| {
        let path = format!("/_millstream/api/{id}/s/part/pets/7?q=1");
        let reply = api.bench.url("POST", &path, &[("content-type", "application/json")], body.as_bytes());
        format!("{} {} {}", reply.status, reply.header("x-one"), String::from_utf8_lossy(&reply.body))
    };
    assert_eq!(ask(r#"{"meat": "fish"}"#), "200 1 fed 7");
    assert!(ask(r#"{"meat": "tofu"}"#).starts_with("422 "), "a model refers to another one");
}

#[test]
fn a_document_is_laid_over_an_api_or_takes_its_place() {
    let api = Api::new(json!({"binaryMediaTypes": ["a/b"]}));
    let old = api.resource(&api.root, "old");
    api.proxy(&old, "GET");
    // YAML and Swagger 2, with a base path.
    let text = "swagger: '2.0'\ninfo: {title: laid, version: 2}\nbasePath: /base\nx-amazon-apigateway-binary-media-types: [c/d]\n\
        paths:\n  /new:\n    get:\n      consumes: [text/plain]\n      parameters:\n        - {in: body, name: b, schema: {$ref: '#/definitions/Empty'}}\n\
        \n      responses:\n        200: {description: ok, schema: {$ref: '#/definitions/Empty'}}\n      x-amazon-apigateway-integration: {type: mock}\n\
        definitions:\n  Empty: {type: object}\n";
    let put = |query: &str, body: &str| {
        api.bench.call("PUT", &format!("{}{query}", api.path("")), &[], body.as_bytes())
    };
    let merged = put("?mode=merge&basepath=prepend", text);
    assert_eq!((merged.status, &merged.json()["name"]), (200, &json!("laid")), "{}", merged.json());
    assert_eq!(merged.json()["binaryMediaTypes"], json!(["a/b", "c/d"]));
    assert_eq!(paths(&api, &api.id), ["/", "/base", "/base/new", "/old"]);
    let again = put("?mode=overwrite", text);
    assert_eq!((again.status, &again.json()["binaryMediaTypes"]), (200, &json!(["c/d"])), "{}", again.json());
    assert_eq!(paths(&api, &api.id), ["/", "/new"]);
    let told = api.bench.good("GET", &api.path("/resources?embed=methods"), Value::Null);
    let method = told["item"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["path"] == "/new")
        .expect("a path")["resourceMethods"]["GET"]
        .clone();
    assert_eq!(method["requestModels"], json!({"text/plain": "Empty"}));
    assert_eq!(method["methodResponses"]["200"]["responseModels"], json!({"application/json": "Empty"}));
    let wrong = |text: &str| {
        let reply = put("?mode=overwrite", text).json();
        reply["message"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(wrong("{\"a\""), "Invalid OpenAPI input.");
    assert_eq!(wrong("a: ["), "Invalid OpenAPI input.");
    let mut odd = document();
    odd["paths"]["/keyed"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]["type"] =
        json!("sqs");
    assert!(
        wrong(&odd.to_string()).contains("on 'ANY' for resource at path '/keyed'"),
        "{}",
        wrong(&odd.to_string())
    );
    odd["x-amazon-apigateway-policy"] = json!({});
    assert_eq!(wrong(&odd.to_string()), "x-amazon-apigateway-policy is not supported.");
    assert_eq!(paths(&api, &api.id), ["/", "/new"], "what fails changes nothing");
}
