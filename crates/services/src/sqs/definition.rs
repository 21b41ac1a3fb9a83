//! A queue's own document: its attributes, in AWS's names, and what they must look like.

use super::fault::{self, Fault};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use servicekit::fields::object;
use std::collections::BTreeMap;

pub(crate) const MESSAGE_BYTES_MAX: u64 = 1 << 20;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Definition {
    /// Whose messages these are: a queue of the same name made later, or purged, has another one.
    pub incarnation: String,
    pub created_s: u64,
    pub modified_s: u64,
    /// As they were set.
    pub attributes: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

/// Numbers: name, least, most, default.
const NUMBERS: &[(&str, u64, u64, u64)] = &[
    ("DelaySeconds", 0, 900, 0),
    ("MaximumMessageSize", 1_024, MESSAGE_BYTES_MAX, MESSAGE_BYTES_MAX),
    ("MessageRetentionPeriod", 60, 1_209_600, 345_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20, 0),
    ("VisibilityTimeout", 0, 43_200, 30),
];

/// The redrive policy, read.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Redrive {
    #[serde(rename = "deadLetterTargetArn")]
    pub target: String,
    #[serde(rename = "maxReceiveCount", deserialize_with = "number")]
    pub receives_max: u32,
}

/// Clients write the count as a number and as text.
fn number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let value = Value::deserialize(from)?;
    let read =
        value.as_u64().or_else(|| value.as_str()?.parse().ok()).and_then(|count| u32::try_from(count).ok());
    read.ok_or_else(|| serde::de::Error::custom("not a count"))
}

impl Definition {
    pub fn number(&self, name: &str) -> u64 {
        let default = NUMBERS.iter().find(|(known, ..)| *known == name).map_or(0, |(.., default)| *default);
        self.attributes.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    pub fn is_fifo(&self) -> bool {
        self.attributes.get("FifoQueue").is_some_and(|text| text == "true")
    }

    pub fn dedups_by_content(&self) -> bool {
        self.attributes.get("ContentBasedDeduplication").is_some_and(|text| text == "true")
    }

    pub fn dedups_by_group(&self) -> bool {
        self.attributes.get("DeduplicationScope").is_some_and(|text| text == "messageGroup")
    }

    pub fn redrive(&self) -> Option<Redrive> {
        serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()
    }

    /// Every attribute as `GetQueueAttributes` shows it, but for counts and the ARN.
    pub fn shown(&self) -> BTreeMap<String, String> {
        let mut shown: BTreeMap<String, String> =
            NUMBERS.iter().map(|(name, .., default)| ((*name).to_owned(), default.to_string())).collect();
        shown.insert("SqsManagedSseEnabled".into(), "true".into());
        shown.insert("CreatedTimestamp".into(), self.created_s.to_string());
        shown.insert("LastModifiedTimestamp".into(), self.modified_s.to_string());
        if self.is_fifo() {
            for (name, value) in [
                ("ContentBasedDeduplication", "false"),
                ("DeduplicationScope", "queue"),
                ("FifoThroughputLimit", "perQueue"),
            ] {
                shown.insert(name.into(), value.into());
            }
        }
        shown.extend(self.attributes.clone());
        shown
    }
}

/// Checks attributes that are to be set, on a queue that is a FIFO queue or is not. An empty value unsets.
/// Truths are written in any letters, and kept in small ones. [suite: recorded answers]
pub(crate) fn plain(mut attributes: BTreeMap<String, String>) -> BTreeMap<String, String> {
    for name in ["FifoQueue", "ContentBasedDeduplication", "SqsManagedSseEnabled"] {
        if let Some(value) = attributes.get_mut(name) {
            value.make_ascii_lowercase();
        }
    }
    attributes
}

pub(crate) fn check(attributes: &BTreeMap<String, String>, fifo: bool) -> Result<(), Fault> {
    for (name, value) in attributes {
        if !holds(name, value, fifo)? {
            let why =
                if name == "FifoQueue" { " Reason: Modifying queue type is not supported." } else { "" };
            let message = format!("Invalid value for the parameter {name}.{why}");
            return Err(fault::new("InvalidAttributeValue", message));
        }
    }
    Ok(())
}

fn holds(name: &str, value: &str, fifo: bool) -> Result<bool, Fault> {
    if let Some((_, least, most, _)) = NUMBERS.iter().find(|(known, ..)| *known == name) {
        return Ok(value.parse().is_ok_and(|number: u64| (*least..=*most).contains(&number)));
    }
    Ok(match name {
        "Policy" | "RedriveAllowPolicy" if value.is_empty() => true,
        "Policy" => serde_json::from_str::<Value>(value).is_ok_and(|policy| policy.is_object()),
        "RedrivePolicy" if value.is_empty() => true,
        "RedrivePolicy" => serde_json::from_str::<Redrive>(value)
            .is_ok_and(|redrive| (1..=1_000).contains(&redrive.receives_max)),
        "FifoQueue" if fifo => value == "true",
        "DeduplicationScope" | "FifoThroughputLimit" if !fifo => {
            return Err(fault::new(
                "InvalidAttributeName",
                format!("You can specify the {name} only when FifoQueue is set to true."),
            ));
        }
        "ContentBasedDeduplication" if fifo => value == "true" || value == "false",
        "DeduplicationScope" if fifo => value == "queue" || value == "messageGroup",
        // Throughput is not limited here, either way.
        "FifoThroughputLimit" if fifo => value == "perQueue" || value == "perMessageGroupId",
        // Messages lie in the data directory as every item does; AWS's own encryption shows in nothing else.
        "SqsManagedSseEnabled" => value == "true" || value == "false",
        "KmsMasterKeyId" | "RedriveAllowPolicy" | "KmsDataKeyReusePeriodSeconds" => {
            return Err(fault::new(
                "InvalidAttributeValue",
                format!("{name} is not supported: leave it out"),
            ));
        }
        _ => return Err(unknown_attribute(name)),
    })
}

/// A map member of strings.
pub(crate) fn strings(input: &Value, member: &str) -> BTreeMap<String, String> {
    let map = input.get(member).and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// The attributes that were asked for, by name or all; nothing where that is none.
pub(crate) fn unknown_attribute(name: &str) -> Fault {
    fault::new("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

/// Whether a queue can be asked for it.
pub(crate) fn is_told(name: &str) -> bool {
    matches!(
        name,
        "All"
            | "ApproximateNumberOfMessages"
            | "ApproximateNumberOfMessagesDelayed"
            | "ApproximateNumberOfMessagesNotVisible"
            | "ContentBasedDeduplication"
            | "CreatedTimestamp"
            | "DeduplicationScope"
            | "DelaySeconds"
            | "FifoQueue"
            | "FifoThroughputLimit"
            | "KmsDataKeyReusePeriodSeconds"
            | "KmsMasterKeyId"
            | "LastModifiedTimestamp"
            | "MaximumMessageSize"
            | "MessageRetentionPeriod"
            | "Policy"
            | "QueueArn"
            | "ReceiveMessageWaitTimeSeconds"
            | "RedriveAllowPolicy"
            | "RedrivePolicy"
            | "SqsManagedSseEnabled"
            | "VisibilityTimeout"
    )
}

pub(crate) fn pick(all: BTreeMap<String, String>, wanted: &[String]) -> Option<Value> {
    let every = wanted.iter().any(|name| name == "All");
    let picked: serde_json::Map<String, Value> = all
        .into_iter()
        .filter(|(name, _)| every || wanted.contains(name))
        .map(|(name, value)| (name, value.into()))
        .collect();
    (!picked.is_empty()).then_some(Value::Object(picked))
}

/// An answer of one map, absent where it is empty.
pub(crate) fn map_answer(member: &'static str, map: Option<Value>) -> Value {
    object([(member, map)])
}
