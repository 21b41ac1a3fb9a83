//! Values in and out: new secrets, new versions, labels, reading.

use super::list::{check_tags, refuse};
use super::secret::{CURRENT, Secret, Version, bad_parameter, bad_request, check_name};
use super::{Secrets, arn, key};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{object, required, tags_of, text, texts};
use std::collections::BTreeMap;
use wire::ServiceError;
use world::World;

const VALUE_BYTES_MAX: usize = 65_536;

/// A token stands for one value. [suite: moto]
fn taken(token: &str, arn: &str) -> ServiceError {
    let message = format!(
        "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {arn}."
    );
    ServiceError::new("ResourceExistsException", message)
}

impl Secrets {
    pub(super) async fn create_secret(&self, call: &Call, input: &Value) -> Answer {
        refuse(
            input,
            &["AddReplicaRegions", "ForceOverwriteReplicaSecret", "Type", "CrossAccountPrimaryARN"],
        )?;
        let name = required(input, "Name");
        check_name(name)?;
        let (key, now_s) = (key(call, name), self.now_s());
        let arn = arn(call, name, &suffix(&self.world));
        let version = self.version(&key, input)?;
        let made = Secret {
            arn: arn.clone(),
            name: name.to_owned(),
            description: text(input, "Description").map(str::to_owned),
            tagged: input.get("Tags").is_some(),
            tags: tags_of(input, "Tags"),
            kms_key: text(input, "KmsKeyId").map(str::to_owned),
            policy: None,
            created_s: now_s,
            changed_s: now_s,
            accessed_s: None,
            deleted_s: None,
            delete_s: None,
            versions: BTreeMap::new(),
            rotation: None,
        };
        check_tags(&made)?;
        let id = match &version {
            Some(_) => self.token(call, input, bad_request)?,
            None => self.world.uuid(),
        };
        let (arn, with_version) = self
            .secrets
            .edit(&key, |there| {
                if let Some(there) = there.filter(|there| !self.is_gone(there)) {
                    if there.deleted_s.is_some() {
                        return Err(bad_request("You can't create this secret because a secret with this name is already scheduled for deletion."));
                    }
                    // The same call again, by its token, is the same success.
                    let same = match (&version, there.versions.get(&id)) {
                        (Some((_, plain)), Some(old)) if !old.is_empty() => self.vault.unseal(&key, &old.sealed)? == *plain,
                        _ => false,
                    };
                    if same {
                        return Ok((Edit::Keep, (there.arn, true)));
                    }
                    if version.is_some() && there.versions.contains_key(&id) {
                        return Err(taken(&id, &there.arn));
                    }
                    let message = format!("The operation failed because the secret {name} already exists.");
                    return Err(ServiceError::new("ResourceExistsException", message));
                }
                let mut made = made.clone();
                if let Some((version, _)) = &version {
                    made.add(&id, version.clone(), &[CURRENT.to_owned()]);
                }
                Ok((Edit::Put(made), (arn.clone(), version.is_some())))
            })
            .await?;
        Ok(object([
            ("ARN", Some(arn.into())),
            ("Name", Some(name.into())),
            ("VersionId", with_version.then(|| id.into())),
        ]))
    }

    pub(super) async fn put_secret_value(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, &["RotationToken"])?;
        let mut stages = texts(input, "VersionStages");
        if stages.is_empty() {
            stages.push(CURRENT.to_owned());
        }
        let id = self.token(call, input, bad_request)?;
        let now_s = self.now_s();
        self.change(call, input, |key, secret| {
            secret.refuse_deleted()?;
            let (version, plain) = self
                .version(key, input)?
                .ok_or_else(|| bad_request("You must provide either SecretString or SecretBinary."))?;
            let mut stages = stages.clone();
            // The first version is the current one, whatever else it is.
            if secret.versions.is_empty() && !stages.iter().any(|stage| stage == CURRENT) {
                stages.push(CURRENT.to_owned());
            }
            self.put(key, secret, &id, version, &plain, &stages)?;
            secret.changed_s = now_s;
            let stages = secret.versions.get(&id).map(|version| json!(version.stages));
            Ok(object([
                ("ARN", Some(secret.arn.clone().into())),
                ("Name", Some(secret.name.clone().into())),
                ("VersionId", Some(id.clone().into())),
                ("VersionStages", stages),
            ]))
        })
        .await
    }

    /// The same value under the same token changes nothing; another one is refused.
    fn put(
        &self,
        key: &str,
        secret: &mut Secret,
        id: &str,
        version: Version,
        plain: &[u8],
        stages: &[String],
    ) -> Result<(), ServiceError> {
        match secret.versions.get(id) {
            None => secret.add(id, version, stages),
            Some(old) if old.is_empty() => {
                let labels: Vec<String> = old.stages.iter().chain(stages).cloned().collect();
                secret.add(id, version, &labels);
            }
            Some(old) if old.binary == version.binary && self.vault.unseal(key, &old.sealed)? == plain => {}
            Some(_) => return Err(taken(id, &secret.arn)),
        }
        Ok(())
    }

    pub(super) async fn update_secret(&self, call: &Call, input: &Value) -> Answer {
        refuse(input, &["Type"])?;
        let (id, now_s) = (self.token(call, input, bad_request)?, self.now_s());
        self.change(call, input, |key, secret| {
            secret.refuse_deleted()?;
            let version = self.version(key, input)?;
            let with_version = version.is_some();
            if let Some((version, plain)) = version {
                self.put(key, secret, &id, version, &plain, &[CURRENT.to_owned()])?;
            }
            if let Some(description) = text(input, "Description") {
                secret.description = Some(description.to_owned());
            }
            if let Some(key) = text(input, "KmsKeyId") {
                secret.kms_key = Some(key.to_owned());
            }
            secret.changed_s = now_s;
            Ok(object([
                ("ARN", Some(secret.arn.clone().into())),
                ("Name", Some(secret.name.clone().into())),
                ("VersionId", with_version.then(|| id.clone().into())),
            ]))
        })
        .await
    }

    pub(super) async fn get_secret_value(&self, call: &Call, input: &Value) -> Answer {
        let (key, secret) = self.find(call, required(input, "SecretId"))?;
        secret.refuse_deleted()?;
        let stage = text(input, "VersionStage");
        let id = match text(input, "VersionId") {
            Some(id) => id.to_owned(),
            None => {
                let stage = stage.unwrap_or(CURRENT);
                secret
                    .with_stage(stage)
                    .cloned()
                    .ok_or_else(|| no_value(&format!("staging label: {stage}")))?
            }
        };
        let version = secret.versions.get(&id).ok_or_else(|| no_value(&format!("VersionId: {id}")))?;
        if version.is_empty() {
            // One that a rotation has begun and not yet given a value.
            return Err(no_value(&format!("staging label: {}", stage.unwrap_or(super::secret::PENDING))));
        }
        if stage.is_some_and(|stage| !version.stages.contains(stage)) {
            return Err(bad_request(
                "You provided a VersionStage that is not associated to the provided VersionId.",
            ));
        }
        let answer = self.value(&key, &secret, &id, version)?;
        let today_s = self.world.now().seconds() / 86_400 * 86_400;
        if version.accessed_s != Some(today_s) || secret.accessed_s != Some(today_s) {
            self.secrets
                .edit(&key, |there| {
                    let Some(mut there) = there else { return Ok((Edit::Keep, ())) };
                    there.accessed_s = Some(today_s);
                    if let Some(version) = there.versions.get_mut(&id) {
                        version.accessed_s = Some(today_s);
                    }
                    Ok((Edit::Put(there), ()))
                })
                .await?;
        }
        Ok(answer)
    }

    fn value(&self, key: &str, secret: &Secret, id: &str, version: &Version) -> Answer {
        let plain = self.vault.unseal(key, &version.sealed)?;
        let (member, value) = match version.binary {
            true => ("SecretBinary", wire::base64::encode(&plain)),
            false => ("SecretString", String::from_utf8_lossy(&plain).into_owned()),
        };
        Ok(object([
            ("ARN", Some(secret.arn.clone().into())),
            ("Name", Some(secret.name.clone().into())),
            ("VersionId", Some(id.into())),
            (member, Some(value.into())),
            ("VersionStages", Some(json!(version.stages))),
            ("CreatedDate", Some(version.created_s.into())),
        ]))
    }

    pub(super) async fn batch_get_secret_value(&self, call: &Call, input: &Value) -> Answer {
        let (named, filtered) = (texts(input, "SecretIdList"), input.get("Filters").is_some());
        if named.is_empty() != filtered {
            return Err(bad_parameter("You must specify either SecretIdList or Filters, and not both."));
        }
        let (ids, next) = if filtered { self.chosen(call, input)? } else { (named, None) };
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for id in ids {
            match self.get_secret_value(call, &json!({ "SecretId": id })).await {
                Ok(value) => values.push(value),
                Err(error) => errors
                    .push(json!({ "SecretId": id, "ErrorCode": error.name(), "Message": error.message })),
            }
        }
        let (values, errors) = (Some(values.into()), Some(errors.into()));
        Ok(object([("SecretValues", values), ("Errors", errors), ("NextToken", next)]))
    }

    /// The value in an input, sealed for this place, and as it was.
    fn version(&self, key: &str, input: &Value) -> Result<Option<(Version, Vec<u8>)>, ServiceError> {
        let (string, binary) = (text(input, "SecretString"), text(input, "SecretBinary"));
        let plain = match (string, binary) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(bad_parameter(
                    "You can't specify both a binary secret value and a string secret value in the same secret.",
                ));
            }
            (Some(text), None) => text.as_bytes().to_vec(),
            (None, Some(encoded)) => {
                wire::base64::decode(encoded).map_err(|_| bad_parameter("SecretBinary is not base64."))?
            }
        };
        if plain.is_empty() || plain.len() > VALUE_BYTES_MAX {
            return Err(bad_parameter(format!("A secret value has 1 to {VALUE_BYTES_MAX} bytes.")));
        }
        let sealed = self.vault.seal(key, &plain);
        let version = Version {
            created_s: self.now_s(),
            binary: binary.is_some(),
            sealed,
            stages: Default::default(),
            accessed_s: None,
        };
        Ok(Some((version, plain)))
    }

    /// What makes a call the same one as before: clients always give it, other services of this server need not.
    pub(super) fn token(
        &self,
        call: &Call,
        input: &Value,
        refuse: impl Fn(&'static str) -> ServiceError,
    ) -> Result<String, ServiceError> {
        match text(input, "ClientRequestToken") {
            Some(token) => Ok(token.to_owned()),
            None if call.inside.is_some() => Ok(self.world.uuid()),
            None => {
                Err(refuse("You must provide a ClientRequestToken value. We recommend a UUID-type value."))
            }
        }
    }
}

pub(super) fn no_value(what: &str) -> ServiceError {
    let message = format!("Secrets Manager can't find the specified secret value for {what}");
    ServiceError::new("ResourceNotFoundException", message)
}

/// What ends a secret's ARN, so that one made later under the same name is another one.
pub(super) fn suffix(world: &World) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..6).map(|_| char::from(ALPHABET[world.below(62) as usize])).collect()
}
