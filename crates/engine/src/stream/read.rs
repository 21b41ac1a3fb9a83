//! Reading a shard: from its tail in memory where that goes back far enough, from the store otherwise.

use crate::stream::record::{self, Logged, Record};
use crate::stream::{Position, Records, Sequence, Shard, Stream, StreamPage, decode};
use crate::{Engine, Error, ErrorKind, Scope, Table};
use std::sync::Arc;
use std::time::Duration;
use store::{LogPrefix, Order, Snapshot, Space};
use world::Timestamp;

/// An iterator that was good a moment ago still is: what has expired may be read for so much longer.
const GRACE: Duration = Duration::from_secs(900);
/// Records that are numbered in this order may have been stamped in another, by this much at most.
const DISORDER: Duration = Duration::from_secs(1);

impl Engine {
    /// A stream by its table's name and its label, whether its table still exists or not.
    pub fn stream(&self, scope: &Scope, table: &str, label: &str) -> Result<Arc<Stream>, Error> {
        self.registry().stream(scope, table, label).ok_or_else(|| {
            Error::new(ErrorKind::StreamNotFound, format!("no stream {label} of a table {table}"))
        })
    }

    /// The enabled stream of a table.
    pub fn table_stream(&self, table: &Table) -> Option<Arc<Stream>> {
        table.load().stream.as_ref().map(|(stream, _)| stream.clone())
    }

    /// Streams by table name and label, beginning behind `after` (a table name and a label).
    pub fn list_streams(
        &self,
        scope: &Scope,
        table: Option<&str>,
        after: Option<(&str, &str)>,
        limit: usize,
    ) -> StreamPage {
        self.registry().list(scope, table, after, limit)
    }

    /// The number to read after, to begin at `position`.
    pub fn stream_position(&self, shard: &Shard, position: Position) -> Result<Sequence, Error> {
        if shard.is_gone() {
            return Err(trimmed());
        }
        let snapshot = self.store().snapshot();
        match position {
            Position::TrimHorizon => {
                let horizon = self.horizon(Duration::ZERO);
                if shard.created() >= horizon {
                    return Ok(shard.start());
                }
                first_since(&snapshot, shard, horizon)
            }
            Position::Latest => Ok(shard.end().unwrap_or(Sequence(snapshot.sequence()))),
            Position::AtTime(time) => {
                let since = time.max(self.horizon(Duration::ZERO));
                if shard.created() >= since {
                    return Ok(shard.start());
                }
                // A coarse search first, as stamps are only almost in order; then one by one.
                let from = first_since(&snapshot, shard, since - DISORDER)?;
                let mut after = from;
                for row in rows(&snapshot, shard.prefix(), from) {
                    let (sequence, value) = row?;
                    if record::created(&value)? >= since {
                        break;
                    }
                    after = sequence;
                }
                Ok(after)
            }
            Position::At(sequence) => {
                self.check_position(&snapshot, shard, sequence).map(|()| Sequence(sequence.0 - 1))
            }
            Position::After(sequence) => self.check_position(&snapshot, shard, sequence).map(|()| sequence),
        }
    }

    fn check_position(&self, snapshot: &Snapshot, shard: &Shard, sequence: Sequence) -> Result<(), Error> {
        let last = shard.end().unwrap_or(Sequence(snapshot.sequence()));
        if sequence < shard.start() || sequence > last || sequence == Sequence(0) {
            return Err(Error::validation(format!(
                "Invalid SequenceNumber: {sequence} is not in shard {}",
                shard.id()
            )));
        }
        if sequence > shard.start()
            && let Some(row) = rows(snapshot, shard.prefix(), Sequence(sequence.0 - 1)).next()
            && record::created(&row?.1)? < self.horizon(Duration::ZERO)
        {
            return Err(trimmed());
        }
        Ok(())
    }

    /// The records after `after`: at most `max`, and no more once they have `bytes_max` bytes (but at least one).
    pub fn read_records(
        &self,
        shard: &Shard,
        after: Sequence,
        max: usize,
        bytes_max: usize,
    ) -> Result<Records, Error> {
        if !shard.is_gone()
            && let Some(found) = shard.read_latest(after, max, bytes_max)
        {
            return Ok(found);
        }
        // Behind the mark at its end nothing lies, not even that mark.
        if !shard.is_gone() && shard.end().is_some_and(|end| after >= end) {
            return Ok(Records { through: after, next: None, ..Records::default() });
        }
        self.read_log(&self.store().snapshot(), shard, after, max, bytes_max)
    }

    /// The same, from the store.
    pub(super) fn read_log(
        &self,
        snapshot: &Snapshot,
        shard: &Shard,
        after: Sequence,
        max: usize,
        bytes_max: usize,
    ) -> Result<Records, Error> {
        let mut found = Records { through: after, next: Some(after), ..Records::default() };
        let mut bytes = 0;
        // Everything that the snapshot has: whatever follows has a higher number.
        let mut read = after.max(Sequence(snapshot.sequence()));
        for row in rows(snapshot, shard.prefix(), after) {
            if found.records.len() >= max || (bytes >= bytes_max && !found.records.is_empty()) {
                read = found.records.last().map_or(after, |record| record.sequence);
                break;
            }
            let (sequence, value) = row?;
            match decode(sequence, &value)? {
                Logged::Begin => {}
                Logged::End { .. } if shard.end().is_some() => {
                    found.next = None;
                    found.through = sequence;
                    break;
                }
                // Its children are about to be seen: who reads this as the end looks for them next.
                Logged::End { .. } => {
                    read = Sequence(sequence.0 - 1);
                    break;
                }
                Logged::Record(record) => {
                    bytes += record.bytes();
                    found.records.push(Arc::new(record));
                }
            }
        }
        // Asked last: what was read before may have been half of something.
        let expired = |record: &Record| record.created < self.horizon(GRACE);
        if shard.is_gone() || found.records.first().is_some_and(|record| expired(record)) {
            return Err(trimmed());
        }
        if found.next.is_some() {
            found.through = read;
            found.next = Some(read);
        }
        Ok(found)
    }

    /// What is older has expired.
    fn horizon(&self, grace: Duration) -> Timestamp {
        self.world().now() - self.settings().stream_retention - grace
    }
}

/// What lies in a shard's log after `after`.
fn rows(
    snapshot: &Snapshot,
    prefix: LogPrefix,
    after: Sequence,
) -> impl Iterator<Item = Result<(Sequence, store::Slice), Error>> {
    let (from, to) = (prefix.key(after.0.saturating_add(1)), prefix.key(u64::MAX));
    snapshot.range(Space::Log, &from, &to, Order::Forward).map(|row| {
        let (key, value) = row?;
        let (_, sequence) = LogPrefix::split(&key).ok_or_else(|| Error::internal("a log key is damaged"))?;
        Ok((Sequence(sequence), value))
    })
}

/// The number to read after, to begin with the first record that is not older than `since`: by bisection.
fn first_since(snapshot: &Snapshot, shard: &Shard, since: Timestamp) -> Result<Sequence, Error> {
    let mut low = shard.start().0;
    let mut high = shard.end().map_or(snapshot.sequence(), |end| end.0) + 1;
    while low < high {
        let middle = low + (high - low) / 2;
        match rows(snapshot, shard.prefix(), Sequence(middle - 1)).next().transpose()? {
            Some((sequence, value)) if record::created(&value)? < since => low = sequence.0 + 1,
            _ => high = middle,
        }
    }
    Ok(Sequence(low - 1))
}

fn trimmed() -> Error {
    Error::new(
        ErrorKind::Trimmed,
        "The operation attempted to read past the oldest stream record in a shard.",
    )
}
