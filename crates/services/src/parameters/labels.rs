//! Labels of versions, tags of parameters, and parameters' end.

use super::parameter::Parameter;
use super::{Parameters, key, no_parameter, no_version};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{integer, required, tag_list, tags_of, texts};
use wire::ServiceError;

const LABELS_MAX: usize = 10;
const TAGS_MAX: usize = 50;

impl Parameters {
    async fn change<R>(
        &self,
        call: &Call,
        name: &str,
        missing: impl Fn() -> ServiceError,
        change: impl Fn(&mut Parameter) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        self.parameters
            .edit(&key(call, name), |there| {
                let mut parameter = there.ok_or_else(&missing)?;
                let answer = change(&mut parameter)?;
                Ok((Edit::Put(parameter), answer))
            })
            .await
    }

    /// A label is on one version; labels that cannot be are told and change nothing.
    pub(super) async fn label_version(&self, call: &Call, input: &Value) -> Answer {
        let (name, wanted) = (required(input, "Name"), integer(input, "ParameterVersion"));
        let (labels, invalid): (Vec<String>, Vec<String>) =
            texts(input, "Labels").into_iter().partition(|label| fits(label));
        self.change(call, name, no_parameter, |parameter| {
            let number = wanted.map_or(parameter.latest().number, |wanted| wanted as u64);
            if !parameter.versions.iter().any(|version| version.number == number) {
                return Err(no_version(name, &number.to_string()));
            }
            for version in &mut parameter.versions {
                match version.number == number {
                    true => version.labels.extend(labels.iter().cloned()),
                    false => version.labels.retain(|label| !labels.contains(label)),
                }
            }
            if parameter.versions.iter().any(|version| version.labels.len() > LABELS_MAX) {
                let message = "A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.";
                return Err(ServiceError::new("ParameterVersionLabelLimitExceeded", message));
            }
            Ok(json!({ "InvalidLabels": invalid, "ParameterVersion": number }))
        })
        .await
    }

    pub(super) async fn unlabel_version(&self, call: &Call, input: &Value) -> Answer {
        let (name, number) =
            (required(input, "Name"), integer(input, "ParameterVersion").unwrap_or_default() as u64);
        self.change(call, name, no_parameter, |parameter| {
            let version = parameter.versions.iter_mut().find(|version| version.number == number);
            let version = version.ok_or_else(|| no_version(name, &number.to_string()))?;
            let (removed, invalid): (Vec<String>, Vec<String>) =
                texts(input, "Labels").into_iter().partition(|label| version.labels.remove(label));
            Ok(json!({ "RemovedLabels": removed, "InvalidLabels": invalid }))
        })
        .await
    }

    pub(super) async fn add_tags(&self, call: &Call, input: &Value) -> Answer {
        let tags = tags_of(input, "Tags");
        self.change(call, tagged(input)?, no_resource, |parameter| {
            parameter.tags.extend(tags.clone());
            match parameter.tags.len() > TAGS_MAX {
                true => Err(ServiceError::new(
                    "TooManyTagsError",
                    format!("A parameter can have {TAGS_MAX} tags."),
                )),
                false => Ok(json!({})),
            }
        })
        .await
    }

    pub(super) async fn remove_tags(&self, call: &Call, input: &Value) -> Answer {
        let keys = texts(input, "TagKeys");
        self.change(call, tagged(input)?, no_resource, |parameter| {
            parameter.tags.retain(|key, _| !keys.contains(key));
            Ok(json!({}))
        })
        .await
    }

    pub(super) fn list_tags(&self, call: &Call, input: &Value) -> Answer {
        let parameter = self.parameters.get(&key(call, tagged(input)?))?.ok_or_else(no_resource)?;
        Ok(json!({ "TagList": tag_list(&parameter.tags) }))
    }

    pub(super) async fn delete_parameter(&self, call: &Call, input: &Value) -> Answer {
        match self.parameters.remove(&key(call, required(input, "Name"))).await? {
            Some(_) => Ok(json!({})),
            None => Err(no_parameter()),
        }
    }

    pub(super) async fn delete_parameters(&self, call: &Call, input: &Value) -> Answer {
        let (mut deleted, mut invalid) = (Vec::new(), Vec::new());
        for name in texts(input, "Names") {
            match self.parameters.remove(&key(call, &name)).await? {
                Some(_) => deleted.push(name),
                None => invalid.push(name),
            }
        }
        Ok(json!({ "DeletedParameters": deleted, "InvalidParameters": invalid }))
    }
}

fn fits(label: &str) -> bool {
    let lower = label.to_ascii_lowercase();
    let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let begins_well = !lower.starts_with("aws")
        && !lower.starts_with("ssm")
        && !lower.starts_with(|c: char| c.is_ascii_digit());
    plain && begins_well
}

/// The parameter whose tags are meant.
fn tagged(input: &Value) -> Result<&str, ServiceError> {
    match required(input, "ResourceType") {
        "Parameter" => Ok(required(input, "ResourceId")),
        other => {
            let message = format!("{other} is not a valid resource type: this server has parameters only.");
            Err(ServiceError::new("InvalidResourceType", message))
        }
    }
}

fn no_resource() -> ServiceError {
    let message = "The resource ID isn't valid. Verify that you entered the correct ID and try again.";
    ServiceError::new("InvalidResourceId", message)
}
