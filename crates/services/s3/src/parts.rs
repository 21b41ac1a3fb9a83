//! Parts of an upload: sent, copied, listed.

use super::claims::{Claims, missing_length};
use super::fault::{self, Fault};
use super::list::{Names, PAGE_MAX};
use super::multipart::PARTS_MAX;
use super::put::tell_encryption;
use super::shelf::{self, Bucket, Part, Upload};
use super::sums::{Algorithm, hex};
use super::{S3, owner};
use serde_json::{Map, Value, json};
use servicekit::body::Body;
use servicekit::call::{Answer, Call};
use servicekit::fields::{integer, object, required, text};
use wire::base64;

/// The checksum of objects whose clients name none.
const OWN: Algorithm = Algorithm::Crc64Nvme;

impl S3 {
    pub(super) async fn upload_part(&self, call: &Call, body: Body) -> Answer {
        let input = call.unchecked_input()?;
        fault::refuse_unbuilt(&input)?;
        let bucket = self.bucket(call, &input)?;
        let upload = self.upload(&bucket, &input)?;
        let number = part_number(&input)?;
        let claims = Claims::of(&call.request)?;
        if claims.bytes.is_none() {
            return Err(missing_length());
        }
        let algorithm = match (upload.algorithm, claims.wanted()) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                let message = format!(
                    "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                    ours.name().to_ascii_lowercase(),
                    theirs.name().to_ascii_lowercase()
                );
                return Err(fault::request(message));
            }
            (ours, theirs) => ours.or(theirs).unwrap_or(OWN),
        };
        // The whole's sum is made of sums that the parts must have, whatever their clients sent.
        let own = (upload.algorithm.is_none() && algorithm != OWN).then_some(OWN);
        let (file, received) = self.store_body(claims, body, Some(algorithm), own).await?;
        let told = received.checksum.clone();
        let part = Part {
            file,
            bytes: received.bytes,
            etag: hex(&received.md5),
            modified_s: self.now_s(),
            checksum: received.own.or(received.checksum),
        };
        let part = self.add_part(&input, &bucket, &upload, number, part).await?;
        let mut answer = Map::new();
        answer.insert("ETag".into(), format!("\"{}\"", part.etag).into());
        tell_part_checksum(told.as_ref(), &mut answer);
        tell_encryption(&upload.description, &mut answer);
        Ok(Value::Object(answer))
    }

    pub(super) async fn upload_part_copy(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let upload = self.upload(&bucket, input)?;
        let number = part_number(input)?;
        let mut source = self.source(input)?;
        if let Some(header) = text(input, "CopySourceRange") {
            let range = super::range::parse(Some(header), source.version.bytes)?;
            let (from, bytes) = range.ok_or_else(|| {
                let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
                fault::argument(message, "x-amz-copy-source-range", header)
            })?;
            let lease = source.tail.lease().clone();
            source.tail = self.tail(&source.version, lease, from, bytes)?;
        }
        let told = super::put::told_id(&source.bucket, &source.version);
        let copied = self.copy_bytes(source.tail, upload.algorithm.unwrap_or(OWN)).await?;
        let part = Part {
            file: copied.file,
            bytes: copied.bytes,
            etag: hex(&copied.md5),
            modified_s: self.now_s(),
            checksum: Some(copied.checksum),
        };
        let part = self.add_part(input, &bucket, &upload, number, part).await?;
        let mut result = Map::new();
        result.insert("ETag".into(), format!("\"{}\"", part.etag).into());
        result.insert("LastModified".into(), part.modified_s.into());
        tell_part_checksum(part.checksum.as_ref().filter(|_| upload.algorithm.is_some()), &mut result);
        let mut answer =
            object([("CopyPartResult", Some(Value::Object(result))), ("CopySourceVersionId", told)]);
        if let Some(members) = answer.as_object_mut() {
            tell_encryption(&upload.description, members);
        }
        Ok(answer)
    }

    /// Puts a part into its place; the one that was there before goes.
    async fn add_part(
        &self,
        input: &Value,
        bucket: &Bucket,
        upload: &Upload,
        number: u32,
        part: Part,
    ) -> Result<Part, Fault> {
        let done = self.try_add(input, bucket, upload, number, &part).await;
        if done.is_err() {
            self.vault.remove(&part.file.clone(), vec![part.file.clone()]);
        }
        done.map(|()| part)
    }

    async fn try_add(
        &self,
        input: &Value,
        bucket: &Bucket,
        upload: &Upload,
        number: u32,
        part: &Part,
    ) -> Result<(), Fault> {
        let (_stays, _lock, bucket) =
            self.hold(required(input, "Bucket"), required(input, "Key"), bucket).await?;
        self.upload(&bucket, input)?;
        let row = shelf::part_key(&upload.id, number);
        let old: Option<Part> = self.shelf.get(&row)?;
        self.shelf.write(|batch| shelf::put(batch, &row, part)).await?;
        if let Some(old) = old {
            self.vault.remove(&old.file.clone(), vec![old.file]);
        }
        Ok(())
    }

    pub(super) fn list_parts(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let upload = self.upload(&bucket, input)?;
        let marker = text(input, "PartNumberMarker").and_then(|marker| marker.parse().ok());
        let marker: u32 =
            marker.or_else(|| integer(input, "PartNumberMarker")?.try_into().ok()).unwrap_or_default();
        let limit = integer(input, "MaxParts").unwrap_or(PAGE_MAX).clamp(0, PAGE_MAX) as usize;
        let parts = self.parts(&upload.id)?;
        let mut rest = parts.range(marker.saturating_add(1)..);
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let more = rest.next().is_some();
        let told: Value = page
            .iter()
            .map(|(number, part)| {
                let mut one = Map::new();
                one.insert("PartNumber".into(), json!(number));
                one.insert("LastModified".into(), part.modified_s.into());
                one.insert("ETag".into(), format!("\"{}\"", part.etag).into());
                one.insert("Size".into(), part.bytes.into());
                // One that nobody asked for is told of the whole only. [suite: recorded answers]
                tell_part_checksum(part.checksum.as_ref().filter(|_| upload.algorithm.is_some()), &mut one);
                Value::Object(one)
            })
            .collect();
        Ok(object([
            ("Bucket", input.get("Bucket").cloned()),
            ("Key", input.get("Key").cloned()),
            ("UploadId", Some(upload.id.as_str().into())),
            ("PartNumberMarker", Some(marker.to_string().into())),
            ("NextPartNumberMarker", Some(page.last().map_or(0, |(number, _)| **number).to_string().into())),
            ("MaxParts", Some(limit.into())),
            ("IsTruncated", Some(more.into())),
            ("Parts", Some(told)),
            ("Initiator", Some(owner(call))),
            ("Owner", Some(owner(call))),
            ("StorageClass", Some(upload.description.storage_class.as_deref().unwrap_or("STANDARD").into())),
            ("ChecksumAlgorithm", upload.algorithm.map(|algorithm| algorithm.name().into())),
            ("ChecksumType", upload.kind.map(|kind| kind.name().into())),
        ]))
    }

    pub(super) fn list_uploads(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let names = Names::of(input)?;
        let key_marker = text(input, "KeyMarker").unwrap_or_default();
        let id_marker = text(input, "UploadIdMarker").unwrap_or_default();
        if !names.delimiter.is_empty() {
            return Err(fault::not_built("delimiter"));
        }
        let mut uploads = Vec::new();
        for (rest, upload) in self.shelf.all::<Upload>(&shelf::uploads_start(&bucket))? {
            let key = rest.split(|byte| *byte == 0).next().unwrap_or_default();
            let key = String::from_utf8_lossy(key).into_owned();
            let told = match key.as_str().cmp(key_marker) {
                std::cmp::Ordering::Less => true,
                std::cmp::Ordering::Equal => id_marker.is_empty() || upload.id.as_str() <= id_marker,
                std::cmp::Ordering::Greater => false,
            };
            if key.starts_with(names.prefix) && (key_marker.is_empty() || !told) {
                uploads.push((key, upload));
            }
        }
        let more = uploads.len() > names.limit;
        uploads.truncate(names.limit);
        let mut answer = names.head(input, more && names.limit > 0);
        answer.insert("Bucket".into(), input["Bucket"].clone());
        answer.insert("KeyMarker".into(), names.told(key_marker));
        answer.insert("UploadIdMarker".into(), id_marker.into());
        answer.insert("MaxUploads".into(), names.limit.into());
        let (key, id) = uploads.last().map_or(("", ""), |(key, upload)| (key, &upload.id));
        answer.insert("NextKeyMarker".into(), names.told(key));
        answer.insert("NextUploadIdMarker".into(), id.into());
        if names.prefix.is_empty() {
            answer.remove("Prefix");
        }
        let told: Vec<Value> = uploads
            .iter()
            .map(|(key, upload)| {
                object([
                    ("Key", Some(names.told(key))),
                    ("UploadId", Some(upload.id.as_str().into())),
                    ("Initiated", Some(upload.initiated_s.into())),
                    (
                        "StorageClass",
                        Some(upload.description.storage_class.as_deref().unwrap_or("STANDARD").into()),
                    ),
                    ("Owner", Some(owner(call))),
                    ("Initiator", Some(owner(call))),
                    ("ChecksumAlgorithm", upload.algorithm.map(|algorithm| algorithm.name().into())),
                    ("ChecksumType", upload.kind.map(|kind| kind.name().into())),
                ])
            })
            .collect();
        answer.insert("Uploads".into(), told.into());
        Ok(Value::Object(answer))
    }
}

fn part_number(input: &Value) -> Result<u32, Fault> {
    let number = integer(input, "PartNumber").unwrap_or_default();
    u32::try_from(number).ok().filter(|number| (1..=PARTS_MAX).contains(number)).ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive";
        fault::argument(message, "partNumber", &number.to_string())
    })
}

fn tell_part_checksum(checksum: Option<&(Algorithm, Vec<u8>)>, members: &mut Map<String, Value>) {
    if let Some((algorithm, sum)) = checksum {
        members.insert(algorithm.member().to_owned(), base64::encode(sum).into());
    }
}
