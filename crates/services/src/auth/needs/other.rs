//! Functions, queues, topics, logs, roles and the rest.

use super::{Asked, Need, stores};
use access::policy::Context;
use lambda::FunctionName;
use serde_json::Value;

pub(super) fn needs(asked: &Asked<'_>, context: &mut Context) -> Vec<Need> {
    match asked.service {
        "ec2" => stores::networks(asked),
        "lambda" => lambda(asked, context),
        "sqs" => sqs(asked),
        "sns" => sns(asked, context),
        "logs" => logs(asked),
        "iam" => iam(asked),
        "sts" => sts(asked, context),
        "cloudformation" => cloudformation(asked),
        "secretsmanager" => named(asked, "SecretId", "secret:"),
        "ssm" => parameters(asked),
        "s3" => objects(asked),
        "kms" => stores::keys(asked),
        "rds" => stores::databases(asked),
        "ecr" => stores::repositories(asked),
        "apigateway" | "apigatewayv2" => apis(asked),
        service => vec![Need::new(format!("{service}:{}", asked.operation), "*")],
    }
}

fn lambda(asked: &Asked<'_>, context: &mut Context) -> Vec<Need> {
    let action = match asked.operation {
        "Invoke" | "InvokeAsync" | "InvokeWithResponseStream" => "InvokeFunction",
        operation => operation,
    };
    let action = format!("lambda:{action}");
    let function = asked.text("FunctionName").and_then(|given| {
        let name = FunctionName::parse(given, asked.caller).ok()?;
        name.qualified(asked.text("Qualifier")).ok()
    });
    let function = function.map(|name| name.arn(asked.caller));
    let is_mapping = asked.operation.contains("EventSourceMapping");
    let resource = if is_mapping {
        if let Some(function) = &function {
            context.set("lambda:FunctionArn", function);
        }
        asked.text("UUID").map(|id| asked.arn("lambda", &format!("event-source-mapping:{id}")))
    } else {
        let layer = asked.text("LayerName").map(|name| {
            let version = asked.input.get("VersionNumber").map(|number| format!(":{number}"));
            asked.arn("lambda", &format!("layer:{name}{}", version.unwrap_or_default()))
        });
        let given = ["Resource", "Arn"].iter().find_map(|name| asked.text(name)).map(str::to_owned);
        function.or(layer).or(given)
    };
    let mut needs = vec![Need::new(action, resource.unwrap_or_else(|| "*".to_owned()))];
    // Who gives a function a role gives it what the role may.
    if let ("CreateFunction" | "UpdateFunctionConfiguration", Some(role)) =
        (asked.operation, asked.text("Role"))
    {
        context.set("iam:PassedToService", "lambda.amazonaws.com");
        needs.push(Need::new("iam:PassRole", role));
    }
    needs
}

/// The parts of APIs are known by the paths under which they are asked for.
fn apis(asked: &Asked<'_>) -> Vec<Need> {
    let service = api::SERVICES.iter().find(|service| service.name == asked.service);
    let operation = service.and_then(|service| service.operation(asked.operation));
    let need = operation.map(|operation| {
        let path = servicekit::house::path_of(operation, asked.input);
        let path = path.split('?').next().unwrap_or_default();
        Need::new(
            format!("apigateway:{}", operation.method),
            format!("arn:aws:apigateway:{}::{path}", asked.caller.region),
        )
    });
    vec![need.unwrap_or_else(|| Need::new("apigateway:*", "*"))]
}

fn sqs(asked: &Asked<'_>) -> Vec<Need> {
    let operation = asked.operation.strip_suffix("Batch").unwrap_or(asked.operation);
    let of_url = asked.text("QueueUrl").and_then(|url| {
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let (name, account) = (parts.next()?, parts.next()?);
        Some(format!("arn:aws:sqs:{}:{account}:{name}", asked.caller.region))
    });
    let of_name = || asked.text("QueueName").map(|name| asked.arn("sqs", name));
    let given = || asked.text("SourceArn").map(str::to_owned);
    let resource = of_url.or_else(of_name).or_else(given).unwrap_or_else(|| "*".to_owned());
    vec![Need::new(format!("sqs:{operation}"), resource)]
}

fn sns(asked: &Asked<'_>, context: &mut Context) -> Vec<Need> {
    let operation = if asked.operation == "PublishBatch" { "Publish" } else { asked.operation };
    let given = ["TopicArn", "TargetArn", "ResourceArn"].iter().find_map(|name| asked.text(name));
    let topic = given.map(str::to_owned).or_else(|| {
        let subscription = asked.text("SubscriptionArn")?;
        subscription.rsplit_once(':').map(|(topic, _)| topic.to_owned())
    });
    let made = || asked.text("Name").map(|name| asked.arn("sns", name));
    for (member, key) in [("Protocol", "sns:Protocol"), ("Endpoint", "sns:Endpoint")] {
        if let Some(value) = asked.text(member) {
            context.set(key, value);
        }
    }
    vec![Need::new(format!("sns:{operation}"), topic.or_else(made).unwrap_or_else(|| "*".to_owned()))]
}

fn logs(asked: &Asked<'_>) -> Vec<Need> {
    let resource = match asked.text("logGroupName") {
        Some(group) => {
            let stream = asked.text("logStreamName").unwrap_or_default();
            asked.arn("logs", &format!("log-group:{group}:log-stream:{stream}"))
        }
        None => "*".to_owned(),
    };
    vec![Need::new(format!("logs:{}", asked.operation), resource)]
}

fn iam(asked: &Asked<'_>) -> Vec<Need> {
    let account = &*asked.caller.account;
    let path = asked.text("Path").unwrap_or("/");
    let of = |member: &str, kind: &str| {
        asked.text(member).map(|name| format!("arn:aws:iam::{account}:{kind}{path}{name}"))
    };
    let resource = of("RoleName", "role")
        .or_else(|| of("GroupName", "group"))
        .or_else(|| of("UserName", "user"))
        .or_else(|| asked.text("PolicyArn").map(str::to_owned))
        .or_else(|| of("PolicyName", "policy"));
    vec![Need::new(format!("iam:{}", asked.operation), resource.unwrap_or_else(|| "*".to_owned()))]
}

fn sts(asked: &Asked<'_>, context: &mut Context) -> Vec<Need> {
    let Some(role) = asked.text("RoleArn") else { return Vec::new() };
    for (member, key) in [("ExternalId", "sts:ExternalId"), ("RoleSessionName", "sts:RoleSessionName")] {
        if let Some(value) = asked.text(member) {
            context.set(key, value);
        }
    }
    vec![Need::new(format!("sts:{}", asked.operation), role)]
}

fn cloudformation(asked: &Asked<'_>) -> Vec<Need> {
    let resource = match asked.text("StackName") {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(name) => asked.arn("cloudformation", &format!("stack/{name}/*")),
        None => "*".to_owned(),
    };
    vec![Need::new(format!("cloudformation:{}", asked.operation), resource)]
}

/// The resource that a member names, plainly or by its ARN.
fn named(asked: &Asked<'_>, member: &str, kind: &str) -> Vec<Need> {
    let given = asked.text(member).or_else(|| asked.text("Name"));
    let resource = match given {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(name) => asked.arn(asked.service, &format!("{kind}{name}")),
        None => "*".to_owned(),
    };
    vec![Need::new(format!("{}:{}", asked.service, asked.operation), resource)]
}

fn parameters(asked: &Asked<'_>) -> Vec<Need> {
    let listed = asked.input.get("Names").and_then(serde_json::Value::as_array);
    let names = listed.into_iter().flatten().filter_map(serde_json::Value::as_str);
    let names: Vec<&str> = names.chain(asked.text("Name")).chain(asked.text("Path")).collect();
    let action = format!("ssm:{}", asked.operation);
    if names.is_empty() {
        return vec![Need::new(action, "*")];
    }
    let arn = |name: &str| match name.starts_with("arn:") {
        true => name.to_owned(),
        false => asked.arn("ssm", &format!("parameter/{}", name.trim_start_matches('/'))),
    };
    names.into_iter().map(|name| Need::new(action.clone(), arn(name))).collect()
}

/// What a policy calls an operation of S3.
fn storage_action(operation: &str) -> &str {
    match operation {
        "HeadObject" => "GetObject",
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListBuckets" => "ListAllMyBuckets",
        "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => "PutObject",
        "DeleteObjects" => "DeleteObject",
        "ListParts" => "ListMultipartUploadParts",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "GetBucketAccelerateConfiguration" => "GetAccelerateConfiguration",
        "GetBucketCors" => "GetBucketCORS",
        "PutBucketCors" | "DeleteBucketCors" => "PutBucketCORS",
        "GetBucketNotificationConfiguration" => "GetBucketNotification",
        "GetBucketReplication" => "GetReplicationConfiguration",
        "GetObjectLockConfiguration" => "GetBucketObjectLockConfiguration",
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        "DeleteBucketTagging" => "PutBucketTagging",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PutBucketPublicAccessBlock",
        "DeleteBucketOwnershipControls" => "PutBucketOwnershipControls",
        operation => operation,
    }
}

fn objects(asked: &Asked<'_>) -> Vec<Need> {
    let action = storage_action(asked.operation);
    let Some(bucket) = asked.text("Bucket") else { return vec![Need::new(format!("s3:{action}"), "*")] };
    let bucket_arn = format!("arn:aws:s3:::{bucket}");
    // What is done to a version by its id is another action.
    let action_on = |one: &Value| match (action, one.get("VersionId")) {
        ("GetObject" | "DeleteObject", Some(_)) => format!("s3:{action}Version"),
        _ => format!("s3:{action}"),
    };
    if asked.operation == "DeleteObjects" {
        let all = asked.input.pointer("/Delete/Objects").and_then(Value::as_array).into_iter().flatten();
        let need = |one: &Value| {
            let key = one.get("Key").and_then(Value::as_str).unwrap_or_default();
            Need::new(action_on(one), format!("{bucket_arn}/{key}"))
        };
        return all.map(need).collect();
    }
    let resource = match asked.text("Key") {
        Some(key) => format!("{bucket_arn}/{key}"),
        None => bucket_arn,
    };
    let mut needs = vec![Need::new(action_on(asked.input), resource)];
    if let Some(source) = asked.text("CopySource") {
        let source = source.trim_start_matches('/').split('?').next().unwrap_or_default();
        needs.push(Need::new("s3:GetObject", format!("arn:aws:s3:::{source}")));
    }
    needs
}
