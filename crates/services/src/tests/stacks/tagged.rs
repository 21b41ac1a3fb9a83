//! Tags of a stack's resources, which each service is told in its own way.

use super::Bench;
use serde_json::{Value, json};

fn resources(tags: &Value, map: &Value) -> Value {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
        "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
    let of = |kind: &str, mut own: Value| {
        own["Tags"] = tags.clone();
        json!({ "Type": kind, "Properties": own })
    };
    let mapped = |kind: &str, mut own: Value| {
        own["Tags"] = map.clone();
        json!({ "Type": kind, "Properties": own })
    };
    json!({
        "Table": of("AWS::DynamoDB::Table", json!({
            "TableName": "table", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{ "AttributeName": "k", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "k", "AttributeType": "S" }],
        })),
        "Role": of("AWS::IAM::Role", json!({ "RoleName": "role", "AssumeRolePolicyDocument": trust })),
        "Function": of("AWS::Lambda::Function", json!({
            "FunctionName": "function", "Runtime": "python3.12", "Handler": "index.handler",
            "Role": { "Fn::GetAtt": ["Role", "Arn"] }, "Code": { "ZipFile": "def handler(e, c): pass" },
        })),
        "Queue": of("AWS::SQS::Queue", json!({ "QueueName": "queue" })),
        "Topic": of("AWS::SNS::Topic", json!({ "TopicName": "topic" })),
        "Key": of("AWS::KMS::Key", json!({})),
        "Secret": of("AWS::SecretsManager::Secret", json!({ "Name": "secret", "SecretString": "s" })),
        "Parameter": mapped("AWS::SSM::Parameter", json!({ "Name": "parameter", "Type": "String", "Value": "v" })),
        "Images": of("AWS::ECR::Repository", json!({ "RepositoryName": "images" })),
        "Group": of("AWS::RDS::DBParameterGroup", json!({
            "DBParameterGroupName": "group", "Family": "mysql8.0", "Description": "d",
        })),
        "Rest": of("AWS::ApiGateway::RestApi", json!({ "Name": "rest" })),
        "Http": mapped("AWS::ApiGatewayV2::Api", json!({ "Name": "http", "ProtocolType": "HTTP" })),
    })
}

/// What a service tells of tags, in whatever form, as a map.
fn plain(told: &Value) -> Value {
    let pair = |tag: &Value| {
        let either = |long: &str, short: &str| tag.get(long).or_else(|| tag.get(short)).cloned();
        let (key, value) = (either("TagKey", "Key")?, either("TagValue", "Value")?);
        Some((key.as_str()?.to_owned(), value))
    };
    match told.as_array() {
        Some(list) => Value::Object(list.iter().filter_map(pair).collect()),
        None => told.clone(),
    }
}

#[tokio::test]
async fn every_service_is_told_which_tags_there_are() {
    let bench = Bench::new();
    let outputs = json!({
        "Key": { "Value": { "Ref": "Key" } }, "Secret": { "Value": { "Ref": "Secret" } },
        "Queue": { "Value": { "Ref": "Queue" } }, "Rest": { "Value": { "Ref": "Rest" } },
        "Http": { "Value": { "Ref": "Http" } },
    });
    let shared = |more: &str| format!("arn:aws:{more}").replace("HERE", "us-east-1:123456789012");
    for (operation, tags) in [
        ("CreateStack", json!({ "stays": "1", "goes": "x" })),
        ("UpdateStack", json!({ "stays": "2", "comes": "y" })),
        ("UpdateStack", json!({})),
    ] {
        let list = tags.as_object().into_iter().flatten();
        let list: Value = list.map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        let (state, made) = bench.deploy(operation, resources(&list, &tags), outputs.clone()).await;
        assert!(state.ends_with("E_COMPLETE") && !state.contains("ROLLBACK"), "{state}: {made}");
        let api = |path: String| format!("arn:aws:apigateway:us-east-1::/{path}");
        let id = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
        for (service, operation, input, member) in [
            (
                "dynamodb",
                "ListTagsOfResource",
                json!({ "ResourceArn": shared("dynamodb:HERE:table/table") }),
                "Tags",
            ),
            ("iam", "ListRoleTags", json!({ "RoleName": "role" }), "Tags"),
            ("lambda", "ListTags", json!({ "Resource": shared("lambda:HERE:function:function") }), "Tags"),
            ("sqs", "ListQueueTags", json!({ "QueueUrl": made["Queue"] }), "Tags"),
            ("sns", "ListTagsForResource", json!({ "ResourceArn": shared("sns:HERE:topic") }), "Tags"),
            ("kms", "ListResourceTags", json!({ "KeyId": made["Key"] }), "Tags"),
            ("secretsmanager", "DescribeSecret", json!({ "SecretId": made["Secret"] }), "Tags"),
            (
                "ssm",
                "ListTagsForResource",
                json!({ "ResourceType": "Parameter", "ResourceId": "parameter" }),
                "TagList",
            ),
            (
                "ecr",
                "ListTagsForResource",
                json!({ "resourceArn": shared("ecr:HERE:repository/images") }),
                "tags",
            ),
            ("rds", "ListTagsForResource", json!({ "ResourceName": shared("rds:HERE:pg:group") }), "TagList"),
            (
                "apigateway",
                "GetTags",
                json!({ "resourceArn": api(format!("restapis/{}", id("Rest"))) }),
                "tags",
            ),
            (
                "apigatewayv2",
                "GetTags",
                json!({ "ResourceArn": api(format!("apis/{}", id("Http"))) }),
                "Tags",
            ),
        ] {
            let told = bench.good(service, operation, input).await;
            let told = told.get(member).map(plain).unwrap_or_else(|| json!({}));
            assert_eq!(told, tags, "{service}");
        }
    }
}

#[tokio::test]
async fn tags_of_policies() {
    let bench = Bench::new();
    let document = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    let input =
        json!({ "PolicyName": "p", "PolicyDocument": document, "Tags": [{ "Key": "a", "Value": "1" }] });
    let arn = bench.good("iam", "CreatePolicy", input).await["Policy"]["Arn"].clone();
    let more = json!({ "PolicyArn": arn, "Tags": [{ "Key": "b", "Value": "2" }] });
    bench.good("iam", "TagPolicy", more).await;
    bench.good("iam", "UntagPolicy", json!({ "PolicyArn": arn, "TagKeys": ["a"] })).await;
    let told = bench.good("iam", "ListPolicyTags", json!({ "PolicyArn": arn })).await;
    assert_eq!(told["Tags"], json!([{ "Key": "b", "Value": "2" }]));
    assert_eq!(
        bench.good("iam", "GetPolicy", json!({ "PolicyArn": arn })).await["Policy"]["Tags"],
        told["Tags"]
    );
    let kept = json!({ "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "Tags": [] });
    bench.ask("iam", "TagPolicy", kept).await.expect_err("AWS's own");
}
