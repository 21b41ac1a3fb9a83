//! `AWS::ECR::Repository`.

use super::{Change, Cx, only, pick, tags};
use crate::template::evaluate::Made;
use serde_json::{Value, json};

pub(super) async fn create(cx: &Cx<'_>, name: &str, properties: &Value) -> Result<Made, String> {
    const OWN: &[&str] = &[
        "RepositoryName",
        "ImageTagMutability",
        "ImageScanningConfiguration",
        "EncryptionConfiguration",
        "LifecyclePolicy",
        "RepositoryPolicyText",
        "EmptyOnDelete",
        "Tags",
    ];
    only(properties, OWN)?;
    let name =
        if properties.get("RepositoryName").is_some() { name.to_owned() } else { name.to_ascii_lowercase() };
    let mut input = pick(properties, &["ImageTagMutability"]);
    if let Some(scanning) = properties.get("ImageScanningConfiguration") {
        input.insert("imageScanningConfiguration".into(), json!({ "scanOnPush": scanning["ScanOnPush"] }));
    }
    if let Some(mutability) = input.remove("ImageTagMutability") {
        input.insert("imageTagMutability".into(), mutability);
    }
    if let Some(encryption) = properties.get("EncryptionConfiguration") {
        let told =
            json!({ "encryptionType": encryption["EncryptionType"], "kmsKey": encryption.get("KmsKey") });
        input.insert("encryptionConfiguration".into(), told);
    }
    input.insert("repositoryName".into(), name.as_str().into());
    tags::add("ecr", properties, &mut input);
    let answer = cx.ask("ecr", "CreateRepository", input.into()).await?;
    let repository = &answer["repository"];
    let attributes = [
        ("Arn".to_owned(), repository["repositoryArn"].clone()),
        ("RepositoryUri".to_owned(), repository["repositoryUri"].clone()),
    ];
    let made = Made { id: name, attributes: attributes.into() };
    match policies(cx, &made, &Value::Null, properties).await {
        Ok(()) => Ok(made),
        Err(words) => {
            let _removed = delete(cx, &made).await;
            Err(words)
        }
    }
}

pub(super) async fn update(cx: &Cx<'_>, change: Change<'_>) -> Result<Made, String> {
    let Change { made, old, new } = change;
    if old.get("ImageTagMutability") != new.get("ImageTagMutability") {
        let mutability = new.get("ImageTagMutability").cloned().unwrap_or("MUTABLE".into());
        let input = json!({ "repositoryName": made.id, "imageTagMutability": mutability });
        cx.ask("ecr", "PutImageTagMutability", input).await?;
    }
    cx.retag("ecr", json!({ "resourceArn": made.attributes["Arn"] }), old, new).await?;
    policies(cx, made, old, new).await?;
    Ok(made.clone())
}

async fn policies(cx: &Cx<'_>, made: &Made, old: &Value, new: &Value) -> Result<(), String> {
    let was = old.get("LifecyclePolicy").and_then(|policy| policy.get("LifecyclePolicyText"));
    let now = new.get("LifecyclePolicy").and_then(|policy| policy.get("LifecyclePolicyText"));
    match now {
        Some(text) if was != now => {
            let input = json!({ "repositoryName": made.id, "lifecyclePolicyText": text });
            cx.ask("ecr", "PutLifecyclePolicy", input).await?;
        }
        None if was.is_some() => {
            cx.ask_gone("ecr", "DeleteLifecyclePolicy", json!({ "repositoryName": made.id })).await?;
        }
        _ => {}
    }
    match (old.get("RepositoryPolicyText"), new.get("RepositoryPolicyText")) {
        (was, Some(document)) if was != Some(document) => {
            let text = document.as_str().map_or_else(|| document.to_string(), str::to_owned);
            let input = json!({ "repositoryName": made.id, "policyText": text });
            cx.ask("ecr", "SetRepositoryPolicy", input).await?;
        }
        (Some(_), None) => {
            cx.ask_gone("ecr", "DeleteRepositoryPolicy", json!({ "repositoryName": made.id })).await?;
        }
        _ => {}
    }
    Ok(())
}

pub(super) async fn delete(cx: &Cx<'_>, made: &Made) -> Result<(), String> {
    cx.ask_gone("ecr", "DeleteRepository", json!({ "repositoryName": made.id })).await
}
