//! Policies and tags of keys. Policies are kept and not evaluated.

use super::Kms;
use super::key::no_key;
use super::keys::listed;
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text, texts};
use std::collections::BTreeMap;
use wire::ServiceError;

const NAME: &str = "default";
const TAGS_MAX: usize = 50;

impl Kms {
    pub(super) async fn get_policy(&self, call: &Call, input: &Value) -> Answer {
        check_name(input)?;
        let key = self.find(call, required(input, "KeyId")).await?;
        Ok(json!({ "Policy": key.policy, "PolicyName": NAME }))
    }

    pub(super) async fn put_policy(&self, call: &Call, input: &Value) -> Answer {
        check_name(input)?;
        let policy = required(input, "Policy");
        check(policy)?;
        self.change(call, input, |key| {
            key.refuse_deleted(call)?;
            key.policy = policy.to_owned();
            Ok(json!({}))
        })
        .await
    }

    pub(super) async fn list_policies(&self, call: &Call, input: &Value) -> Answer {
        self.find(call, required(input, "KeyId")).await?;
        listed("PolicyNames", vec![(NAME.to_owned(), NAME.into())], input)
    }

    pub(super) async fn tag_resource(&self, call: &Call, input: &Value) -> Answer {
        let tags = tags(input)?;
        self.change(call, input, |key| {
            key.refuse_deleted(call)?;
            key.tags.extend(tags.clone());
            bounded(&key.tags)?;
            Ok(json!({}))
        })
        .await
    }

    pub(super) async fn untag_resource(&self, call: &Call, input: &Value) -> Answer {
        let keys = texts(input, "TagKeys");
        self.change(call, input, |key| {
            key.refuse_deleted(call)?;
            key.tags.retain(|name, _| !keys.contains(name));
            Ok(json!({}))
        })
        .await
    }

    pub(super) async fn list_tags(&self, call: &Call, input: &Value) -> Answer {
        let key = self.find(call, required(input, "KeyId")).await?;
        let shown = key.tags.into_iter().map(|(name, value)| {
            let shown = json!({ "TagKey": name, "TagValue": value });
            (name, shown)
        });
        listed("Tags", shown.collect(), input)
    }
}

pub(super) fn tags(input: &Value) -> Result<BTreeMap<String, String>, ServiceError> {
    let refuse = |message: &str| Err(ServiceError::new("TagException", message));
    let list = input.get("Tags").and_then(Value::as_array).into_iter().flatten();
    let mut tags = BTreeMap::new();
    for tag in list {
        let key = required(tag, "TagKey");
        if key.to_ascii_lowercase().starts_with("aws:") {
            return refuse("Tags beginning with aws: are reserved");
        }
        if tags.insert(key.to_owned(), required(tag, "TagValue").to_owned()).is_some() {
            return refuse("Duplicate tag keys");
        }
    }
    bounded(&tags)?;
    Ok(tags)
}

fn bounded(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    match tags.len() > TAGS_MAX {
        true => Err(ServiceError::new("TagException", "Too many tags")),
        false => Ok(()),
    }
}

pub(super) fn check(policy: &str) -> Result<(), ServiceError> {
    match serde_json::from_str::<Value>(policy).is_ok_and(|policy| policy.is_object()) {
        true => Ok(()),
        false => {
            Err(ServiceError::new("MalformedPolicyDocumentException", "The policy is not a JSON object"))
        }
    }
}

fn check_name(input: &Value) -> Result<(), ServiceError> {
    match text(input, "PolicyName") {
        None | Some(NAME) => Ok(()),
        Some(_) => Err(no_key("No such policy exists")),
    }
}
