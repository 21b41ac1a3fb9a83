//! A key and an alias, as they are kept.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::Call;
use servicekit::fields::object;
use sha2::Digest;
use std::collections::BTreeMap;
use wire::ServiceError;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    pub id: String,
    /// The last one encrypts; all of them decrypt.
    pub materials: Vec<Material>,
    /// How many days the last material serves; none if for ever.
    pub rotation_days: Option<u32>,
    pub description: String,
    pub enabled: bool,
    pub created_s: f64,
    /// When it is gone, once its deletion is scheduled.
    pub delete_s: Option<u64>,
    pub policy: String,
    pub tags: BTreeMap<String, String>,
    /// The alias of one of AWS's own keys: `alias/aws/s3` and its like.
    pub managed_for: Option<String>,
    /// How often it was rotated because somebody asked for it.
    #[serde(default)]
    pub rotations_asked: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Material {
    /// 32 bytes.
    pub sealed: String,
    pub created_s: f64,
    /// Whether somebody asked for it: the schedule of rotations stays what it was.
    #[serde(default)]
    pub on_demand: bool,
}

impl Material {
    /// What it is told by: 64 digits, which say nothing of the bytes.
    pub fn id(&self) -> String {
        sha2::Sha256::digest(&self.sealed).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Alias {
    pub target: String,
    pub created_s: f64,
    pub updated_s: f64,
}

impl Key {
    pub fn arn(&self, call: &Call) -> String {
        format!("arn:aws:kms:{}:{}:key/{}", call.caller.region, call.caller.account, self.id)
    }

    pub fn next_rotation_s(&self) -> Option<f64> {
        let last_s = self.materials.iter().rfind(|material| !material.on_demand)?.created_s;
        self.rotation_days.map(|days| last_s + f64::from(days) * 86_400.0)
    }

    fn state(&self) -> &'static str {
        match (self.delete_s, self.enabled) {
            (Some(_), _) => "PendingDeletion",
            (None, true) => "Enabled",
            (None, false) => "Disabled",
        }
    }

    pub fn refuse_unusable(&self, call: &Call) -> Result<(), ServiceError> {
        self.refuse_deleted(call)?;
        match self.enabled {
            true => Ok(()),
            false => Err(ServiceError::new("DisabledException", format!("{} is disabled.", self.arn(call)))),
        }
    }

    pub fn refuse_deleted(&self, call: &Call) -> Result<(), ServiceError> {
        match self.delete_s {
            None => Ok(()),
            Some(_) => {
                let message = format!("{} is pending deletion.", self.arn(call));
                Err(ServiceError::new("KMSInvalidStateException", message))
            }
        }
    }

    pub fn metadata(&self, call: &Call) -> Value {
        object([
            ("AWSAccountId", Some((*call.caller.account).into())),
            ("KeyId", Some(self.id.as_str().into())),
            ("Arn", Some(self.arn(call).into())),
            ("CreationDate", Some(self.created_s.into())),
            ("CurrentKeyMaterialId", self.materials.last().map(|material| material.id().into())),
            ("Enabled", Some((self.state() == "Enabled").into())),
            ("Description", Some(self.description.as_str().into())),
            ("KeyUsage", Some("ENCRYPT_DECRYPT".into())),
            ("KeyState", Some(self.state().into())),
            ("DeletionDate", self.delete_s.map(Value::from)),
            ("Origin", Some("AWS_KMS".into())),
            ("KeyManager", Some(if self.managed_for.is_some() { "AWS" } else { "CUSTOMER" }.into())),
            ("CustomerMasterKeySpec", Some("SYMMETRIC_DEFAULT".into())),
            ("KeySpec", Some("SYMMETRIC_DEFAULT".into())),
            ("EncryptionAlgorithms", Some(json!(["SYMMETRIC_DEFAULT"]))),
            ("MultiRegion", Some(false.into())),
        ])
    }
}

/// Whether a key can have this id: a UUID, or what those of several regions have.
pub(super) fn is_id(name: &str) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match name.strip_prefix("mrk-") {
        Some(digits) => digits.len() == 32 && is_hex(digits),
        None => {
            let parts: Vec<&str> = name.split('-').collect();
            let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            lengths == [8, 4, 4, 4, 12] && parts.into_iter().all(is_hex)
        }
    }
}

/// Whether an alias is of one of AWS's own keys.
pub(super) fn is_managed(alias: &str) -> bool {
    let service = alias.strip_prefix("alias/aws/").unwrap_or_default();
    !service.is_empty()
        && service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// What AWS gives a key that is made without a policy.
pub(super) fn default_policy(account: &str) -> String {
    let policy = json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
            "Action": "kms:*",
            "Resource": "*",
        }],
    });
    serde_json::to_string_pretty(&policy).unwrap_or_default()
}

pub(super) fn no_key(message: &str) -> ServiceError {
    ServiceError::new("NotFoundException", message)
}

pub(super) fn invalid(message: &str) -> ServiceError {
    ServiceError::new("ValidationException", message)
}
