//! How a snapshot and a stream meet, as a pure machine: what was listed, read, scanned and committed goes in; what to
//! open, scan and apply comes out. No clock, no thread, no database.
//!
//! A *track* is what is followed: a shard of the stream or a segment of the scan. Rows of both go to *lanes* by the
//! hash of their source key, so that an item has one writer. A lane commits rows together with its *mark* on their
//! track; a track goes on from the lowest mark of its lanes, and a lane skips what lies below its own.

mod machine;
mod rule;
mod steps;
mod track;

#[cfg(test)]
mod exhaustive;

pub use machine::{Action, Event, Join, Plan, Stored};
pub use rule::{Known, Origin, applies};
pub use track::{Mark, Row, Sequence, Shard, ShardId, Track, Work};
