//! What tables were: for a table that is kept recoverable, each change also appends what was there before it.
//!
//! A table as it was at a moment is the table as it is, with everything undone that was committed from the first change
//! after that moment on. So no base is copied, and what is older than the period of recovery can go at any time.
//!
//! ```text
//! Log     ffffffff  history id:8  sequence:8    version:1  milliseconds:8  length of key:4  key  image before, or nothing
//! ```

mod export;
mod retain;
mod undo;

pub use export::{Export, Exported, Span, Visit};
pub(crate) use undo::undo;

use crate::catalog::TableChanged;
use crate::layout;
use crate::{BackupSource, Engine, Error, ErrorKind, Scope, Table, TableState};
use std::time::Duration;
use store::{LogPrefix, Slice, Space};
use world::Timestamp;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 13;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// That a table's changes are kept so that they can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct History {
    pub(crate) id: u64,
    /// Every change since then is kept, unless it is older than the period.
    pub since: Timestamp,
    pub days: u32,
}

/// The moments that a table can be brought back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recoverable {
    pub earliest: Timestamp,
    pub latest: Timestamp,
    pub days: u32,
}

impl History {
    pub(crate) fn prefix(&self) -> LogPrefix {
        layout::history(self.id)
    }

    /// Older changes may be gone.
    fn horizon(&self, now: Timestamp) -> Timestamp {
        self.since.max(now - DAY * self.days)
    }
}

/// What there was at a key before a change.
pub(crate) struct Former<'a> {
    pub at: Timestamp,
    pub key: &'a [u8],
    pub image: Option<&'a [u8]>,
}

impl<'a> Former<'a> {
    pub fn encode(&self) -> Vec<u8> {
        let image = self.image.unwrap_or_default();
        let mut out = Vec::with_capacity(HEAD_BYTES + self.key.len() + image.len());
        out.push(VERSION);
        out.extend_from_slice(&self.at.millis().to_be_bytes());
        out.extend_from_slice(&(self.key.len() as u32).to_be_bytes());
        out.extend_from_slice(self.key);
        out.extend_from_slice(image);
        out
    }

    pub fn decode(bytes: &'a [u8]) -> Result<Former<'a>, Error> {
        let damaged = || crate::catalog::damaged("a table's history");
        let (&[version, ref rest @ ..], body) =
            bytes.split_first_chunk::<HEAD_BYTES>().ok_or_else(damaged)?;
        let (at, len) = rest.split_first_chunk().ok_or_else(damaged)?;
        let len = u32::from_be_bytes(len.try_into().map_err(|_| damaged())?) as usize;
        let (key, image) = body.split_at_checked(len).ok_or_else(damaged)?;
        if version != VERSION {
            return Err(damaged());
        }
        // No image is empty: each has at least its key.
        let image = (!image.is_empty()).then_some(image);
        Ok(Former { at: Timestamp::from_millis(u64::from_be_bytes(*at)), key, image })
    }
}

impl Engine {
    /// Which moments the table can be brought back to; none where its changes are not kept.
    pub fn recoverable(&self, table: &Table) -> Option<Recoverable> {
        let history = table.load().history?;
        let now = self.world().now();
        Some(Recoverable { earliest: history.horizon(now), latest: now, days: history.days })
    }

    /// Keeps the table's changes of so many days, or no longer keeps any.
    pub fn keep_history(&self, scope: &Scope, name: &str, days: Option<u32>) -> Result<(), Error> {
        let mut ddl = self.lock();
        let table = self.table(scope, name)?;
        table.load().check_settled(&table)?;
        let mut state = TableState::clone(&table.load());
        let mut ranges = Vec::new();
        match (days, state.history) {
            (Some(days), Some(history)) => state.history = Some(History { days, ..history }),
            (Some(days), None) => {
                let (id, since) = (ddl.fresh_id(), self.world().now());
                state.history = Some(History { id, since, days });
            }
            (None, None) => return Ok(()),
            (None, Some(history)) => {
                self.check_not_recovered(table.id)?;
                state.history = None;
                ranges.push(whole(&history));
            }
        }
        let trims = self.new_trims(&mut ddl, ranges);
        self.change_table(ddl, &table, TableChanged { state, trims })
    }

    /// What a table is made of that is brought back, as the source is now.
    pub fn table_source(&self, table: &Table) -> Result<BackupSource, Error> {
        crate::backup::source_of(table, &table.load())
    }

    /// Refuses while another table is made of this one's history.
    pub(crate) fn check_not_recovered(&self, table: u64) -> Result<(), Error> {
        let is_needed = self.all_tables().iter().any(|other| {
            let state = other.load();
            let restore = state.restore.as_ref();
            restore.is_some_and(|from| from.in_progress && from.until.is_some() && from.backup == table)
        });
        match is_needed {
            true => Err(Error::new(
                ErrorKind::TableInUse,
                "Attempt to change a resource which is still in use: a table is being restored from the table's past",
            )),
            false => Ok(()),
        }
    }
}

/// All that is kept of it.
pub(crate) fn whole(history: &History) -> crate::catalog::Range {
    let prefix = history.prefix();
    (Space::Log, prefix.key(0).to_vec(), prefix.key(u64::MAX).to_vec())
}

/// The first change after a moment, and its number: from there on everything is later.
fn first_after(snapshot: &store::Snapshot, history: &History, at: Timestamp) -> Result<Option<Slice>, Error> {
    let (_, from, to) = whole(history);
    for row in snapshot.range(Space::Log, &from, &to, store::Order::Forward) {
        let (key, value) = row?;
        if Former::decode(&value)?.at > at {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_is_read_as_it_was_written() {
        for image in [None, Some(&b"image"[..])] {
            let former = Former { at: Timestamp::from_millis(7), key: b"key", image };
            let bytes = former.encode();
            let read = Former::decode(&bytes).expect("sound");
            assert_eq!((read.at.millis(), read.key, read.image), (7, &b"key"[..], image));
            for len in 0..HEAD_BYTES + 3 {
                assert!(Former::decode(&bytes[..len]).is_err());
            }
            assert!(Former::decode(&[&[2], &bytes[1..]].concat()).is_err());
        }
    }
}
