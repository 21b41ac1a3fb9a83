//! Streams: the ordered, durable log of every change to a table's items.

mod changed;
mod follow;
mod id;
mod record;
mod shard;
mod streams;

pub use changed::Changed;
pub use follow::Follow;
pub use id::{Sequence, ShardId};
pub use record::{Event, Record, ViewType};
pub use shard::{Position, Records, Shard, Tail};
pub use streams::{Stream, StreamPage, StreamStatus};
