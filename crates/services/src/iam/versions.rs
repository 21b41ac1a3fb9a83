//! Versions of managed policies: at most five, one of which counts.

use super::policy::{Policy, missing};
use super::role::encoded;
use super::{Iam, checked_document, delete_conflict, no_such_entity, paged};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{object, required};
use std::collections::BTreeMap;
use wire::ServiceError;

/// AWS's number.
const VERSIONS_MAX: usize = 5;

/// All versions of a policy. None are kept while there is only the first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Versions {
    /// Document and time, by number.
    all: BTreeMap<u64, (String, u64)>,
    default: u64,
    last: u64,
}

impl Policy {
    /// Its versions, the first of which is what it was made with.
    fn all_versions(&self) -> Versions {
        if self.versions.last > 0 {
            return self.versions.clone();
        }
        let first = (self.document().to_owned(), self.created_s());
        Versions { all: [(1, first)].into(), default: 1, last: 1 }
    }

    pub(super) fn default_version(&self) -> String {
        format!("v{}", self.versions.default.max(1))
    }

    fn version(&self, number: u64, with_document: bool) -> Option<Value> {
        let versions = self.all_versions();
        let (document, created_s) = versions.all.get(&number)?;
        Some(object([
            ("Document", with_document.then(|| encoded(document))),
            ("VersionId", Some(format!("v{number}").into())),
            ("IsDefaultVersion", Some((number == versions.default).into())),
            ("CreateDate", Some((*created_s).into())),
        ]))
    }
}

fn absent(arn: &str, version: &str) -> ServiceError {
    no_such_entity(format!("Policy {arn} version {version} does not exist or is not attachable."))
}

fn number(version: &str) -> Option<u64> {
    version.strip_prefix('v')?.parse().ok()
}

impl Iam {
    pub(super) fn get_policy_version(&self, call: &Call, input: &Value) -> Answer {
        let (arn, version) = (required(input, "PolicyArn"), required(input, "VersionId"));
        let policy = self.policy(call, arn)?.ok_or_else(|| missing(arn))?;
        let found = number(version).and_then(|number| policy.version(number, true));
        Ok(json!({ "PolicyVersion": found.ok_or_else(|| absent(arn, version))? }))
    }

    pub(super) fn list_policy_versions(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        let policy = self.policy(call, arn)?.ok_or_else(|| missing(arn))?;
        // The latest first.
        let numbers = policy.all_versions().all.into_keys().rev();
        let shown = numbers.filter_map(|number| {
            Some((format!("{:020}", u64::MAX - number), policy.version(number, false)?))
        });
        paged(input, "Versions", shown.collect())
    }

    pub(super) async fn create_policy_version(&self, call: &Call, input: &Value) -> Answer {
        let document = checked_document(required(input, "PolicyDocument"))?;
        let is_default = input.get("SetAsDefault").and_then(Value::as_bool).unwrap_or(false);
        let now_s = self.world.now().seconds();
        let policy = self
            .change_versions(call, input, |versions| {
                if versions.all.len() >= VERSIONS_MAX {
                    let message = "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.";
                    return Err(ServiceError::new("LimitExceeded", message).with_status(409));
                }
                versions.last += 1;
                versions.all.insert(versions.last, (document.clone(), now_s));
                if is_default {
                    versions.default = versions.last;
                }
                Ok(())
            })
            .await?;
        Ok(json!({ "PolicyVersion": policy.version(policy.versions.last, false) }))
    }

    pub(super) async fn set_default_policy_version(&self, call: &Call, input: &Value) -> Answer {
        let (arn, version) = (required(input, "PolicyArn"), required(input, "VersionId"));
        self.change_versions(call, input, |versions| {
            let known = number(version).filter(|number| versions.all.contains_key(number));
            versions.default = known.ok_or_else(|| absent(arn, version))?;
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    pub(super) async fn delete_policy_version(&self, call: &Call, input: &Value) -> Answer {
        let (arn, version) = (required(input, "PolicyArn"), required(input, "VersionId"));
        self.change_versions(call, input, |versions| {
            let known = number(version).filter(|number| versions.all.contains_key(number));
            let known = known.ok_or_else(|| absent(arn, version))?;
            if known == versions.default {
                return Err(delete_conflict("Cannot delete the default version of a policy."));
            }
            versions.all.remove(&known);
            Ok(())
        })
        .await?;
        Ok(json!({}))
    }

    async fn change_versions(
        &self,
        call: &Call,
        input: &Value,
        mut change: impl FnMut(&mut Versions) -> Result<(), ServiceError>,
    ) -> Result<Policy, ServiceError> {
        let arn = required(input, "PolicyArn");
        if Policy::managed(arn).is_some() {
            let message = format!("Policy {arn} is an AWS managed policy and cannot be changed.");
            return Err(ServiceError::new("AccessDenied", message).with_status(403));
        }
        if self.policy(call, arn)?.is_none() {
            return Err(missing(arn));
        }
        self.policies
            .edit(arn, |old| {
                let mut policy = old.ok_or_else(|| missing(arn))?;
                let mut versions = policy.all_versions();
                change(&mut versions)?;
                let counting = versions.all.get(&versions.default);
                policy.set_document(counting.map(|(document, _)| document.clone()).unwrap_or_default());
                policy.versions = versions;
                Ok((Edit::Put(policy.clone()), policy))
            })
            .await
    }
}
