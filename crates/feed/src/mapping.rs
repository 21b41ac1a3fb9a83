//! A mapping: which stream drives which target, and how. Its definition is durable; its state is what it does now.

use crate::policy::{Backoff, Policy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use world::Timestamp;

/// A mapping's name: a UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingId(Arc<str>);

impl MappingId {
    pub fn new(uuid: impl Into<Arc<str>>) -> MappingId {
        MappingId(uuid.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MappingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a mapping begins to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    Horizon,
    Latest,
}

/// What a mapping is: everything about it that its owner decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    pub id: MappingId,
    pub account: String,
    pub region: String,
    /// The stream's ARN.
    pub stream: String,
    /// What is driven, in words that only the one who makes targets understands.
    pub target: String,
    pub start: Start,
    /// Records up to and including this sequence are not the mapping's.
    pub start_position: u64,
    pub policy: Policy,
    /// Into how many lanes a shard is divided.
    pub lanes: usize,
    /// Event patterns, as their owner wrote them; one of them is enough.
    pub filters: Vec<String>,
    /// Where records go that are given up, in words that only the one who makes destinations understands.
    pub on_failure: Option<String>,
    /// Which kinds of measurements its owner asked for.
    pub metrics: Vec<String>,
    pub tags: BTreeMap<String, String>,
    pub enabled: bool,
    pub modified: Timestamp,
}

/// What a mapping is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Creating,
    Enabling,
    Enabled,
    Disabling,
    Disabled,
    Updating,
    Deleting,
}

impl State {
    /// Whether it is on its way to another state, and may not be changed before it is there.
    pub fn is_passing(self) -> bool {
        !matches!(self, State::Enabled | State::Disabled)
    }
}

/// Stored bytes are not a mapping.
#[derive(Debug)]
pub struct CorruptMapping(pub String);

const VERSION: u8 = 1;

/// The first stored form: a version byte and this as JSON.
#[derive(Serialize, Deserialize)]
struct Stored {
    id: String,
    account: String,
    region: String,
    stream: String,
    target: String,
    start: Start,
    start_position: u64,
    batch_records_max: usize,
    batch_window_s: u64,
    bisect: bool,
    partial: bool,
    retries_max: Option<u32>,
    age_max_s: Option<u64>,
    lanes: usize,
    tags: BTreeMap<String, String>,
    enabled: bool,
    modified_ms: u64,
    /// On its way out: the next start goes on deleting it.
    deleting: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    filters: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tumbling_s: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_failure: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<String>,
}

impl Mapping {
    pub(crate) fn encode(&self, deleting: bool) -> Vec<u8> {
        let policy = &self.policy;
        let stored = Stored {
            id: self.id.to_string(),
            account: self.account.clone(),
            region: self.region.clone(),
            stream: self.stream.clone(),
            target: self.target.clone(),
            start: self.start,
            start_position: self.start_position,
            batch_records_max: policy.batch_records_max,
            batch_window_s: policy.batch_window.as_secs(),
            bisect: policy.bisect,
            partial: policy.partial,
            retries_max: policy.retries_max,
            age_max_s: policy.age_max.map(|age| age.as_secs()),
            lanes: self.lanes,
            tags: self.tags.clone(),
            enabled: self.enabled,
            modified_ms: self.modified.millis(),
            deleting,
            filters: self.filters.clone(),
            on_failure: self.on_failure.clone(),
            tumbling_s: policy.tumbling.map(|size| size.as_secs()),
            metrics: self.metrics.clone(),
        };
        let mut bytes = vec![VERSION];
        serde_json::to_writer(&mut bytes, &stored).expect("a struct of plain fields has a JSON form");
        bytes
    }

    /// The mapping, and whether it is being deleted. Delays between attempts are the house's, not the mapping's.
    pub(crate) fn decode(bytes: &[u8], backoff: Backoff) -> Result<(Mapping, bool), CorruptMapping> {
        let Some((&VERSION, json)) = bytes.split_first() else {
            return Err(CorruptMapping("of an unknown version".to_string()));
        };
        let stored: Stored =
            serde_json::from_slice(json).map_err(|error| CorruptMapping(error.to_string()))?;
        if stored.lanes == 0 || stored.batch_records_max == 0 {
            return Err(CorruptMapping("without a lane or a batch".to_string()));
        }
        let policy = Policy {
            batch_records_max: stored.batch_records_max,
            batch_window: Duration::from_secs(stored.batch_window_s),
            bisect: stored.bisect,
            partial: stored.partial,
            retries_max: stored.retries_max,
            age_max: stored.age_max_s.map(Duration::from_secs),
            backoff,
            dead_letter: stored.on_failure.is_some(),
            tumbling: stored.tumbling_s.map(Duration::from_secs),
            ..Policy::default()
        };
        let mapping = Mapping {
            id: MappingId::new(stored.id),
            account: stored.account,
            region: stored.region,
            stream: stored.stream,
            target: stored.target,
            start: stored.start,
            start_position: stored.start_position,
            policy,
            lanes: stored.lanes,
            filters: stored.filters,
            on_failure: stored.on_failure,
            metrics: stored.metrics,
            tags: stored.tags,
            enabled: stored.enabled,
            modified: Timestamp::from_millis(stored.modified_ms),
        };
        Ok((mapping, stored.deleting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mappings written by the first version stay readable for ever.
    const FIRST: &str = concat!(
        "\u{1}",
        r#"{"id":"u","account":"123456789012","region":"us-east-1","stream":"arn:s","target":"arn:f","#,
        r#""start":"Latest","start_position":7,"batch_records_max":100,"batch_window_s":2,"bisect":true,"#,
        r#""partial":true,"retries_max":3,"age_max_s":60,"lanes":2,"tags":{"a":"b"},"enabled":true,"#,
        r#""modified_ms":1700000000000,"deleting":true}"#
    );

    #[test]
    fn reads_and_writes_the_first_version() {
        let (mapping, deleting) = Mapping::decode(FIRST.as_bytes(), Backoff::default()).unwrap();
        assert!(deleting && mapping.policy.age_max == Some(Duration::from_secs(60)) && mapping.lanes == 2);
        assert_eq!(mapping.encode(true), FIRST.as_bytes());
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for bytes in [&b""[..], b"\x02{}", b"\x01{}", b"\x01"] {
            assert!(Mapping::decode(bytes, Backoff::default()).is_err());
        }
    }
}
