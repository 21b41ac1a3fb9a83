//! `AWS::IAM::Role`, `Policy` and `ManagedPolicy`.

use super::{Cx, only, pick};
use crate::template::evaluate::Made;
use serde_json::{Value, json};
use servicekit::fields::texts;

const ROLE: &[&str] = &[
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
    only(properties, ROLE)?;
    let mut input = pick(properties, &["Path", "Description", "MaxSessionDuration", "PermissionsBoundary"]);
    input.insert("RoleName".to_owned(), name.into());
    input.insert("AssumeRolePolicyDocument".to_owned(), document(properties, "AssumeRolePolicyDocument"));
    let tags = cx.tags(properties);
    if !tags.is_empty() {
        input.insert("Tags".to_owned(), tags.into());
    }
    let answer = cx.ask("iam", "CreateRole", input.into()).await?;
    let role = &answer["Role"];
    let made = Made {
        id: name.to_owned(),
        attributes: [("Arn".to_owned(), role["Arn"].clone()), ("RoleId".to_owned(), role["RoleId"].clone())]
            .into(),
    };
    match attach(cx, name, &Value::Null, properties).await {
        Ok(()) => Ok(made),
        Err(words) => {
            let _removed = delete_role(cx, &made).await;
            Err(words)
        }
    }
}

pub(super) async fn update_role(cx: &Cx<'_>, made: &Made, old: &Value, new: &Value) -> Result<Made, String> {
    only(new, ROLE)?;
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
    attach(cx, name, old, new).await?;
    Ok(made.clone())
}

/// Brings a role's managed and inline policies from what they were to what they shall be.
async fn attach(cx: &Cx<'_>, role: &str, old: &Value, new: &Value) -> Result<(), String> {
    let (was, now) = (texts(old, "ManagedPolicyArns"), texts(new, "ManagedPolicyArns"));
    for arn in now.iter().filter(|arn| !was.contains(arn)) {
        cx.ask("iam", "AttachRolePolicy", json!({"RoleName": role, "PolicyArn": arn})).await?;
    }
    for arn in was.iter().filter(|arn| !now.contains(arn)) {
        cx.ask_gone("iam", "DetachRolePolicy", json!({"RoleName": role, "PolicyArn": arn})).await?;
    }
    let list = |properties: &Value| {
        properties.get("Policies").and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let (was, now) = (list(old), list(new));
    for policy in now.iter().filter(|policy| !was.contains(policy)) {
        let input = json!({"RoleName": role, "PolicyName": policy["PolicyName"], "PolicyDocument": document(policy, "PolicyDocument")});
        cx.ask("iam", "PutRolePolicy", input).await?;
    }
    for policy in was.iter().filter(|policy| !now.iter().any(|one| one["PolicyName"] == policy["PolicyName"]))
    {
        cx.ask_gone("iam", "DeleteRolePolicy", json!({"RoleName": role, "PolicyName": policy["PolicyName"]}))
            .await?;
    }
    Ok(())
}

pub(super) async fn delete_role(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    let role = json!({"RoleName": made.id});
    if cx.ask("iam", "GetRole", role.clone()).await.is_err() {
        return Ok(());
    }
    let attached = cx.ask("iam", "ListAttachedRolePolicies", role.clone()).await?;
    for policy in attached["AttachedPolicies"].as_array().into_iter().flatten() {
        cx.ask_gone(
            "iam",
            "DetachRolePolicy",
            json!({"RoleName": made.id, "PolicyArn": policy["PolicyArn"]}),
        )
        .await?;
    }
    let inline = cx.ask("iam", "ListRolePolicies", role.clone()).await?;
    for name in texts(&inline, "PolicyNames") {
        cx.ask_gone("iam", "DeleteRolePolicy", json!({"RoleName": made.id, "PolicyName": name})).await?;
    }
    cx.ask_gone("iam", "DeleteRole", role).await
}

/// An inline policy of its own, kept by each role it names.
pub(super) async fn put_policy(cx: &Cx<'_>, name: &str, old: &Value, new: &Value) -> Result<Made, String> {
    only(new, &["PolicyName", "PolicyDocument", "Roles"])?;
    let (was, now) = (texts(old, "Roles"), texts(new, "Roles"));
    if now.is_empty() {
        return Err("At least one of [Groups,Roles,Users] must be non-empty.".to_owned());
    }
    for role in &now {
        let input =
            json!({"RoleName": role, "PolicyName": name, "PolicyDocument": document(new, "PolicyDocument")});
        cx.ask("iam", "PutRolePolicy", input).await?;
    }
    for role in was.iter().filter(|role| !now.contains(role)) {
        cx.ask_gone("iam", "DeleteRolePolicy", json!({"RoleName": role, "PolicyName": name})).await?;
    }
    Ok(Made { id: name.to_owned(), ..Made::default() })
}

pub(super) async fn delete_policy(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    for role in texts(properties, "Roles") {
        cx.ask_gone("iam", "DeleteRolePolicy", json!({"RoleName": role, "PolicyName": made.id})).await?;
    }
    Ok(())
}

pub(super) async fn create_managed_policy(
    cx: &Cx<'_>,
    name: &str,
    properties: &Value,
) -> Result<Made, String> {
    only(properties, &["ManagedPolicyName", "Path", "Description", "PolicyDocument", "Roles"])?;
    let mut input = pick(properties, &["Path", "Description"]);
    input.insert("PolicyName".to_owned(), name.into());
    input.insert("PolicyDocument".to_owned(), document(properties, "PolicyDocument"));
    let answer = cx.ask("iam", "CreatePolicy", input.into()).await?;
    let arn = answer["Policy"]["Arn"].clone();
    for role in texts(properties, "Roles") {
        cx.ask("iam", "AttachRolePolicy", json!({"RoleName": role, "PolicyArn": arn})).await?;
    }
    let id = arn.as_str().unwrap_or_default().to_owned();
    Ok(Made { id, attributes: [("PolicyArn".to_owned(), arn)].into() })
}

pub(super) async fn delete_managed_policy(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    let policy = json!({"PolicyArn": made.id});
    if let Ok(attached) = cx.ask("iam", "ListEntitiesForPolicy", policy.clone()).await {
        for role in attached["PolicyRoles"].as_array().into_iter().flatten() {
            cx.ask_gone(
                "iam",
                "DetachRolePolicy",
                json!({"RoleName": role["RoleName"], "PolicyArn": made.id}),
            )
            .await?;
        }
    }
    cx.ask_gone("iam", "DeletePolicy", policy).await
}

/// A policy document is an object in templates and a text in calls.
pub(super) fn document(properties: &Value, member: &str) -> Value {
    match properties.get(member) {
        Some(Value::String(text)) => text.as_str().into(),
        Some(document) => document.to_string().into(),
        None => Value::Null,
    }
}
