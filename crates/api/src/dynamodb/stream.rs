//! Records of a stream, as GetRecords and a function's event write them.

use super::writer::Object;
use model::{CorruptImage, View};

/// A record's parts, by reference.
#[derive(Clone, Copy, Debug)]
pub struct StreamRecord<'a> {
    pub event_id: &'a str,
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub event_name: &'a str,
    pub region: &'a str,
    /// Whole seconds since the epoch.
    pub created_seconds: u64,
    pub keys: View<'a>,
    pub new_image: Option<View<'a>>,
    pub old_image: Option<View<'a>>,
    pub sequence_number: &'a str,
    pub size_bytes: usize,
    /// `KEYS_ONLY`, `NEW_AND_OLD_IMAGES` …
    pub view_type: &'a str,
    /// Whether the service itself removed the item (time to live).
    pub service_delete: bool,
    /// The stream's ARN: a function's event names it, GetRecords does not.
    pub source_arn: Option<&'a str>,
}

/// Appends one record. The two readers differ in the spelling of `userIdentity`'s members and in `eventSourceARN`.
pub fn stream_record(record: &StreamRecord<'_>, out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    let mut object = Object::new(out);
    object.string("eventID", record.event_id);
    object.string("eventName", record.event_name);
    object.string("eventVersion", "1.1");
    object.string("eventSource", "aws:dynamodb");
    object.string("awsRegion", record.region);
    let mut change = Object::new(object.member("dynamodb"));
    change.number("ApproximateCreationDateTime", record.created_seconds);
    change.item("Keys", record.keys)?;
    if let Some(image) = record.new_image {
        change.item("NewImage", image)?;
    }
    if let Some(image) = record.old_image {
        change.item("OldImage", image)?;
    }
    change.string("SequenceNumber", record.sequence_number);
    change.number("SizeBytes", record.size_bytes);
    change.string("StreamViewType", record.view_type);
    change.end();
    if record.service_delete {
        let (principal, kind) = match record.source_arn {
            Some(_) => ("principalId", "type"),
            None => ("PrincipalId", "Type"),
        };
        let mut identity = Object::new(object.member("userIdentity"));
        identity.string(principal, "dynamodb.amazonaws.com");
        identity.string(kind, "Service");
        identity.end();
    }
    if let Some(arn) = record.source_arn {
        object.string("eventSourceARN", arn);
    }
    object.end();
    Ok(())
}
