//! Documents that a bucket keeps for its clients: encryption, policy, lifecycle, public access, ownership, rules for pages.

use super::S3;
use super::cors;
use super::fault::{self, Fault};
use super::shelf::Bucket;
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::{required, text};

#[derive(Clone, Copy)]
pub(super) enum Verb {
    Get,
    Put,
    Delete,
}

/// One kind of document, and what is done with it.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    verb: Verb,
    name: &'static str,
    /// The member that carries it.
    member: &'static str,
    /// The error where there is none.
    missing: (&'static str, &'static str),
}

/// The setting that an operation is about.
pub(super) fn of(operation: &str) -> Option<Setting> {
    let (verb, rest) = match operation {
        name if name.starts_with("Get") => (Verb::Get, &name[3..]),
        name if name.starts_with("Put") => (Verb::Put, &name[3..]),
        name if name.starts_with("Delete") => (Verb::Delete, &name[6..]),
        _ => return None,
    };
    let (name, member, missing) = match rest {
        "BucketCors" => (
            "cors",
            "CORSConfiguration",
            ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
        ),
        "BucketEncryption" => (
            "encryption",
            "ServerSideEncryptionConfiguration",
            (
                "ServerSideEncryptionConfigurationNotFoundError",
                "The server side encryption configuration was not found",
            ),
        ),
        "BucketPolicy" => ("policy", "Policy", ("NoSuchBucketPolicy", "The bucket policy does not exist")),
        "BucketLifecycleConfiguration" | "BucketLifecycle" => (
            "lifecycle",
            "LifecycleConfiguration",
            ("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
        ),
        "PublicAccessBlock" => (
            "public-access",
            "PublicAccessBlockConfiguration",
            ("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"),
        ),
        "BucketOwnershipControls" => (
            "ownership",
            "OwnershipControls",
            ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
        ),
        _ => return None,
    };
    Some(Setting { verb, name, member, missing })
}

/// What may be kept from the public, each by itself.
const BLOCKS: [&str; 4] =
    ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

impl S3 {
    pub(super) async fn setting(&self, call: &Call, input: &Value, setting: Setting) -> Answer {
        let Setting { name, member, missing, .. } = setting;
        match setting.verb {
            Verb::Get => {
                let bucket = self.bucket(call, input)?;
                let kept = bucket.settings.get(name).cloned();
                let value = match (kept, name) {
                    (Some(value), _) => value,
                    // Every bucket has one: this, unless another one was put.
                    (None, "encryption") => json!({ "Rules": [{
                        "ApplyServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" },
                        "BucketKeyEnabled": false,
                    }] }),
                    (None, _) => {
                        return Err(fault::new(404, missing.0, missing.1)
                            .with("BucketName", required(input, "Bucket")));
                    }
                };
                // The whole document is the answer.
                if matches!(name, "cors" | "lifecycle") {
                    return Ok(value);
                }
                Ok(Value::Object(Map::from_iter([(member.to_owned(), value)])))
            }
            Verb::Put => {
                let given = input.get(member).cloned();
                let mut value = match (given, name) {
                    (Some(value), _) => value,
                    // A policy is no XML, and neither is none.
                    (None, "policy") => "".into(),
                    (None, _) => return Err(fault::malformed()),
                };
                check(name, &value)?;
                if let (Some(members), "public-access") = (value.as_object_mut(), name) {
                    for member in BLOCKS {
                        members.entry(member).or_insert(false.into());
                    }
                }
                let size = text(input, "TransitionDefaultMinimumObjectSize").map(str::to_owned);
                self.change(call, input, |bucket| {
                    let mut value = value.clone();
                    if let (Some(size), Some(members)) = (&size, value.as_object_mut()) {
                        members.insert("TransitionDefaultMinimumObjectSize".into(), size.as_str().into());
                    }
                    bucket.settings.insert(name.to_owned(), value);
                })
                .await
            }
            Verb::Delete => self.change(call, input, |bucket| drop(bucket.settings.remove(name))).await,
        }
    }
}

fn check(name: &str, value: &Value) -> Result<(), Fault> {
    let rules = || value.get("Rules").and_then(Value::as_array).filter(|rules| !rules.is_empty());
    match name {
        "cors" => cors::check(value),
        "policy" => {
            let given = value.as_str().unwrap_or_default();
            let words = match serde_json::from_str::<Value>(given).ok() {
                None if !given.starts_with('{') => {
                    "Policies must be valid JSON and the first byte must be '{'"
                }
                None => "This policy contains invalid Json",
                Some(document) if document.get("Statement").is_none() => "Missing required field Statement",
                Some(_) => return Ok(()),
            };
            Err(fault::new(400, "MalformedPolicy", words))
        }
        "encryption" => {
            let rules = rules().ok_or_else(fault::malformed)?;
            let known = rules.iter().all(|rule| {
                let default = rule.get("ApplyServerSideEncryptionByDefault");
                default
                    .and_then(|default| text(default, "SSEAlgorithm"))
                    .is_none_or(|algorithm| matches!(algorithm, "AES256" | "aws:kms" | "aws:kms:dsse"))
            });
            if known { Ok(()) } else { Err(fault::malformed()) }
        }
        "lifecycle" => {
            let rules = rules().ok_or_else(fault::malformed)?;
            let sound = rules.iter().all(|rule| matches!(text(rule, "Status"), Some("Enabled" | "Disabled")));
            if sound { Ok(()) } else { Err(fault::malformed()) }
        }
        "ownership" => {
            let known = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];
            let rules = rules().ok_or_else(fault::malformed)?;
            let sound = rules
                .iter()
                .all(|rule| text(rule, "ObjectOwnership").is_some_and(|one| known.contains(&one)));
            if sound { Ok(()) } else { Err(fault::malformed()) }
        }
        _ => Ok(()),
    }
}

/// What a bucket's objects are encrypted with when nobody says anything else.
pub(super) struct Encryption {
    pub algorithm: String,
    pub key: Option<String>,
    pub bucket_key: bool,
}

pub(super) fn default_encryption(bucket: &Bucket) -> Encryption {
    let rule = bucket.settings.get("encryption").and_then(|value| value.get("Rules")?.get(0)).cloned();
    let default = rule
        .as_ref()
        .and_then(|rule| rule.get("ApplyServerSideEncryptionByDefault").cloned())
        .unwrap_or_default();
    Encryption {
        algorithm: text(&default, "SSEAlgorithm").unwrap_or("AES256").to_owned(),
        key: text(&default, "KMSMasterKeyID").map(str::to_owned),
        bucket_key: rule.is_some_and(|rule| rule.get("BucketKeyEnabled") == Some(&Value::Bool(true))),
    }
}
