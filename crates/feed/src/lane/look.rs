//! What can be seen of a lane: how far it is, what it holds, what it is stuck at.

use super::{Blockage, Entry, Lane, Phase, Totals};
use world::Timestamp;

impl<R: Clone> Lane<R> {
    /// Everything up to here is finished.
    pub fn position(&self) -> u64 {
        self.lowest().map_or(self.taken, |entry| entry.sequence - 1)
    }

    /// Everything up to here has been read.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Records read that are not finished.
    pub fn pending(&self) -> u64 {
        self.held() as u64 + self.filtered.iter().map(|(_, count)| count).sum::<u64>()
    }

    /// Records in memory.
    pub fn held(&self) -> usize {
        self.queue.len() + self.pieces.iter().map(|piece| piece.entries.len()).sum::<usize>()
    }

    /// What the lane is stuck at, after a failure.
    pub fn blockage(&self) -> Option<Blockage> {
        let until = match self.phase {
            Phase::Pausing { until, .. } => Some(until),
            _ => None,
        };
        if self.close_failures > 0 {
            // The end of a window has no records of its own.
            return Some(Blockage {
                sequence: self.position(),
                records: 0,
                invocations: self.close_failures,
                stalls: 0,
                is_burial: false,
                until,
            });
        }
        let piece = self.pieces.last()?;
        let first = piece.entries.front()?;
        let is_stuck = piece.invocations > 0 || self.stalls > 0;
        is_stuck.then_some(Blockage {
            sequence: first.sequence,
            records: piece.entries.len(),
            invocations: piece.invocations,
            stalls: self.stalls,
            is_burial: piece.doom.is_some(),
            until,
        })
    }

    /// When the oldest unfinished record was written: what the lane is waiting on.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.lowest().map(|entry| entry.created)
    }

    pub(super) fn lowest(&self) -> Option<&Entry<R>> {
        self.pieces.iter().rev().find_map(|piece| piece.entries.front()).or(self.queue.front())
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether a `Nudge` would be heard.
    pub fn is_stalled(&self) -> bool {
        matches!(self.phase, Phase::Pausing { nudgeable: true, .. })
    }

    /// The shard has ended, and nothing of it is left to do: neither a record nor the end of a window.
    pub fn is_done(&self) -> bool {
        self.ended && self.pieces.is_empty() && self.queue.is_empty() && self.window.is_none()
    }

    /// Nothing will happen any more.
    pub fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
    }
}
