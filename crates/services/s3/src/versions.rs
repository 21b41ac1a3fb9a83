//! Versions and markers listed.

use super::list::{Entry, Names, Walk};
use super::{S3, fault, owner};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::text;

impl S3 {
    pub(super) fn list_object_versions(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let names = Names::of(input)?;
        let key_marker = text(input, "KeyMarker").unwrap_or_default();
        let id_marker = text(input, "VersionIdMarker").filter(|id| !id.is_empty());
        let behind = match id_marker {
            None => None,
            Some(id) if key_marker.is_empty() => {
                let message = "A version-id marker cannot be specified without a key marker.";
                return Err(fault::argument(message, "version-id-marker", id));
            }
            Some(id) => {
                let version = self.shelf.version(&bucket, key_marker, id)?;
                // Of a version that went away in between, its id still tells where it stood.
                let order = version.map(|version| version.order).or_else(|| order_of(id));
                Some(order.ok_or_else(|| {
                    fault::argument("Invalid version id specified", "version-id-marker", id)
                })?)
            }
        };
        let walk = Walk { behind, versions: true, ..names.walk(key_marker) };
        let (entries, more) = self.walk(&bucket, &walk)?;
        let mut answer = names.head(input, more && names.limit > 0);
        answer.insert("KeyMarker".into(), names.told(key_marker));
        answer.insert("VersionIdMarker".into(), id_marker.unwrap_or_default().into());
        if let Some(last) = entries.last().filter(|_| more) {
            answer.insert("NextKeyMarker".into(), names.told(last.name()));
            if let Entry::Version { version, .. } = last {
                answer.insert("NextVersionIdMarker".into(), version.id.as_str().into());
            }
        }
        let (mut versions, mut markers) = (Vec::new(), Vec::new());
        for entry in &entries {
            let Entry::Version { key, version, newest } = entry else { continue };
            let mut told = json!({
                "Key": names.told(key),
                "VersionId": version.id,
                "IsLatest": newest,
                "LastModified": version.modified_s,
                "Owner": owner(call),
            });
            if version.is_marker {
                markers.push(told);
                continue;
            }
            told["ETag"] = format!("\"{}\"", version.etag).into();
            told["Size"] = version.bytes.into();
            told["StorageClass"] = version.description.storage_class.as_deref().unwrap_or("STANDARD").into();
            if let Some(sum) = &version.checksum {
                told["ChecksumAlgorithm"] = json!([sum.algorithm.name()]);
                told["ChecksumType"] = sum.kind.name().into();
            }
            versions.push(told);
        }
        answer.insert("Versions".into(), versions.into());
        answer.insert("DeleteMarkers".into(), markers.into());
        answer.insert("CommonPrefixes".into(), names.prefixes(&entries));
        Ok(Value::Object(answer))
    }
}

fn order_of(id: &str) -> Option<u64> {
    u64::from_str_radix(id.get(..16)?, 16).ok()
}
