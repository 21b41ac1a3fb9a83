//! Small values encrypted and decrypted, and data keys made for large ones.

use super::key::{Key, Material};
use super::{Kms, place, unsupported};
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{integer, object, required, text};
use servicekit::vault::Vault;
use wire::ServiceError;

const ALGORITHM: &str = "SYMMETRIC_DEFAULT";
const PLAIN_MAX: usize = 4_096;
/// How a ciphertext begins: then the key's id, the number of its material, and what is sealed.
const FORMAT: u8 = 1;
const ID_BYTES: usize = 36;
const HEAD_BYTES: usize = 1 + ID_BYTES + 4;

impl Kms {
    pub(super) async fn encrypt(&self, call: &Call, input: &Value) -> Answer {
        check_algorithm(input, "EncryptionAlgorithm")?;
        let key = self.find_usable(call, required(input, "KeyId")).await?;
        let plain = bytes(input, "Plaintext")?;
        if plain.len() > PLAIN_MAX {
            return Err(super::key::invalid(&format!(
                "Plaintext is longer than {PLAIN_MAX} bytes: make a data key"
            )));
        }
        dry(input)?;
        let (sealed, _) = self.seal(call, &key, input.get("EncryptionContext"), &plain).await?;
        Ok(json!({
            "CiphertextBlob": wire::base64::encode(&sealed),
            "KeyId": key.arn(call),
            "EncryptionAlgorithm": ALGORITHM,
        }))
    }

    pub(super) async fn decrypt(&self, call: &Call, input: &Value) -> Answer {
        check_algorithm(input, "EncryptionAlgorithm")?;
        let sealed = bytes(input, "CiphertextBlob")?;
        let (key, material, plain) =
            self.open(call, text(input, "KeyId"), input.get("EncryptionContext"), &sealed).await?;
        dry(input)?;
        Ok(json!({
            "KeyId": key.arn(call),
            "Plaintext": wire::base64::encode(&plain),
            "EncryptionAlgorithm": ALGORITHM,
            "KeyMaterialId": material.id(),
        }))
    }

    pub(super) async fn re_encrypt(&self, call: &Call, input: &Value) -> Answer {
        check_algorithm(input, "SourceEncryptionAlgorithm")?;
        check_algorithm(input, "DestinationEncryptionAlgorithm")?;
        let sealed = bytes(input, "CiphertextBlob")?;
        let context = input.get("SourceEncryptionContext");
        let (source, material, plain) = self.open(call, text(input, "SourceKeyId"), context, &sealed).await?;
        let key = self.find_usable(call, required(input, "DestinationKeyId")).await?;
        dry(input)?;
        let (sealed, id) = self.seal(call, &key, input.get("DestinationEncryptionContext"), &plain).await?;
        Ok(json!({
            "CiphertextBlob": wire::base64::encode(&sealed),
            "SourceKeyId": source.arn(call),
            "KeyId": key.arn(call),
            "SourceEncryptionAlgorithm": ALGORITHM,
            "DestinationEncryptionAlgorithm": ALGORITHM,
            "SourceKeyMaterialId": material.id(),
            "DestinationKeyMaterialId": id,
        }))
    }

    pub(super) async fn generate_data_key(&self, call: &Call, input: &Value, with_plain: bool) -> Answer {
        let length = match (text(input, "KeySpec"), integer(input, "NumberOfBytes")) {
            (Some("AES_128"), None) => 16,
            (Some(_), None) => 32,
            (None, Some(bytes)) => bytes as usize,
            _ => return Err(super::key::invalid("Please specify either number of bytes or key spec.")),
        };
        let key = self.find_usable(call, required(input, "KeyId")).await?;
        dry(input)?;
        let mut plain = vec![0; length];
        self.world.fill_secret(&mut plain);
        let (sealed, id) = self.seal(call, &key, input.get("EncryptionContext"), &plain).await?;
        Ok(object([
            ("CiphertextBlob", Some(wire::base64::encode(&sealed).into())),
            ("Plaintext", with_plain.then(|| wire::base64::encode(&plain).into())),
            ("KeyId", Some(key.arn(call).into())),
            ("KeyMaterialId", Some(id.into())),
        ]))
    }

    pub(super) fn generate_random(&self, input: &Value) -> Answer {
        let length = integer(input, "NumberOfBytes");
        let length = length.ok_or_else(|| super::key::invalid("NumberOfBytes is required."))?;
        let mut bytes = vec![0; length as usize];
        self.world.fill_secret(&mut bytes);
        Ok(json!({ "Plaintext": wire::base64::encode(&bytes) }))
    }

    async fn seal(
        &self,
        call: &Call,
        key: &Key,
        context: Option<&Value>,
        plain: &[u8],
    ) -> Result<(Vec<u8>, String), ServiceError> {
        let key = self.rotated(call, key).await?;
        let number = key.materials.len() - 1;
        let sealed = self.material(call, &key, number)?.lock(&bound(context), plain);
        let head = [&[FORMAT][..], key.id.as_bytes(), &(number as u32).to_be_bytes()].concat();
        Ok(([head, sealed].concat(), key.materials[number].id()))
    }

    async fn open(
        &self,
        call: &Call,
        wanted: Option<&str>,
        context: Option<&Value>,
        sealed: &[u8],
    ) -> Result<(Key, Material, Vec<u8>), ServiceError> {
        // AWS tells nothing about what it cannot open.
        let invalid = || ServiceError::silent("InvalidCiphertextException");
        let (head, body) = sealed.split_at_checked(HEAD_BYTES).ok_or_else(invalid)?;
        let (id, number) = head.strip_prefix(&[FORMAT]).ok_or_else(invalid)?.split_at(ID_BYTES);
        let id = std::str::from_utf8(id).map_err(|_| invalid())?;
        let number = u32::from_be_bytes(number.try_into().map_err(|_| invalid())?) as usize;
        let key = self.find(call, id).await.map_err(|_| invalid())?;
        if let Some(wanted) = wanted
            && self.find(call, wanted).await?.id != key.id
        {
            let message =
                "The key ID in the request does not identify a CMK that can perform this operation.";
            return Err(ServiceError::new("IncorrectKeyException", message));
        }
        key.refuse_unusable(call)?;
        if number >= key.materials.len() {
            return Err(invalid());
        }
        let plain = self.material(call, &key, number)?.unlock(&bound(context), body).ok_or_else(invalid)?;
        let material = key.materials[number].clone();
        Ok((key, material, plain))
    }

    fn material(&self, call: &Call, key: &Key, number: usize) -> Result<Vault, ServiceError> {
        self.vault.within(&place(call, &key.id), &key.materials[number].sealed)
    }

    /// The key with new material, where the last one has served its time.
    async fn rotated(&self, call: &Call, key: &Key) -> Result<Key, ServiceError> {
        let now_s = self.world.now().seconds_f64();
        if key.next_rotation_s().is_none_or(|at_s| now_s < at_s) {
            return Ok(key.clone());
        }
        self.keys
            .edit(&place(call, &key.id), |there| {
                let mut key = there.ok_or_else(|| super::no_key("The key does not exist"))?;
                // Another call may have been here first.
                if key.next_rotation_s().is_some_and(|at_s| now_s >= at_s) {
                    let sealed = self.vault.new_key(&place(call, &key.id));
                    key.materials.push(super::key::Material { sealed, created_s: now_s, on_demand: false });
                }
                Ok((Edit::Put(key.clone()), key))
            })
            .await
    }
}

/// What a ciphertext is bound to: the pairs of its context, in order.
fn bound(context: Option<&Value>) -> Vec<u8> {
    let pairs: std::collections::BTreeMap<_, _> =
        context.and_then(Value::as_object).into_iter().flatten().collect();
    let pairs: Map<String, Value> =
        pairs.into_iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Value::Object(pairs).to_string().into_bytes()
}

fn bytes(input: &Value, member: &str) -> Result<Vec<u8>, ServiceError> {
    wire::base64::decode(required(input, member))
        .map_err(|_| super::key::invalid(&format!("{member} is not base64")))
}

fn check_algorithm(input: &Value, member: &str) -> Result<(), ServiceError> {
    match text(input, member) {
        None | Some(ALGORITHM) => Ok(()),
        Some(other) => Err(unsupported(&format!("{member} {other} is not supported: {ALGORITHM} is"))),
    }
}

/// A call that only asks whether it would succeed has succeeded when it comes here.
fn dry(input: &Value) -> Result<(), ServiceError> {
    match input.get("DryRun").and_then(Value::as_bool) {
        Some(true) => {
            let message = "The request would have succeeded, but the DryRun option is set.";
            Err(ServiceError::new("DryRunOperationException", message))
        }
        _ => Ok(()),
    }
}
