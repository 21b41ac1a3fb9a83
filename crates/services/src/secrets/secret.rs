//! A secret and its versions.

use super::rotation::Rotation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wire::ServiceError;

pub(super) const CURRENT: &str = "AWSCURRENT";
pub(super) const PENDING: &str = "AWSPENDING";
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";
const VERSIONS_MAX: usize = 100;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Secret {
    pub arn: String,
    pub name: String,
    pub description: Option<String>,
    /// The key that the client named. Kept and told: values are sealed with the server's own.
    #[serde(default)]
    pub kms_key: Option<String>,
    #[serde(default)]
    pub policy: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// Whether it ever had one: then none is told as an empty list.
    #[serde(default)]
    pub tagged: bool,
    pub created_s: f64,
    pub changed_s: f64,
    /// The day it was last read.
    pub accessed_s: Option<u64>,
    /// Marked for deletion, and gone at this time.
    pub deleted_s: Option<f64>,
    pub delete_s: Option<u64>,
    pub versions: BTreeMap<String, Version>,
    #[serde(default)]
    pub rotation: Option<Rotation>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub created_s: f64,
    pub binary: bool,
    /// Empty until a rotation's function gives it a value.
    pub sealed: String,
    pub stages: BTreeSet<String>,
    /// The day it was last read.
    #[serde(default)]
    pub accessed_s: Option<u64>,
}

impl Version {
    pub fn empty(now_s: f64) -> Version {
        Version {
            created_s: now_s,
            binary: false,
            sealed: String::new(),
            stages: BTreeSet::new(),
            accessed_s: None,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.sealed.is_empty()
    }
}

impl Secret {
    pub fn refuse_deleted(&self) -> Result<(), ServiceError> {
        match self.deleted_s {
            None => Ok(()),
            Some(_) => Err(bad_request(
                "You can't perform this operation on the secret because it was marked for deletion.",
            )),
        }
    }

    pub fn with_stage(&self, stage: &str) -> Option<&String> {
        self.versions.iter().find(|(_, version)| version.stages.contains(stage)).map(|(id, _)| id)
    }

    /// Adds a version with these labels, which leave where they were. The former current one becomes the previous one.
    pub fn add(&mut self, id: &str, mut version: Version, stages: &[String]) {
        version.stages.clear();
        self.versions.insert(id.to_owned(), version);
        for stage in stages {
            self.attach(id, stage);
        }
        // The oldest without a label go.
        while self.versions.len() > VERSIONS_MAX {
            let unlabelled = self.versions.iter().filter(|(_, version)| version.stages.is_empty());
            let oldest =
                unlabelled.min_by(|a, b| a.1.created_s.total_cmp(&b.1.created_s)).map(|(id, _)| id.clone());
            let Some(oldest) = oldest else { return };
            self.versions.remove(&oldest);
        }
    }

    pub fn attach(&mut self, id: &str, stage: &str) {
        let former = self.with_stage(stage).cloned();
        self.detach(stage);
        if let Some(version) = self.versions.get_mut(id) {
            version.stages.insert(stage.to_owned());
        }
        if stage == CURRENT
            && let Some(former) = former.filter(|former| former != id)
        {
            self.detach(PREVIOUS);
            if let Some(version) = self.versions.get_mut(&former) {
                // What was current is pending no more. [suite: recorded answers]
                version.stages.remove(PENDING);
                version.stages.insert(PREVIOUS.to_owned());
            }
        }
    }

    pub fn detach(&mut self, stage: &str) {
        for version in self.versions.values_mut() {
            version.stages.remove(stage);
        }
    }

    /// Labels by version, of versions that have any, the oldest first.
    pub fn stages(&self) -> Option<Value> {
        let labelled = self.versions.iter().filter(|(_, version)| !version.stages.is_empty());
        let mut labelled: Vec<_> = labelled.collect();
        labelled.sort_by(|a, b| a.1.created_s.total_cmp(&b.1.created_s));
        let shown: Map<String, Value> =
            labelled.into_iter().map(|(id, version)| (id.clone(), json!(version.stages))).collect();
        (!shown.is_empty()).then_some(Value::Object(shown))
    }
}

pub(super) fn no_secret() -> ServiceError {
    ServiceError::new("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

/// Whether a name can be one at all.
pub(super) fn check_name(name: &str) -> Result<(), ServiceError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@!-".contains(&byte);
    match !name.is_empty() && name.bytes().all(fits) {
        true => Ok(()),
        false => Err(ServiceError::new(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        )),
    }
}

pub(super) fn bad_request(message: &str) -> ServiceError {
    ServiceError::new("InvalidRequestException", message)
}

pub(super) fn bad_parameter(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidParameterException", message)
}
