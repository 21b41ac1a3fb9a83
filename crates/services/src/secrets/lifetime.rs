//! What becomes of secrets and of their versions' labels.

use super::secret::{CURRENT, bad_parameter};
use super::values::{no_value, suffix};
use super::{Secrets, arn};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, required, text};

impl Secrets {
    pub(super) async fn update_version_stage(&self, call: &Call, input: &Value) -> Answer {
        let stage = required(input, "VersionStage");
        let (from, to) = (text(input, "RemoveFromVersionId"), text(input, "MoveToVersionId"));
        self.change(call, input, |_, secret| {
            secret.refuse_deleted()?;
            let holder = secret.with_stage(stage).cloned();
            if from.is_some_and(|from| holder.as_deref() != Some(from)) {
                return Err(bad_parameter(format!("The parameter RemoveFromVersionId can't be set: staging label {stage} isn't currently attached to that version.")));
            }
            if let (Some(holder), Some(to)) = (&holder, to)
                && from.is_none()
                && holder != to
            {
                return Err(bad_parameter(format!("The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to version {holder}, so you must explicitly reference that version in RemoveFromVersionId.")));
            }
            match to {
                Some(to) if !secret.versions.contains_key(to) => return Err(no_value(&format!("VersionId: {to}"))),
                Some(to) => secret.attach(to, stage),
                None if stage == CURRENT => {
                    return Err(bad_parameter(format!("You can only move staging label {CURRENT} to a different secret version. It can't be completely removed.")));
                }
                None => secret.detach(stage),
            }
            Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
        })
        .await
    }

    pub(super) async fn delete_secret(&self, call: &Call, input: &Value) -> Answer {
        let days = integer(input, "RecoveryWindowInDays");
        let force = input.get("ForceDeleteWithoutRecovery").and_then(Value::as_bool).unwrap_or(false);
        if force && days.is_some() {
            return Err(bad_parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            ));
        }
        if days.is_some_and(|days| !(7..=30).contains(&days)) {
            return Err(bad_parameter(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
            ));
        }
        let now_s = self.now_s();
        if force {
            let id = required(input, "SecretId");
            let (arn, name) = match self.find(call, id) {
                Ok((key, secret)) => {
                    self.forget(&key, &secret).await?;
                    (secret.arn, secret.name)
                }
                // One that is not there is gone already, as far as this goes. [suite: recorded answers]
                Err(error) if error.name() == "ResourceNotFoundException" => match id.starts_with("arn:") {
                    true => (id.to_owned(), id.rsplit(':').next().unwrap_or_default().to_owned()),
                    false => (arn(call, id, &suffix(&self.world)), id.to_owned()),
                },
                Err(error) => return Err(error),
            };
            return Ok(json!({ "ARN": arn, "Name": name, "DeletionDate": now_s }));
        }
        let delete_s = self.world.now().seconds() + days.unwrap_or(30) as u64 * 86_400;
        self.change(call, input, |_, secret| {
            secret.refuse_deleted()?;
            (secret.deleted_s, secret.delete_s) = (Some(now_s), Some(delete_s));
            Ok(json!({ "ARN": secret.arn, "Name": secret.name, "DeletionDate": delete_s }))
        })
        .await
    }

    pub(super) async fn restore_secret(&self, call: &Call, input: &Value) -> Answer {
        self.change(call, input, |_, secret| {
            (secret.deleted_s, secret.delete_s) = (None, None);
            Ok(json!({ "ARN": secret.arn, "Name": secret.name }))
        })
        .await
    }
}
