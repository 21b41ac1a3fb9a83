//! Carries change records from streams to targets: cursors, batches, lanes, retries, checkpoints.
//! Never sees HTTP, the name of an AWS operation, or what a target does with a batch.

mod feed;
mod filter;
mod mapping;
mod policy;
mod target;

mod lane;
mod verdict;
mod window;

mod change;
mod checkpoint;
mod gauges;
mod keep;
mod run;
mod shard_run;

pub use change::{Change, NewMapping};
pub use feed::{Described, Error, ErrorKind, Feed, Parts, Settings};
pub use filter::{Document, Filter, pattern};
pub use gauges::{Flow, ShardFlow, Stuck};
pub use lane::{Blockage, DropReason, Outcome, Totals};
pub use mapping::{Mapping, MappingId, Start, State};
pub use policy::{BATCH_BYTES_MAX, Backoff, Policy};
pub use target::{
    Batch, BoxFuture, Buried, Delivered, Delivery, Destination, Letter, Report, Target, Targets,
};
pub use verdict::read as read_verdict;
pub use window::Frame;
