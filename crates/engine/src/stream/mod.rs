//! Streams: the ordered, durable log of every change to a table's items.

mod changed;
mod follow;
mod id;
mod lifecycle;
mod read;
pub(crate) mod record;
mod retention;
mod shard;
mod streams;

pub use changed::Changed;
pub use follow::Follow;
pub use id::{Digits, NotASequence, NotAShardId, Sequence, ShardId};
pub use record::{Event, Record, ViewType};
pub use shard::{Position, Records, Shard, Tail};
pub use streams::{Stream, StreamPage, StreamStatus};

pub(crate) use lifecycle::{NewStream, Of};
pub(crate) use record::{Logged, decode};
pub(crate) use shard::{Opening, TailLimits};
pub(crate) use streams::{Registry, Routes, StreamState, arn};
