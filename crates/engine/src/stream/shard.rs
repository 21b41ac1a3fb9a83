use crate::stream::{Changed, Record, Sequence, ShardId};
use std::sync::Arc;
use world::Timestamp;

/// A part of a stream: the records of some partition keys during some time.
#[derive(Debug)]
pub struct Shard {
    id: ShardId,
}

/// Where to begin to read a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    TrimHorizon,
    /// Behind everything acknowledged so far; exact.
    Latest,
    At(Sequence),
    After(Sequence),
    AtTime(Timestamp),
}

/// What a read found.
#[derive(Clone, Debug, Default)]
pub struct Records {
    pub records: Vec<Arc<Record>>,
    /// Read on after this; `None` when the shard is closed and this was all.
    pub next: Option<Sequence>,
    /// Everything up to here has been read.
    pub through: Sequence,
}

/// Keeps a shard's latest records in memory while it lives.
#[derive(Debug)]
pub struct Tail {
    shard: Arc<Shard>,
}

impl Shard {
    pub fn id(&self) -> ShardId {
        self.id
    }

    pub fn parent(&self) -> Option<ShardId> {
        unimplemented!()
    }

    pub fn start(&self) -> Sequence {
        unimplemented!()
    }

    /// The last number of a closed shard.
    pub fn end(&self) -> Option<Sequence> {
        unimplemented!()
    }

    /// The number of the last record that became durable in it; zero if none did since the engine was opened.
    pub fn last(&self) -> Sequence {
        unimplemented!()
    }

    /// Whether the records of this partition go here while the shard is open.
    pub fn holds(&self, _partition: u32) -> bool {
        unimplemented!()
    }

    /// Ready once the shard holds something after `after`: a record, or its end.
    pub fn changed(self: &Arc<Self>, _after: Sequence) -> Changed {
        unimplemented!()
    }

    /// Keeps the latest records in memory, so that reading at the tip does not touch the store.
    pub fn tail(self: &Arc<Self>) -> Tail {
        unimplemented!()
    }
}

impl Tail {
    pub fn shard(&self) -> &Arc<Shard> {
        &self.shard
    }
}
