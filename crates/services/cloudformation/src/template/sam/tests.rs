//! Short forms and what they stand for.

use crate::template::Template;
use serde_json::{Value, json};

fn written(text: &str) -> Result<Template, String> {
    Template::parse(&format!("Transform: AWS::Serverless-2016-10-31\n{text}"))
}

fn good(text: &str) -> Template {
    written(text).unwrap_or_else(|words| panic!("{words}"))
}

/// `name: type` of every resource, in order.
fn kinds(template: &Template) -> Vec<String> {
    template.resources().keys().map(|name| format!("{name}: {}", template.resource_type(name))).collect()
}

fn at<'a>(template: &'a Template, name: &str, pointer: &str) -> &'a Value {
    let resource =
        template.resources().get(name).unwrap_or_else(|| panic!("{name} in {:?}", kinds(template)));
    resource.pointer(&format!("/Properties{pointer}")).unwrap_or(&Value::Null)
}

#[test]
fn a_function_on_a_stream() {
    let template = good(
        "
Globals:
  Function: {Timeout: 9, Runtime: python3.12, Environment: {Variables: {A: '1', B: '1'}}, Layers: [a]}
Resources:
  Table: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: k, Type: Number}, Tags: {t: v}}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      InlineCode: 'x = 1'
      Environment: {Variables: {B: '2'}}
      Layers: [b]
      Policies: [AmazonS3ReadOnlyAccess, {DynamoDBCrudPolicy: {TableName: !Ref Table}}, {Statement: []}]
      Events:
        Stream: {Type: DynamoDB, Properties: {Stream: arn, StartingPosition: LATEST, BatchSize: 5}}
",
    );
    assert_eq!(
        kinds(&template),
        [
            "Table: AWS::DynamoDB::Table",
            "FnRole: AWS::IAM::Role",
            "Fn: AWS::Lambda::Function",
            "FnStream: AWS::Lambda::EventSourceMapping",
        ]
    );
    for (name, pointer, expect) in [
        ("Fn", "/Timeout", json!(9)),
        ("Fn", "/Runtime", json!("python3.12")),
        ("Fn", "/Environment/Variables", json!({"A": "1", "B": "2"})),
        ("Fn", "/Layers", json!(["a", "b"])),
        ("Fn", "/Code", json!({"ZipFile": "x = 1"})),
        ("Fn", "/Role", json!({"Fn::GetAtt": ["FnRole", "Arn"]})),
        (
            "FnRole",
            "/ManagedPolicyArns/1/Fn::Sub",
            json!("arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole"),
        ),
        (
            "FnRole",
            "/ManagedPolicyArns/2/Fn::Sub",
            json!("arn:${AWS::Partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"),
        ),
        ("FnRole", "/Policies/0/PolicyName", json!("FnRolePolicy1")),
        (
            "FnRole",
            "/Policies/0/PolicyDocument/Statement/0/Resource/0/Fn::Sub/1/name",
            json!({"Ref": "Table"}),
        ),
        (
            "FnStream",
            "",
            json!({"EventSourceArn": "arn", "FunctionName": {"Ref": "Fn"}, "StartingPosition": "LATEST", "BatchSize": 5}),
        ),
        ("Table", "/KeySchema", json!([{"AttributeName": "k", "KeyType": "HASH"}])),
        ("Table", "/BillingMode", json!("PAY_PER_REQUEST")),
        ("Table", "/Tags", json!([{"Key": "t", "Value": "v"}])),
    ] {
        assert_eq!(at(&template, name, pointer), &expect, "{name}{pointer}");
    }
    assert_eq!(template.capabilities().map(|(name, _)| name), Some("CAPABILITY_IAM"));
}

const FUNCTION: &str = "Type: AWS::Serverless::Function, Properties: {Runtime: python3.12, Handler: h, Role: r, CodeUri: 's3://b/k/e?versionId=v'";

#[test]
fn functions_behind_apis_that_nobody_declared() {
    let template = good(&format!(
        "
Globals: {{Api: {{Cors: \"'*'\"}}}}
Resources:
  Fn: {{{FUNCTION}, Events: {{
    One: {{Type: Api, Properties: {{Path: '/users/{{id}}', Method: get}}}},
    Two: {{Type: Api, Properties: {{Path: /users, Method: ANY}}}},
    Three: {{Type: HttpApi}},
    Four: {{Type: HttpApi, Properties: {{Path: /a, Method: post, TimeoutInMillis: 50}}}}}}}}}}
Outputs:
  Url: {{Value: !Sub 'https://${{ServerlessRestApi}}.execute-api/${{ServerlessRestApiProdStage}}/${{ServerlessHttpApi}}'}}
"
    ));
    let all = kinds(&template);
    let count = |kind: &str| all.iter().filter(|one| one.ends_with(&format!(": {kind}"))).count();
    for (kind, expect) in [
        ("AWS::ApiGateway::RestApi", 1),
        ("AWS::ApiGateway::Resource", 2),
        // One of them for browsers: ANY answers its own.
        ("AWS::ApiGateway::Method", 3),
        ("AWS::ApiGateway::Deployment", 1),
        ("AWS::ApiGateway::Stage", 1),
        ("AWS::ApiGatewayV2::Api", 1),
        ("AWS::ApiGatewayV2::Integration", 2),
        ("AWS::ApiGatewayV2::Route", 2),
        ("AWS::ApiGatewayV2::Stage", 1),
        ("AWS::Lambda::Permission", 4),
    ] {
        assert_eq!(count(kind), expect, "{kind} in {all:?}");
    }
    assert_eq!(
        at(&template, "Fn", "/Code"),
        &json!({"S3Bucket": "b", "S3Key": "k/e", "S3ObjectVersion": "v"})
    );
    let source = at(&template, "FnOnePermissionProd", "/SourceArn/Fn::Sub/0").as_str().unwrap_or_default();
    assert!(source.ends_with("${__Api__}/*/GET/users/*"), "{source}");
    assert_eq!(at(&template, "ServerlessHttpApiApiGatewayDefaultStage", "/StageName"), "$default");
    // Another path needs another deployment.
    let deployment = |path: &str| {
        let text = format!(
            "Resources: {{Fn: {{{FUNCTION}, Events: {{A: {{Type: Api, Properties: {{Path: {path}, Method: get}}}}}}}}}}}}"
        );
        let template = good(&text);
        template.resources().keys().find(|name| name.contains("Deployment")).cloned()
    };
    assert_eq!(deployment("/a"), deployment("/a"));
    assert_ne!(deployment("/a"), deployment("/b"));
}

#[test]
fn apis_of_their_own_stand_under_their_condition() {
    let template = good(&format!(
        "
Conditions: {{On: !Equals [a, a]}}
Resources:
  Web: {{Type: AWS::Serverless::HttpApi, Condition: On, Properties: {{StageName: v1, CorsConfiguration: true}}}}
  Rest: {{Type: AWS::Serverless::Api, Properties: {{StageName: dev, Variables: {{k: v}}}}}}
  Fn: {{{FUNCTION}, Events: {{
    A: {{Type: HttpApi, Properties: {{ApiId: !Ref Web, Path: /a, Method: get}}}},
    B: {{Type: Api, Properties: {{RestApiId: !Ref Rest, Path: /, Method: get}}}}}}}}}}
"
    ));
    let web = &template.resources()["Web"];
    assert_eq!(
        (&web["Condition"], &web["Properties"]["CorsConfiguration"]),
        (&json!("On"), &json!({"AllowOrigins": ["*"]}))
    );
    assert_eq!(template.resources()["WebV1Stage"]["Condition"], "On");
    assert_eq!(at(&template, "RestDevStage", "/Variables"), &json!({"k": "v"}));
    assert_eq!(
        at(&template, "RestRootGet", "/ResourceId"),
        &json!({"Fn::GetAtt": ["Rest", "RootResourceId"]})
    );
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    for (resource, words) in [
        (
            "{Type: AWS::Serverless::StateMachine}",
            "Resource with id [A] is invalid. Type AWS::Serverless::StateMachine is not supported.",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: {AutoPublishAlias: x}}",
            "Resource with id [A] is invalid. property AutoPublishAlias is not supported.",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: {CodeUri: ./src}}",
            "Resource with id [A] is invalid. 'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: {InlineCode: x, Events: {E: {Type: Schedule}}}}",
            "Resource with id [A] is invalid. Event with id [E] is invalid. Type Schedule is not supported.",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: {InlineCode: x, Policies: {VPCAccessPolicy: {}}}}",
            "Resource with id [A] is invalid. The policy template VPCAccessPolicy is not supported.",
        ),
        (
            "{Type: AWS::Serverless::Function, Properties: {InlineCode: x, Events: {E: {Type: Api, Properties: {Path: /, Method: get, RestApiId: !Ref B}}}}}",
            "RestApiId must be a valid reference to an 'AWS::Serverless::Api' resource in same template: B",
        ),
    ] {
        let refused = written(&format!("Resources: {{A: {resource}}}")).expect_err(words);
        assert!(refused.ends_with(words), "{refused}");
    }
}
