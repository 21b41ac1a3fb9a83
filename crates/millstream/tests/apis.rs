//! A function behind an HTTP API and a REST API: deployed as a stack, called, changed, called again after a restart, gone.

use crate::support::{aws, start};
use serde_json::Value;
use testkit::{Client, Node, TempDir};

const TEMPLATE: &str = r#"
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.12
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Timeout: 30
      Code:
        ZipFile: |
          def handler(event, context):
              who = (event.get("pathParameters") or {}).get("who", "nobody")
              return {"statusCode": 200, "body": f"version {event.get('version', 'rest')} for {who}"}
  Http:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: !Ref AWS::StackName, ProtocolType: HTTP, CorsConfiguration: {AllowOrigins: ['*'], AllowMethods: [GET]}}
  HttpStage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Http, StageName: $default, AutoDeploy: true}
  HttpIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Http
      IntegrationType: AWS_PROXY
      IntegrationUri: !GetAtt Function.Arn
      PayloadFormatVersion: '2.0'
  HttpRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Http, RouteKey: 'GET /{who}', Target: !Sub 'integrations/${HttpIntegration}', AuthorizationType: NONE}
  HttpPermission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !GetAtt Function.Arn
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Http}/*/*/{who}'
  Rest:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: rest}
  Who:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Rest, ParentId: !GetAtt Rest.RootResourceId, PathPart: '{who}'}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Who
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:
        Type: AWS_PROXY
        IntegrationHttpMethod: POST
        Uri: !Sub 'arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations'
  Options:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Rest
      ResourceId: !Ref Who
      HttpMethod: OPTIONS
      AuthorizationType: NONE
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{ statusCode: 204 }'}
        IntegrationResponses:
          - StatusCode: '204'
            ResponseParameters: {method.response.header.Access-Control-Allow-Origin: "'*'"}
      MethodResponses:
        - StatusCode: '204'
          ResponseParameters: {method.response.header.Access-Control-Allow-Origin: true}
  Deployment1:
    Type: AWS::ApiGateway::Deployment
    DependsOn: [Get, Options]
    Properties: {RestApiId: !Ref Rest}
  Prod:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref Rest
      DeploymentId: !Ref Deployment1
      StageName: prod
      MethodSettings: [{ResourcePath: '/*', HttpMethod: '*', ThrottlingRateLimit: 100, ThrottlingBurstLimit: 50}]
  RestPermission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !GetAtt Function.Arn
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub 'arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Rest}/${Prod}/GET/*'
Outputs:
  HttpUrl: {Value: !Sub 'https://${Http}.execute-api.${AWS::Region}.${AWS::URLSuffix}/'}
  RestUrl: {Value: !Sub 'https://${Rest}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Prod}/'}
"#;

fn outputs(node: &Node, files: &TempDir) -> (String, String) {
    let (success, text) = aws(node, files, &["cloudformation", "describe-stacks", "--stack-name", "apis"]);
    assert!(success, "{text}");
    let told: Value = serde_json::from_str(&text).expect("JSON");
    let output =
        |at: usize| told["Stacks"][0]["Outputs"][at]["OutputValue"].as_str().expect("a value").to_owned();
    (output(0), output(1))
}

/// The status, the head and the body that a URL answers with.
fn call(node: &Node, method: &str, url: &str, headers: &str) -> (u16, String, String) {
    let path = url.strip_prefix(&format!("http://{}", node.address())).expect("an address of this server");
    let mut client = Client::connect(node.address()).expect("a connection");
    let answer = client.send(method, path, headers, b"").expect("an answer");
    (answer.status, answer.head.to_ascii_lowercase(), answer.text())
}

#[test]
fn a_stack_with_both_kinds_of_api() {
    let dir = TempDir::new("apis");
    let files = TempDir::new("apis-files");
    let node = start(&dir);
    let deploy = |node: &Node, template: &str| {
        std::fs::write(files.path().join("template.yaml"), template).expect("a file");
        let common = ["cloudformation", "deploy", "--stack-name", "apis", "--template-file", "template.yaml"];
        let arguments = [&common[..], &["--capabilities", "CAPABILITY_IAM"]].concat();
        let (success, text) = aws(node, &files, &arguments);
        assert!(success, "{text}");
    };
    deploy(&node, TEMPLATE);
    let (http, rest) = outputs(&node, &files);
    assert_eq!(call(&node, "GET", &format!("{http}me"), "").2, "version 2.0 for me");
    assert_eq!(call(&node, "GET", &format!("{rest}me"), "").2, "version rest for me");
    let (status, head, _) = call(&node, "OPTIONS", &format!("{rest}me"), "Origin: https://a.example\r\n");
    assert!(status == 204 && head.contains("access-control-allow-origin: *"), "{status} {head}");
    let asks = "Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n";
    let (status, head, _) = call(&node, "OPTIONS", &format!("{http}me"), asks);
    assert!(status == 204 && head.contains("access-control-allow-methods: get"), "{status} {head}");
    assert_eq!(call(&node, "GET", &http, "").0, 404);
    assert_eq!(call(&node, "GET", &rest, "").2, r#"{"message":"Missing Authentication Token"}"#);

    // A changed route is served at once, a changed method with its deployment; both after a restart.
    let changed = TEMPLATE
        .replace("GET /{who}", "GET /users/{who}")
        .replace("${Http}/*/*/{who}", "${Http}/*/*/users/{who}")
        .replace("PathPart: '{who}'", "PathPart: anybody")
        .replace("Deployment1", "Deployment2");
    deploy(&node, &changed);
    node.stop();
    let node = start(&dir);
    let (http, rest) = outputs(&node, &files);
    assert_eq!(call(&node, "GET", &format!("{http}users/me"), "").2, "version 2.0 for me");
    assert_eq!(call(&node, "GET", &format!("{http}me"), "").0, 404);
    assert_eq!(call(&node, "GET", &format!("{rest}anybody"), "").2, "version rest for nobody");

    let (success, text) = aws(&node, &files, &["cloudformation", "delete-stack", "--stack-name", "apis"]);
    assert!(success, "{text}");
    let (success, text) =
        aws(&node, &files, &["cloudformation", "wait", "stack-delete-complete", "--stack-name", "apis"]);
    assert!(success, "{text}");
    assert_eq!(call(&node, "GET", &format!("{rest}me"), "").0, 403);
    for arguments in [&["apigatewayv2", "get-apis"], &["apigateway", "get-rest-apis"]] {
        let (success, text) = aws(&node, &files, arguments);
        assert!(success, "{text}");
        let told: Value = serde_json::from_str(&text).unwrap_or_default();
        let left = told.get("Items").or_else(|| told.get("items")).and_then(Value::as_array);
        assert_eq!(left.map(Vec::len), Some(0), "{arguments:?}: {text}");
    }
}
