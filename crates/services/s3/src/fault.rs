//! What goes wrong in S3, in its own words.

use serde_json::Value;
use wire::ServiceError;

pub(super) type Fault = ServiceError;

pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Fault {
    ServiceError::new(code, message).with_status(status)
}

pub(super) fn no_bucket(name: &str) -> Fault {
    new(404, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", name)
}

pub(super) fn no_key(key: &str) -> Fault {
    new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

pub(super) fn no_version(key: &str, version: &str) -> Fault {
    new(404, "NoSuchVersion", "The specified version does not exist.")
        .with("Key", key)
        .with("VersionId", version)
}

pub(super) fn no_upload(id: &str) -> Fault {
    let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    new(404, "NoSuchUpload", message).with("UploadId", id)
}

pub(super) fn argument(message: impl Into<String>, name: &str, value: &str) -> Fault {
    new(400, "InvalidArgument", message).with("ArgumentName", name).with("ArgumentValue", value)
}

pub(super) fn request(message: impl Into<String>) -> Fault {
    new(400, "InvalidRequest", message)
}

pub(super) fn malformed() -> Fault {
    new(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

pub(super) fn precondition(condition: &str) -> Fault {
    new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        .with("Condition", condition)
}

pub(super) fn denied(message: &str) -> Fault {
    new(403, "AccessDenied", message)
}

/// What is not to be done with a marker, told with the method it was asked by.
pub(super) fn by(mut fault: Fault, method: &str) -> Fault {
    if let Some(told) = fault.members.get_mut("Method") {
        *told = method.into();
    }
    fault
}

/// A header or parameter that asks for what is not built.
pub(super) fn not_built(member: &str) -> Fault {
    let message = format!("A header you provided implies functionality that is not implemented: {member}");
    new(501, "NotImplemented", message).with("Header", member)
}

/// Refuses the members that ask for what is not built.
pub(super) fn refuse_unbuilt(input: &Value) -> Result<(), Fault> {
    const UNBUILT: &[&str] = &[
        "GrantFullControl",
        "GrantRead",
        "GrantReadACP",
        "GrantWrite",
        "GrantWriteACP",
        "ObjectLockMode",
        "ObjectLockRetainUntilDate",
        "ObjectLockLegalHoldStatus",
        "SSECustomerAlgorithm",
        "SSECustomerKey",
        "CopySourceSSECustomerAlgorithm",
        "CopySourceSSECustomerKey",
        "SSEKMSEncryptionContext",
        "WriteOffsetBytes",
        "MFA",
        "OptionalObjectAttributes",
        "IfMatchLastModifiedTime",
        "IfMatchSize",
    ];
    if let Some(member) = UNBUILT.iter().find(|member| input.get(**member).is_some()) {
        return Err(not_built(member));
    }
    match input.get("ACL").and_then(Value::as_str) {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(_) => Err(new(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")),
    }
}
