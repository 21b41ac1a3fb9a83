//! What a function may do: names of managed policies, documents, and templates of documents.

use serde_json::{Value, json};

pub(super) enum Policy {
    /// An ARN, or what becomes one.
    Managed(Value),
    Document(Value),
}

/// One policy, or several.
pub(super) fn list(policies: Option<&Value>) -> Vec<Value> {
    match policies {
        None => Vec::new(),
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
    }
}

pub(super) fn of(policy: &Value) -> Result<Policy, String> {
    match policy {
        Value::String(arn) if arn.starts_with("arn:") => Ok(Policy::Managed(policy.clone())),
        Value::String(name) => {
            let service = name == "AWSLambdaExecute" || !name.starts_with("AWSLambda");
            let path = if service { "" } else { "service-role/" };
            Ok(Policy::Managed(
                json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:iam::aws:policy/{path}{name}")}),
            ))
        }
        Value::Object(members) if members.contains_key("Statement") => {
            let mut document = policy.clone();
            document["Version"] = members.get("Version").cloned().unwrap_or_else(|| json!("2012-10-17"));
            Ok(Policy::Document(document))
        }
        Value::Object(members) if super::is_function(members) => Ok(Policy::Managed(policy.clone())),
        Value::Object(members) => match members.iter().next() {
            Some((name, values)) if members.len() == 1 => Ok(Policy::Document(template(name, values)?)),
            _ => Err("Policies must be names, documents or policy templates.".to_owned()),
        },
        _ => Err("Policies must be names, documents or policy templates.".to_owned()),
    }
}

/// Name, parameter, actions, and the resources the parameter (`{}`) stands in.
const TEMPLATES: &[(&str, &str, &[&str], &[&str])] = &[
    (
        "DynamoDBCrudPolicy",
        "TableName",
        &[
            "dynamodb:GetItem",
            "dynamodb:DeleteItem",
            "dynamodb:PutItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
            "dynamodb:ConditionCheckItem",
        ],
        &[
            "dynamodb:${AWS::Region}:${AWS::AccountId}:table/{}",
            "dynamodb:${AWS::Region}:${AWS::AccountId}:table/{}/index/*",
        ],
    ),
    (
        "DynamoDBReadPolicy",
        "TableName",
        &[
            "dynamodb:GetItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
        ],
        &[
            "dynamodb:${AWS::Region}:${AWS::AccountId}:table/{}",
            "dynamodb:${AWS::Region}:${AWS::AccountId}:table/{}/index/*",
        ],
    ),
    (
        "DynamoDBWritePolicy",
        "TableName",
        &["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"],
        &[
            "dynamodb:${AWS::Region}:${AWS::AccountId}:table/{}",
            "dynamodb:${AWS::Region}:${AWS::AccountId}:table/{}/index/*",
        ],
    ),
    (
        "SQSSendMessagePolicy",
        "QueueName",
        &["sqs:SendMessage*"],
        &["sqs:${AWS::Region}:${AWS::AccountId}:{}"],
    ),
    (
        "SQSPollerPolicy",
        "QueueName",
        &[
            "sqs:ChangeMessageVisibility",
            "sqs:ChangeMessageVisibilityBatch",
            "sqs:DeleteMessage",
            "sqs:DeleteMessageBatch",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        &["sqs:${AWS::Region}:${AWS::AccountId}:{}"],
    ),
    ("SNSPublishMessagePolicy", "TopicName", &["sns:Publish"], &["sns:${AWS::Region}:${AWS::AccountId}:{}"]),
    (
        "LambdaInvokePolicy",
        "FunctionName",
        &["lambda:InvokeFunction"],
        &["lambda:${AWS::Region}:${AWS::AccountId}:function:{}*"],
    ),
    (
        "S3ReadPolicy",
        "BucketName",
        &[
            "s3:GetObject",
            "s3:ListBucket",
            "s3:GetBucketLocation",
            "s3:GetObjectVersion",
            "s3:GetLifecycleConfiguration",
        ],
        &["s3:::{}", "s3:::{}/*"],
    ),
    (
        "S3WritePolicy",
        "BucketName",
        &["s3:PutObject", "s3:PutObjectAcl", "s3:PutLifecycleConfiguration"],
        &["s3:::{}", "s3:::{}/*"],
    ),
    (
        "S3CrudPolicy",
        "BucketName",
        &[
            "s3:GetObject",
            "s3:ListBucket",
            "s3:GetBucketLocation",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:PutObjectAcl",
            "s3:GetLifecycleConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:DeleteObject",
        ],
        &["s3:::{}", "s3:::{}/*"],
    ),
    (
        "SSMParameterReadPolicy",
        "ParameterName",
        &["ssm:DescribeParameters", "ssm:GetParameters", "ssm:GetParameter", "ssm:GetParametersByPath"],
        &["ssm:${AWS::Region}:${AWS::AccountId}:parameter/{}"],
    ),
];

fn template(name: &str, values: &Value) -> Result<Value, String> {
    let statement = |actions: &Value, resources: &Value| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]});
    match name {
        "DynamoDBStreamReadPolicy" => {
            let form = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${table}/stream/${stream}";
            let stream =
                json!({"Fn::Sub": [form, {"table": values["TableName"], "stream": values["StreamName"]}]});
            let actions = json!([
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams"
            ]);
            return Ok(statement(&actions, &stream));
        }
        "AWSSecretsManagerGetSecretValuePolicy" => {
            return Ok(statement(&json!("secretsmanager:GetSecretValue"), &values["SecretArn"]));
        }
        _ => {}
    }
    let found = TEMPLATES.iter().find(|(own, ..)| *own == name);
    let Some((_, parameter, actions, resources)) = found else {
        return Err(format!("The policy template {name} is not supported."));
    };
    let value = values.get(*parameter).ok_or_else(|| {
        format!("Must specify valid parameter values for policy template '{name}': {parameter}")
    })?;
    let of = |resource: &&str| {
        let form = format!("arn:${{AWS::Partition}}:{}", resource.replace("{}", "${name}"));
        json!({"Fn::Sub": [form, {"name": value}]})
    };
    Ok(statement(&json!(actions), &resources.iter().map(of).collect()))
}
