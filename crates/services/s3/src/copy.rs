//! Objects copied inside the house: the bytes go from file to file.

use super::S3;
use super::condition;
use super::fault::{self, Fault};
use super::intake;
use super::put::{Draft, HEADERS, REDIRECT, check_key, describe, tell_encryption, written_id};
use super::shelf::{Bucket, Checksum, ChecksumKind, Version};
use super::sums::{Algorithm, Sum, hex};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use servicekit::body::Stored;
use servicekit::call::{Answer, Call};
use servicekit::documents::unavailable;
use servicekit::fields::{object, required, text};
use std::sync::Arc;
use wire::{base64, percent};

/// The largest object that is copied in one call.
const COPY_BYTES_MAX: u64 = 5 << 30;

/// A new file that holds what another one held.
pub(super) struct Copied {
    pub file: String,
    pub bytes: u64,
    pub md5: Vec<u8>,
    pub checksum: (Algorithm, Vec<u8>),
}

/// What a call copies from.
pub(super) struct Source {
    pub bucket: Bucket,
    pub version: Version,
    pub tail: Stored,
    /// The source is the very object that is written, as it is.
    pub name: (String, String, Option<String>),
}

impl S3 {
    /// The version that the header `x-amz-copy-source` names.
    pub(super) fn source(&self, input: &Value) -> Result<Source, Fault> {
        let header = required(input, "CopySource");
        let (path, query) = header.split_once('?').unwrap_or((header, ""));
        let path = String::from_utf8_lossy(&percent::decode(path)).into_owned();
        if path.starts_with("arn:") {
            return Err(fault::not_built("CopySource"));
        }
        let (name, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/').unwrap_or_default();
        if name.is_empty() || key.is_empty() {
            let message = "Invalid copy source object key";
            return Err(fault::argument(message, "x-amz-copy-source", "x-amz-copy-source"));
        }
        let id = percent::pairs(query).find(|(name, _)| *name == "versionId").map(|(_, id)| id.to_owned());
        let bucket = self.buckets.get(name)?.ok_or_else(|| fault::no_bucket(name))?;
        let (version, lease) = self.find(&bucket, key, id.as_deref())?;
        condition::before_copy(input, &version, self.now_s())?;
        let tail = self.tail(&version, Arc::new(lease), 0, version.bytes)?;
        Ok(Source { bucket, version, tail, name: (name.to_owned(), key.to_owned(), id) })
    }

    /// Copies what a tail reads into a file of its own.
    pub(super) async fn copy_bytes(&self, mut tail: Stored, algorithm: Algorithm) -> Result<Copied, Fault> {
        let (vault, name) = (self.vault.clone(), self.world.hex(32));
        intake::blocking(move || {
            let mut file = vault.create(&name).map_err(unavailable)?;
            let (mut md5, mut sum, mut bytes) = (Md5::new(), Sum::new(algorithm), 0);
            while let Some(piece) = tail.read() {
                let piece = piece.map_err(unavailable)?;
                md5.update(&piece);
                sum.update(&piece);
                bytes += piece.len() as u64;
                file.write(&piece).map_err(unavailable)?;
            }
            let file = file.keep().map_err(unavailable)?;
            Ok(Copied { file, bytes, md5: md5.finalize().to_vec(), checksum: (algorithm, sum.finish()) })
        })
        .await
    }

    pub(super) async fn copy_object(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let key = required(input, "Key");
        check_key(key)?;
        let source = self.source(input)?;
        if source.version.bytes > COPY_BYTES_MAX {
            let message = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
            return Err(fault::request(message));
        }
        let replaces = match text(input, "MetadataDirective") {
            None | Some("COPY") => false,
            Some("REPLACE") => true,
            Some(other) => {
                return Err(fault::argument(
                    "Unknown metadata directive.",
                    "x-amz-metadata-directive",
                    other,
                ));
            }
        };
        let (name, source_key, id) = &source.name;
        let is_itself = name == required(input, "Bucket") && source_key == key && id.is_none();
        let changes =
            ["StorageClass", "ServerSideEncryption", "ChecksumAlgorithm", "TaggingDirective", REDIRECT];
        if is_itself && !replaces && changes.iter().all(|name| input.get(*name).is_none()) {
            let message = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
            return Err(fault::request(message));
        }
        let mut description = describe(call, input, &bucket)?;
        let old = &source.version.description;
        if !replaces {
            // Where the source sends its readers is the source's own.
            let redirect = description.headers.remove_entry(REDIRECT);
            let kept = old.headers.iter().filter(|(name, _)| *name != REDIRECT);
            description.headers =
                kept.map(|(name, value)| (name.clone(), value.clone())).chain(redirect).collect();
            description.metadata = old.metadata.clone();
        } else if HEADERS.iter().all(|name| input.get(*name).is_none()) {
            // What says nothing of a type has the one that every object begins with.
            description.headers.retain(|name, _| name == "ContentType" || name == REDIRECT);
        }
        match text(input, "TaggingDirective") {
            None | Some("COPY") => description.tags = old.tags.clone(),
            Some("REPLACE") => {}
            Some(other) => {
                return Err(fault::argument("Unknown tagging directive.", "x-amz-tagging-directive", other));
            }
        }
        let told = written_id(&source.bucket, &source.version);
        let algorithm = match text(input, "ChecksumAlgorithm") {
            Some(name) => Algorithm::parse(name).ok_or_else(super::claims::unknown_algorithm)?,
            None => source.version.checksum.as_ref().map_or(Algorithm::Crc64Nvme, |sum| sum.algorithm),
        };
        let copied = self.copy_bytes(source.tail, algorithm).await?;
        let checksum =
            Checksum { algorithm, text: base64::encode(&copied.checksum.1), kind: ChecksumKind::FullObject };
        let draft = Draft {
            file: copied.file,
            bytes: copied.bytes,
            etag: hex(&copied.md5),
            checksum: Some(checksum.clone()),
            pieces: None,
            upload: None,
            rows_done: Vec::new(),
            description,
        };
        let (bucket, version) = self.commit(input, &bucket, key, draft).await?;
        let mut result = json!({
            "ETag": format!("\"{}\"", version.etag),
            "LastModified": version.modified_s,
            "ChecksumType": checksum.kind.name(),
        });
        result[algorithm.member()] = checksum.text.into();
        let mut answer = object([
            ("CopyObjectResult", Some(result)),
            ("VersionId", written_id(&bucket, &version)),
            ("CopySourceVersionId", told),
        ]);
        if let Some(members) = answer.as_object_mut() {
            tell_encryption(&version.description, members);
        }
        Ok(answer)
    }
}
