//! `AWS::ApiGateway::Stage`, and its settings of methods.

use super::apigateway::{SERVICE, escaped, made, members, owned, patches, retag};
use super::{Cx, only, tags};
use crate::template::evaluate::{Made, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const STAGE: &[&str] = &[
    "CacheClusterEnabled",
    "DeploymentId",
    "Description",
    "MethodSettings",
    "RestApiId",
    "StageName",
    "Tags",
    "TracingEnabled",
    "Variables",
];

pub(super) async fn create_stage(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    only(properties, STAGE)?;
    let change = method_settings(&Value::Null, properties)?;
    let mut input = members(
        properties,
        &[
            "CacheClusterEnabled",
            "DeploymentId",
            "Description",
            "RestApiId",
            "StageName",
            "TracingEnabled",
            "Variables",
        ],
    );
    tags::add(SERVICE, properties, &mut input);
    let answer = cx.ask(SERVICE, "CreateStage", input.into()).await?;
    let stage = made(&answer["stageName"], &[]);
    if !change.is_empty() {
        let place = json!({"restApiId": properties["RestApiId"], "stageName": stage.id});
        let input =
            json!({"restApiId": properties["RestApiId"], "stageName": stage.id, "patchOperations": change});
        if let Err(words) = cx.ask(SERVICE, "UpdateStage", input).await {
            cx.ask_gone(SERVICE, "DeleteStage", place).await?;
            return Err(words);
        }
    }
    Ok(stage)
}

pub(super) async fn update_stage(cx: &Cx<'_>, old: &Value, new: &Value) -> Result<(), String> {
    only(new, STAGE)?;
    let paths = [("DeploymentId", "/deploymentId", ""), ("Description", "/description", "")];
    let mut change = patches(old, new, &paths);
    let variables = |of: &Value| of.get("Variables").and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (variables(old), variables(new));
    for (name, value) in after.iter().filter(|(name, value)| before.get(*name) != Some(value)) {
        let value = text(value).unwrap_or_default();
        change
            .push(json!({"op": "replace", "path": format!("/variables/{}", escaped(name)), "value": value}));
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        change.push(json!({"op": "remove", "path": format!("/variables/{}", escaped(name))}));
    }
    change.extend(method_settings(old, new)?);
    if !change.is_empty() {
        let input =
            json!({"restApiId": new["RestApiId"], "stageName": new["StageName"], "patchOperations": change});
        cx.ask(SERVICE, "UpdateStage", input).await?;
    }
    let path = format!("restapis/{}/stages/{}", owned(new, "RestApiId"), owned(new, "StageName"));
    retag(cx, &path, old, new).await
}

/// The settings of methods as changes of a stage: those there were are taken away, those there are to be set.
fn method_settings(old: &Value, new: &Value) -> Result<Vec<Value>, String> {
    if old.get("MethodSettings") == new.get("MethodSettings") {
        return Ok(Vec::new());
    }
    let of = |properties: &Value| -> BTreeMap<String, Value> {
        let list = properties.get("MethodSettings").and_then(Value::as_array).cloned().unwrap_or_default();
        let place = |one: &Value| {
            let path = owned(one, "ResourcePath");
            let path = if path == "/*" { "*".to_owned() } else { escaped(&path) };
            format!("/{path}/{}", owned(one, "HttpMethod"))
        };
        list.into_iter().map(|one| (place(&one), one)).collect()
    };
    let mut change: Vec<Value> = of(old).keys().map(|place| json!({"op": "remove", "path": place})).collect();
    for (place, settings) in of(new) {
        for (name, value) in settings.as_object().into_iter().flatten() {
            let setting = match name.as_str() {
                "ResourcePath" | "HttpMethod" => continue,
                "ThrottlingRateLimit" => "throttling/rateLimit",
                "ThrottlingBurstLimit" => "throttling/burstLimit",
                "MetricsEnabled" => "metrics/enabled",
                "LoggingLevel" => "logging/loglevel",
                "DataTraceEnabled" => "logging/dataTrace",
                "CachingEnabled" => "caching/enabled",
                other => {
                    return Err(format!(
                        "Model validation failed (#/MethodSettings: extraneous key [{other}] is not permitted)"
                    ));
                }
            };
            let value = text(value).unwrap_or_default();
            change.push(json!({"op": "replace", "path": format!("{place}/{setting}"), "value": value}));
        }
    }
    Ok(change)
}
