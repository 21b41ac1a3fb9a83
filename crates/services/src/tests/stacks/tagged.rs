//! Tags of a stack's resources, which each service is told in its own way.

use super::Bench;
use serde_json::{Value, json};

/// One of each service; with tags of their own, as a list and as a map, or without.
fn resources(own: Option<(&Value, &Value)>) -> Value {
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
        "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }] });
    let with = |kind: &str, tags: Option<&Value>, mut properties: Value| {
        if let Some(tags) = tags {
            properties["Tags"] = tags.clone();
        }
        json!({ "Type": kind, "Properties": properties })
    };
    let of = |kind: &str, properties: Value| with(kind, own.map(|(list, _)| list), properties);
    let mapped = |kind: &str, properties: Value| with(kind, own.map(|(_, map)| map), properties);
    let keys = json!({
        "KeySchema": [{ "AttributeName": "k", "KeyType": "HASH" }], "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "k", "AttributeType": "S" }],
    });
    let (mut table, mut global) = (keys.clone(), keys);
    table["TableName"] = "table".into();
    table["StreamSpecification"] = json!({ "StreamViewType": "KEYS_ONLY" });
    global["TableName"] = "global".into();
    global["Replicas"] =
        json!([with("", own.map(|(list, _)| list), json!({ "Region": "us-east-1" }))["Properties"]]);
    json!({
        "Table": of("AWS::DynamoDB::Table", table),
        "Global": json!({ "Type": "AWS::DynamoDB::GlobalTable", "Properties": global }),
        "Role": of("AWS::IAM::Role", json!({ "RoleName": "role", "AssumeRolePolicyDocument": trust })),
        "User": of("AWS::IAM::User", json!({ "UserName": "user" })),
        "Function": of("AWS::Lambda::Function", json!({
            "FunctionName": "function", "Runtime": "python3.12", "Handler": "index.handler",
            "Role": { "Fn::GetAtt": ["Role", "Arn"] }, "Code": { "ZipFile": "def handler(e, c): pass" },
        })),
        "Mapping": of("AWS::Lambda::EventSourceMapping", json!({
            "FunctionName": { "Ref": "Function" }, "EventSourceArn": { "Fn::GetAtt": ["Table", "StreamArn"] }, "StartingPosition": "LATEST", "Enabled": false,
        })),
        "Queue": of("AWS::SQS::Queue", json!({ "QueueName": "queue" })),
        "Topic": of("AWS::SNS::Topic", json!({ "TopicName": "topic" })),
        "Bucket": of("AWS::S3::Bucket", json!({ "BucketName": "bucket" })),
        "Logs": of("AWS::Logs::LogGroup", json!({ "LogGroupName": "logs" })),
        "Key": of("AWS::KMS::Key", json!({})),
        "Secret": of("AWS::SecretsManager::Secret", json!({ "Name": "secret", "SecretString": "s" })),
        "Parameter": mapped("AWS::SSM::Parameter", json!({ "Name": "parameter", "Type": "String", "Value": "v" })),
        "Images": of("AWS::ECR::Repository", json!({ "RepositoryName": "images" })),
        "Network": of("AWS::EC2::VPC", json!({ "CidrBlock": "10.0.0.0/16" })),
        "Group": of("AWS::RDS::DBParameterGroup", json!({
            "DBParameterGroupName": "group", "Family": "mysql8.0", "Description": "d",
        })),
        "Rest": of("AWS::ApiGateway::RestApi", json!({ "Name": "rest" })),
        "Http": mapped("AWS::ApiGatewayV2::Api", json!({ "Name": "http", "ProtocolType": "HTTP" })),
    })
}

fn outputs() -> Value {
    let by_name = ["Key", "Secret", "Queue", "Mapping", "Network", "Rest", "Http"];
    by_name.map(|name| (name.to_owned(), json!({ "Value": { "Ref": name } }))).into_iter().collect()
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

/// Every service tells these tags and no others.
async fn expect_tags(bench: &Bench, made: &Value, tags: &Value) {
    let shared = |more: &str| format!("arn:aws:{more}").replace("HERE", "us-east-1:123456789012");
    let api = |path: String| format!("arn:aws:apigateway:us-east-1::/{path}");
    let id = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    for (service, operation, input, member) in [
        (
            "dynamodb",
            "ListTagsOfResource",
            json!({ "ResourceArn": shared("dynamodb:HERE:table/table") }),
            "Tags",
        ),
        (
            "dynamodb",
            "ListTagsOfResource",
            json!({ "ResourceArn": shared("dynamodb:HERE:table/global") }),
            "Tags",
        ),
        ("iam", "ListRoleTags", json!({ "RoleName": "role" }), "Tags"),
        ("iam", "ListUserTags", json!({ "UserName": "user" }), "Tags"),
        ("lambda", "ListTags", json!({ "Resource": shared("lambda:HERE:function:function") }), "Tags"),
        (
            "lambda",
            "ListTags",
            json!({ "Resource": shared(&format!("lambda:HERE:event-source-mapping:{}", id("Mapping"))) }),
            "Tags",
        ),
        ("logs", "ListTagsForResource", json!({ "resourceArn": shared("logs:HERE:log-group:logs") }), "tags"),
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
        ("apigateway", "GetTags", json!({ "resourceArn": api(format!("restapis/{}", id("Rest"))) }), "tags"),
        ("apigatewayv2", "GetTags", json!({ "ResourceArn": api(format!("apis/{}", id("Http"))) }), "Tags"),
    ] {
        let told = bench.good(service, operation, input).await;
        let told = told.get(member).map(plain).unwrap_or_else(|| json!({}));
        assert_eq!(told, *tags, "{service}");
    }
    let vpcs = bench.good("ec2", "DescribeVpcs", json!({ "VpcIds": [made["Network"]] })).await;
    assert_eq!(vpcs["Vpcs"][0].get("Tags").map(plain).unwrap_or_else(|| json!({})), *tags);
    // A bucket without tags says so by an error.
    let bucket = bench.ask("s3", "GetBucketTagging", json!({ "Bucket": "bucket" })).await;
    match tags.as_object().is_none_or(|tags| tags.is_empty()) {
        true => assert!(bucket.expect_err("no tags").contains("NoSuchTagSet")),
        false => assert_eq!(plain(&bucket.expect("tags")["TagSet"]), *tags),
    }
}

fn list(tags: &Value) -> Value {
    let tags = tags.as_object().into_iter().flatten();
    tags.map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}

#[tokio::test]
async fn every_service_is_told_which_tags_there_are() {
    let bench = Bench::new();
    for (operation, tags) in [
        ("CreateStack", json!({ "stays": "1", "goes": "x" })),
        ("UpdateStack", json!({ "stays": "2", "comes": "y" })),
        ("UpdateStack", json!({})),
    ] {
        let (state, made) = bench.deploy(operation, resources(Some((&list(&tags), &tags))), outputs()).await;
        assert!(state.ends_with("E_COMPLETE") && !state.contains("ROLLBACK"), "{state}: {made}");
        expect_tags(&bench, &made, &tags).await;
    }
}

/// The stack's state, once it has these tags and nothing else is new.
async fn retag(bench: &Bench, tags: Value) -> Result<String, String> {
    let input = json!({
        "StackName": "s", "UsePreviousTemplate": true, "Capabilities": ["CAPABILITY_NAMED_IAM"], "Tags": list(&tags),
    });
    bench.ask("cloudformation", "UpdateStack", input).await?;
    let stacks = bench.good("cloudformation", "DescribeStacks", json!({ "StackName": "s" })).await;
    assert_eq!(plain(&stacks["Stacks"][0]["Tags"]), tags);
    Ok(stacks["Stacks"][0]["StackStatus"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn what_is_in_a_stack_follows_its_tags() {
    let bench = Bench::new();
    let (_, made) = bench.deploy("CreateStack", resources(None), outputs()).await;
    expect_tags(&bench, &made, &json!({})).await;
    for tags in [json!({ "stays": "1", "goes": "x" }), json!({ "stays": "2", "comes": "y" }), json!({})] {
        assert_eq!(retag(&bench, tags.clone()).await, Ok("UPDATE_COMPLETE".to_owned()));
        expect_tags(&bench, &made, &tags).await;
        assert!(retag(&bench, tags).await.unwrap_err().contains("No updates are to be performed."));
    }
    // The value of a secret stays, and a parameter has one version.
    let secret = bench.good("secretsmanager", "DescribeSecret", json!({ "SecretId": "secret" })).await;
    assert_eq!(secret["VersionIdsToStages"].as_object().map(|all| all.len()), Some(1));
    let parameter = bench.good("ssm", "GetParameter", json!({ "Name": "parameter" })).await;
    assert_eq!(parameter["Parameter"]["Version"], 1);
}

#[tokio::test]
async fn a_resources_own_tag_stands_before_its_stacks() {
    let bench = Bench::new();
    let topic = |name: &str, tags: Value| json!({ "Type": "AWS::SNS::Topic", "Properties": { "TopicName": name, "Tags": list(&tags) } });
    let topics = json!({ "A": topic("a", json!({ "k": "own" })), "B": topic("b", json!({})) });
    bench.deploy("CreateStack", topics, json!({})).await;
    let tags_of = async |name: &str| {
        let arn = format!("arn:aws:sns:us-east-1:123456789012:{name}");
        plain(&bench.good("sns", "ListTagsForResource", json!({ "ResourceArn": arn })).await["Tags"])
    };
    for value in ["1", "2"] {
        assert!(retag(&bench, json!({ "k": value })).await.is_ok());
        assert_eq!((tags_of("a").await, tags_of("b").await), (json!({ "k": "own" }), json!({ "k": value })));
    }
    let events = bench.good("cloudformation", "DescribeStackEvents", json!({ "StackName": "s" })).await;
    let updates = |name: &str| {
        let events = events["StackEvents"].as_array().into_iter().flatten();
        events
            .filter(|event| {
                event["LogicalResourceId"] == name && event["ResourceStatus"] == "UPDATE_COMPLETE"
            })
            .count()
    };
    assert_eq!((updates("A"), updates("B")), (0, 2));
}

#[tokio::test]
async fn an_update_that_fails_takes_the_stacks_tags_back() {
    let bench = Bench::new();
    let queue = json!({ "Type": "AWS::SQS::Queue", "Properties": { "QueueName": "queue" } });
    let template = |more: Value| {
        let mut resources = json!({ "Queue": queue });
        for (name, resource) in more.as_object().into_iter().flatten() {
            resources[name] = resource.clone();
        }
        json!({ "Resources": resources }).to_string()
    };
    let ask = async |operation: &str, more: Value, tags: Value| {
        let input = json!({ "StackName": "s", "TemplateBody": template(more), "Tags": list(&tags) });
        bench.good("cloudformation", operation, input).await;
        let stacks = bench.good("cloudformation", "DescribeStacks", json!({ "StackName": "s" })).await;
        stacks["Stacks"][0]["StackStatus"].clone()
    };
    let tags = json!({ "stays": "1", "goes": "x" });
    assert_eq!(ask("CreateStack", json!({}), tags.clone()).await, "CREATE_COMPLETE");
    let wrong =
        json!({ "Type": "AWS::SNS::Topic", "DependsOn": "Queue", "Properties": { "TopicName": "no good!" } });
    let status = ask("UpdateStack", json!({ "Wrong": wrong }), json!({ "stays": "2", "comes": "y" })).await;
    assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE");
    let url = bench.good("sqs", "GetQueueUrl", json!({ "QueueName": "queue" })).await["QueueUrl"].clone();
    let told = bench.good("sqs", "ListQueueTags", json!({ "QueueUrl": url })).await;
    assert_eq!(told["Tags"], tags);
}

#[tokio::test]
async fn a_change_set_of_tags_alone() {
    let bench = Bench::new();
    let topic = json!({ "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": "topic" } } });
    bench.deploy("CreateStack", topic, json!({})).await;
    let set = json!({
        "StackName": "s", "ChangeSetName": "tags", "UsePreviousTemplate": true, "Tags": [{ "Key": "k", "Value": "v" }],
    });
    bench.good("cloudformation", "CreateChangeSet", set).await;
    let set = json!({ "StackName": "s", "ChangeSetName": "tags" });
    let told = bench.good("cloudformation", "DescribeChangeSet", set.clone()).await;
    let detail = json!({
        "Target": { "Attribute": "Tags", "RequiresRecreation": "Never" },
        "Evaluation": "Static", "ChangeSource": "DirectModification",
    });
    let change = &told["Changes"][0]["ResourceChange"];
    assert_eq!((&change["Scope"], &change["Details"]), (&json!(["Tags"]), &json!([detail])));
    bench.good("cloudformation", "ExecuteChangeSet", set).await;
    let arn = "arn:aws:sns:us-east-1:123456789012:topic";
    let tags = bench.good("sns", "ListTagsForResource", json!({ "ResourceArn": arn })).await;
    assert_eq!(tags["Tags"], json!([{ "Key": "k", "Value": "v" }]));
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
