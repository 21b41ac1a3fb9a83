//! Stacks of queues, topics, secrets, parameters and keys, in a house of their own.

mod bodies;
mod buckets;
mod failures;
mod guards;
mod models;
mod networks;
mod plans;
mod tagged;
mod users;

use crate::Services;
use crate::testing::{Scratch, services};
use serde_json::{Value, json};
use servicekit::call::Caller;
use store::Store;
use world::World;

struct Bench {
    services: Services,
    _dir: Scratch,
}

impl Bench {
    fn new() -> Bench {
        let (world, store) = (World::real(), Store::memory());
        let dir = Scratch::new();
        Bench { services: services(&store, &world, &dir.0), _dir: dir }
    }

    async fn ask(&self, service: &str, operation: &str, input: Value) -> Result<Value, String> {
        let caller = Caller { account: "123456789012".into(), region: "us-east-1".into(), access_key: None };
        let answer = self.services.house().ask(&caller, service, operation, input).await;
        answer.map_err(|error| error.to_string())
    }

    async fn good(&self, service: &str, operation: &str, input: Value) -> Value {
        self.ask(service, operation, input).await.unwrap_or_else(|words| panic!("{operation}: {words}"))
    }

    /// Makes or changes the stack, and answers its state, its outputs and, of a failure, the reasons.
    async fn deploy(&self, operation: &str, resources: Value, outputs: Value) -> (String, Value) {
        let template = json!({ "Resources": resources, "Outputs": outputs }).to_string();
        let input =
            json!({ "StackName": "s", "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"] });
        self.good("cloudformation", operation, input).await;
        let stack =
            self.good("cloudformation", "DescribeStacks", json!({ "StackName": "s" })).await["Stacks"][0]
                .clone();
        let mut shown = json!({});
        for output in stack["Outputs"].as_array().into_iter().flatten() {
            shown[output["OutputKey"].as_str().expect("a key")] = output["OutputValue"].clone();
        }
        let events = self.good("cloudformation", "DescribeStackEvents", json!({ "StackName": "s" })).await;
        let events = events["StackEvents"].as_array().cloned().unwrap_or_default();
        let failed = events
            .iter()
            .filter(|event| event["ResourceStatus"].as_str().is_some_and(|s| s.ends_with("FAILED")));
        let reasons: Vec<&Value> = failed.map(|event| &event["ResourceStatusReason"]).collect();
        if !reasons.is_empty() {
            shown["reasons"] = json!(reasons);
        }
        (stack["StackStatus"].as_str().unwrap_or_default().to_owned(), shown)
    }
}

#[tokio::test]
async fn queues_and_topics() {
    let bench = Bench::new();
    let resources = |delay: Value| {
        json!({
            "Dead": { "Type": "AWS::SQS::Queue" },
            "Work": { "Type": "AWS::SQS::Queue", "Properties": {
                "VisibilityTimeout": 5, "DelaySeconds": delay, "Tags": [{ "Key": "a", "Value": "b" }],
                "RedrivePolicy": { "deadLetterTargetArn": { "Fn::GetAtt": ["Dead", "Arn"] }, "maxReceiveCount": 3 },
            }},
            "Ordered": { "Type": "AWS::SQS::Queue", "Properties": { "FifoQueue": true, "ContentBasedDeduplication": true } },
            "News": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "news", "DisplayName": "News" } },
            "Reader": { "Type": "AWS::SNS::Subscription", "Properties": {
                "TopicArn": { "Ref": "News" }, "Protocol": "sqs",
                "Endpoint": { "Fn::GetAtt": ["Work", "Arn"] }, "RawMessageDelivery": true,
            }},
            "May": { "Type": "AWS::SQS::QueuePolicy", "Properties": {
                "Queues": [{ "Ref": "Work" }], "PolicyDocument": { "Version": "2012-10-17", "Statement": [] },
            }},
        })
    };
    let outputs = json!({
        "Url": { "Value": { "Ref": "Work" } },
        "Ordered": { "Value": { "Fn::GetAtt": ["Ordered", "QueueName"] } },
        "Topic": { "Value": { "Ref": "News" } },
    });
    let (status, shown) = bench.deploy("CreateStack", resources(0.into()), outputs.clone()).await;
    assert_eq!(status, "CREATE_COMPLETE", "{shown}");
    let url = shown["Url"].as_str().expect("an address").to_owned();
    assert!(url.starts_with("http://127.0.0.1:4566/123456789012/s-Work-"), "{url}");
    assert!(shown["Ordered"].as_str().is_some_and(|name| name.ends_with(".fifo")), "{shown}");
    bench.good("sns", "Publish", json!({ "TopicArn": shown["Topic"], "Message": "hello" })).await;
    let got = bench.good("sqs", "ReceiveMessage", json!({ "QueueUrl": url, "WaitTimeSeconds": 0 })).await;
    assert_eq!(got["Messages"][0]["Body"], "hello");

    let attributes = async || {
        let input = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
        bench.good("sqs", "GetQueueAttributes", input).await["Attributes"].clone()
    };
    assert!(
        attributes().await["RedrivePolicy"].as_str().is_some_and(|policy| policy.contains("maxReceiveCount"))
    );
    let mut changed = resources(7.into());
    changed["Work"]["Properties"].as_object_mut().expect("properties").remove("RedrivePolicy");
    changed.as_object_mut().expect("resources").remove("May");
    assert_eq!(bench.deploy("UpdateStack", changed.clone(), outputs.clone()).await.0, "UPDATE_COMPLETE");
    let now = attributes().await;
    assert_eq!((&now["DelaySeconds"], &now["VisibilityTimeout"]), (&json!("7"), &json!("5")));
    assert_eq!((now.get("RedrivePolicy"), now.get("Policy")), (None, None));

    // What a queue does not have fails the change, which is taken back.
    changed["Work"]["Properties"]["KmsMasterKeyId"] = "alias/aws/sqs".into();
    let (status, shown) = bench.deploy("UpdateStack", changed, outputs).await;
    assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE");
    assert!(shown["reasons"].to_string().contains("KmsMasterKeyId"), "{shown}");
    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    assert_eq!(bench.good("sqs", "ListQueues", json!({})).await.get("QueueUrls"), None);
    assert_eq!(bench.good("sns", "ListSubscriptions", json!({})).await["Subscriptions"], json!([]));
}

#[tokio::test]
async fn secrets_parameters_and_what_refers_to_them() {
    let bench = Bench::new();
    bench.good("ssm", "PutParameter", json!({ "Name": "/kept", "Value": "kept", "Type": "String" })).await;
    let resources = |value: &str| {
        json!({
            "Login": { "Type": "AWS::SecretsManager::Secret", "Properties": {
                "Description": value,
                "GenerateSecretString": {
                    "SecretStringTemplate": "{\"username\":\"admin\"}", "GenerateStringKey": "password",
                    "PasswordLength": 20, "ExcludePunctuation": true,
                },
            }},
            "Setting": { "Type": "AWS::SSM::Parameter", "Properties": {
                "Name": "/made/setting", "Type": "String", "Value": value, "Tags": { "a": "b" },
            }},
            "Copy": { "Type": "AWS::SSM::Parameter", "Properties": {
                "Type": "String",
                "Value": { "Fn::Sub": "{{resolve:ssm:/kept}}/{{resolve:secretsmanager:${Login}:SecretString:username}}" },
            }},
        })
    };
    let outputs = json!({
        "Login": { "Value": { "Ref": "Login" } },
        "Copy": { "Value": { "Ref": "Copy" } },
        "Value": { "Value": { "Fn::GetAtt": ["Setting", "Value"] } },
    });
    let (status, shown) = bench.deploy("CreateStack", resources("one"), outputs.clone()).await;
    assert_eq!((status.as_str(), &shown["Value"]), ("CREATE_COMPLETE", &json!("one")), "{shown}");
    let secret = async || {
        let found =
            bench.good("secretsmanager", "GetSecretValue", json!({ "SecretId": shown["Login"] })).await;
        serde_json::from_str::<Value>(found["SecretString"].as_str().expect("a text")).expect("json")
    };
    let made = secret().await;
    assert_eq!((&made["username"], made["password"].as_str().map(str::len)), (&json!("admin"), Some(20)));
    let parameter = async |name: &Value| {
        bench.good("ssm", "GetParameter", json!({ "Name": name })).await["Parameter"]["Value"].clone()
    };
    assert_eq!(parameter(&shown["Copy"]).await, "kept/admin");

    // A new description makes no new password.
    let (status, changed) = bench.deploy("UpdateStack", resources("two"), outputs).await;
    assert_eq!((status.as_str(), &changed["Value"]), ("UPDATE_COMPLETE", &json!("two")), "{changed}");
    assert_eq!(secret().await, made);
    assert_eq!(parameter(&json!("/made/setting")).await, "two");
    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    assert_eq!(
        bench.good("secretsmanager", "ListSecrets", json!({ "IncludePlannedDeletion": true })).await["SecretList"],
        json!([])
    );
    assert!(bench.ask("ssm", "GetParameter", json!({ "Name": "/made/setting" })).await.is_err());
    assert_eq!(parameter(&json!("/kept")).await, "kept");
}

#[tokio::test]
async fn keys_and_their_names() {
    let bench = Bench::new();
    let resources = |rotates: bool| {
        json!({
            "Key": { "Type": "AWS::KMS::Key", "Properties": {
                "EnableKeyRotation": rotates, "PendingWindowInDays": 7,
                "KeyPolicy": { "Version": "2012-10-17", "Statement": [] },
            }},
            "Name": { "Type": "AWS::KMS::Alias", "Properties": {
                "AliasName": "alias/made", "TargetKeyId": { "Fn::GetAtt": ["Key", "Arn"] },
            }},
        })
    };
    let outputs = json!({ "Key": { "Value": { "Ref": "Key" } } });
    let (status, shown) = bench.deploy("CreateStack", resources(true), outputs.clone()).await;
    assert_eq!(status, "CREATE_COMPLETE", "{shown}");
    let key = json!({ "KeyId": shown["Key"] });
    let rotates =
        async || bench.good("kms", "GetKeyRotationStatus", key.clone()).await["KeyRotationEnabled"].clone();
    assert_eq!(rotates().await, true);
    let named =
        bench.good("kms", "DescribeKey", json!({ "KeyId": "alias/made" })).await["KeyMetadata"].clone();
    assert_eq!(named["KeyId"], shown["Key"]);
    assert_eq!(bench.deploy("UpdateStack", resources(false), outputs).await.0, "UPDATE_COMPLETE");
    assert_eq!(rotates().await, false);
    bench.good("cloudformation", "DeleteStack", json!({ "StackName": "s" })).await;
    assert_eq!(bench.good("kms", "DescribeKey", key).await["KeyMetadata"]["KeyState"], "PendingDeletion");
    assert_eq!(bench.good("kms", "ListAliases", json!({})).await["Aliases"], json!([]));
}

#[tokio::test]
async fn parameters_of_a_template_may_be_kept_ones() {
    let bench = Bench::new();
    for (name, kind) in [("/plain", "String"), ("/hidden", "SecureString")] {
        bench.good("ssm", "PutParameter", json!({ "Name": name, "Value": "v", "Type": kind })).await;
    }
    let template = |name: &str| {
        let template = json!({
            "Parameters": { "P": { "Type": "AWS::SSM::Parameter::Value<String>", "Default": name } },
            "Resources": { "Copy": { "Type": "AWS::SSM::Parameter", "Properties": { "Type": "String", "Value": { "Ref": "P" } } } },
            "Outputs": { "Copy": { "Value": { "Fn::GetAtt": ["Copy", "Value"] } } },
        });
        json!({ "StackName": "s", "TemplateBody": template.to_string() })
    };
    for (name, words) in
        [("/none", "Unable to fetch parameters"), ("/hidden", "not supported by CloudFormation")]
    {
        let refused =
            bench.ask("cloudformation", "CreateStack", template(name)).await.expect_err("a refusal");
        assert!(refused.contains(words), "{refused}");
    }
    bench.good("cloudformation", "CreateStack", template("/plain")).await;
    let stack = bench.good("cloudformation", "DescribeStacks", json!({ "StackName": "s" })).await["Stacks"]
        [0]
    .clone();
    assert_eq!(stack["Outputs"][0]["OutputValue"], "v", "{stack}");
    assert_eq!(stack["Parameters"][0]["ResolvedValue"], "v");
}
