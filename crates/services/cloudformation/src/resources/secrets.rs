//! `AWS::SecretsManager::Secret`, `SecretTargetAttachment`, `RotationSchedule` and `ResourcePolicy`; `AWS::SSM::Parameter`.

use super::{Change, Cx, only, pick, tags};
use crate::template::evaluate::{Made, text as plain};
use serde_json::{Map, Value, json};
use servicekit::fields::{required, text};

const SECRET: &[&str] =
    &["Name", "Description", "KmsKeyId", "SecretString", "GenerateSecretString", "ReplicaRegions", "Tags"];
const PASSWORD: &[&str] = &[
    "PasswordLength",
    "ExcludeCharacters",
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "IncludeSpace",
    "RequireEachIncludedType",
];

pub(super) async fn create_secret(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    let mut input = pick(properties, &["Description", "KmsKeyId"]);
    input.insert("Name".to_owned(), name.into());
    if let Some(value) = secret_value(cx, properties).await? {
        input.insert("SecretString".to_owned(), value.into());
    }
    tags::add("secretsmanager", properties, &mut input);
    let answer = cx.ask("secretsmanager", "CreateSecret", input.into()).await?;
    let arn = required(&answer, "ARN").to_owned();
    Ok(Made { attributes: [("Id".to_owned(), arn.as_str().into())].into(), id: arn })
}

pub(super) async fn update_secret(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let mut input = pick(new, &["Description", "KmsKeyId"]);
    let values = ["SecretString", "GenerateSecretString"];
    if pick(old, &values) != pick(new, &values)
        && let Some(value) = secret_value(cx, new).await?
    {
        input.insert("SecretString".to_owned(), value.into());
    }
    input.insert("SecretId".to_owned(), made.id.as_str().into());
    cx.ask("secretsmanager", "UpdateSecret", input.into()).await?;
    cx.retag("secretsmanager", json!({ "SecretId": made.id }), old, new).await?;
    Ok(made.clone())
}

/// At once: the stack that is made again finds its name free.
pub(super) async fn delete_secret(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    let input = json!({ "SecretId": made.id, "ForceDeleteWithoutRecovery": true });
    cx.ask_gone("secretsmanager", "DeleteSecret", input).await
}

/// The text itself, or one with a password in it that is made here.
async fn secret_value(cx: &Cx<'_>, properties: &Value) -> Result<Option<String>, String> {
    only(properties, SECRET)?;
    if properties.get("ReplicaRegions").is_some() {
        return Err("Model validation failed (#/ReplicaRegions: secrets are not replicated here)".to_owned());
    }
    let generate = match (text(properties, "SecretString"), properties.get("GenerateSecretString")) {
        (Some(_), Some(_)) => {
            return Err("You can't specify both SecretString and GenerateSecretString".to_owned());
        }
        (Some(value), None) => return Ok(Some(value.to_owned())),
        (None, None) => return Ok(None),
        (None, Some(generate)) => generate,
    };
    only(generate, &[PASSWORD, &["SecretStringTemplate", "GenerateStringKey"]].concat())?;
    let made = cx.ask("secretsmanager", "GetRandomPassword", pick(generate, PASSWORD).into()).await?;
    let password = required(&made, "RandomPassword").to_owned();
    match (text(generate, "SecretStringTemplate"), text(generate, "GenerateStringKey")) {
        (None, None) => Ok(Some(password)),
        (Some(template), Some(key)) => {
            let mut whole: Map<String, Value> = serde_json::from_str(template)
                .map_err(|_| "Could not parse SecretStringTemplate JSON.".to_owned())?;
            whole.insert(key.to_owned(), password.into());
            Ok(Some(Value::Object(whole).to_string()))
        }
        _ => Err("You must specify both SecretStringTemplate and GenerateStringKey, or neither.".to_owned()),
    }
}

/// Tells a secret where the database is whose password it holds.
pub(super) async fn attach(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    only(properties, &["SecretId", "TargetId", "TargetType"])?;
    let (secret, target) = (required(properties, "SecretId"), required(properties, "TargetId"));
    let found = match required(properties, "TargetType") {
        "AWS::RDS::DBCluster" => {
            let answer =
                cx.ask("rds", "DescribeDBClusters", json!({ "DBClusterIdentifier": target })).await?;
            let one = &answer["DBClusters"][0];
            [
                ("engine", one["Engine"].clone()),
                ("host", one["Endpoint"].clone()),
                ("port", one["Port"].clone()),
                ("dbname", one["DatabaseName"].clone()),
                ("dbClusterIdentifier", one["DBClusterIdentifier"].clone()),
            ]
        }
        "AWS::RDS::DBInstance" => {
            let answer =
                cx.ask("rds", "DescribeDBInstances", json!({ "DBInstanceIdentifier": target })).await?;
            let one = &answer["DBInstances"][0];
            [
                ("engine", one["Engine"].clone()),
                ("host", one["Endpoint"]["Address"].clone()),
                ("port", one["Endpoint"]["Port"].clone()),
                ("dbname", one["DBName"].clone()),
                ("dbInstanceIdentifier", one["DBInstanceIdentifier"].clone()),
            ]
        }
        other => return Err(format!("Model validation failed (#/TargetType: {other} is not supported)")),
    };
    let before = cx.ask("secretsmanager", "GetSecretValue", json!({ "SecretId": secret })).await?;
    let mut whole: Map<String, Value> =
        serde_json::from_str(required(&before, "SecretString")).map_err(|_| {
            format!("The secret {secret} holds no JSON object to which a database could be added")
        })?;
    for (name, value) in found.into_iter().filter(|(_, value)| !value.is_null()) {
        let value = match value.as_str() {
            Some(engine) if name == "engine" => match engine {
                "aurora" | "aurora-mysql" => "mysql".into(),
                "aurora-postgresql" => "postgres".into(),
                plain => plain.into(),
            },
            _ => value,
        };
        whole.insert(name.to_owned(), value);
    }
    let whole = Value::Object(whole).to_string();
    if whole != required(&before, "SecretString") {
        let input = json!({ "SecretId": secret, "SecretString": whole });
        cx.ask("secretsmanager", "PutSecretValue", input).await?;
    }
    Ok(Made { id: required(&before, "ARN").to_owned(), ..Made::default() })
}

pub(super) async fn put_policy(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    only(properties, &["SecretId", "ResourcePolicy", "BlockPublicPolicy"])?;
    let mut input = pick(properties, &["SecretId", "BlockPublicPolicy"]);
    let document = match &properties["ResourcePolicy"] {
        Value::String(text) => text.clone(),
        document => document.to_string(),
    };
    input.insert("ResourcePolicy".to_owned(), document.into());
    let answer = cx.ask("secretsmanager", "PutResourcePolicy", input.into()).await?;
    Ok(Made { id: required(&answer, "ARN").to_owned(), ..Made::default() })
}

pub(super) async fn delete_policy(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("secretsmanager", "DeleteResourcePolicy", json!({ "SecretId": made.id })).await
}

pub(super) async fn rotate(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    only(properties, &["SecretId", "RotationLambdaARN", "RotationRules", "RotateImmediatelyOnUpdate"])?;
    let mut input = pick(properties, &["SecretId", "RotationLambdaARN", "RotationRules"]);
    if let Some(at_once) = properties.get("RotateImmediatelyOnUpdate") {
        input.insert("RotateImmediately".to_owned(), at_once.clone());
    }
    let answer = cx.ask("secretsmanager", "RotateSecret", input.into()).await?;
    Ok(Made { id: required(&answer, "ARN").to_owned(), ..Made::default() })
}

pub(super) async fn stop_rotating(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("secretsmanager", "CancelRotateSecret", json!({ "SecretId": made.id })).await
}

const PARAMETER: &[&str] =
    &["Name", "Type", "Value", "Description", "AllowedPattern", "DataType", "Policies", "Tier", "Tags"];

pub(super) async fn create_parameter(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    let mut input = parameter(name, properties)?;
    tags::add("ssm", properties, &mut input);
    cx.ask("ssm", "PutParameter", input.into()).await?;
    Ok(shown(name, properties))
}

pub(super) async fn update_parameter(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let mut input = parameter(&made.id, new)?;
    input.insert("Overwrite".to_owned(), true.into());
    let untagged = |properties: &Value| pick(properties, &PARAMETER[..PARAMETER.len() - 1]);
    if untagged(old) != untagged(new) {
        cx.ask("ssm", "PutParameter", input.into()).await?;
    }
    cx.retag("ssm", json!({ "ResourceType": "Parameter", "ResourceId": made.id }), old, new).await?;
    Ok(shown(&made.id, new))
}

pub(super) async fn delete_parameter(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("ssm", "DeleteParameter", json!({ "Name": made.id })).await
}

fn parameter(name: &str, properties: &Value) -> Result<Map<String, Value>, String> {
    only(properties, PARAMETER)?;
    if !["String", "StringList"].contains(&required(properties, "Type")) {
        return Err(
            "Model validation failed (#/Type: a template makes parameters of type String or StringList)"
                .to_owned(),
        );
    }
    let mut input = pick(properties, &PARAMETER[1..PARAMETER.len() - 1]);
    input.insert("Name".to_owned(), name.into());
    Ok(input)
}

fn shown(name: &str, properties: &Value) -> Made {
    let value = properties.get("Value").and_then(plain).unwrap_or_default();
    let attributes = [("Type".to_owned(), properties["Type"].clone()), ("Value".to_owned(), value.into())];
    Made { id: name.to_owned(), attributes: attributes.into() }
}
