//! Objects deleted: for good, or behind a marker where the bucket keeps versions.

use super::S3;
use super::condition;
use super::fault::{self, Fault};
use super::put::told_id;
use super::shelf::{self, Bucket, Version, Versioning};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{object, required, text};

const BATCH_MAX: usize = 1000;

/// What a deletion did.
struct Deleted {
    version_id: Option<Value>,
    /// A marker was made, or the version that was named was one.
    marker: bool,
    /// The marker's id, where it is not the one that was named.
    marker_id: Option<Value>,
}

impl S3 {
    pub(super) async fn delete_object(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        if let Some(id) = text(input, "VersionId") {
            super::get::check_version(&bucket, id)?;
        }
        let deleted = self.delete(input, &bucket, required(input, "Key"), input).await?;
        Ok(object([
            ("DeleteMarker", deleted.marker.then_some(true.into())),
            ("VersionId", deleted.version_id.or(deleted.marker_id)),
        ]))
    }

    /// `refusals`: of each object, where its deletion is not permitted.
    pub(super) async fn delete_objects(
        &self,
        call: &Call,
        input: &Value,
        refusals: &[Option<Fault>],
    ) -> Answer {
        fault::refuse_unbuilt(input)?;
        let bucket = self.bucket(call, input)?;
        let delete = input.get("Delete").ok_or_else(fault::malformed)?;
        let objects = delete.get("Objects").and_then(Value::as_array).filter(|all| !all.is_empty());
        let objects = objects.filter(|all| all.len() <= BATCH_MAX).ok_or_else(fault::malformed)?;
        let quiet = delete.get("Quiet").and_then(Value::as_bool) == Some(true);
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for (at, one) in objects.iter().enumerate() {
            let key = text(one, "Key").filter(|key| !key.is_empty()).ok_or_else(fault::malformed)?;
            for member in ["LastModifiedTime", "Size"] {
                if one.get(member).is_some() {
                    return Err(fault::not_built(member));
                }
            }
            let condition = json!({ "IfMatch": one.get("ETag") });
            let done = match (refusals.get(at).cloned().flatten(), text(one, "VersionId")) {
                (Some(refusal), _) => Err(refusal),
                (None, Some(id)) if super::get::check_version(&bucket, id).is_err() => {
                    Err(fault::no_version(key, id))
                }
                (None, Some(id)) => {
                    let named = json!({ "Bucket": input["Bucket"], "VersionId": id });
                    self.delete(&named, &bucket, key, &condition).await
                }
                (None, None) => {
                    self.delete(&json!({ "Bucket": input["Bucket"] }), &bucket, key, &condition).await
                }
            };
            match done {
                Ok(_) if quiet => {}
                Ok(done) => deleted.push(object([
                    ("Key", Some(key.into())),
                    ("VersionId", done.version_id),
                    ("DeleteMarker", done.marker.then_some(true.into())),
                    ("DeleteMarkerVersionId", done.marker_id),
                ])),
                Err(error) => errors.push(object([
                    ("Key", Some(key.into())),
                    ("VersionId", one.get("VersionId").cloned()),
                    ("Code", Some(error.name().into())),
                    ("Message", error.message.clone().map(Value::from)),
                ])),
            }
        }
        Ok(json!({ "Deleted": deleted, "Errors": errors }))
    }

    async fn delete(
        &self,
        input: &Value,
        bucket: &Bucket,
        key: &str,
        condition: &Value,
    ) -> Result<Deleted, Fault> {
        super::put::check_key(key)?;
        let (_stays, _lock, bucket) = self.hold(required(input, "Bucket"), key, bucket).await?;
        let newest = self.shelf.newest(&bucket, key)?;
        condition::before_write(condition, newest.as_ref(), key)?;
        if let Some(id) = text(input, "VersionId") {
            // What is not there is as good as deleted.
            let found = self.shelf.version(&bucket, key, id)?;
            let marker = found.as_ref().is_some_and(|version| version.is_marker);
            if let Some(version) = found {
                self.erase(&bucket, key, version, None).await?;
            }
            let marker_id = marker.then(|| id.into());
            return Ok(Deleted { version_id: Some(id.into()), marker, marker_id });
        }
        if bucket.versioning == Versioning::Never {
            if let Some(version) = newest {
                self.erase(&bucket, key, version, None).await?;
            }
            return Ok(Deleted { version_id: None, marker: false, marker_id: None });
        }
        let order = self.next_order(newest.as_ref());
        let marker = Version {
            id: self.new_id(&bucket, order),
            order,
            is_marker: true,
            modified_s: self.now_s(),
            file: String::new(),
            bytes: 0,
            etag: String::new(),
            checksum: None,
            parts: None,
            upload: None,
            description: shelf::Description::default(),
        };
        let marker_id = told_id(&bucket, &marker);
        match self.replaced(&bucket, key)? {
            Some(old) => self.erase(&bucket, key, old, Some(&marker)).await?,
            None => {
                let row = shelf::version_key(&bucket, key, order);
                self.shelf.write(|batch| shelf::put(batch, &row, &marker)).await?;
            }
        }
        Ok(Deleted { version_id: None, marker: true, marker_id })
    }

    /// Removes a version and its files; a marker may take its place.
    async fn erase(
        &self,
        bucket: &Bucket,
        key: &str,
        version: Version,
        marker: Option<&Version>,
    ) -> Result<(), Fault> {
        let files = self.files(&version)?;
        let row = shelf::version_key(bucket, key, version.order);
        self.shelf
            .write(|batch| {
                shelf::remove(batch, &row);
                if version.parts.is_some() {
                    shelf::remove(batch, &shelf::pieces_key(&version.file));
                }
                if let Some(marker) = marker {
                    shelf::put(batch, &shelf::version_key(bucket, key, marker.order), marker);
                }
            })
            .await?;
        if !version.is_marker {
            self.vault.remove(&version.file, files);
        }
        Ok(())
    }
}
