//! Keys made, described, switched, rotated and removed.

use super::key::{Alias, Key, Material, default_policy, invalid};
use super::{Kms, place, unsupported};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{integer, object, page, required, text};
use servicekit::ids::managed_key;
use std::collections::BTreeMap;
use wire::ServiceError;

const WINDOW_DAYS: i64 = 30;
const ROTATION_DAYS: u32 = 365;
const ROTATIONS_ASKED_MAX: u32 = 10;
const PAGE: i64 = 100;

impl Kms {
    fn fresh(&self, call: &Call, id: String) -> Key {
        let created_s = self.world.now().seconds_f64();
        Key {
            materials: vec![Material {
                sealed: self.vault.new_key(&place(call, &id)),
                created_s,
                on_demand: false,
            }],
            id,
            rotation_days: None,
            description: String::new(),
            enabled: true,
            created_s,
            delete_s: None,
            policy: default_policy(&call.caller.account),
            tags: BTreeMap::new(),
            managed_for: None,
            rotations_asked: 0,
        }
    }

    pub(super) async fn create_key(&self, call: &Call, input: &Value) -> Answer {
        let only = [
            ("KeySpec", "SYMMETRIC_DEFAULT"),
            ("CustomerMasterKeySpec", "SYMMETRIC_DEFAULT"),
            ("KeyUsage", "ENCRYPT_DECRYPT"),
            ("Origin", "AWS_KMS"),
        ];
        for (member, known) in only {
            if let Some(other) = text(input, member).filter(|given| *given != known) {
                return Err(unsupported(&format!("{member} {other} is not supported: {known} is")));
            }
        }
        if input.get("MultiRegion").and_then(Value::as_bool) == Some(true) {
            return Err(unsupported("MultiRegion is not supported: a key lives in one region"));
        }
        let mut key = self.fresh(call, self.world.uuid());
        key.description = required(input, "Description").to_owned();
        key.tags = super::policies::tags(input)?;
        if let Some(policy) = text(input, "Policy") {
            super::policies::check(policy)?;
            key.policy = policy.to_owned();
        }
        let answer = json!({ "KeyMetadata": key.metadata(call) });
        self.keys.put(&place(call, &key.id), key).await?;
        Ok(answer)
    }

    /// One of AWS's own keys, made when it is first named.
    pub(super) async fn managed(&self, call: &Call, alias: &str) -> Result<Key, ServiceError> {
        let service = alias.trim_start_matches("alias/aws/");
        let mut key = self.fresh(call, managed_key(&call.caller.account, &call.caller.region, service));
        key.managed_for = Some(alias.to_owned());
        key.rotation_days = Some(ROTATION_DAYS);
        let kept = match service {
            "dynamodb" => "DynamoDB data",
            "s3" => "S3 objects",
            "ssm" => "SSM parameters",
            "secretsmanager" => "Secrets Manager secrets",
            "lambda" => "Lambda functions",
            "sns" => "SNS topics",
            "sqs" => "SQS messages",
            other => other,
        };
        key.description = format!("Default key that protects my {kept} when no other key is defined");
        let key = self
            .keys
            .edit(&place(call, &key.id), |there| match there {
                Some(there) => Ok((Edit::Keep, there)),
                None => Ok((Edit::Put(key.clone()), key.clone())),
            })
            .await?;
        let fresh = Alias { target: key.id.clone(), created_s: key.created_s, updated_s: key.created_s };
        let target = self
            .aliases
            .edit(&place(call, alias), |there| match there {
                Some(there) => Ok((Edit::Keep, there.target)),
                None => Ok((Edit::Put(fresh.clone()), fresh.target.clone())),
            })
            .await?;
        if target == key.id {
            return Ok(key);
        }
        // One of an earlier version of this server, under an id of its own.
        self.keys.remove(&place(call, &key.id)).await?;
        self.keys.get(&place(call, &target))?.ok_or_else(|| super::no_key("The key does not exist"))
    }

    pub(super) async fn describe_key(&self, call: &Call, input: &Value) -> Answer {
        let key = self.find(call, required(input, "KeyId")).await?;
        Ok(json!({ "KeyMetadata": key.metadata(call) }))
    }

    pub(super) async fn list_keys(&self, call: &Call, input: &Value) -> Answer {
        self.forget_gone(call).await?;
        let keys = self.keys.list(&place(call, ""))?.into_iter();
        let shown = keys.map(|(id, key)| (id, json!({ "KeyId": key.id, "KeyArn": key.arn(call) })));
        listed("Keys", shown.collect(), input)
    }

    /// What is past its window is neither listed nor kept, and neither are its aliases.
    pub(super) async fn forget_gone(&self, call: &Call) -> Result<(), ServiceError> {
        for (id, key) in self.keys.list(&place(call, ""))? {
            if !self.is_gone(&key) {
                continue;
            }
            for (name, alias) in self.aliases.list(&place(call, ""))? {
                if alias.target == id {
                    self.aliases.remove(&place(call, &name)).await?;
                }
            }
            self.keys.remove(&place(call, &id)).await?;
        }
        Ok(())
    }

    pub(super) async fn enable_key(&self, call: &Call, input: &Value) -> Answer {
        self.switch(call, input, true).await
    }

    pub(super) async fn disable_key(&self, call: &Call, input: &Value) -> Answer {
        self.switch(call, input, false).await
    }

    async fn switch(&self, call: &Call, input: &Value, enabled: bool) -> Answer {
        self.change(call, input, |key| {
            key.refuse_deleted(call)?;
            key.enabled = enabled;
            Ok(json!({}))
        })
        .await
    }

    pub(super) async fn update_description(&self, call: &Call, input: &Value) -> Answer {
        self.change(call, input, |key| {
            key.refuse_deleted(call)?;
            key.description = required(input, "Description").to_owned();
            Ok(json!({}))
        })
        .await
    }

    pub(super) async fn schedule_deletion(&self, call: &Call, input: &Value) -> Answer {
        let days = integer(input, "PendingWindowInDays").unwrap_or(WINDOW_DAYS);
        if !(7..=30).contains(&days) {
            return Err(invalid("PendingWindowInDays must be between 7 and 30 days (inclusive)."));
        }
        let at_s = self.world.now().seconds() + days as u64 * 86_400;
        self.change(call, input, |key| {
            key.refuse_deleted(call)?;
            key.delete_s = Some(at_s);
            Ok(json!({
                "KeyId": key.arn(call),
                "DeletionDate": at_s,
                "KeyState": "PendingDeletion",
                "PendingWindowInDays": days,
            }))
        })
        .await
    }

    /// A key that was to be deleted comes back disabled.
    pub(super) async fn cancel_deletion(&self, call: &Call, input: &Value) -> Answer {
        self.change(call, input, |key| {
            if key.delete_s.is_none() {
                let message = format!("{} is not pending deletion.", key.arn(call));
                return Err(ServiceError::new("KMSInvalidStateException", message));
            }
            (key.delete_s, key.enabled) = (None, false);
            Ok(json!({ "KeyId": key.arn(call) }))
        })
        .await
    }

    pub(super) async fn enable_rotation(&self, call: &Call, input: &Value) -> Answer {
        let days = integer(input, "RotationPeriodInDays").map_or(ROTATION_DAYS, |days| days as u32);
        if !(90..=2_560).contains(&days) {
            return Err(invalid("RotationPeriodInDays must be between 90 and 2560 days (inclusive)."));
        }
        self.rotate(call, input, Some(days)).await
    }

    pub(super) async fn disable_rotation(&self, call: &Call, input: &Value) -> Answer {
        self.rotate(call, input, None).await
    }

    async fn rotate(&self, call: &Call, input: &Value, days: Option<u32>) -> Answer {
        self.change(call, input, |key| {
            key.refuse_unusable(call)?;
            key.rotation_days = days;
            Ok(json!({}))
        })
        .await
    }

    /// New material at once, whether or not it gets some in time. A server has no moment at which that is under way.
    pub(super) async fn rotate_on_demand(&self, call: &Call, input: &Value) -> Answer {
        let now_s = self.world.now().seconds_f64();
        self.change(call, input, |key| {
            key.refuse_unusable(call)?;
            if key.rotations_asked >= ROTATIONS_ASKED_MAX {
                let message = format!(
                    "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: {}",
                    key.arn(call)
                );
                return Err(ServiceError::new("LimitExceededException", message));
            }
            key.rotations_asked += 1;
            let sealed = self.vault.new_key(&place(call, &key.id));
            key.materials.push(Material { sealed, created_s: now_s, on_demand: true });
            Ok(json!({ "KeyId": key.arn(call) }))
        })
        .await
    }

    pub(super) async fn rotation_status(&self, call: &Call, input: &Value) -> Answer {
        let key = self.find(call, required(input, "KeyId")).await?;
        Ok(object([
            ("KeyId", Some(key.arn(call).into())),
            ("KeyRotationEnabled", Some(key.rotation_days.is_some().into())),
            ("RotationPeriodInDays", key.rotation_days.map(Value::from)),
            ("NextRotationDate", key.next_rotation_s().map(Value::from)),
        ]))
    }
}

/// A page of a list, as every list of this service has it.
pub(super) fn listed(member: &'static str, entries: Vec<(String, Value)>, input: &Value) -> Answer {
    let limit = integer(input, "Limit").unwrap_or(PAGE) as usize;
    let invalid =
        || ServiceError::new("InvalidMarkerException", "The marker is not one that this server gave out");
    let page = page(entries, text(input, "Marker"), limit, invalid)?;
    let truncated = page.next.is_some();
    Ok(object([
        (member, Some(page.items.into())),
        ("NextMarker", page.next.map(Value::from)),
        ("Truncated", Some(truncated.into())),
    ]))
}
