//! `AWS::ApiGateway::Model` and `RequestValidator`.

use super::apigateway::{SERVICE, made, members, owned, patches};
use super::{Change, Cx, only};
use crate::template::evaluate::Made;
use serde_json::{Value, json};

const MODEL: &[&str] = &["ContentType", "Description", "Name", "RestApiId"];
const VALIDATOR: &[&str] = &["Name", "RestApiId", "ValidateRequestBody", "ValidateRequestParameters"];

pub(super) async fn create(kind: &str, cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    if kind == "AWS::ApiGateway::Model" {
        only(properties, &[MODEL, &["Schema"]].concat())?;
        let mut input = members(properties, MODEL);
        // Names have letters and digits only.
        let letters = |name: String| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        input.entry("name").or_insert_with(|| letters(cx.made_up_name(128)).into());
        input.entry("contentType").or_insert_with(|| json!("application/json"));
        input.insert("schema".to_owned(), written(properties).into());
        let answer = cx.ask(SERVICE, "CreateModel", input.into()).await?;
        return Ok(made(&answer["name"], &[]));
    }
    only(properties, VALIDATOR)?;
    let mut input = members(properties, &["Name", "RestApiId"]);
    input.entry("name").or_insert_with(|| cx.made_up_name(128).into());
    for name in ["ValidateRequestBody", "ValidateRequestParameters"] {
        let member = name.replacen('V', "v", 1);
        input.insert(member, (owned(properties, name) == "true").into());
    }
    let answer = cx.ask(SERVICE, "CreateRequestValidator", input.into()).await?;
    Ok(made(&answer["id"], &[("RequestValidatorId", &answer["id"])]))
}

/// The schema: a text, or a tree that is written down.
fn written(properties: &Value) -> String {
    match properties.get("Schema") {
        None => "{}".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(tree) => tree.to_string(),
    }
}

pub(super) async fn update(kind: &str, cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    let (operation, id, change) = match kind {
        "AWS::ApiGateway::Model" => {
            let mut change = patches(old, new, &[("Description", "/description", "")]);
            if old.get("Schema") != new.get("Schema") {
                change.push(json!({"op": "replace", "path": "/schema", "value": written(new)}));
            }
            ("UpdateModel", "modelName", change)
        }
        _ => {
            let truths = [
                ("ValidateRequestBody", "/validateRequestBody", "false"),
                ("ValidateRequestParameters", "/validateRequestParameters", "false"),
            ];
            ("UpdateRequestValidator", "requestValidatorId", patches(old, new, &truths))
        }
    };
    let mut input = json!({"restApiId": new["RestApiId"], "patchOperations": change});
    input[id] = made.id.as_str().into();
    cx.ask(SERVICE, operation, input).await?;
    Ok(made.clone())
}

pub(super) async fn delete(kind: &str, cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    let (operation, id) = match kind {
        "AWS::ApiGateway::Model" => ("DeleteModel", "modelName"),
        _ => ("DeleteRequestValidator", "requestValidatorId"),
    };
    let mut input = json!({"restApiId": properties["RestApiId"]});
    input[id] = made.id.as_str().into();
    cx.ask_gone(SERVICE, operation, input).await
}
