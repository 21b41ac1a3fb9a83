//! Objects read: their description, and their bytes or a part of them, as they come from the files.

use super::S3;
use super::condition::{self, Outcome};
use super::fault::{self, Fault};
use super::put::{HEADERS, tell_checksum, tell_encryption, told_id};
use super::shelf::{self, Bucket, Piece, Version, Versioning};
use super::vault::Lease;
use super::{range, tagging};
use serde_json::{Map, Value, json};
use servicekit::body::{Slice, Stored};
use servicekit::call::Call;
use servicekit::documents::unavailable;
use servicekit::fields::{integer, required, text};
use servicekit::reply::{Reply, Tail};
use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use wire::{Response, percent};

/// Of a version that is there: its answer's members, and the part of it that was asked for.
struct Found {
    version: Version,
    lease: Arc<Lease>,
    members: Map<String, Value>,
    part: Option<(u64, u64)>,
    not_modified: bool,
}

impl S3 {
    pub(super) async fn get_object(&self, call: &Call) -> Reply {
        let found = match self.look(call) {
            Ok(found) => found,
            Err(error) => return self.refuse(call, error).into(),
        };
        let (from, bytes) = found.part.unwrap_or((0, found.version.bytes));
        let tail = match self.tail(&found.version, found.lease.clone(), from, bytes) {
            Ok(tail) => tail,
            Err(error) => return call.refuse(error).into(),
        };
        let not_modified = found.not_modified;
        let response = answer(call, found);
        Reply { response, tail: (!not_modified).then_some(Tail::Stored(tail)) }
    }

    pub(super) async fn head_object(&self, call: &Call) -> Reply {
        let mut response = match self.look(call) {
            Ok(found) => answer(call, found),
            Err(error) => self.refuse(call, error),
        };
        response.body = bytes::Bytes::new();
        response.into()
    }

    /// What is not there because it was deleted is told with the marker that says so.
    fn refuse(&self, call: &Call, error: Fault) -> Response {
        let by_id = error.name() == "MethodNotAllowed";
        let marker = || {
            let input = call.unchecked_input().ok()?;
            let (bucket, key) = (self.bucket(call, &input).ok()?, required(&input, "Key"));
            let version = match text(&input, "VersionId") {
                None => self.shelf.newest(&bucket, key).ok()??,
                Some(id) => self.shelf.version(&bucket, key, id).ok()??,
            };
            version.is_marker.then_some(version.id)
        };
        let marker = if by_id || error.name() == "NoSuchKey" { marker() } else { None };
        let mut response = call.refuse(error);
        if let Some(id) = marker {
            response.set_header("x-amz-delete-marker", "true");
            response.set_header("x-amz-version-id", &id);
            if by_id {
                response.set_header("allow", "DELETE");
            }
        }
        response
    }

    fn look(&self, call: &Call) -> Result<Found, Fault> {
        let input = call.unchecked_input()?;
        fault::refuse_unbuilt(&input)?;
        let bucket = self.bucket(call, &input)?;
        let key = required(&input, "Key");
        let (version, lease) = self.find(&bucket, key, text(&input, "VersionId"))?;
        let not_modified = condition::before_read(&input, &version, self.now_s())? == Outcome::NotModified;
        let part = match integer(&input, "PartNumber") {
            Some(_) if input.get("Range").is_some() => {
                return Err(fault::request(
                    "Cannot specify both Range header and partNumber query parameter",
                ));
            }
            Some(number) => Some(self.numbered(&version, number)?),
            None => range::parse(text(&input, "Range"), version.bytes)?,
        };
        let mut members = describe(&bucket, &version, text(&input, "ChecksumMode") == Some("ENABLED"));
        let overridden =
            HEADERS.into_iter().filter_map(|name| Some((name, input.get(format!("Response{name}"))?)));
        for (name, value) in overridden {
            // A time is told in the words that it was asked for with.
            let told = match name {
                "Expires" => expires(call).unwrap_or_default(),
                _ => value.clone(),
            };
            members.insert(name.to_owned(), told);
        }
        if input.get("PartNumber").is_some()
            && let Some(parts) = version.parts
        {
            members.insert("PartsCount".to_owned(), json!(parts));
        }
        Ok(Found { version, lease: Arc::new(lease), members, part, not_modified })
    }

    /// The version that a reader means, and a hold on its files.
    pub(super) fn find(
        &self,
        bucket: &Bucket,
        key: &str,
        id: Option<&str>,
    ) -> Result<(Version, Lease), Fault> {
        // A version that goes away between the row and the lease has left nothing to hold: the next look tells.
        for _ in 0..8 {
            let version = match id {
                None => self.shelf.newest(bucket, key)?.ok_or_else(|| fault::no_key(key))?,
                Some(id) => {
                    check_version(bucket, id)?;
                    self.shelf.version(bucket, key, id)?.ok_or_else(|| fault::no_version(key, id))?
                }
            };
            if version.is_marker {
                return Err(match id {
                    None => fault::no_key(key),
                    Some(_) => fault::new(
                        405,
                        "MethodNotAllowed",
                        "The specified method is not allowed against this resource.",
                    )
                    .with("Method", "GET")
                    .with("ResourceType", "DeleteMarker"),
                });
            }
            let lease = self.vault.lease(&version.file);
            let row = shelf::version_key(bucket, key, version.order);
            if self.shelf.get::<Version>(&row)?.is_some_and(|again| again.file == version.file) {
                return Ok((version, lease));
            }
        }
        Err(fault::new(503, "SlowDown", "Please reduce your request rate."))
    }

    /// A part of a version's bytes, to be read from its files.
    pub(super) fn tail(
        &self,
        version: &Version,
        lease: Arc<dyn Any + Send + Sync>,
        from: u64,
        bytes: u64,
    ) -> Result<Stored, Fault> {
        let mut slices = VecDeque::new();
        let (mut skip, mut left) = (from, bytes);
        for piece in self.pieces(version)? {
            if skip >= piece.bytes {
                skip -= piece.bytes;
                continue;
            }
            if left == 0 {
                break;
            }
            let here = (piece.bytes - skip).min(left);
            slices.push_back(Slice { path: self.vault.path(&piece.file), from: skip, bytes: here });
            (skip, left) = (0, left - here);
        }
        if left > 0 {
            return Err(unavailable("an object is longer than its files"));
        }
        Ok(Stored::new(slices, lease))
    }

    pub(super) fn pieces(&self, version: &Version) -> Result<Vec<Piece>, Fault> {
        if version.parts.is_none() {
            return Ok(vec![Piece { file: version.file.clone(), bytes: version.bytes }]);
        }
        Ok(self.shelf.get(&shelf::pieces_key(&version.file))?.unwrap_or_default())
    }

    /// Where a numbered part lies. What came in one piece is its own first part.
    fn numbered(&self, version: &Version, number: i64) -> Result<(u64, u64), Fault> {
        let pieces = self.pieces(version)?;
        let at = usize::try_from(number - 1).ok().filter(|at| *at < pieces.len());
        let at = at.ok_or_else(|| {
            fault::new(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
                .with("PartNumberRequested", number)
                .with("ActualPartCount", pieces.len())
        })?;
        Ok((pieces[..at].iter().map(|piece| piece.bytes).sum(), pieces[at].bytes))
    }
}

/// A bucket that has never kept versions has no ids but this one.
pub(super) fn check_version(bucket: &Bucket, id: &str) -> Result<(), Fault> {
    match bucket.versioning == Versioning::Never && id != "null" {
        true => Err(fault::argument("Invalid version id specified", "versionId", id)),
        false => Ok(()),
    }
}

/// The members that describe a version.
fn describe(bucket: &Bucket, version: &Version, with_checksum: bool) -> Map<String, Value> {
    let description = &version.description;
    let mut members = Map::new();
    members.insert("AcceptRanges".into(), "bytes".into());
    members.insert("LastModified".into(), version.modified_s.into());
    members.insert("ETag".into(), format!("\"{}\"", version.etag).into());
    for (name, value) in &description.headers {
        members.insert(name.clone(), value.as_str().into());
    }
    members.insert("Metadata".into(), json!(description.metadata));
    if let Some(id) = told_id(bucket, version) {
        members.insert("VersionId".into(), id);
    }
    if let Some(class) = &description.storage_class {
        members.insert("StorageClass".into(), class.as_str().into());
    }
    if let Some(count) = tagging::count(version) {
        members.insert("TagCount".into(), count);
    }
    tell_encryption(&version.description, &mut members);
    if with_checksum {
        tell_checksum(version, &mut members);
    }
    members
}

fn answer(call: &Call, found: Found) -> Response {
    let Found { version, mut members, part, not_modified, .. } = found;
    let mut status = 200;
    match part {
        _ if not_modified => {
            status = 304;
            without_checksum(&mut members);
        }
        Some((from, bytes)) => {
            status = 206;
            members.insert("ContentLength".into(), bytes.into());
            let last = (from + bytes).saturating_sub(1);
            members.insert("ContentRange".into(), format!("bytes {from}-{last}/{}", version.bytes).into());
            // A client would compare the whole object's checksum with the part.
            if bytes < version.bytes {
                without_checksum(&mut members);
            }
        }
        None => {
            members.insert("ContentLength".into(), version.bytes.into());
        }
    }
    let mut response = call.settle(Ok(Value::Object(members)));
    response.status = http::StatusCode::from_u16(status).unwrap_or_default();
    if not_modified {
        response.headers.remove("content-type");
    }
    response
}

fn expires(call: &Call) -> Option<Value> {
    let (_, text) = percent::pairs(&call.request.query).find(|(name, _)| *name == "response-expires")?;
    Some(String::from_utf8_lossy(&percent::decode_form(text)).into_owned().into())
}

fn without_checksum(members: &mut Map<String, Value>) {
    members.retain(|name, _| !name.starts_with("Checksum"));
}
