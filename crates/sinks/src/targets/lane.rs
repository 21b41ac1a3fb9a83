//! A lane: one writer, which makes work durable as long as the pipeline is this runner's.

use super::Change;
use crate::Error;
use crate::join::{Origin, Work};

pub trait Lane {
    /// Makes work durable, rows and marks together.
    fn commit(&mut self, works: &[Work<Change>]) -> Result<Applied, Error>;
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub snapshot_rows: usize,
    pub changes: usize,
    pub quarantined: usize,
}

impl Applied {
    pub fn of(origin: Origin, count: usize, quarantined: usize) -> Applied {
        match origin {
            Origin::Snapshot => Applied { snapshot_rows: count, changes: 0, quarantined },
            Origin::Stream => Applied { snapshot_rows: 0, changes: count, quarantined },
        }
    }

    pub fn add(&mut self, other: Applied) {
        self.snapshot_rows += other.snapshot_rows;
        self.changes += other.changes;
        self.quarantined += other.quarantined;
    }
}
