use crate::stream::{Changed, Shard, ShardId, ViewType};
use crate::{KeySchema, Scope};
use std::sync::Arc;
use world::Timestamp;

/// A stream: begins when it is enabled, and outlives its table by the retention time.
#[derive(Debug)]
pub struct Stream {
    scope: Scope,
    table: Arc<str>,
    label: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    Enabled,
    Disabled,
}

#[derive(Clone, Debug, Default)]
pub struct StreamPage {
    pub streams: Vec<Arc<Stream>>,
    /// Whether more follow the last.
    pub more: bool,
}

impl Stream {
    /// Unique among all streams.
    pub fn id(&self) -> u64 {
        unimplemented!()
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub fn table_name(&self) -> &Arc<str> {
        &self.table
    }

    pub fn label(&self) -> &Arc<str> {
        &self.label
    }

    pub fn arn(&self) -> String {
        unimplemented!()
    }

    pub fn created(&self) -> Timestamp {
        unimplemented!()
    }

    pub fn view(&self) -> ViewType {
        unimplemented!()
    }

    pub fn key_schema(&self) -> &KeySchema {
        unimplemented!()
    }

    pub fn status(&self) -> StreamStatus {
        unimplemented!()
    }

    /// Whether the stream has left the catalog: nothing can be read from it any more.
    pub fn is_gone(&self) -> bool {
        unimplemented!()
    }

    /// All that are not trimmed, in the order of their ids: parents before their children.
    pub fn shards(&self) -> Vec<Arc<Shard>> {
        unimplemented!()
    }

    pub fn shard(&self, _id: ShardId) -> Option<Arc<Shard>> {
        unimplemented!()
    }

    /// Rises whenever a shard appears, closes or is trimmed, or the status changes.
    pub fn version(&self) -> u64 {
        unimplemented!()
    }

    /// Ready once [`version`](Stream::version) is no longer `version`.
    pub fn changed(self: &Arc<Self>, _version: u64) -> Changed {
        unimplemented!()
    }
}
