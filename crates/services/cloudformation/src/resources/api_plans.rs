//! `AWS::ApiGateway::ApiKey`, `UsagePlan` and `UsagePlanKey`.

use super::apigateway::{SERVICE, escaped, made, members, owned, patches, retag};
use super::{Change, Cx, only, tags};
use crate::template::evaluate::{Made, text};
use serde_json::{Map, Value, json};

const KEY: &[&str] =
    &["CustomerId", "Description", "Enabled", "GenerateDistinctId", "Name", "StageKeys", "Tags", "Value"];
const PLAN: &[&str] = &["ApiStages", "Description", "Quota", "Tags", "Throttle", "UsagePlanName"];
const PLAN_KEY: &[&str] = &["KeyId", "KeyType", "UsagePlanId"];

pub(super) async fn create(kind: &str, cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    match kind {
        "AWS::ApiGateway::ApiKey" => create_key(cx, name, properties).await,
        "AWS::ApiGateway::UsagePlan" => create_plan(cx, name, properties).await,
        _ => {
            only(properties, PLAN_KEY)?;
            let answer = cx.ask(SERVICE, "CreateUsagePlanKey", plan_key(properties).into()).await?;
            let id = format!("{}:{}", owned(&answer, "id"), owned(properties, "UsagePlanId")).into();
            Ok(made(&id, &[("Id", &id)]))
        }
    }
}

pub(super) async fn update(kind: &str, cx: &Cx<'_>, change: Change<'_>) -> Result<(), String> {
    let Change { made, old, new } = change;
    match kind {
        "AWS::ApiGateway::ApiKey" => {
            only(new, KEY)?;
            let paths = [
                ("CustomerId", "/customerId", ""),
                ("Description", "/description", ""),
                ("Enabled", "/enabled", "false"),
            ];
            patch(cx, "UpdateApiKey", "apiKey", &made.id, patches(old, new, &paths)).await?;
            retag(cx, &format!("apikeys/{}", made.id), old, new).await
        }
        "AWS::ApiGateway::UsagePlan" => {
            check_plan(new)?;
            patch(cx, "UpdateUsagePlan", "usagePlanId", &made.id, plan_patches(old, new)).await?;
            retag(cx, &format!("usageplans/{}", made.id), old, new).await
        }
        _ => Ok(()),
    }
}

pub(super) async fn delete(kind: &str, cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    let (operation, input) = match kind {
        "AWS::ApiGateway::ApiKey" => ("DeleteApiKey", json!({"apiKey": made.id})),
        "AWS::ApiGateway::UsagePlan" => {
            // A plan goes without its stages.
            let asked = cx.ask(SERVICE, "GetUsagePlan", json!({"usagePlanId": made.id})).await;
            let stages = asked.ok().and_then(|told| told.get("apiStages")?.as_array().cloned());
            let names = stages.unwrap_or_default();
            let remove = |one: &Value| {
                let name = format!("{}:{}", owned(one, "apiId"), owned(one, "stage"));
                json!({"op": "remove", "path": "/apiStages", "value": name})
            };
            let gone = names.iter().map(remove).collect();
            patch(cx, "UpdateUsagePlan", "usagePlanId", &made.id, gone).await?;
            ("DeleteUsagePlan", json!({"usagePlanId": made.id}))
        }
        _ => (
            "DeleteUsagePlanKey",
            json!({"usagePlanId": properties["UsagePlanId"], "keyId": properties["KeyId"]}),
        ),
    };
    cx.ask_gone(SERVICE, operation, input).await
}

async fn patch(
    cx: &Cx<'_>,
    operation: &str,
    member: &str,
    id: &str,
    patches: Vec<Value>,
) -> Result<(), String> {
    if patches.is_empty() {
        return Ok(());
    }
    cx.ask(SERVICE, operation, json!({member: id, "patchOperations": patches})).await.map(|_| ())
}

fn plan_key(properties: &Value) -> Map<String, Value> {
    members(properties, PLAN_KEY)
}

async fn create_key(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    only(properties, KEY)?;
    let names = ["CustomerId", "Description", "Enabled", "GenerateDistinctId", "Value"];
    let mut input = members(properties, &names);
    input.insert("name".to_owned(), name.into());
    let stages = properties.get("StageKeys").and_then(Value::as_array).into_iter().flatten();
    let stages: Vec<Value> = stages.map(|one| members(one, &["RestApiId", "StageName"]).into()).collect();
    input.insert("stageKeys".to_owned(), stages.into());
    tags::add(SERVICE, properties, &mut input);
    let answer = cx.ask(SERVICE, "CreateApiKey", input.into()).await?;
    Ok(made(&answer["id"], &[("APIKeyId", &answer["id"])]))
}

async fn create_plan(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    check_plan(properties)?;
    let mut input = members(properties, &["Description"]);
    input.insert("name".to_owned(), name.into());
    input.insert("apiStages".to_owned(), stages(properties).into());
    for property in ["Quota", "Throttle"] {
        if let Some(limits) = properties.get(property) {
            input.insert(property.to_ascii_lowercase(), lowered(limits));
        }
    }
    tags::add(SERVICE, properties, &mut input);
    let answer = cx.ask(SERVICE, "CreateUsagePlan", input.into()).await?;
    Ok(made(&answer["id"], &[("Id", &answer["id"])]))
}

fn check_plan(properties: &Value) -> Result<(), String> {
    only(properties, PLAN)?;
    let limits = ["BurstLimit", "RateLimit"];
    only(properties.get("Throttle").unwrap_or(&Value::Null), &limits)?;
    only(properties.get("Quota").unwrap_or(&Value::Null), &["Limit", "Offset", "Period"])?;
    for stage in properties.get("ApiStages").and_then(Value::as_array).into_iter().flatten() {
        only(stage, &["ApiId", "Stage", "Throttle"])?;
        let throttle = stage.get("Throttle").and_then(Value::as_object).into_iter().flatten();
        throttle.into_iter().try_for_each(|(_, own)| only(own, &limits))?;
    }
    Ok(())
}

/// Limits, with the members of a call.
fn lowered(limits: &Value) -> Value {
    members(limits, &["BurstLimit", "RateLimit", "Limit", "Offset", "Period"]).into()
}

fn stages(properties: &Value) -> Vec<Value> {
    let all = properties.get("ApiStages").and_then(Value::as_array).into_iter().flatten();
    let told = all.map(|one| {
        let mut told = members(one, &["ApiId", "Stage"]);
        if let Some(Value::Object(throttle)) = one.get("Throttle") {
            let throttle = throttle.iter().map(|(place, limits)| (place.clone(), lowered(limits)));
            told.insert("throttle".to_owned(), Value::Object(throttle.collect()));
        }
        told.into()
    });
    told.collect()
}

/// From one plan to another: stages that differ are taken away and put again.
fn plan_patches(old: &Value, new: &Value) -> Vec<Value> {
    let mut change =
        patches(old, new, &[("UsagePlanName", "/name", ""), ("Description", "/description", "")]);
    change.retain(|patch| patch["path"] != "/name" || patch["value"] != "");
    for property in ["Quota", "Throttle"] {
        if old.get(property) == new.get(property) {
            continue;
        }
        let path = format!("/{}", property.to_ascii_lowercase());
        change.push(json!({"op": "remove", "path": path}));
        let limits = new.get(property).map(lowered).unwrap_or_default();
        set(&mut change, &path, &limits);
    }
    let name = |one: &Value| format!("{}:{}", owned(one, "apiId"), owned(one, "stage"));
    let (before, after) = (stages(old), stages(new));
    for gone in before.iter().filter(|one| !after.contains(one)) {
        change.push(json!({"op": "remove", "path": "/apiStages", "value": name(gone)}));
    }
    for added in after.iter().filter(|one| !before.contains(one)) {
        change.push(json!({"op": "add", "path": "/apiStages", "value": name(added)}));
        for (place, limits) in added.get("throttle").and_then(Value::as_object).into_iter().flatten() {
            let (path, method) = place.rsplit_once('/').unwrap_or((place, "*"));
            let path = format!("/apiStages/{}/throttle/{}/{method}", name(added), escaped(path));
            set(&mut change, &path, limits);
        }
    }
    change
}

fn set(change: &mut Vec<Value>, path: &str, limits: &Value) {
    for (name, limit) in limits.as_object().into_iter().flatten() {
        let value = text(limit).unwrap_or_default();
        change.push(json!({"op": "replace", "path": format!("{path}/{name}"), "value": value}));
    }
}
