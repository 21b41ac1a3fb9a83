//! Tags of managed policies, and what else an account is asked for and has not.

use super::policy::{Policy, missing};
use super::{Iam, paged};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{required, tags_of, texts};
use std::collections::BTreeMap;
use wire::ServiceError;

const TAGS_MAX: usize = 50;

impl Iam {
    pub(super) fn list_policy_tags(&self, call: &Call, input: &Value) -> Answer {
        let arn = required(input, "PolicyArn");
        let policy = self.policy(call, arn)?.ok_or_else(|| missing(arn))?;
        let shown = policy.tags.iter();
        let shown = shown.map(|(key, value)| (key.clone(), json!({ "Key": key, "Value": value })));
        paged(input, "Tags", shown.collect())
    }

    pub(super) async fn tag_policy(&self, call: &Call, input: &Value) -> Answer {
        let tags = tags_of(input, "Tags");
        self.change_tags(call, input, |own| own.extend(tags.clone())).await
    }

    pub(super) async fn untag_policy(&self, call: &Call, input: &Value) -> Answer {
        let keys = texts(input, "TagKeys");
        self.change_tags(call, input, |own| own.retain(|key, _| !keys.contains(key))).await
    }

    async fn change_tags(
        &self,
        call: &Call,
        input: &Value,
        change: impl Fn(&mut BTreeMap<String, String>),
    ) -> Answer {
        let arn = required(input, "PolicyArn");
        if Policy::managed(arn).is_some() {
            let message = format!("Policy {arn} is an AWS managed policy and cannot be tagged.");
            return Err(ServiceError::new("AccessDenied", message).with_status(403));
        }
        if self.policy(call, arn)?.is_none() {
            return Err(missing(arn));
        }
        self.policies
            .edit(arn, |old| {
                let mut policy: Policy = old.ok_or_else(|| missing(arn))?;
                change(&mut policy.tags);
                if policy.tags.len() > TAGS_MAX {
                    let message = "The number of tags has reached the maximum limit.";
                    return Err(ServiceError::new("LimitExceeded", message).with_status(409));
                }
                Ok((Edit::Put(policy), ()))
            })
            .await?;
        Ok(json!({}))
    }
}
