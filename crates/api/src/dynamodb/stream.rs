//! Records of a stream, as GetRecords and a function's event write them.

use super::quoted::string;
use super::writer::item;
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
    put(b"{\"eventID\":", out);
    string(record.event_id, out);
    put(b",\"eventName\":", out);
    string(record.event_name, out);
    put(b",\"eventVersion\":\"1.1\",\"eventSource\":\"aws:dynamodb\",\"awsRegion\":", out);
    string(record.region, out);
    put(b",\"dynamodb\":{\"ApproximateCreationDateTime\":", out);
    number(record.created_seconds, out);
    put(b",\"Keys\":", out);
    item(record.keys, out)?;
    if let Some(image) = record.new_image {
        put(b",\"NewImage\":", out);
        item(image, out)?;
    }
    if let Some(image) = record.old_image {
        put(b",\"OldImage\":", out);
        item(image, out)?;
    }
    put(b",\"SequenceNumber\":", out);
    string(record.sequence_number, out);
    put(b",\"SizeBytes\":", out);
    number(record.size_bytes as u64, out);
    put(b",\"StreamViewType\":", out);
    string(record.view_type, out);
    put(b"}", out);
    if record.service_delete {
        match record.source_arn {
            Some(_) => put(
                b",\"userIdentity\":{\"principalId\":\"dynamodb.amazonaws.com\",\"type\":\"Service\"}",
                out,
            ),
            None => put(
                b",\"userIdentity\":{\"PrincipalId\":\"dynamodb.amazonaws.com\",\"Type\":\"Service\"}",
                out,
            ),
        }
    }
    if let Some(arn) = record.source_arn {
        put(b",\"eventSourceARN\":", out);
        string(arn, out);
    }
    put(b"}", out);
    Ok(())
}

/// Words whose length is known are stored, not copied.
fn put<const N: usize>(words: &[u8; N], out: &mut Vec<u8>) {
    out.extend_from_slice(words);
}

fn number(number: u64, out: &mut Vec<u8>) {
    let (mut digits, mut at, mut rest) = ([0; 20], 20, number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
