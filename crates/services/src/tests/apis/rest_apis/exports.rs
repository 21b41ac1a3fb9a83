//! APIs written out as documents.

use super::Api;
use super::imports::document;
use serde_json::{Value, json};

/// Imports a document and deploys it as stage `s`.
fn imported(api: &Api, document: Value) -> String {
    let made = api.bench.good("POST", "/restapis?mode=import", document);
    let id = made["id"].as_str().expect("an id").to_owned();
    api.bench.good("POST", &format!("/restapis/{id}/deployments"), json!({"stageName": "s"}));
    id
}

fn exported(api: &Api, id: &str, kind: &str, query: &str) -> Value {
    let reply = api.bench.call("GET", &format!("/restapis/{id}/stages/s/exports/{kind}{query}"), &[], b"");
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    let file = format!("attachment; filename=\"{id}-s.json\"");
    assert_eq!(reply.header("content-disposition"), file);
    reply.json()
}

/// Less what every API has for itself.
fn plain(mut document: Value) -> Value {
    for own in ["servers", "host"] {
        document.as_object_mut().map(|members| members.remove(own));
    }
    document
}

const ALL: &str = "?extensions=apigateway";

#[test]
fn what_is_exported_is_the_same_api_when_it_is_imported() {
    let api = Api::new(json!({}));
    let first = imported(&api, document());
    let told = exported(&api, &first, "oas30", ALL);
    assert_eq!(told["info"], json!({"title": "pets", "description": "d", "version": "1.0"}));
    let url = format!("https://{first}.execute-api.us-east-1.amazonaws.com/{{basePath}}");
    assert_eq!(told["servers"], json!([{"url": url, "variables": {"basePath": {"default": "s"}}}]));
    let feed = &told["paths"]["/pets/{id}"]["post"];
    assert_eq!(feed["operationId"], "Feed");
    assert_eq!(feed["x-amazon-apigateway-request-validator"], "all");
    assert_eq!(feed["x-amazon-apigateway-integration"]["responses"]["default"]["statusCode"], "200");
    let schema = json!({"$ref": "#/components/schemas/PetFood"});
    assert_eq!(feed["requestBody"]["content"]["application/json"]["schema"], schema);
    let food = &told["components"]["schemas"]["PetFood"]["properties"]["meat"];
    assert_eq!(*food, json!({"$ref": "#/components/schemas/Meat"}));
    let keyed = &told["paths"]["/keyed"]["x-amazon-apigateway-any-method"];
    assert_eq!(keyed["security"], json!([{"guard": [], "api_key": []}]));
    assert_eq!(told["x-amazon-apigateway-gateway-responses"]["BAD_REQUEST_BODY"]["statusCode"], "422");
    for kind in ["oas30", "swagger"] {
        let again = imported(&api, exported(&api, &first, kind, ALL));
        assert_eq!(plain(exported(&api, &again, "oas30", ALL)), plain(told.clone()), "{kind}");
    }
}

#[test]
fn only_what_is_wanted_is_exported() {
    let api = Api::new(json!({}));
    let id = imported(&api, document());
    let bare = exported(&api, &id, "swagger", "");
    assert_eq!((&bare["swagger"], &bare["basePath"]), (&json!("2.0"), &json!("/s")));
    let text = bare.to_string();
    assert!(
        !text.contains("x-amazon-apigateway-integration") && !text.contains("apigateway-authorizer"),
        "{text}"
    );
    let parameter = json!({"name": "q", "in": "query", "required": true, "type": "string"});
    let all = bare["paths"]["/pets/{id}"]["post"]["parameters"].as_array().expect("parameters");
    assert!(all.contains(&parameter), "{all:?}");
    let with = exported(&api, &id, "swagger", "?extensions=authorizers,integrations").to_string();
    assert!(
        with.contains("x-amazon-apigateway-integration") && with.contains("apigateway-authorizer"),
        "{with}"
    );
    let path = |rest: &str| format!("/restapis/{id}/{rest}");
    let yaml = api.bench.call("GET", &path("stages/s/exports/oas30"), &[("accept", "application/yaml")], b"");
    assert!(yaml.body.starts_with(b"openapi: \"3.0.1\"\n"), "{}", String::from_utf8_lossy(&yaml.body));
    for (target, status) in [
        ("stages/s/exports/raml", 400),
        ("stages/none/exports/oas30", 404),
        ("stages/s/exports/oas30?extensions=postman", 400),
    ] {
        assert_eq!(api.bench.call("GET", &path(target), &[], b"").status, status, "{target}");
    }
}

#[test]
fn an_api_without_a_version_has_the_time_it_was_made_at() {
    let api = Api::new(json!({}));
    let mut told = document();
    told["info"] = json!({"title": "pets"});
    let id = imported(&api, told);
    let version = exported(&api, &id, "oas30", "")["info"]["version"].clone();
    let made = api.bench.good("GET", &format!("/restapis/{id}"), json!({}))["createdDate"].as_f64();
    let seconds =
        world::Timestamp::parse_iso(version.as_str().expect("a version")).map(|time| time.seconds());
    assert_eq!(seconds, made.map(|made| made as u64), "{version}");
    assert!(version.as_str().is_some_and(|version| version.ends_with('Z')), "{version}");
}
