//! `AWS::KMS::Key` and `AWS::KMS::Alias`.

use super::{Change, Cx, only, pick, tags};
use crate::template::evaluate::Made;
use serde_json::{Value, json};
use servicekit::fields::required;

const KEY: &[&str] = &[
    "BypassPolicyLockoutSafetyCheck",
    "Description",
    "Enabled",
    "EnableKeyRotation",
    "KeyPolicy",
    "KeySpec",
    "KeyUsage",
    "MultiRegion",
    "Origin",
    "PendingWindowInDays",
    "RotationPeriodInDays",
    "Tags",
];

pub(super) async fn create_key(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    only(properties, KEY)?;
    let mut input = pick(properties, &["Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin"]);
    if let Some(policy) = policy(properties) {
        input.insert("Policy".to_owned(), policy.into());
    }
    tags::add("kms", properties, &mut input);
    let answer = cx.ask("kms", "CreateKey", input.into()).await?;
    let key = &answer["KeyMetadata"];
    let (id, arn) = (required(key, "KeyId").to_owned(), key["Arn"].clone());
    let made =
        Made { attributes: [("Arn".to_owned(), arn), ("KeyId".to_owned(), id.as_str().into())].into(), id };
    match switch(cx, &made, &Value::Null, properties).await {
        Ok(()) => Ok(made),
        Err(words) => {
            let _removed = delete_key(cx, &made, properties).await;
            Err(words)
        }
    }
}

pub(super) async fn update_key(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    only(new, KEY)?;
    let id = made.id.as_str();
    if old.get("Description") != new.get("Description") {
        let input = json!({ "KeyId": id, "Description": required(new, "Description") });
        cx.ask("kms", "UpdateKeyDescription", input).await?;
    }
    if let Some(policy) = policy(new).filter(|_| old.get("KeyPolicy") != new.get("KeyPolicy")) {
        cx.ask("kms", "PutKeyPolicy", json!({ "KeyId": id, "PolicyName": "default", "Policy": policy }))
            .await?;
    }
    cx.retag("kms", json!({ "KeyId": id }), old, new).await?;
    switch(cx, made, old, new).await?;
    Ok(made.clone())
}

/// Rotation and use, from what they were to what they shall be. A key that is not in use is not rotated.
async fn switch(cx: &Cx<'_>, made: &Made, old: &Value, new: &Value) -> Result<(), String> {
    let is = |properties: &Value, member: &str, default: bool| match properties.get(member) {
        Some(Value::Bool(truth)) => *truth,
        Some(Value::String(text)) => text == "true",
        _ => default,
    };
    let key = json!({ "KeyId": made.id });
    let (was, now) = (is(old, "Enabled", true), is(new, "Enabled", true));
    if now && !was {
        cx.ask("kms", "EnableKey", key.clone()).await?;
    }
    let (rotated, rotates) = (is(old, "EnableKeyRotation", false), is(new, "EnableKeyRotation", false));
    if rotates && (!rotated || old.get("RotationPeriodInDays") != new.get("RotationPeriodInDays")) {
        let mut input = pick(new, &["RotationPeriodInDays"]);
        input.insert("KeyId".to_owned(), made.id.as_str().into());
        cx.ask("kms", "EnableKeyRotation", input.into()).await?;
    } else if rotated && !rotates {
        cx.ask("kms", "DisableKeyRotation", key.clone()).await?;
    }
    if was && !now {
        cx.ask("kms", "DisableKey", key).await?;
    }
    Ok(())
}

pub(super) async fn delete_key(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    let Ok(found) = cx.ask("kms", "DescribeKey", json!({ "KeyId": made.id })).await else { return Ok(()) };
    if found["KeyMetadata"]["KeyState"] == "PendingDeletion" {
        return Ok(());
    }
    let mut input = pick(properties, &["PendingWindowInDays"]);
    input.insert("KeyId".to_owned(), made.id.as_str().into());
    cx.ask_gone("kms", "ScheduleKeyDeletion", input.into()).await
}

fn policy(properties: &Value) -> Option<String> {
    properties.get("KeyPolicy").map(|policy| match policy {
        Value::String(text) => text.clone(),
        document => document.to_string(),
    })
}

pub(super) async fn put_alias(cx: &Cx<'_>, made: Option<&Made>, properties: &Value) -> Result<Made, String> {
    only(properties, &["AliasName", "TargetKeyId"])?;
    let operation = if made.is_some() { "UpdateAlias" } else { "CreateAlias" };
    cx.ask("kms", operation, properties.clone()).await?;
    Ok(Made { id: required(properties, "AliasName").to_owned(), ..Made::default() })
}

pub(super) async fn delete_alias(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("kms", "DeleteAlias", json!({ "AliasName": made.id })).await
}
