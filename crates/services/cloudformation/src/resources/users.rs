//! `AWS::IAM::User`, `Group`, `UserToGroupAddition` and `AccessKey`.

use super::iam::bound;
use super::principals::{GROUP, USER};
use super::{Change, Cx, only, pick, tags};
use crate::template::evaluate::Made;
use serde_json::{Value, json};
use servicekit::fields::texts;

const OF_USER: &[&str] =
    &["UserName", "Path", "Groups", "ManagedPolicyArns", "Policies", "PermissionsBoundary", "Tags"];

pub(super) async fn create_user(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    only(properties, OF_USER)?;
    let mut input = pick(properties, &["Path", "PermissionsBoundary"]);
    input.insert("UserName".to_owned(), name.into());
    tags::add("iam:user", properties, &mut input);
    let answer = cx.ask("iam", "CreateUser", input.into()).await?;
    let made = with_arn(name, &answer["User"]);
    match join_and_hold(cx, name, &Value::Null, properties).await {
        Ok(()) => Ok(made),
        Err(words) => {
            let _removed = delete_user(cx, &made, properties).await;
            Err(words)
        }
    }
}

fn with_arn(name: &str, told: &Value) -> Made {
    Made { id: name.to_owned(), attributes: [("Arn".to_owned(), told["Arn"].clone())].into() }
}

pub(super) async fn update_user(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    only(new, OF_USER)?;
    let name = made.id.as_str();
    if old.get("Path") != new.get("Path") {
        cx.ask("iam", "UpdateUser", json!({ "UserName": name, "NewPath": path(new) })).await?;
    }
    bound(cx, USER, name, old, new).await?;
    cx.retag("iam:user", json!({ "UserName": name }), old, new).await?;
    join_and_hold(cx, name, old, new).await?;
    let answer = cx.ask("iam", "GetUser", json!({ "UserName": name })).await?;
    Ok(with_arn(name, &answer["User"]))
}

fn path(properties: &Value) -> &str {
    properties.get("Path").and_then(Value::as_str).unwrap_or("/")
}

/// Brings a user's groups and policies from what they were to what they shall be.
async fn join_and_hold(cx: &Cx<'_>, user: &str, old: &Value, new: &Value) -> Result<(), String> {
    let (was, now) = (texts(old, "Groups"), texts(new, "Groups"));
    for group in now.iter().filter(|group| !was.contains(group)) {
        join(cx, user, group).await?;
    }
    for group in was.iter().filter(|group| !now.contains(group)) {
        leave(cx, user, group).await?;
    }
    USER.hold(cx, user, old, new).await
}

async fn join(cx: &Cx<'_>, user: &str, group: &str) -> Result<(), String> {
    cx.ask("iam", "AddUserToGroup", json!({ "UserName": user, "GroupName": group })).await.map(|_| ())
}

async fn leave(cx: &Cx<'_>, user: &str, group: &str) -> Result<(), String> {
    cx.ask_gone("iam", "RemoveUserFromGroup", json!({ "UserName": user, "GroupName": group })).await
}

pub(super) async fn delete_user(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    join_and_hold(cx, &made.id, properties, &Value::Null).await?;
    cx.ask_gone("iam", "DeleteUser", json!({"UserName": made.id})).await
}

const OF_GROUP: &[&str] = &["GroupName", "Path", "ManagedPolicyArns", "Policies"];

pub(super) async fn create_group(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    only(properties, OF_GROUP)?;
    let mut input = pick(properties, &["Path"]);
    input.insert("GroupName".to_owned(), name.into());
    let answer = cx.ask("iam", "CreateGroup", input.into()).await?;
    let made = with_arn(name, &answer["Group"]);
    match GROUP.hold(cx, name, &Value::Null, properties).await {
        Ok(()) => Ok(made),
        Err(words) => {
            let _removed = delete_group(cx, &made, properties).await;
            Err(words)
        }
    }
}

pub(super) async fn update_group(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    only(new, OF_GROUP)?;
    let name = made.id.as_str();
    if old.get("Path") != new.get("Path") {
        cx.ask("iam", "UpdateGroup", json!({ "GroupName": name, "NewPath": path(new) })).await?;
    }
    GROUP.hold(cx, name, old, new).await?;
    let answer = cx.ask("iam", "GetGroup", json!({ "GroupName": name })).await?;
    Ok(with_arn(name, &answer["Group"]))
}

pub(super) async fn delete_group(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    GROUP.hold(cx, &made.id, properties, &Value::Null).await?;
    cx.ask_gone("iam", "DeleteGroup", json!({ "GroupName": made.id })).await
}

/// Users that are put into a group by a resource of its own.
pub(super) async fn add_to_group(
    cx: &Cx<'_>,
    made: Option<&Made>,
    old: &Value,
    new: &Value,
) -> Result<Made, String> {
    only(new, &["GroupName", "Users"])?;
    let group = new["GroupName"].as_str().unwrap_or_default();
    let (was, now) = (texts(old, "Users"), texts(new, "Users"));
    for user in now.iter().filter(|user| !was.contains(user)) {
        join(cx, user, group).await?;
    }
    for user in was.iter().filter(|user| !now.contains(user)) {
        leave(cx, user, group).await?;
    }
    Ok(made.cloned().unwrap_or_else(|| Made { id: cx.made_up_name(128), ..Made::default() }))
}

pub(super) async fn take_from_group(cx: &Cx<'_>, properties: &Value) -> Result<(), String> {
    let group = properties["GroupName"].as_str().unwrap_or_default();
    for user in texts(properties, "Users") {
        leave(cx, &user, group).await?;
    }
    Ok(())
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
