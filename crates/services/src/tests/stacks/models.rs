//! Models, request validators, and integrations with servers elsewhere.

use super::Bench;
use serde_json::{Value, json};

fn resources(least: u64, body: bool, mapped: Value, status: Value) -> Value {
    let schema = json!({"type": "object", "properties": {"a": {"minimum": least}}});
    json!({
        "Api": { "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": "a" } },
        "Model": { "Type": "AWS::ApiGateway::Model", "Properties": { "RestApiId": { "Ref": "Api" }, "Schema": schema } },
        "Validator": { "Type": "AWS::ApiGateway::RequestValidator", "Properties": {
            "RestApiId": { "Ref": "Api" }, "ValidateRequestBody": body,
        }},
        "Post": { "Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": { "Ref": "Api" }, "ResourceId": { "Fn::GetAtt": ["Api", "RootResourceId"] }, "HttpMethod": "POST",
            "AuthorizationType": "NONE", "RequestValidatorId": { "Ref": "Validator" },
            "RequestModels": { "application/json": { "Ref": "Model" } },
            "Integration": { "Type": "HTTP_PROXY", "IntegrationHttpMethod": "ANY", "Uri": "http://127.0.0.1:1/" },
        }},
        "Http": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "Name": "h", "ProtocolType": "HTTP" } },
        "Server": { "Type": "AWS::ApiGatewayV2::Integration", "Properties": {
            "ApiId": { "Ref": "Http" }, "IntegrationType": "HTTP_PROXY", "IntegrationUri": "http://127.0.0.1:1/",
            "PayloadFormatVersion": "1.0", "IntegrationMethod": "ANY",
            "RequestParameters": mapped, "ResponseParameters": status,
        }},
    })
}

#[tokio::test]
async fn models_validators_and_mappings_are_made_changed_and_removed() {
    let bench = Bench::new();
    let names = ["Api", "Model", "Validator", "Http", "Server"];
    let outputs: Value =
        names.iter().map(|name| ((*name).to_owned(), json!({ "Value": { "Ref": name } }))).collect();
    let mapped = json!({ "append:header.a": "1", "append:header.b": "2" });
    let status = |code: &str| json!({ code: { "ResponseParameters": [{ "Destination": "overwrite:statuscode", "Source": "418" }] } });
    let (state, made) =
        bench.deploy("CreateStack", resources(1, true, mapped, status("404")), outputs.clone()).await;
    assert_eq!(state, "CREATE_COMPLETE", "{made}");
    let told = async || {
        let model = json!({ "restApiId": made["Api"], "modelName": made["Model"] });
        let model = bench.good("apigateway", "GetModel", model).await;
        let validator = json!({ "restApiId": made["Api"], "requestValidatorId": made["Validator"] });
        let validator = bench.good("apigateway", "GetRequestValidator", validator).await;
        let server = json!({ "ApiId": made["Http"], "IntegrationId": made["Server"] });
        let server = bench.good("apigatewayv2", "GetIntegration", server).await;
        let schema: Value = serde_json::from_str(model["schema"].as_str().expect("a schema")).expect("JSON");
        let minimum = schema["properties"]["a"]["minimum"].clone();
        let mapped = (server["RequestParameters"].clone(), server["ResponseParameters"].clone());
        (minimum, validator["validateRequestBody"].clone(), mapped)
    };
    let teapot = json!({ "overwrite:statuscode": "418" });
    let both = (json!({ "append:header.a": "1", "append:header.b": "2" }), json!({ "404": teapot }));
    assert_eq!(told().await, (json!(1), json!(true), both));
    let mapped = json!({ "append:header.b": "3" });
    let (state, _) =
        bench.deploy("UpdateStack", resources(2, false, mapped.clone(), status("500")), outputs).await;
    assert_eq!(state, "UPDATE_COMPLETE");
    assert_eq!(told().await, (json!(2), json!(false), (mapped, json!({ "500": teapot }))));
    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    assert_eq!(bench.good("apigateway", "GetRestApis", json!({})).await["items"], json!([]));
}
