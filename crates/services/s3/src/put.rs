//! Objects written: one body, or what its parts came to, becomes the newest version.

use super::S3;
use super::claims::{Claims, missing_length};
use super::condition;
use super::fault::{self, Fault};
use super::intake::{self, Received, Sink};
use super::settings::default_encryption;
use super::shelf::{self, Bucket, Checksum, ChecksumKind, Description, Piece, Version, Versioning};
use super::sums::{Algorithm, hex};
use serde_json::{Map, Value};
use servicekit::body::Body;
use servicekit::call::{Answer, Call};
use servicekit::documents::unavailable;
use servicekit::fields::{object, required, text};
use wire::base64;

/// The members of a request that are given back as they came.
pub(super) const HEADERS: [&str; 6] =
    ["CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires"];
/// Where a website would send whoever asks for an object: kept and told.
pub(super) const REDIRECT: &str = "WebsiteRedirectLocation";
const STORAGE_CLASSES: [&str; 6] =
    ["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"];
const METADATA_BYTES_MAX: usize = 2048;
const KEY_BYTES_MAX: usize = 1024;

/// What is to become a version.
pub(super) struct Draft {
    pub file: String,
    pub bytes: u64,
    pub etag: String,
    pub checksum: Option<Checksum>,
    pub pieces: Option<Vec<Piece>>,
    /// The upload that it was.
    pub upload: Option<String>,
    /// Rows that go with it: those of the upload it was.
    pub rows_done: Vec<Vec<u8>>,
    pub description: Description,
}

impl S3 {
    pub(super) async fn put_object(&self, call: &Call, body: Body) -> Answer {
        let input = call.unchecked_input()?;
        fault::refuse_unbuilt(&input)?;
        let bucket = self.bucket(call, &input)?;
        let key = required(&input, "Key");
        check_key(key)?;
        let description = describe(call, &input, &bucket)?;
        let claims = Claims::of(&call.request)?;
        if claims.bytes.is_none()
            && call.inside.is_none()
            && call.request.headers.contains_key("transfer-encoding")
        {
            return Err(missing_length());
        }
        // A condition that fails already spares the body; the one that counts comes with the write.
        condition::before_write(&input, self.shelf.newest(&bucket, key)?.as_ref(), key)?;
        let algorithm = claims.wanted().unwrap_or(Algorithm::Crc64Nvme);
        let (file, received) = self.store_body(claims, body, Some(algorithm), None).await?;
        let draft = Draft {
            file,
            bytes: received.bytes,
            etag: hex(&received.md5),
            checksum: received.checksum.map(|(algorithm, sum)| Checksum {
                algorithm,
                text: base64::encode(&sum),
                kind: ChecksumKind::FullObject,
            }),
            pieces: None,
            upload: None,
            rows_done: Vec::new(),
            description,
        };
        let (bucket, version) = self.commit(&input, &bucket, key, draft).await?;
        Ok(written(&bucket, &version))
    }

    /// Takes a body into a file of its own, which is durable when this is done.
    pub(super) async fn store_body(
        &self,
        claims: Claims,
        body: Body,
        algorithm: Option<Algorithm>,
        own: Option<Algorithm>,
    ) -> Result<(String, Received), Fault> {
        let (vault, name) = (self.vault.clone(), self.world.hex(32));
        let file = intake::blocking(move || vault.create(&name).map_err(unavailable)).await?;
        let mut received = intake::receive(body, claims, Sink::File(file), algorithm, own).await?;
        let Sink::File(file) = std::mem::replace(&mut received.sink, Sink::Memory(Vec::new())) else {
            return Err(unavailable("a body went astray"));
        };
        let name = intake::blocking(move || file.keep().map_err(unavailable)).await?;
        Ok((name, received))
    }

    /// Makes a draft the newest version, unless a condition of the input fails. Its files go where it does not become one.
    pub(super) async fn commit(
        &self,
        input: &Value,
        bucket: &Bucket,
        key: &str,
        draft: Draft,
    ) -> Result<(Bucket, Version), Fault> {
        let file = draft.file.clone();
        let done = match self.hold(required(input, "Bucket"), key, bucket).await {
            Ok((_stays, _lock, bucket)) => {
                let done = self.commit_held(input, &bucket, key, draft).await;
                done.map(|version| (bucket, version))
            }
            Err(error) => Err(error),
        };
        if done.is_err() {
            self.vault.remove(&file.clone(), vec![file]);
        }
        done
    }

    /// The same, by a caller that holds the object.
    pub(super) async fn commit_held(
        &self,
        input: &Value,
        bucket: &Bucket,
        key: &str,
        draft: Draft,
    ) -> Result<Version, Fault> {
        let newest = self.shelf.newest(bucket, key)?;
        condition::before_write(input, newest.as_ref(), key)?;
        let replaced = self.replaced(bucket, key)?;
        let order = self.next_order(newest.as_ref());
        let version = Version {
            id: self.new_id(bucket, order),
            order,
            is_marker: false,
            modified_s: self.now_s(),
            file: draft.file,
            bytes: draft.bytes,
            etag: draft.etag,
            checksum: draft.checksum,
            parts: draft.pieces.as_ref().map(|pieces| pieces.len() as u32),
            upload: draft.upload,
            description: draft.description,
        };
        let row = shelf::version_key(bucket, key, order);
        let gone = replaced.as_ref().map(|old| (shelf::version_key(bucket, key, old.order), old));
        let old_files = gone.as_ref().map(|(_, old)| self.files(old)).transpose()?;
        self.shelf
            .write(|batch| {
                shelf::put(batch, &row, &version);
                if let Some(pieces) = &draft.pieces {
                    shelf::put(batch, &shelf::pieces_key(&version.file), pieces);
                }
                draft.rows_done.iter().for_each(|row| shelf::remove(batch, row));
                if let Some((row, old)) = &gone {
                    shelf::remove(batch, row);
                    if old.parts.is_some() {
                        shelf::remove(batch, &shelf::pieces_key(&old.file));
                    }
                }
            })
            .await?;
        if let (Some(old), Some(files)) = (&replaced, old_files) {
            self.vault.remove(&old.file, files);
        }
        Ok(version)
    }

    /// The version that a new one takes the place of: where the bucket keeps no versions, the one without an id.
    pub(super) fn replaced(&self, bucket: &Bucket, key: &str) -> Result<Option<Version>, Fault> {
        match bucket.versioning {
            Versioning::Enabled => Ok(None),
            Versioning::Never | Versioning::Suspended => self.shelf.version(bucket, key, "null"),
        }
    }

    /// Orders rise with time, and always from one version of an object to the next.
    pub(super) fn next_order(&self, newest: Option<&Version>) -> u64 {
        let now = self.world.now().millis() << 16;
        newest.map_or(now, |newest| now.max(newest.order + 1))
    }

    pub(super) fn new_id(&self, bucket: &Bucket, order: u64) -> String {
        match bucket.versioning {
            Versioning::Enabled => format!("{order:016x}{}", self.world.hex(16)),
            Versioning::Never | Versioning::Suspended => "null".to_owned(),
        }
    }
}

/// A version's id, where its bucket has ever kept versions.
pub(super) fn told_id(bucket: &Bucket, version: &Version) -> Option<Value> {
    (bucket.versioning != Versioning::Never).then(|| version.id.as_str().into())
}

/// The same, as writes tell it: only an id of its own. [suite: recorded answers]
pub(super) fn written_id(bucket: &Bucket, version: &Version) -> Option<Value> {
    told_id(bucket, version).filter(|id| id != "null")
}

/// The answer to a write.
pub(super) fn written(bucket: &Bucket, version: &Version) -> Value {
    let mut answer = object([
        ("ETag", Some(format!("\"{}\"", version.etag).into())),
        ("VersionId", written_id(bucket, version)),
    ]);
    if let Some(members) = answer.as_object_mut() {
        tell_checksum(version, members);
        tell_encryption(&version.description, members);
    }
    answer
}

pub(super) fn tell_checksum(version: &Version, members: &mut Map<String, Value>) {
    if let Some(checksum) = &version.checksum {
        members.insert(checksum.algorithm.member().to_owned(), checksum.text.as_str().into());
        members.insert("ChecksumType".to_owned(), checksum.kind.name().into());
    }
}

pub(super) fn tell_encryption(description: &Description, members: &mut Map<String, Value>) {
    if description.bucket_key {
        members.insert("BucketKeyEnabled".to_owned(), true.into());
    }
    if let Some((kind, key)) = &description.encryption {
        members.insert("ServerSideEncryption".to_owned(), kind.as_str().into());
        if let Some(key) = key {
            members.insert("SSEKMSKeyId".to_owned(), key.as_str().into());
        }
    }
}

pub(super) fn check_key(key: &str) -> Result<(), Fault> {
    if key.len() > KEY_BYTES_MAX {
        return Err(fault::new(400, "KeyTooLongError", "Your key is too long")
            .with("Size", key.len())
            .with("MaxSizeAllowed", KEY_BYTES_MAX));
    }
    match key.contains('\0') {
        true => Err(fault::argument("A key cannot hold a zero byte.", "Key", "")),
        false => Ok(()),
    }
}

/// What an input says about an object besides its bytes.
pub(super) fn describe(call: &Call, input: &Value, bucket: &Bucket) -> Result<Description, Fault> {
    let mut headers: std::collections::BTreeMap<String, String> = HEADERS
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), text(input, name)?.to_owned())))
        .collect();
    // The form a body came in is not the object's.
    if let Some(encoding) = headers.remove("ContentEncoding") {
        let kept: Vec<&str> = encoding
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty() && *one != "aws-chunked")
            .collect();
        if !kept.is_empty() {
            headers.insert("ContentEncoding".to_owned(), kept.join(","));
        }
    }
    headers.entry("ContentType".to_owned()).or_insert_with(|| "binary/octet-stream".to_owned());
    if let Some(place) = text(input, REDIRECT) {
        if !["/", "http://", "https://"].iter().any(|start| place.starts_with(start)) {
            let message =
                "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.";
            return Err(fault::new(400, "InvalidRedirectLocation", message));
        }
        headers.insert(REDIRECT.to_owned(), place.to_owned());
    }
    let metadata: std::collections::BTreeMap<String, String> = input
        .get("Metadata")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    if metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > METADATA_BYTES_MAX {
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(fault::new(400, "MetadataTooLarge", message).with("MaxSizeAllowed", METADATA_BYTES_MAX));
    }
    let storage_class = text(input, "StorageClass").filter(|class| *class != "STANDARD");
    if storage_class.is_some_and(|class| !STORAGE_CLASSES.contains(&class)) {
        let message = "The storage class you specified is not valid";
        return Err(fault::new(400, "InvalidStorageClass", message)
            .with("StorageClassRequested", storage_class.unwrap_or_default()));
    }
    let default = default_encryption(bucket);
    let (kind, key) = match text(input, "ServerSideEncryption") {
        None => (default.algorithm, default.key),
        Some(kind @ ("AES256" | "aws:kms" | "aws:kms:dsse")) => {
            (kind.to_owned(), text(input, "SSEKMSKeyId").map(str::to_owned))
        }
        Some(other) => {
            let message = "The encryption method specified is not supported";
            return Err(fault::argument(message, "x-amz-server-side-encryption", other));
        }
    };
    let has_key = kind != "AES256";
    let bucket_key = input.get("BucketKeyEnabled").and_then(Value::as_bool).unwrap_or(default.bucket_key);
    Ok(Description {
        headers,
        metadata,
        tags: text(input, "Tagging").map(super::tagging::header_tags).transpose()?.unwrap_or_default(),
        storage_class: storage_class.map(str::to_owned),
        encryption: Some((kind, has_key.then(|| key_arn(call, bucket, key.as_deref())))),
        bucket_key: bucket_key && has_key,
    })
}

/// The ARN of the key that a client names, or of the one that is there for whoever names none.
fn key_arn(call: &Call, bucket: &Bucket, key: Option<&str>) -> String {
    let (account, region) = (&call.caller.account, &bucket.region);
    let name = match key {
        Some(arn) if arn.starts_with("arn:") => return arn.to_owned(),
        Some(alias) if alias.starts_with("alias/") => alias.to_owned(),
        Some(id) => format!("key/{id}"),
        None => format!("key/{}", servicekit::ids::managed_key(account, region, "s3")),
    };
    format!("arn:aws:kms:{region}:{account}:{name}")
}
