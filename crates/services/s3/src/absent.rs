//! What a bucket cannot be given here, and an account is never without: who asks is told that there is none, or what it is without.

use super::fault::{self, Fault};
use super::{S3, owner, owner_id};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::required;

/// The answer about what is as it is for a new bucket on AWS; None where an operation is not about such a thing.
pub(super) fn told(operation: &str) -> Option<Result<Value, (&'static str, &'static str)>> {
    Some(match operation {
        "GetBucketAccelerateConfiguration" | "GetBucketLogging" | "GetBucketNotificationConfiguration" => {
            Ok(json!({}))
        }
        "GetBucketRequestPayment" => Ok(json!({ "Payer": "BucketOwner" })),
        "GetBucketReplication" => {
            Err(("ReplicationConfigurationNotFoundError", "The replication configuration was not found"))
        }
        "GetBucketWebsite" => {
            Err(("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"))
        }
        "GetObjectLockConfiguration" => Err((
            "ObjectLockConfigurationNotFoundError",
            "Object Lock configuration does not exist for this bucket",
        )),
        _ => return None,
    })
}

impl S3 {
    pub(super) fn absent(
        &self,
        call: &Call,
        input: &Value,
        told: Result<Value, (&'static str, &'static str)>,
    ) -> Answer {
        self.bucket(call, input)?;
        told.map_err(|(code, message)| -> Fault {
            fault::new(404, code, message).with("BucketName", required(input, "Bucket"))
        })
    }

    /// Access lists are not kept: everything is its owner's.
    pub(super) fn get_bucket_acl(&self, call: &Call, input: &Value) -> Answer {
        self.bucket(call, input)?;
        Ok(owned(call))
    }

    pub(super) fn get_object_acl(&self, call: &Call, input: &Value) -> Answer {
        let bucket = self.bucket(call, input)?;
        self.tagged(&bucket, input)?;
        Ok(owned(call))
    }
}

fn owned(call: &Call) -> Value {
    let grantee = json!({ "ID": owner_id(call), "Type": "CanonicalUser" });
    json!({ "Owner": owner(call), "Grants": [{ "Grantee": grantee, "Permission": "FULL_CONTROL" }] })
}
