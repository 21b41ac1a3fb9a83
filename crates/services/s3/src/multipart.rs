//! Uploads in parts: begun, completed, given up. An object of parts keeps its parts' files as they are.

use super::S3;
use super::claims::{checksum, unknown_algorithm};
use super::fault::{self, Fault};
use super::put::{Draft, check_key, describe, tell_encryption, written};
use super::shelf::{self, Checksum, ChecksumKind, Part, Piece, Upload, Version};
use super::sums::{Algorithm, Sum, hex, md5_of};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, object, required, text};
use std::collections::{BTreeMap, BTreeSet};
use wire::base64;

pub(super) const PARTS_MAX: u32 = 10_000;
const PART_BYTES_MIN: u64 = 5 << 20;
/// The largest object: 5 TiB.
const OBJECT_BYTES_MAX: u64 = 5 << 40;

/// A part as the client names it in the end.
struct Named {
    number: u32,
    etag: String,
    checksum: Option<(Algorithm, Vec<u8>)>,
}

impl S3 {
    pub(super) async fn create_upload(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let key = required(input, "Key");
        check_key(key)?;
        let algorithm = match text(input, "ChecksumAlgorithm") {
            Some(name) => Some(Algorithm::parse(name).ok_or_else(unknown_algorithm)?),
            None => None,
        };
        let kind = match (text(input, "ChecksumType"), algorithm) {
            (None, None) => None,
            (Some(_), None) => {
                return Err(fault::request(
                    "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
                ));
            }
            (None, Some(Algorithm::Crc64Nvme))
            | (Some("FULL_OBJECT"), Some(Algorithm::Crc32 | Algorithm::Crc32c | Algorithm::Crc64Nvme)) => {
                Some(ChecksumKind::FullObject)
            }
            (None | Some("COMPOSITE"), Some(algorithm)) if algorithm != Algorithm::Crc64Nvme => {
                Some(ChecksumKind::Composite)
            }
            (Some(kind), Some(algorithm)) => {
                let message = format!(
                    "The {kind} checksum type cannot be used with the {} checksum algorithm.",
                    algorithm.name().to_ascii_lowercase()
                );
                return Err(fault::request(message));
            }
            (None, Some(_)) => None,
        };
        let upload = Upload {
            id: self.world.hex(32),
            initiated_s: self.now_s(),
            algorithm,
            kind,
            description: describe(call, input, &bucket)?,
        };
        let (_stays, _lock, bucket) = self.hold(required(input, "Bucket"), key, &bucket).await?;
        let row = shelf::upload_key(&bucket, key, &upload.id);
        self.shelf.write(|batch| shelf::put(batch, &row, &upload)).await?;
        let mut answer = object([
            ("Bucket", input.get("Bucket").cloned()),
            ("Key", Some(key.into())),
            ("UploadId", Some(upload.id.as_str().into())),
            ("ChecksumAlgorithm", algorithm.map(|algorithm| algorithm.name().into())),
            ("ChecksumType", kind.map(|kind| kind.name().into())),
        ]);
        if let Some(members) = answer.as_object_mut() {
            tell_encryption(&upload.description, members);
        }
        Ok(answer)
    }

    pub(super) fn upload(&self, bucket: &shelf::Bucket, input: &Value) -> Result<Upload, Fault> {
        let id = required(input, "UploadId");
        let key = required(input, "Key");
        check_key(key)?;
        self.shelf.get(&shelf::upload_key(bucket, key, id))?.ok_or_else(|| fault::no_upload(id))
    }

    pub(super) async fn complete_upload(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let key = required(input, "Key");
        let (_stays, _lock, bucket) = self.hold(required(input, "Bucket"), key, &bucket).await?;
        let upload = match self.upload(&bucket, input) {
            Ok(upload) => upload,
            // Asked again with the same parts it is the same success, while its object is the newest.
            Err(error) => {
                let id = required(input, "UploadId");
                let newest = self.shelf.newest(&bucket, key)?;
                let Some(done) = newest.filter(|newest| newest.upload.as_deref() == Some(id)) else {
                    return Err(error);
                };
                let again = named(input, id)?;
                return match whole_etag(again.iter().map(|part| &*part.etag)) == done.etag {
                    true => Ok(completed(call, input, &bucket, &done)),
                    false => Err(error),
                };
            }
        };
        let named = named(input, &upload.id)?;
        let there = self.parts(&upload.id)?;
        let parts = chosen(&named, &there, &upload)?;
        let bytes: u64 = parts.iter().map(|part| part.bytes).sum();
        if bytes > OBJECT_BYTES_MAX {
            return Err(super::claims::too_large());
        }
        if integer(input, "MpuObjectSize").is_some_and(|size| size as u64 != bytes) {
            let message = "The provided 'x-amz-mp-object-size' header does not match what was computed.";
            return Err(fault::request(message));
        }
        let sum = joined(&upload, &parts)?;
        if let Some(sum) = &sum {
            let told =
                text(input, sum.algorithm.member()).map(|text| text.split('-').next().unwrap_or_default());
            let ours = sum.text.split('-').next();
            if told.is_some() && told != ours {
                let name = sum.algorithm.name();
                let message = format!("The {name} you specified did not match the calculated checksum.");
                return Err(fault::new(400, "BadDigest", message));
            }
        }
        let draft = Draft {
            file: self.world.hex(32),
            bytes,
            etag: whole_etag(parts.iter().map(|part| &*part.etag)),
            checksum: sum,
            pieces: Some(
                parts.iter().map(|part| Piece { file: part.file.clone(), bytes: part.bytes }).collect(),
            ),
            upload: Some(upload.id.clone()),
            rows_done: there
                .keys()
                .map(|number| shelf::part_key(&upload.id, *number))
                .chain([shelf::upload_key(&bucket, key, &upload.id)])
                .collect(),
            description: upload.description.clone(),
        };
        let version = self.commit_held(input, &bucket, key, draft).await?;
        let used: BTreeSet<&String> = parts.iter().map(|part| &part.file).collect();
        for part in there.into_values().filter(|part| !used.contains(&part.file)) {
            self.vault.remove(&part.file.clone(), vec![part.file]);
        }
        Ok(completed(call, input, &bucket, &version))
    }

    pub(super) async fn abort_upload(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let key = required(input, "Key");
        let (_stays, _lock, bucket) = self.hold(required(input, "Bucket"), key, &bucket).await?;
        let upload = self.upload(&bucket, input)?;
        self.forget(shelf::upload_key(&bucket, key, &upload.id), &upload.id).await?;
        Ok(json!({}))
    }

    /// Removes an upload, its parts and their files.
    pub(super) async fn forget(&self, row: Vec<u8>, upload: &str) -> Result<(), Fault> {
        let parts = self.parts(upload)?;
        let rows: Vec<Vec<u8>> =
            parts.keys().map(|number| shelf::part_key(upload, *number)).chain([row]).collect();
        self.shelf.write(|batch| rows.iter().for_each(|row| shelf::remove(batch, row))).await?;
        for part in parts.into_values() {
            self.vault.remove(&part.file.clone(), vec![part.file]);
        }
        Ok(())
    }

    pub(super) fn parts(&self, upload: &str) -> Result<BTreeMap<u32, Part>, Fault> {
        let rows: Vec<(Vec<u8>, Part)> = self.shelf.all(&shelf::parts_start(upload))?;
        let number = |rest: &[u8]| rest.try_into().map(u32::from_be_bytes).unwrap_or_default();
        Ok(rows.into_iter().map(|(rest, part)| (number(&rest), part)).collect())
    }
}

/// The tag of what parts with these tags come to.
fn whole_etag<'e>(parts: impl ExactSizeIterator<Item = &'e str>) -> String {
    let count = parts.len();
    let digests: Vec<u8> = parts.flat_map(unhex).collect();
    format!("{}-{count}", hex(&md5_of(&digests)))
}

/// The answer to an upload's end.
fn completed(call: &Call, input: &Value, bucket: &shelf::Bucket, version: &Version) -> Value {
    let mut answer = written(bucket, version);
    let key = required(input, "Key");
    answer["Bucket"] = input["Bucket"].clone();
    answer["Key"] = key.into();
    let host = call.request.header("host").unwrap_or("localhost");
    let mut path = String::new();
    wire::percent::encode_into(key.as_bytes(), b"-_.~/", &mut path);
    answer["Location"] = format!("http://{host}/{}/{path}", required(input, "Bucket")).into();
    answer
}

fn named(input: &Value, upload: &str) -> Result<Vec<Named>, Fault> {
    let given = input.get("MultipartUpload");
    let given = given.ok_or_else(|| fault::request("You must specify at least one part"))?;
    let list = given.get("Parts").and_then(Value::as_array);
    let list = list
        .filter(|list| !list.is_empty() && list.len() <= PARTS_MAX as usize)
        .ok_or_else(fault::malformed)?;
    let mut parts: Vec<Named> = Vec::new();
    for part in list {
        let number = integer(part, "PartNumber").and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or_else(fault::malformed)?;
        if parts.last().is_some_and(|last| last.number >= number) {
            let message =
                "The list of parts was not in ascending order. Parts must be ordered by part number.";
            return Err(fault::new(400, "InvalidPartOrder", message).with("UploadId", upload));
        }
        let sums = Algorithm::ALL.into_iter().filter_map(|one| Some((one, text(part, one.member())?)));
        let sum = sums.map(|(one, text)| Ok((one, checksum(one, text)?))).next().transpose()?;
        let etag = text(part, "ETag").ok_or_else(fault::malformed)?.trim_matches('"').to_owned();
        parts.push(Named { number, etag, checksum: sum });
    }
    Ok(parts)
}

fn chosen(named: &[Named], there: &BTreeMap<u32, Part>, upload: &Upload) -> Result<Vec<Part>, Fault> {
    let missing = |name: &Named| {
        let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
        fault::new(400, "InvalidPart", message)
            .with("UploadId", upload.id.as_str())
            .with("PartNumber", name.number)
            .with("ETag", name.etag.as_str())
    };
    let mut parts = Vec::new();
    for (at, name) in named.iter().enumerate() {
        let part = there.get(&name.number).filter(|part| part.etag == name.etag);
        let part = part.ok_or_else(|| missing(name))?;
        // Sums of one kind can be compared.
        if let (Some((kind, theirs)), Some((known, ours))) = (&name.checksum, &part.checksum)
            && kind == known
            && theirs != ours
        {
            return Err(missing(name));
        }
        if at + 1 < named.len() && part.bytes < PART_BYTES_MIN {
            let message = "Your proposed upload is smaller than the minimum allowed size";
            return Err(fault::new(400, "EntityTooSmall", message)
                .with("ProposedSize", part.bytes)
                .with("MinSizeAllowed", PART_BYTES_MIN)
                .with("PartNumber", name.number)
                .with("ETag", part.etag.as_str()));
        }
        parts.push(part.clone());
    }
    Ok(parts)
}

/// The whole's checksum from its parts': joined, or a sum of sums.
fn joined(upload: &Upload, parts: &[Part]) -> Result<Option<Checksum>, Fault> {
    let algorithm = upload.algorithm.unwrap_or(Algorithm::Crc64Nvme);
    let kind = upload.kind.unwrap_or(ChecksumKind::FullObject);
    let sums: Option<Vec<(Vec<u8>, u64)>> = parts
        .iter()
        .map(|part| {
            let (_, sum) = part.checksum.as_ref().filter(|(one, _)| *one == algorithm)?;
            Some((sum.clone(), part.bytes))
        })
        .collect();
    let Some(sums) = sums else { return Ok(None) };
    let text = match kind {
        ChecksumKind::FullObject => algorithm.join(&sums).map(|sum| base64::encode(&sum)),
        ChecksumKind::Composite => {
            let all: Vec<u8> = sums.into_iter().flat_map(|(sum, _)| sum).collect();
            Some(format!("{}-{}", base64::encode(&Sum::of(algorithm, &all)), parts.len()))
        }
    };
    Ok(text.map(|text| Checksum { algorithm, text, kind }))
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len() / 2).filter_map(|at| digit(at * 2)).collect()
}
