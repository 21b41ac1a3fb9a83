//! `AWS::IAM::User` and `AccessKey`.

use super::iam::document;
use super::{Cx, only, pick};
use crate::template::evaluate::Made;
use serde_json::{Value, json};
use servicekit::fields::texts;

const USER: &[&str] =
    &["UserName", "Path", "Groups", "ManagedPolicyArns", "Policies", "PermissionsBoundary", "Tags"];

pub(super) async fn create_user(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    only(properties, USER)?;
    let mut input = pick(properties, &["Path", "PermissionsBoundary"]);
    input.insert("UserName".to_owned(), name.into());
    let tags = cx.tags(properties);
    if !tags.is_empty() {
        input.insert("Tags".to_owned(), tags.into());
    }
    let answer = cx.ask("iam", "CreateUser", input.into()).await?;
    let attributes = [("Arn".to_owned(), answer["User"]["Arn"].clone())].into();
    let made = Made { id: name.to_owned(), attributes };
    match attach(cx, name, &Value::Null, properties).await {
        Ok(()) => Ok(made),
        Err(words) => {
            let _removed = delete_user(cx, &made, properties).await;
            Err(words)
        }
    }
}

pub(super) async fn update_user(cx: &Cx<'_>, made: &Made, old: &Value, new: &Value) -> Result<Made, String> {
    only(new, USER)?;
    attach(cx, &made.id, old, new).await?;
    Ok(made.clone())
}

/// Brings a user's groups and policies from what they were to what they shall be.
async fn attach(cx: &Cx<'_>, user: &str, old: &Value, new: &Value) -> Result<(), String> {
    for (property, member, join, leave) in [
        ("Groups", "GroupName", "AddUserToGroup", "RemoveUserFromGroup"),
        ("ManagedPolicyArns", "PolicyArn", "AttachUserPolicy", "DetachUserPolicy"),
    ] {
        let (was, now) = (texts(old, property), texts(new, property));
        for one in now.iter().filter(|one| !was.contains(one)) {
            cx.ask("iam", join, json!({"UserName": user, member: one})).await?;
        }
        for one in was.iter().filter(|one| !now.contains(one)) {
            cx.ask_gone("iam", leave, json!({"UserName": user, member: one})).await?;
        }
    }
    let list = |of: &Value| of.get("Policies").and_then(Value::as_array).cloned().unwrap_or_default();
    let (was, now) = (list(old), list(new));
    for policy in now.iter().filter(|policy| !was.contains(policy)) {
        let input = json!({
            "UserName": user, "PolicyName": policy["PolicyName"],
            "PolicyDocument": document(policy, "PolicyDocument"),
        });
        cx.ask("iam", "PutUserPolicy", input).await?;
    }
    let left = |policy: &&Value| !now.iter().any(|one| one["PolicyName"] == policy["PolicyName"]);
    for policy in was.iter().filter(left) {
        let input = json!({"UserName": user, "PolicyName": policy["PolicyName"]});
        cx.ask_gone("iam", "DeleteUserPolicy", input).await?;
    }
    Ok(())
}

pub(super) async fn delete_user(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    attach(cx, &made.id, properties, &Value::Null).await?;
    cx.ask_gone("iam", "DeleteUser", json!({"UserName": made.id})).await
}

pub(super) async fn create_key(cx: &Cx<'_>, properties: &Value) -> Result<Made, String> {
    only(properties, &["Serial", "Status", "UserName"])?;
    let user = &properties["UserName"];
    let answer = cx.ask("iam", "CreateAccessKey", json!({"UserName": user})).await?;
    let key = &answer["AccessKey"];
    let id = key["AccessKeyId"].as_str().unwrap_or_default().to_owned();
    let secret = [("SecretAccessKey".to_owned(), key["SecretAccessKey"].clone())].into();
    let made = Made { id, attributes: secret };
    update_key(cx, &made, properties).await
}

pub(super) async fn update_key(cx: &Cx<'_>, made: &Made, new: &Value) -> Result<Made, String> {
    let status = new.get("Status").cloned().unwrap_or_else(|| json!("Active"));
    let input = json!({"UserName": new["UserName"], "AccessKeyId": made.id, "Status": status});
    cx.ask("iam", "UpdateAccessKey", input).await?;
    Ok(made.clone())
}

pub(super) async fn delete_key(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    let input = json!({"UserName": properties["UserName"], "AccessKeyId": made.id});
    cx.ask_gone("iam", "DeleteAccessKey", input).await
}
