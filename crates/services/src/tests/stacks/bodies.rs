//! APIs whose documents are in the template, or in a bucket.

use super::Bench;
use serde_json::{Value, json};

fn resources(path: &str, description: Value) -> Value {
    let mock = json!({"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}});
    let rest = json!({
        "openapi": "3.0.1", "info": {"title": "said", "version": "1"},
        "paths": { path: {"get": {"x-amazon-apigateway-integration": mock}} },
    });
    let server = json!({"type": "http_proxy", "httpMethod": "GET", "uri": "http://127.0.0.1:1/", "payloadFormatVersion": "1.0"});
    let http = json!({
        "openapi": "3.0.1", "info": {"title": "heard", "version": "1"},
        "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"]},
        "components": {"securitySchemes": {"who": {"type": "oauth2", "x-amazon-apigateway-authorizer": {
            "type": "jwt", "identitySource": "$request.header.Authorization",
            "jwtConfiguration": {"issuer": "http://127.0.0.1:1/", "audience": ["a"]},
        }}}},
        "paths": {
            path: {"get": {"security": [{"who": ["read"]}], "x-amazon-apigateway-integration": server}},
            "/$default": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": server}},
        },
    });
    let mut own = json!({ "Body": rest, "Name": "own", "EndpointConfiguration": {"Types": ["REGIONAL"]} });
    if !description.is_null() {
        own["Description"] = description;
    }
    json!({
        "Rest": { "Type": "AWS::ApiGateway::RestApi", "Properties": own },
        "Http": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "Body": http, "Tags": { "k": "v" } } },
    })
}

#[tokio::test]
async fn apis_are_made_and_changed_from_documents() {
    let bench = Bench::new();
    let outputs = json!({
        "Rest": { "Value": { "Ref": "Rest" } }, "Http": { "Value": { "Ref": "Http" } },
        "Root": { "Value": { "Fn::GetAtt": ["Rest", "RootResourceId"] } },
    });
    let (state, made) = bench.deploy("CreateStack", resources("/a", json!("d")), outputs.clone()).await;
    assert_eq!(state, "CREATE_COMPLETE", "{made}");
    let told = async || {
        let rest = bench.good("apigateway", "GetRestApi", json!({ "restApiId": made["Rest"] })).await;
        assert_eq!(
            (&rest["name"], &rest["endpointConfiguration"]["types"]),
            (&json!("own"), &json!(["REGIONAL"]))
        );
        assert_eq!(rest["rootResourceId"], made["Root"]);
        let all = bench.good("apigateway", "GetResources", json!({ "restApiId": made["Rest"] })).await;
        let mut paths: Vec<Value> =
            all["items"].as_array().into_iter().flatten().map(|one| one["path"].clone()).collect();
        paths.sort_by_key(Value::to_string);
        let http = bench.good("apigatewayv2", "GetApi", json!({ "ApiId": made["Http"] })).await;
        assert_eq!((&http["Name"], &http["Tags"]["k"]), (&json!("heard"), &json!("v")));
        assert_eq!(http["CorsConfiguration"]["AllowOrigins"], json!(["https://a.example"]));
        let all = bench.good("apigatewayv2", "GetRoutes", json!({ "ApiId": made["Http"] })).await;
        let routes = all["Items"].as_array().cloned().unwrap_or_default();
        let mut keys: Vec<Value> = routes.iter().map(|one| one["RouteKey"].clone()).collect();
        keys.sort_by_key(Value::to_string);
        let guarded = routes.iter().find(|one| one["RouteKey"] != "$default").expect("a route");
        assert_eq!(
            (&guarded["AuthorizationType"], &guarded["AuthorizationScopes"]),
            (&json!("JWT"), &json!(["read"]))
        );
        json!([paths, rest.get("description"), keys])
    };
    assert_eq!(told().await, json!([["/", "/a"], "d", ["$default", "GET /a"]]));
    let (state, same) = bench.deploy("UpdateStack", resources("/b", Value::Null), outputs).await;
    assert_eq!((state.as_str(), &same), ("UPDATE_COMPLETE", &made));
    assert_eq!(told().await, json!([["/", "/b"], null, ["$default", "GET /b"]]));
    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    for (service, operation, items) in
        [("apigateway", "GetRestApis", "items"), ("apigatewayv2", "GetApis", "Items")]
    {
        assert_eq!(bench.good(service, operation, json!({})).await[items], json!([]), "{operation}");
    }
}
