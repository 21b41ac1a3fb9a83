//! What belongs to functions: versions, aliases, addresses, layers, and what becomes of events.

use super::{Cx, only, pick};
use crate::template::evaluate::Made;
use serde_json::{Map, Value, json};
use servicekit::fields::text;

fn made(id: &str, attributes: &[(&str, &Value)]) -> Made {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone()));
    Made { id: id.to_owned(), attributes: attributes.collect() }
}

/// An ARN's function, and what stands behind its name.
fn parted(arn: &str) -> (&str, &str) {
    arn.rsplit_once(':').unwrap_or((arn, ""))
}

pub(super) async fn publish_version(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    only(properties, &["FunctionName", "CodeSha256", "Description"])?;
    let answer = cx.ask("lambda", "PublishVersion", properties.clone()).await?;
    let arn = text(&answer, "FunctionArn").unwrap_or_default();
    Ok(made(arn, &[("Version", &answer["Version"]), ("FunctionArn", &answer["FunctionArn"])]))
}

pub(super) async fn delete_version(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    let (function, version) = parted(&made.id);
    cx.ask_gone("lambda", "DeleteFunction", json!({ "FunctionName": function, "Qualifier": version })).await
}

fn alias(properties: &Value) -> Result<Value, String> {
    only(properties, &["FunctionName", "FunctionVersion", "Name", "Description", "RoutingConfig"])?;
    let mut input = properties.clone();
    if let Some(weights) = properties.get("RoutingConfig").and_then(|one| one.get("AdditionalVersionWeights"))
    {
        let weights = weights.as_array().into_iter().flatten();
        let weights: Map<String, Value> = weights
            .filter_map(|one| Some((text(one, "FunctionVersion")?.to_owned(), one["FunctionWeight"].clone())))
            .collect();
        input["RoutingConfig"] = json!({ "AdditionalVersionWeights": weights });
    }
    Ok(input)
}

pub(super) async fn create_alias(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    let answer = cx.ask("lambda", "CreateAlias", alias(properties)?).await?;
    Ok(made(text(&answer, "AliasArn").unwrap_or_default(), &[("AliasArn", &answer["AliasArn"])]))
}

pub(super) async fn update_alias(cx: &Cx<'_>, made: &Made, new: &Value) -> Result<Made, String> {
    let mut input = alias(new)?;
    if input.get("RoutingConfig").is_none() {
        input["RoutingConfig"] = json!({ "AdditionalVersionWeights": {} });
    }
    cx.ask("lambda", "UpdateAlias", input).await?;
    Ok(made.clone())
}

pub(super) async fn delete_alias(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    let (function, name) = parted(&made.id);
    cx.ask_gone("lambda", "DeleteAlias", json!({ "FunctionName": function, "Name": name })).await
}

fn address(properties: &Value) -> Result<Value, String> {
    only(properties, &["TargetFunctionArn", "Qualifier", "AuthType", "Cors", "InvokeMode"])?;
    let mut input = pick(properties, &["Qualifier", "AuthType", "Cors", "InvokeMode"]);
    input.insert("FunctionName".to_owned(), properties["TargetFunctionArn"].clone());
    Ok(input.into())
}

pub(super) async fn create_url(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    let answer = cx.ask("lambda", "CreateFunctionUrlConfig", address(properties)?).await?;
    let arn = text(&answer, "FunctionArn").unwrap_or_default();
    Ok(made(arn, &[("FunctionArn", &answer["FunctionArn"]), ("FunctionUrl", &answer["FunctionUrl"])]))
}

pub(super) async fn update_url(cx: &Cx<'_>, made: &Made, new: &Value) -> Result<Made, String> {
    let mut input = address(new)?;
    if input.get("Cors").is_none() {
        input["Cors"] = json!({});
    }
    cx.ask("lambda", "UpdateFunctionUrlConfig", input).await?;
    Ok(made.clone())
}

pub(super) async fn delete_url(cx: &Cx<'_>, properties: &Value) -> Result<(), String> {
    let mut input = pick(properties, &["Qualifier"]);
    input.insert("FunctionName".to_owned(), properties["TargetFunctionArn"].clone());
    cx.ask_gone("lambda", "DeleteFunctionUrlConfig", input.into()).await
}

pub(super) async fn publish_layer(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    let own = [
        "LayerName",
        "Description",
        "Content",
        "CompatibleRuntimes",
        "CompatibleArchitectures",
        "LicenseInfo",
    ];
    only(properties, &own)?;
    let mut input = properties.clone();
    input["LayerName"] = name.into();
    let answer = cx.ask("lambda", "PublishLayerVersion", input).await?;
    let arn = text(&answer, "LayerVersionArn").unwrap_or_default();
    Ok(made(arn, &[("LayerVersionArn", &answer["LayerVersionArn"])]))
}

pub(super) async fn delete_layer(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    let (layer, number) = parted(&made.id);
    let number: i64 = number.parse().unwrap_or_default();
    cx.ask_gone("lambda", "DeleteLayerVersion", json!({ "LayerName": layer, "VersionNumber": number })).await
}

pub(super) async fn put_event_config(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    let own = [
        "FunctionName",
        "Qualifier",
        "MaximumRetryAttempts",
        "MaximumEventAgeInSeconds",
        "DestinationConfig",
    ];
    only(properties, &own)?;
    cx.ask("lambda", "PutFunctionEventInvokeConfig", properties.clone()).await?;
    let name = text(properties, "FunctionName").unwrap_or_default();
    let qualifier = text(properties, "Qualifier").unwrap_or("$LATEST");
    Ok(made(&format!("{name}|{qualifier}"), &[]))
}

pub(super) async fn delete_event_config(cx: &Cx<'_>, properties: &Value) -> Result<(), String> {
    let input = pick(properties, &["FunctionName", "Qualifier"]);
    cx.ask_gone("lambda", "DeleteFunctionEventInvokeConfig", input.into()).await
}
