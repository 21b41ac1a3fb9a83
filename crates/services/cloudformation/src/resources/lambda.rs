//! `AWS::Lambda::Function`, `EventSourceMapping` and `Permission`.

use super::{Change, Cx, pick, tags};
use crate::template::evaluate::Made;
use serde_json::{Value, json};

/// What configures a function, in both of its calls.
const CONFIGURATION: &[&str] = &[
    "Description",
    "Environment",
    "Handler",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
    "Layers",
    "DeadLetterConfig",
    "EphemeralStorage",
    "KmsKeyArn",
    "LoggingConfig",
    "SnapStart",
    "TracingConfig",
    "VpcConfig",
    "FileSystemConfigs",
    "ImageConfig",
];

pub(super) async fn create_function(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    let mut input = properties.as_object().cloned().unwrap_or_default();
    let reserved = input.remove("ReservedConcurrentExecutions");
    let code = code(&input.remove("Code").unwrap_or_default(), properties)?;
    input.insert("Code".to_owned(), code);
    input.insert("FunctionName".to_owned(), name.into());
    input.remove("Tags");
    tags::add("lambda", properties, &mut input);
    let answer = cx.ask("lambda", "CreateFunction", input.into()).await?;
    if let Some(reserved) = reserved {
        let input = json!({"FunctionName": name, "ReservedConcurrentExecutions": reserved});
        if let Err(words) = cx.ask("lambda", "PutFunctionConcurrency", input).await {
            let _removed = cx.ask("lambda", "DeleteFunction", json!({"FunctionName": name})).await;
            return Err(words);
        }
    }
    Ok(Made { id: name.to_owned(), attributes: [("Arn".to_owned(), answer["FunctionArn"].clone())].into() })
}

pub(super) async fn update_function(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let name = made.id.as_str();
    if old["Code"] != new["Code"] || old.get("Architectures") != new.get("Architectures") {
        let mut input = code(&new["Code"], new)?;
        input["FunctionName"] = name.into();
        if let Some(architectures) = new.get("Architectures") {
            input["Architectures"] = architectures.clone();
        }
        cx.ask("lambda", "UpdateFunctionCode", input).await?;
    }
    if pick(old, CONFIGURATION) != pick(new, CONFIGURATION) {
        let mut input = pick(new, CONFIGURATION);
        // What the template says no more goes back to its default.
        for (member, default) in [
            ("Description", json!("")),
            ("Environment", json!({"Variables": {}})),
            ("MemorySize", json!(128)),
            ("Timeout", json!(3)),
            ("Layers", json!([])),
            ("EphemeralStorage", json!({"Size": 512})),
            ("VpcConfig", json!({"SubnetIds": [], "SecurityGroupIds": []})),
        ] {
            if old.get(member).is_some() {
                input.entry(member).or_insert(default);
            }
        }
        input.insert("FunctionName".to_owned(), name.into());
        cx.ask("lambda", "UpdateFunctionConfiguration", input.into()).await?;
    }
    let reserved = "ReservedConcurrentExecutions";
    match (old.get(reserved), new.get(reserved)) {
        (was, Some(now)) if was != Some(now) => {
            cx.ask("lambda", "PutFunctionConcurrency", json!({"FunctionName": name, reserved: now})).await?;
        }
        (Some(_), None) => {
            cx.ask("lambda", "DeleteFunctionConcurrency", json!({"FunctionName": name})).await?;
        }
        _ => {}
    }
    cx.retag("lambda", json!({"Resource": made.attributes["Arn"]}), old, new).await?;
    Ok(made.clone())
}

pub(super) async fn delete_function(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("lambda", "DeleteFunction", json!({"FunctionName": made.id})).await
}

/// Code as the call takes it. Code in the template itself is a text, which becomes a package of one file.
fn code(code: &Value, properties: &Value) -> Result<Value, String> {
    let Some(text) = code.get("ZipFile").and_then(Value::as_str) else { return Ok(code.clone()) };
    let runtime = properties["Runtime"].as_str().unwrap_or_default();
    let file = match runtime {
        runtime if runtime.starts_with("python") => "index.py",
        runtime if runtime.starts_with("nodejs") => "index.js",
        _ => return Err("ZipFile can only be used when Runtime is set to Nodejs or Python.".to_owned()),
    };
    let package = functions::zip_of(&[(file, text)]);
    Ok(json!({"ZipFile": wire::base64::encode(&package)}))
}

pub(super) async fn create_mapping(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    let mut input = properties.as_object().cloned().unwrap_or_default();
    input.remove("Tags");
    tags::add("lambda", properties, &mut input);
    let answer = cx.ask("lambda", "CreateEventSourceMapping", input.into()).await?;
    let id = answer["UUID"].as_str().unwrap_or_default().to_owned();
    let attributes = [
        ("Id".to_owned(), answer["UUID"].clone()),
        ("EventSourceMappingArn".to_owned(), answer["EventSourceMappingArn"].clone()),
    ];
    Ok(Made { id, attributes: attributes.into() })
}

pub(super) async fn update_mapping(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let mut input = new.as_object().cloned().unwrap_or_default();
    for fixed in ["EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "Tags"] {
        input.remove(fixed);
    }
    input.insert("UUID".to_owned(), made.id.as_str().into());
    cx.ask("lambda", "UpdateEventSourceMapping", input.into()).await?;
    let arn = &made.attributes["EventSourceMappingArn"];
    cx.retag("lambda", json!({"Resource": arn}), old, new).await?;
    Ok(made.clone())
}

pub(super) async fn delete_mapping(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("lambda", "DeleteEventSourceMapping", json!({"UUID": made.id})).await
}

pub(super) async fn add_permission(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    let mut input = properties.as_object().cloned().unwrap_or_default();
    let id = cx.made_up_name(100);
    input.insert("StatementId".to_owned(), id.as_str().into());
    cx.ask("lambda", "AddPermission", input.into()).await?;
    Ok(Made { attributes: [("Id".to_owned(), id.as_str().into())].into(), id })
}

pub(super) async fn remove_permission(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    let input = json!({"FunctionName": properties["FunctionName"], "StatementId": made.id});
    cx.ask_gone("lambda", "RemovePermission", input).await
}
