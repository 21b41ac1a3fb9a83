//! `AWS::IAM::Policy` and `ManagedPolicy`.

use super::iam::document;
use super::principals::ALL;
use super::{Change, Cx, only, pick};
use crate::template::evaluate::Made;
use serde_json::{Value, json};
use servicekit::fields::texts;

/// AWS's number of versions that a managed policy may have.
const VERSIONS_MAX: usize = 5;

/// An inline policy of its own, kept by each group, role and user it names.
pub(super) async fn put(cx: &Cx<'_>, name: &str, old: &Value, new: &Value) -> Result<Made, String> {
    only(new, &["PolicyName", "PolicyDocument", "Groups", "Roles", "Users"])?;
    if ALL.iter().all(|principal| texts(new, principal.plural).is_empty()) {
        return Err("At least one of [Groups,Roles,Users] must be non-empty.".to_owned());
    }
    let text = document(new, "PolicyDocument");
    for principal in ALL {
        let (was, now) = (texts(old, principal.plural), texts(new, principal.plural));
        for one in &now {
            principal.put(cx, one, name, &text).await?;
        }
        for one in was.iter().filter(|one| !now.contains(one)) {
            principal.take(cx, one, name).await?;
        }
    }
    Ok(Made { id: name.to_owned(), ..Made::default() })
}

pub(super) async fn delete(cx: &Cx<'_>, made: &Made, properties: &Value) -> Result<(), String> {
    for principal in ALL {
        for one in texts(properties, principal.plural) {
            principal.take(cx, &one, &made.id).await?;
        }
    }
    Ok(())
}

const MANAGED: &[&str] =
    &["ManagedPolicyName", "Path", "Description", "PolicyDocument", "Groups", "Roles", "Users"];

pub(super) async fn create_managed(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    only(properties, MANAGED)?;
    let mut input = pick(properties, &["Path", "Description"]);
    input.insert("PolicyName".to_owned(), name.into());
    input.insert("PolicyDocument".to_owned(), document(properties, "PolicyDocument"));
    let answer = cx.ask("iam", "CreatePolicy", input.into()).await?;
    let policy = &answer["Policy"];
    let id = policy["Arn"].as_str().unwrap_or_default().to_owned();
    let attributes = [("PolicyArn", &policy["Arn"]), ("PolicyId", &policy["PolicyId"])];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.clone()));
    let made = Made { id, attributes: attributes.into() };
    match attach(cx, &made.id, &Value::Null, properties).await {
        Ok(()) => Ok(made),
        Err(words) => {
            let _removed = delete_managed(cx, &made).await;
            Err(words)
        }
    }
}

/// A document that changes is a version, and the default one.
pub(super) async fn update_managed(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    only(new, MANAGED)?;
    let text = document(new, "PolicyDocument");
    if text != document(old, "PolicyDocument") {
        make_room(cx, &made.id).await?;
        let input = json!({ "PolicyArn": made.id, "PolicyDocument": text, "SetAsDefault": true });
        cx.ask("iam", "CreatePolicyVersion", input).await?;
    }
    attach(cx, &made.id, old, new).await?;
    Ok(made.clone())
}

/// Removes the oldest version that is not in force, if there is no room for another.
async fn make_room(cx: &Cx<'_>, arn: &str) -> Result<(), String> {
    let listed = cx.ask("iam", "ListPolicyVersions", json!({ "PolicyArn": arn })).await?;
    let versions = listed["Versions"].as_array().cloned().unwrap_or_default();
    if versions.len() < VERSIONS_MAX {
        return Ok(());
    }
    let number = |version: &Value| {
        let id = version["VersionId"].as_str().unwrap_or_default();
        id.trim_start_matches('v').parse::<u64>().unwrap_or(u64::MAX)
    };
    let spare = versions.iter().filter(|version| version["IsDefaultVersion"] != true);
    let Some(oldest) = spare.min_by_key(|version| number(version)) else { return Ok(()) };
    let input = json!({ "PolicyArn": arn, "VersionId": oldest["VersionId"] });
    cx.ask_gone("iam", "DeletePolicyVersion", input).await
}

async fn attach(cx: &Cx<'_>, arn: &str, old: &Value, new: &Value) -> Result<(), String> {
    for principal in ALL {
        let (was, now) = (texts(old, principal.plural), texts(new, principal.plural));
        for one in now.iter().filter(|one| !was.contains(one)) {
            principal.attach(cx, one, arn).await?;
        }
        for one in was.iter().filter(|one| !now.contains(one)) {
            principal.detach(cx, one, arn).await?;
        }
    }
    Ok(())
}

pub(super) async fn delete_managed(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    let policy = json!({ "PolicyArn": made.id });
    if let Ok(attached) = cx.ask("iam", "ListEntitiesForPolicy", policy.clone()).await {
        for principal in ALL {
            let member = principal.member();
            let listed = attached[format!("Policy{}", principal.plural)].as_array();
            for one in listed.into_iter().flatten() {
                principal.detach(cx, one[&member].as_str().unwrap_or_default(), &made.id).await?;
            }
        }
    }
    if let Ok(listed) = cx.ask("iam", "ListPolicyVersions", policy.clone()).await {
        let versions = listed["Versions"].as_array().into_iter().flatten();
        for version in versions.filter(|version| version["IsDefaultVersion"] != true) {
            let input = json!({ "PolicyArn": made.id, "VersionId": version["VersionId"] });
            cx.ask_gone("iam", "DeletePolicyVersion", input).await?;
        }
    }
    cx.ask_gone("iam", "DeletePolicy", policy).await
}
