//! Tags of objects, which change without a new version.

use super::S3;
use super::fault::{self, Fault};
use super::shelf::{self, Version};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{object, required, tag_list, text};
use std::collections::BTreeMap;
use wire::percent;

/// The tags of a `Tagging` document.
pub(super) fn tags(document: Option<&Value>, most: usize) -> Result<BTreeMap<String, String>, Fault> {
    let list =
        document.and_then(|document| document.get("TagSet")?.as_array()).ok_or_else(fault::malformed)?;
    let mut tags = BTreeMap::new();
    for tag in list {
        let (key, value) = (text(tag, "Key").unwrap_or_default(), text(tag, "Value").unwrap_or_default());
        add(&mut tags, key, value)?;
    }
    limit(tags, most)
}

/// The tags of a header, written as a query.
pub(super) fn header_tags(header: &str) -> Result<BTreeMap<String, String>, Fault> {
    let mut tags = BTreeMap::new();
    for (key, value) in percent::pairs(header) {
        let text = |part: &str| String::from_utf8_lossy(&percent::decode_form(part)).into_owned();
        add(&mut tags, &text(key), &text(value))?;
    }
    check_own(&tags, "Your TagKey cannot be prefixed with aws:")?;
    limit(tags, 10)
}

/// Tags whose keys begin so are AWS's.
pub(super) fn check_own(tags: &BTreeMap<String, String>, message: &str) -> Result<(), Fault> {
    match tags.keys().any(|key| key.starts_with("aws:")) {
        true => Err(fault::new(400, "InvalidTag", message)),
        false => Ok(()),
    }
}

fn add(tags: &mut BTreeMap<String, String>, key: &str, value: &str) -> Result<(), Fault> {
    if key.is_empty() || key.chars().count() > 128 {
        return Err(fault::new(400, "InvalidTag", "The TagKey you have provided is invalid"));
    }
    if value.chars().count() > 256 {
        return Err(fault::new(400, "InvalidTag", "The TagValue you have provided is invalid"));
    }
    if tags.insert(key.to_owned(), value.to_owned()).is_some() {
        return Err(fault::new(400, "InvalidTag", "Cannot provide multiple Tags with the same key"));
    }
    Ok(())
}

fn limit(tags: BTreeMap<String, String>, most: usize) -> Result<BTreeMap<String, String>, Fault> {
    if tags.len() > most {
        let message = format!("Object tags cannot be greater than {most}");
        return Err(fault::new(400, "BadRequest", message));
    }
    Ok(tags)
}

impl S3 {
    pub(super) fn get_object_tagging(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let version = self.tagged(&bucket, input)?;
        Ok(object([
            ("TagSet", Some(tag_list(&version.description.tags))),
            ("VersionId", super::put::told_id(&bucket, &version)),
        ]))
    }

    pub(super) async fn put_object_tagging(&self, call: &Call, input: &Value) -> Answer {
        let tags = tags(input.get("Tagging"), 10)?;
        check_own(&tags, "Your TagKey cannot be prefixed with aws:")?;
        self.set_tags(call, input, tags).await
    }

    pub(super) async fn delete_object_tagging(&self, call: &Call, input: &Value) -> Answer {
        self.set_tags(call, input, BTreeMap::new()).await
    }

    async fn set_tags(&self, call: &Call, input: &Value, tags: BTreeMap<String, String>) -> Answer {
        let bucket = self.bucket(call, input)?;
        let key = required(input, "Key");
        let (_stays, _lock, bucket) = self.hold(required(input, "Bucket"), key, &bucket).await?;
        let asked = |fault: Fault| fault::by(fault, call.request.method.as_str());
        let mut version = self.tagged(&bucket, input).map_err(asked)?;
        version.description.tags = tags;
        let row = shelf::version_key(&bucket, key, version.order);
        self.shelf.write(|batch| shelf::put(batch, &row, &version)).await?;
        Ok(object([("VersionId", super::put::told_id(&bucket, &version))]))
    }

    pub(super) fn tagged(&self, bucket: &shelf::Bucket, input: &Value) -> Result<Version, Fault> {
        Ok(self.find(bucket, required(input, "Key"), text(input, "VersionId"))?.0)
    }
}

/// How many tags an object has, as its headers tell it.
pub(super) fn count(version: &Version) -> Option<Value> {
    Some(version.description.tags.len()).filter(|count| *count > 0).map(|count| json!(count))
}
