//! Secrets described, listed, searched and tagged; never their values.

use super::secret::{Secret, Version, bad_parameter, bad_request};
use super::{Secrets, prefix};
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, object, required, tag_list, tags_of, text, texts};
use wire::ServiceError;

const TAGS_MAX: usize = 50;
const LIST_MAX: i64 = 100;

impl Secrets {
    pub(super) fn describe_secret(&self, call: &Call, input: &Value) -> Answer {
        let (_, secret) = self.find(call, required(input, "SecretId"))?;
        let mut shown = described(&secret);
        shown.extend(secret.stages().map(|stages| ("VersionIdsToStages".to_owned(), stages)));
        Ok(shown.into())
    }

    pub(super) async fn list_secrets(&self, call: &Call, input: &Value) -> Answer {
        let planned = input.get("IncludePlannedDeletion").and_then(Value::as_bool).unwrap_or(false);
        let mut found: Vec<Secret> = Vec::new();
        for (name, secret) in self.secrets.list(&prefix(call))? {
            // What is past its recovery window is not listed and not kept.
            if self.is_gone(&secret) {
                self.forget(&format!("{}{name}", prefix(call)), &secret).await?;
            } else if (planned || secret.deleted_s.is_none()) && matches(&secret, input)? {
                found.push(secret);
            }
        }
        sort(&mut found, input);
        let (shown, next) = cut(found, input, LIST_MAX, |secret| secret.name.clone())?;
        let entry = |secret: &Secret| {
            let mut shown = described(secret);
            shown.extend(secret.stages().map(|stages| ("SecretVersionsToStages".to_owned(), stages)));
            Value::Object(shown)
        };
        let list: Vec<Value> = shown.iter().map(entry).collect();
        Ok(object([("SecretList", Some(list.into())), ("NextToken", next)]))
    }

    /// The names of the secrets that a batch's filters choose, a page of them.
    pub(super) fn chosen(
        &self,
        call: &Call,
        input: &Value,
    ) -> Result<(Vec<String>, Option<Value>), ServiceError> {
        let mut found = Vec::new();
        for (_, secret) in self.secrets.list(&prefix(call))? {
            if secret.deleted_s.is_none() && matches(&secret, input)? {
                found.push(secret.name);
            }
        }
        cut(found, input, 20, String::clone)
    }

    pub(super) fn list_version_ids(&self, call: &Call, input: &Value) -> Answer {
        let (_, secret) = self.find(call, required(input, "SecretId"))?;
        let deprecated = input.get("IncludeDeprecated").and_then(Value::as_bool).unwrap_or(false);
        let versions = secret.versions.iter().filter(|(_, version)| deprecated || !version.stages.is_empty());
        let mut versions: Vec<(&String, &Version)> = versions.collect();
        versions.sort_by(|a, b| b.1.created_s.total_cmp(&a.1.created_s).then(a.0.cmp(b.0)));
        let (shown, next) = cut(versions, input, LIST_MAX, |(id, _)| (*id).clone())?;
        let kms_key = secret.kms_key.as_deref().unwrap_or("DefaultEncryptionKey");
        let list: Vec<Value> = shown
            .into_iter()
            .map(|(id, version)| {
                let stages = (!version.stages.is_empty()).then(|| json!(version.stages));
                object([
                    ("VersionId", Some(id.as_str().into())),
                    ("VersionStages", stages),
                    ("LastAccessedDate", version.accessed_s.map(Value::from)),
                    ("CreatedDate", Some(version.created_s.into())),
                    ("KmsKeyIds", Some(json!([kms_key]))),
                ])
            })
            .collect();
        Ok(object([
            ("Versions", Some(list.into())),
            ("NextToken", next),
            ("ARN", Some(secret.arn.into())),
            ("Name", Some(secret.name.into())),
        ]))
    }

    pub(super) async fn tag_resource(&self, call: &Call, input: &Value) -> Answer {
        let tags = tags_of(input, "Tags");
        self.change(call, input, |_, secret| {
            secret.refuse_deleted()?;
            secret.tags.extend(tags.clone());
            secret.tagged = true;
            check_tags(secret)?;
            Ok(json!({}))
        })
        .await
    }

    pub(super) async fn untag_resource(&self, call: &Call, input: &Value) -> Answer {
        let keys = texts(input, "TagKeys");
        self.change(call, input, |_, secret| {
            secret.refuse_deleted()?;
            secret.tags.retain(|key, _| !keys.contains(key));
            Ok(json!({}))
        })
        .await
    }
}

pub(super) fn check_tags(secret: &Secret) -> Result<(), ServiceError> {
    match secret.tags.len() > TAGS_MAX {
        true => Err(bad_parameter(format!("A secret can have no more than {TAGS_MAX} tags."))),
        false => Ok(()),
    }
}

fn described(secret: &Secret) -> Map<String, Value> {
    let shown = object([
        ("ARN", Some(secret.arn.as_str().into())),
        ("Name", Some(secret.name.as_str().into())),
        ("Description", secret.description.as_deref().filter(|text| !text.is_empty()).map(Value::from)),
        ("KmsKeyId", secret.kms_key.as_deref().map(Value::from)),
        ("LastChangedDate", Some(secret.changed_s.into())),
        ("LastAccessedDate", secret.accessed_s.map(Value::from)),
        ("DeletedDate", secret.deleted_s.map(Value::from)),
        ("Tags", (secret.tagged || !secret.tags.is_empty()).then(|| tag_list(&secret.tags))),
        ("CreatedDate", Some(secret.created_s.into())),
    ]);
    let mut shown = shown.as_object().cloned().unwrap_or_default();
    if let Some(rotation) = &secret.rotation {
        let told = rotation.shown().into_iter();
        shown.extend(told.filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    shown
}

/// Whether every filter has a value that the secret fits; a value with `!` before it is one it must not fit.
fn matches(secret: &Secret, input: &Value) -> Result<bool, ServiceError> {
    for filter in input.get("Filters").and_then(Value::as_array).into_iter().flatten() {
        let (key, values) = (required(filter, "Key"), texts(filter, "Values"));
        if key.is_empty() || values.is_empty() {
            return Err(bad_parameter("Each filter has a Key and Values."));
        }
        let fits = |value: &String| match value.strip_prefix('!') {
            Some(value) => !fits(secret, key, value),
            None => fits(secret, key, value),
        };
        if !values.iter().any(fits) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn fits(secret: &Secret, key: &str, value: &str) -> bool {
    // Every word asked for begins a word that is there. [suite: recorded answers]
    let words_fit = |text: &str| {
        let (text, value) = (text.to_lowercase(), value.to_lowercase());
        let there = |wanted: &str| text.split_whitespace().any(|word| word.starts_with(wanted));
        value.split_whitespace().all(there)
    };
    match key {
        "name" => secret.name.starts_with(value),
        "description" => secret.description.as_deref().is_some_and(words_fit),
        "tag-key" => secret.tags.keys().any(|key| key.starts_with(value)),
        "tag-value" => secret.tags.values().any(|tag| tag.starts_with(value)),
        "all" => value.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).any(|word| {
            let tags = secret.tags.iter().flat_map(|(key, value)| [key, value]);
            let mut texts = [&secret.name].into_iter().chain(&secret.description).chain(tags);
            texts.any(|text| text.to_lowercase().contains(&word.to_lowercase()))
        }),
        // No secret is replicated from a region, or belongs to another service.
        _ => false,
    }
}

fn sort(found: &mut [Secret], input: &Value) {
    match text(input, "SortBy").unwrap_or("created-date") {
        "name" => {}
        "last-accessed-date" => found.sort_by_key(|secret| secret.accessed_s),
        "last-changed-date" => found.sort_by(|a, b| a.changed_s.total_cmp(&b.changed_s)),
        _ => found.sort_by(|a, b| a.created_s.total_cmp(&b.created_s)),
    }
    if text(input, "SortOrder") == Some("desc") {
        found.reverse();
    }
}

/// A page of a list in any order: its token names the first entry of the next one.
fn cut<T>(
    list: Vec<T>,
    input: &Value,
    most: i64,
    name: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<Value>), ServiceError> {
    let invalid = || ServiceError::new("InvalidNextTokenException", "The NextToken value is invalid.");
    let limit = integer(input, "MaxResults").unwrap_or(most).clamp(1, most) as usize;
    let from = match text(input, "NextToken") {
        None => 0,
        Some(token) => {
            let wanted = wire::base64::decode(token).map_err(|_| invalid())?;
            list.iter().position(|entry| name(entry).as_bytes() == wanted).ok_or_else(invalid)?
        }
    };
    let next = list.get(from + limit).map(|entry| wire::base64::encode(name(entry).as_bytes()).into());
    Ok((list.into_iter().skip(from).take(limit).collect(), next))
}

/// Refuses members that would have to do something, and do not here.
pub(super) fn refuse(input: &Value, members: &[&str]) -> Result<(), ServiceError> {
    let given =
        members.iter().find(|member| input.get(**member).is_some_and(|value| *value != Value::Bool(false)));
    match given {
        Some(member) => Err(bad_request(&format!("{member} is not supported: leave it out"))),
        None => Ok(()),
    }
}
