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

/// Appends one record. The two readers differ in the moment's form, the spelling of `userIdentity`'s members and in `eventSourceARN`.
pub fn stream_record(record: &StreamRecord<'_>, out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    let mut object = Object::new(out);
    object.string("eventID", record.event_id);
    object.string("eventName", record.event_name);
    object.string("eventVersion", "1.1");
    object.string("eventSource", "aws:dynamodb");
    object.string("awsRegion", record.region);
    let mut change = Object::new(object.member("dynamodb"));
    match record.source_arn {
        // Functions are handed a fraction, as Java writes one. [suite: recorded answers]
        Some(_) => change.number("ApproximateCreationDateTime", java_double(record.created_seconds)),
        None => change.number("ApproximateCreationDateTime", record.created_seconds),
    }
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

/// `1795286290` → `1.79528629E9`
fn java_double(whole: u64) -> String {
    let digits = whole.to_string();
    // Smaller ones are written out.
    if digits.len() <= 7 {
        return format!("{digits}.0");
    }
    let (first, rest) = digits.split_at(1);
    let rest = rest.trim_end_matches('0');
    let rest = if rest.is_empty() { "0" } else { rest };
    format!("{first}.{rest}E{}", digits.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::java_double;

    #[test]
    fn numbers_as_java_writes_them() {
        for (number, text) in [
            (0, "0.0"),
            (9_999_999, "9999999.0"),
            (10_000_000, "1.0E7"),
            (1_795_286_290, "1.79528629E9"),
            (1_795_286_297, "1.795286297E9"),
        ] {
            assert_eq!(java_double(number), text);
        }
    }
}
