//! Buckets: made, found, listed, removed.

use super::fault::{self, Fault};
use super::shelf::{self, Bucket, Piece, Upload, Versioning};
use super::{S3, owner};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{integer, object, required, tag_list, text};

/// The region that a bucket is in when nobody says where.
const HOME: &str = "us-east-1";

fn region_of(constraint: &str) -> &str {
    if constraint == "EU" { "eu-west-1" } else { constraint }
}

impl S3 {
    pub(super) async fn create_bucket(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "Bucket");
        check_name(name)?;
        if input.get("ObjectLockEnabledForBucket").and_then(Value::as_bool) == Some(true) {
            return Err(fault::not_built("ObjectLockEnabledForBucket"));
        }
        let configuration = input.get("CreateBucketConfiguration").cloned().unwrap_or_default();
        for member in ["Location", "Bucket"] {
            if configuration.get(member).is_some() {
                return Err(fault::not_built(member));
            }
        }
        let region = &*call.caller.region;
        let constraint = text(&configuration, "LocationConstraint").filter(|place| !place.is_empty());
        check_location(constraint, region)?;
        let ownership = text(input, "ObjectOwnership").unwrap_or("BucketOwnerEnforced");
        let _alone = self.changing.write().await;
        if self.buckets.get(name)?.is_some() {
            if region == "us-east-1" {
                return Ok(json!({ "Location": format!("/{name}") }));
            }
            let message =
                "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(fault::new(409, "BucketAlreadyOwnedByYou", message).with("BucketName", name));
        }
        let all = json!({ "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true });
        let settings =
            [("ownership", json!({ "Rules": [{ "ObjectOwnership": ownership }] })), ("public-access", all)];
        let bucket = Bucket {
            incarnation: self.world.hex(16),
            created_s: self.now_s(),
            region: constraint.map_or(region, region_of).to_owned(),
            constraint: constraint.filter(|place| *place == "EU").map(str::to_owned),
            versioning: Versioning::Never,
            tags: servicekit::fields::tags_of(&configuration, "Tags"),
            settings: settings.map(|(name, value)| (name.to_owned(), value)).into(),
        };
        self.buckets.put(name, bucket).await?;
        Ok(json!({ "Location": format!("/{name}"), "BucketArn": arn(name) }))
    }

    pub(super) async fn delete_bucket(&self, call: &Call, input: &Value) -> Answer {
        let name = required(input, "Bucket");
        let _alone = self.changing.write().await;
        let bucket = self.bucket(call, input)?;
        let start = shelf::object_start(&bucket);
        if self.shelf.scan(&start, &shelf::end_of(&start)).next().is_some() {
            let message = match bucket.versioning {
                Versioning::Never => "The bucket you tried to delete is not empty",
                _ => {
                    "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
                }
            };
            return Err(fault::new(409, "BucketNotEmpty", message).with("BucketName", name));
        }
        let uploads = shelf::uploads_start(&bucket);
        for (rest, upload) in self.shelf.all::<Upload>(&uploads)? {
            self.forget([&uploads[..], &rest].concat(), &upload.id).await?;
        }
        self.buckets.remove(name).await?;
        Ok(json!({}))
    }

    pub(super) fn head_bucket(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        Ok(json!({ "BucketRegion": bucket.region, "AccessPointAlias": false }))
    }

    pub(super) fn get_location(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        let region = bucket.constraint.or(Some(bucket.region)).filter(|region| region != HOME);
        Ok(json!({ "LocationConstraint": region }))
    }

    pub(super) fn list_buckets(&self, call: &Call, input: &Value) -> Answer {
        let (prefix, region) = (text(input, "Prefix").unwrap_or_default(), text(input, "BucketRegion"));
        if let Some(odd) = region.filter(|region| !is_region(region)) {
            let message = format!("Argument value {odd} is not a valid AWS Region");
            return Err(fault::new(400, "InvalidArgument", message).with("ArgumentName", "bucket-region"));
        }
        let after = text(input, "ContinuationToken").unwrap_or_default();
        let after = wire::base64::decode(after).ok().and_then(|name| String::from_utf8(name).ok());
        let after = after.ok_or_else(|| {
            fault::new(400, "InvalidArgument", "The continuation token provided is incorrect")
                .with("ArgumentName", "continuation-token")
        })?;
        let limit = integer(input, "MaxBuckets").unwrap_or(10_000).clamp(1, 10_000) as usize;
        let mut found =
            self.buckets.list(prefix)?.into_iter().map(|(rest, bucket)| (format!("{prefix}{rest}"), bucket));
        let mut buckets: Vec<(String, Bucket)> = found
            .by_ref()
            .filter(|(name, bucket)| *name > after && region.is_none_or(|region| region == bucket.region))
            .take(limit + 1)
            .collect();
        let more = buckets.len() > limit;
        buckets.truncate(limit);
        let token = buckets
            .last()
            .filter(|_| more)
            .map(|(name, _)| Value::from(wire::base64::encode(name.as_bytes())));
        let listed: Value = buckets
            .iter()
            .map(|(name, bucket)| json!({ "Name": name, "CreationDate": bucket.created_s, "BucketRegion": bucket.region, "BucketArn": arn(name) }))
            .collect();
        Ok(object([
            ("Buckets", Some(listed)),
            ("Owner", Some(owner(call))),
            ("ContinuationToken", token),
            ("Prefix", text(input, "Prefix").map(Value::from)),
        ]))
    }

    pub(super) fn get_versioning(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        Ok(match bucket.versioning {
            Versioning::Never => json!({}),
            Versioning::Enabled => json!({ "Status": "Enabled" }),
            Versioning::Suspended => json!({ "Status": "Suspended" }),
        })
    }

    pub(super) async fn put_versioning(&self, call: &Call, input: &Value) -> Answer {
        let configuration = input.get("VersioningConfiguration").ok_or_else(fault::malformed)?;
        if text(configuration, "MFADelete") == Some("Enabled") {
            return Err(fault::not_built("MFADelete"));
        }
        let versioning = match text(configuration, "Status") {
            Some("Enabled") => Versioning::Enabled,
            Some("Suspended") => Versioning::Suspended,
            _ => {
                let message = "The Versioning element must be specified";
                return Err(fault::new(400, "IllegalVersioningConfigurationException", message));
            }
        };
        self.change(call, input, |bucket| bucket.versioning = versioning).await
    }

    pub(super) fn get_bucket_tagging(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        if bucket.tags.is_empty() {
            return Err(fault::new(404, "NoSuchTagSet", "The TagSet does not exist")
                .with("BucketName", required(input, "Bucket")));
        }
        Ok(json!({ "TagSet": tag_list(&bucket.tags) }))
    }

    pub(super) async fn put_bucket_tagging(&self, call: &Call, input: &Value) -> Answer {
        let tags = super::tagging::tags(input.get("Tagging"), 50)?;
        if call.inside.is_none() {
            super::tagging::check_own(&tags, "System tags cannot be added/updated by requester")?;
        }
        self.change(call, input, |bucket| bucket.tags = tags.clone()).await
    }

    pub(super) async fn delete_bucket_tagging(&self, call: &Call, input: &Value) -> Answer {
        self.change(call, input, |bucket| bucket.tags.clear()).await
    }

    /// Changes a bucket's record, while nobody changes what is in it.
    pub(super) async fn change(&self, call: &Call, input: &Value, change: impl Fn(&mut Bucket)) -> Answer {
        let _alone = self.changing.write().await;
        self.bucket(call, input)?;
        let name = required(input, "Bucket");
        self.buckets
            .edit(name, |bucket| {
                let mut bucket = bucket.ok_or_else(|| fault::no_bucket(name))?;
                change(&mut bucket);
                Ok((Edit::Put(bucket), ()))
            })
            .await?;
        Ok(json!({}))
    }

    /// All files of an object.
    pub(super) fn files(&self, version: &shelf::Version) -> Result<Vec<String>, Fault> {
        if version.parts.is_none() {
            return Ok(Some(version.file.clone()).filter(|file| !file.is_empty()).into_iter().collect());
        }
        let pieces: Option<Vec<Piece>> = self.shelf.get(&shelf::pieces_key(&version.file))?;
        Ok(pieces.unwrap_or_default().into_iter().map(|piece| piece.file).collect())
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:s3:::{name}")
}

fn check_name(name: &str) -> Result<(), Fault> {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = (3..=63).contains(&name.len())
        && name.bytes().all(|byte| inside(byte) || b".-".contains(&byte))
        && name.bytes().next().is_some_and(inside)
        && name.bytes().last().is_some_and(inside)
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err();
    match fits {
        true => Ok(()),
        false => Err(fault::new(400, "InvalidBucketName", "The specified bucket is not valid.")
            .with("BucketName", name)),
    }
}

/// The regions that there are, but for those of governments and of China.
const REGIONS: [&str; 34] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

fn is_region(name: &str) -> bool {
    REGIONS.contains(&name)
}

fn check_location(constraint: Option<&str>, region: &str) -> Result<(), Fault> {
    let told = match constraint.filter(|constraint| !constraint.is_empty()) {
        None if region == HOME => return Ok(()),
        Some(constraint) if constraint == region && region != HOME => return Ok(()),
        Some("EU") if region == "eu-west-1" => return Ok(()),
        // The oldest region makes buckets for all others.
        Some(constraint) if region == HOME => {
            let known = constraint == "EU" || (constraint != HOME && is_region(constraint));
            let message = "The specified location-constraint is not valid";
            return match known {
                true => Ok(()),
                false => Err(fault::new(400, "InvalidLocationConstraint", message)
                    .with("LocationConstraint", constraint)),
            };
        }
        None => "unspecified",
        Some(constraint) => constraint,
    };
    let message = format!(
        "The {told} location constraint is incompatible for the region specific endpoint this request was sent to."
    );
    Err(fault::new(400, "IllegalLocationConstraintException", message))
}
