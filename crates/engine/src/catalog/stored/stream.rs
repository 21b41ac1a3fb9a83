//! Streams and their shards.

use super::keys::Keys;
use super::{damaged, encode};
use crate::Error;
use crate::stream::{Stream, StreamState, ViewType};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct StreamRecord {
    pub id: u64,
    pub account: String,
    pub region: String,
    pub table: String,
    pub table_id: u64,
    pub created_ms: u64,
    pub view: String,
    pub key: Keys,
    pub enabled: bool,
    pub shards: Vec<ShardRecord>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ShardRecord {
    pub number: u64,
    pub created_ms: u64,
    /// The parent's creation and number.
    pub parent: Option<(u64, u32)>,
    /// The partitions it holds, the last included.
    pub partitions: (u32, u32),
    pub open: bool,
}

pub(crate) fn stream(stream: &Stream, state: &StreamState) -> Vec<u8> {
    encode(&StreamRecord {
        id: stream.id,
        account: stream.scope.account.to_string(),
        region: stream.scope.region.to_string(),
        table: stream.table.to_string(),
        table_id: stream.table_id,
        created_ms: stream.created.millis(),
        view: stream.view.as_str().to_owned(),
        key: Keys::of(&stream.key),
        enabled: state.enabled,
        shards: state
            .shards
            .iter()
            .map(|shard| ShardRecord {
                number: shard.number(),
                created_ms: shard.created().millis(),
                parent: shard.parent().map(|parent| (parent.created_ms, parent.number)),
                partitions: shard.partitions,
                open: state.open.iter().any(|open| open.number() == shard.number()),
            })
            .collect(),
    })
}

pub(crate) fn read_view(text: &str) -> Result<ViewType, Error> {
    ViewType::parse(text).ok_or_else(|| damaged("a stream's view type"))
}
