//! Knows ordered bytes, how to keep them, and in which order changes became durable.
//! Never knows what the bytes mean: no tables, no items, no streams, no HTTP.
//!
//! A change is an [`update`](Store::update): it names its keys, a pure plan turns their values into a
//! [`Batch`], and the [`Commit`] it returns is ready once the batch is on disk. One thread makes many
//! updates durable with one sync; readers hold a [`Snapshot`] and wait for nobody.

mod store;

mod batch;
mod commit;
mod error;
mod slice;
mod snapshot;
mod space;

mod dump;

mod announcer;
mod committer;
mod engine;
mod header;
mod latches;
mod line;
mod trimmer;

pub use batch::{Batch, LogPrefix};
pub use commit::{Commit, Committed};
pub use dump::{Dump, Loader, checksum, push_record, records};
pub use engine::faulty::{Fault, Faults};
pub use error::{Error, ErrorKind};
pub use slice::Slice;
pub use snapshot::{Range, Snapshot};
pub use space::{Order, Space};
pub use store::{Appended, Before, Hold, Settings, Stats, Store, UpdateError};
