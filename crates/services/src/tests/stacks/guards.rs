//! Authorizers of APIs, and rotations of secrets.

use super::Bench;
use serde_json::{Value, json};

fn resources(ttl_s: u64, days: u64) -> Value {
    let uri = |function: &str| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations") });
    json!({
        "Turn": { "Type": "AWS::Lambda::Function", "Properties": {
            "Runtime": "python3.12", "Handler": "index.handler", "Role": "arn:aws:iam::123456789012:role/r",
            "Code": { "ZipFile": "def handler(event, context):\n    return {}\n" },
        }},
        "May": { "Type": "AWS::Lambda::Permission", "Properties": {
            "FunctionName": { "Ref": "Turn" }, "Action": "lambda:InvokeFunction", "Principal": "secretsmanager.amazonaws.com",
        }},
        "Login": { "Type": "AWS::SecretsManager::Secret", "Properties": { "SecretString": "x" } },
        "Turning": { "Type": "AWS::SecretsManager::RotationSchedule", "DependsOn": "May", "Properties": {
            "SecretId": { "Ref": "Login" }, "RotationLambdaARN": { "Fn::GetAtt": ["Turn", "Arn"] },
            "RotationRules": { "AutomaticallyAfterDays": days }, "RotateImmediatelyOnUpdate": false,
        }},
        "Http": { "Type": "AWS::ApiGatewayV2::Api", "Properties": { "Name": "h", "ProtocolType": "HTTP" } },
        "HttpGuard": { "Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {
            "ApiId": { "Ref": "Http" }, "Name": "g", "AuthorizerType": "REQUEST", "AuthorizerUri": uri("Turn"),
            "AuthorizerPayloadFormatVersion": "2.0", "EnableSimpleResponses": true,
            "IdentitySource": ["$request.header.X"], "AuthorizerResultTtlInSeconds": ttl_s,
        }},
        "HttpRoute": { "Type": "AWS::ApiGatewayV2::Route", "Properties": {
            "ApiId": { "Ref": "Http" }, "RouteKey": "GET /", "AuthorizationType": "CUSTOM", "AuthorizerId": { "Ref": "HttpGuard" },
        }},
        "Rest": { "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": "r" } },
        "RestGuard": { "Type": "AWS::ApiGateway::Authorizer", "Properties": {
            "RestApiId": { "Ref": "Rest" }, "Name": "g", "Type": "TOKEN", "AuthorizerUri": uri("Turn"),
            "IdentitySource": "method.request.header.X", "AuthorizerResultTtlInSeconds": ttl_s,
        }},
        "RestMethod": { "Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": { "Ref": "Rest" }, "ResourceId": { "Fn::GetAtt": ["Rest", "RootResourceId"] }, "HttpMethod": "GET",
            "AuthorizationType": "CUSTOM", "AuthorizerId": { "Ref": "RestGuard" }, "Integration": { "Type": "MOCK" },
        }},
    })
}

#[tokio::test]
async fn authorizers_and_rotations_are_made_changed_and_removed() {
    let bench = Bench::new();
    let names = ["Login", "Http", "HttpGuard", "Rest", "RestGuard", "Turning"];
    let outputs: Value =
        names.iter().map(|name| ((*name).to_owned(), json!({ "Value": { "Ref": name } }))).collect();
    let (status, made) = bench.deploy("CreateStack", resources(60, 30), outputs.clone()).await;
    assert_eq!(status, "CREATE_COMPLETE", "{made}");
    assert_eq!(made["Turning"], made["Login"], "a schedule is known by its secret");
    let told = async || {
        let http = json!({ "ApiId": made["Http"], "AuthorizerId": made["HttpGuard"] });
        let rest = json!({ "restApiId": made["Rest"], "authorizerId": made["RestGuard"] });
        let http =
            bench.good("apigatewayv2", "GetAuthorizer", http).await["AuthorizerResultTtlInSeconds"].clone();
        let rest =
            bench.good("apigateway", "GetAuthorizer", rest).await["authorizerResultTtlInSeconds"].clone();
        let secret =
            bench.good("secretsmanager", "DescribeSecret", json!({ "SecretId": made["Login"] })).await;
        (
            http,
            rest,
            secret["RotationEnabled"].clone(),
            secret["RotationRules"]["AutomaticallyAfterDays"].clone(),
        )
    };
    assert_eq!(told().await, (json!(60), json!(60), json!(true), json!(30)));
    let (status, same) = bench.deploy("UpdateStack", resources(90, 7), outputs).await;
    assert_eq!((status.as_str(), &same), ("UPDATE_COMPLETE", &made));
    assert_eq!(told().await, (json!(90), json!(90), json!(true), json!(7)));
    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    assert_eq!(bench.good("apigatewayv2", "GetApis", json!({})).await["Items"], json!([]));
    assert_eq!(bench.good("secretsmanager", "ListSecrets", json!({})).await["SecretList"], json!([]));
}
