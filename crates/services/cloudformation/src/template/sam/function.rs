//! `AWS::Serverless::Function`: the function, its role, and what calls it.

use super::{Expansion, Members, only, policy, tag_list};
use serde_json::{Value, json};

/// Properties that mean the same to the function itself.
const SAME: &[&str] = &[
    "Architectures",
    "Description",
    "Environment",
    "EphemeralStorage",
    "FileSystemConfigs",
    "FunctionName",
    "Handler",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "ReservedConcurrentExecutions",
    "Runtime",
    "SnapStart",
    "Timeout",
    "VpcConfig",
];

const OWN: &[&str] = &[
    "AssumeRolePolicyDocument",
    "CodeUri",
    "DeadLetterQueue",
    "Events",
    "InlineCode",
    "PackageType",
    "Policies",
    "Role",
    "RolePath",
    "Tags",
    "Tracing",
];

impl Expansion {
    pub(super) fn function(&mut self, id: &str, from: &Value, properties: Members) -> Result<(), String> {
        only(&properties, &[SAME, OWN].concat())?;
        let mut function: Members = properties
            .iter()
            .filter(|(name, _)| SAME.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if properties.get("PackageType").is_some_and(|kind| kind != "Zip") {
            return Err("'PackageType' must be Zip.".to_owned());
        }
        function.insert("Code".to_owned(), code(&properties)?);
        let mut tags = tag_list(properties.get("Tags").unwrap_or(&Value::Null));
        if let Some(tags) = tags.as_array_mut() {
            tags.insert(0, json!({"Key": "lambda:createdBy", "Value": "SAM"}));
        }
        function.insert("Tags".to_owned(), tags);
        if let Some(tracing) = properties.get("Tracing").filter(|mode| *mode != "Disabled") {
            function.insert("TracingConfig".to_owned(), json!({"Mode": tracing}));
        }
        if let Some(queue) = properties.get("DeadLetterQueue") {
            function.insert("DeadLetterConfig".to_owned(), json!({"TargetArn": queue["TargetArn"]}));
        }
        let events = properties.get("Events").and_then(Value::as_object).cloned().unwrap_or_default();
        let role = match properties.get("Role") {
            Some(role) => role.clone(),
            None => {
                let name = format!("{id}Role");
                self.add(&name, "AWS::IAM::Role", role(id, &properties, &events)?, from);
                json!({"Fn::GetAtt": [name, "Arn"]})
            }
        };
        function.insert("Role".to_owned(), role);
        self.put(id, "AWS::Lambda::Function", function, from);
        for (name, event) in events {
            let kind = event.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned();
            let own = event.get("Properties").and_then(Value::as_object).cloned().unwrap_or_default();
            self.event(id, &name, &kind, own, from)
                .map_err(|words| format!("Event with id [{name}] is invalid. {words}"))?;
        }
        Ok(())
    }
}

/// Where the code lies: in the template, or packed into a bucket.
fn code(properties: &Members) -> Result<Value, String> {
    if let Some(text) = properties.get("InlineCode") {
        return Ok(json!({"ZipFile": text}));
    }
    let invalid = || {
        Err("'CodeUri' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.".to_owned())
    };
    match properties.get("CodeUri") {
        Some(Value::String(uri)) => {
            let Some((bucket, rest)) = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) else {
                return invalid();
            };
            let (key, version) = rest.split_once("?versionId=").unwrap_or((rest, ""));
            let mut code = json!({"S3Bucket": bucket, "S3Key": key});
            if !version.is_empty() {
                code["S3ObjectVersion"] = version.into();
            }
            Ok(code)
        }
        Some(Value::Object(place)) if place.contains_key("Bucket") && place.contains_key("Key") => {
            let mut code = json!({"S3Bucket": place["Bucket"], "S3Key": place["Key"]});
            if let Some(version) = place.get("Version") {
                code["S3ObjectVersion"] = version.clone();
            }
            Ok(code)
        }
        Some(_) => invalid(),
        None => Err("One of 'InlineCode' or 'CodeUri' must be set.".to_owned()),
    }
}

fn role(id: &str, properties: &Members, events: &Members) -> Result<Value, String> {
    let managed = |name: &str| json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:iam::aws:policy/{name}")});
    let mut arns = vec![managed("service-role/AWSLambdaBasicExecutionRole")];
    let calls = |kind: &str| events.values().any(|event| event.get("Type").is_some_and(|own| own == kind));
    if calls("DynamoDB") {
        arns.push(managed("service-role/AWSLambdaDynamoDBExecutionRole"));
    }
    if calls("SQS") {
        arns.push(managed("service-role/AWSLambdaSQSQueueExecutionRole"));
    }
    let assume = properties.get("AssumeRolePolicyDocument").cloned().unwrap_or_else(|| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": ["lambda.amazonaws.com"]}}],
        })
    });
    let mut documents = Vec::new();
    for (at, own) in policy::list(properties.get("Policies")).into_iter().enumerate() {
        match policy::of(&own)? {
            policy::Policy::Managed(arn) => arns.push(arn),
            policy::Policy::Document(document) => {
                documents
                    .push(json!({"PolicyName": format!("{id}RolePolicy{at}"), "PolicyDocument": document}));
            }
        }
    }
    let mut role = json!({"AssumeRolePolicyDocument": assume, "ManagedPolicyArns": arns});
    if !documents.is_empty() {
        role["Policies"] = documents.into();
    }
    if let Some(path) = properties.get("RolePath") {
        role["Path"] = path.clone();
    }
    let tags = json!([{"Key": "lambda:createdBy", "Value": "SAM"}]);
    role["Tags"] = tags;
    Ok(role)
}
