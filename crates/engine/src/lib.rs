//! Knows tables: their catalog, items, indexes and streams, and what a write does to each of them.
//! Never sees HTTP, JSON on the wire, or the name of an operation.
//!
//! ```text
//! engine.table(scope, name) -> Arc<Table>
//! engine.write(table, Write) -> Written { old, new, commit, .. }      answer when the commit is ready
//! engine.query(table, Query, visit) -> Page                           items are visited, not collected
//! engine.stream(scope, table, label) -> Arc<Stream> -> shards -> engine.read_records(shard, after, ..)
//! shard.changed(after)                                                a future: nobody polls
//! ```

#![expect(
    clippy::result_large_err,
    reason = "a refusal carries its commit, and is rare: moving it costs less than a box"
)]

mod engine;

mod error;
mod scope;
mod spec;
mod table;

mod backup;
mod catalog;
mod expiry;
mod history;
mod index;
mod key;
mod layout;
mod partition;
mod steward;

mod read;
mod write;

pub mod stream;

mod capacity;
mod programs;
mod throttle;

pub use backup::{Backup, BackupSource, BackupStatus, Restore};
pub use capacity::{Consumed, IndexUnits};
pub use catalog::{
    IndexDescription, IndexStatus, StreamDescription, TableDescription, TableNames, TableStatus,
};
pub use engine::{Engine, Maintenance, Settings};
pub use error::{Error, ErrorKind};
pub use expiry::Expiry;
pub use history::{Export, Exported, History, Recoverable, Span, Visit};
pub use index::{Index, IndexKind};
pub use key::Key;
pub use programs::Programs;
pub use read::{Attributes, Consistency, Got, KeyCondition, Page, Query, Scan, Segment};
pub use scope::Scope;
pub use spec::{
    Billing, Encryption, IndexCapacity, IndexChange, IndexSpec, KeyPart, KeySchema, OnDemandLimits,
    ProjectionKind, Reserve, StreamChange, TableChange, TableClass, TableSpec, Throughput,
};
pub use table::{Table, TableState};
pub use throttle::{Side, Throttled};
pub use write::{Action, BatchWritten, Refused, Token, Transacted, Write, Written};
