//! `AWS::IAM::Role`, and documents of policies.

use super::principals::{Principal, ROLE};
use super::{Change, Cx, only, pick, tags};
use crate::template::evaluate::Made;
use serde_json::{Value, json};
use servicekit::fields::texts;

const OWN: &[&str] = &[
    "RoleName",
    "AssumeRolePolicyDocument",
    "ManagedPolicyArns",
    "Policies",
    "Path",
    "Description",
    "MaxSessionDuration",
    "PermissionsBoundary",
    "Tags",
];

pub(super) async fn create_role(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    only(properties, OWN)?;
    let mut input = pick(properties, &["Path", "Description", "MaxSessionDuration", "PermissionsBoundary"]);
    input.insert("RoleName".to_owned(), name.into());
    input.insert("AssumeRolePolicyDocument".to_owned(), document(properties, "AssumeRolePolicyDocument"));
    tags::add("iam:role", properties, &mut input);
    let answer = cx.ask("iam", "CreateRole", input.into()).await?;
    let role = &answer["Role"];
    let made = Made {
        id: name.to_owned(),
        attributes: [("Arn".to_owned(), role["Arn"].clone()), ("RoleId".to_owned(), role["RoleId"].clone())]
            .into(),
    };
    match ROLE.hold(cx, name, &Value::Null, properties).await {
        Ok(()) => Ok(made),
        Err(words) => {
            let _removed = delete_role(cx, &made).await;
            Err(words)
        }
    }
}

pub(super) async fn update_role(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    only(new, OWN)?;
    let name = made.id.as_str();
    if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"] {
        let input = json!({"RoleName": name, "PolicyDocument": document(new, "AssumeRolePolicyDocument")});
        cx.ask("iam", "UpdateAssumeRolePolicy", input).await?;
    }
    let plain = &["Description", "MaxSessionDuration"];
    if pick(old, plain) != pick(new, plain) {
        let mut input = pick(new, plain);
        input.insert("RoleName".to_owned(), name.into());
        cx.ask("iam", "UpdateRole", input.into()).await?;
    }
    bound(cx, ROLE, name, old, new).await?;
    cx.retag("iam:role", json!({"RoleName": name}), old, new).await?;
    ROLE.hold(cx, name, old, new).await?;
    Ok(made.clone())
}

/// Changes whose bounds a role or a user has.
pub(super) async fn bound(
    cx: &Cx<'_>,
    principal: Principal,
    name: &str,
    old: &Value,
    new: &Value,
) -> Result<(), String> {
    match (old.get("PermissionsBoundary"), new.get("PermissionsBoundary")) {
        (was, now) if was == now => Ok(()),
        (_, Some(arn)) => principal.put_boundary(cx, name, arn).await,
        (_, None) => principal.drop_boundary(cx, name).await,
    }
}

pub(super) async fn delete_role(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    let role = json!({"RoleName": made.id});
    if cx.ask("iam", "GetRole", role.clone()).await.is_err() {
        return Ok(());
    }
    let attached = cx.ask("iam", "ListAttachedRolePolicies", role.clone()).await?;
    for policy in attached["AttachedPolicies"].as_array().into_iter().flatten() {
        ROLE.detach(cx, &made.id, policy["PolicyArn"].as_str().unwrap_or_default()).await?;
    }
    let inline = cx.ask("iam", "ListRolePolicies", role.clone()).await?;
    for name in texts(&inline, "PolicyNames") {
        ROLE.take(cx, &made.id, &name).await?;
    }
    cx.ask_gone("iam", "DeleteRole", role).await
}

/// A policy document is an object in templates and a text in calls.
pub(super) fn document(properties: &Value, member: &str) -> Value {
    match properties.get(member) {
        Some(Value::String(text)) => text.as_str().into(),
        Some(document) => document.to_string().into(),
        None => Value::Null,
    }
}
