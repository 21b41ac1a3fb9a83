//! What a run tells of itself.

use crate::targets::Applied;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Snapshot,
    Stream,
    Paused,
}

#[derive(Clone, Debug)]
pub struct Progress {
    pub phase: Phase,
    pub applied: Applied,
    /// Items in the source, about; for the snapshot's share.
    pub items: u64,
    /// Rows and changes in a second, since the last report.
    pub rate: f64,
    /// Age of the last record applied; none: all that was there is applied.
    pub lag: Option<Duration>,
    pub shards_open: usize,
    /// Rows read and not yet durable.
    pub waiting: usize,
    /// What is failing now.
    pub trouble: Option<String>,
    /// Time until records that were not applied may be trimmed, should nothing more be applied.
    pub until_loss: Duration,
    /// What is kept on disk meanwhile, where the file asks for that.
    pub spool: Option<crate::spool::Stand>,
}

#[derive(Clone, Debug)]
pub enum Report {
    Began {
        resumed: bool,
    },
    /// From time to time.
    Progress(Progress),
    /// All that was read is applied, and more of it than when this was told last.
    AtRest(Progress),
    /// The snapshot is in and everything written meanwhile is applied.
    Consistent,
    Note(String),
}
