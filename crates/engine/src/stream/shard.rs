//! Shards: where records lie, and the latest of them in memory.

use crate::layout;
use crate::stream::changed::Signal;
use crate::stream::record::{self, Logged};
use crate::stream::{Changed, Record, Sequence, ShardId};
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use store::{Appended, LogPrefix};
use world::Timestamp;

/// A part of a stream: the records of some partition keys during some time.
pub struct Shard {
    id: ShardId,
    number: u64,
    prefix: LogPrefix,
    parent: Option<ShardId>,
    /// The partitions it holds, the last included.
    pub(crate) partitions: (u32, u32),
    /// Known once the mark in the log is durable.
    start: OnceLock<Sequence>,
    end: OnceLock<(Sequence, Timestamp)>,
    /// The end is told: not before the beginning of the children is.
    closed: AtomicBool,
    gone: AtomicBool,
    /// The number of the last record.
    signal: Arc<Signal>,
    /// The stream's version.
    stream: Arc<Signal>,
    watchers: AtomicUsize,
    latest: Mutex<Latest>,
    limits: TailLimits,
}

/// What a tail may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TailLimits {
    pub records_max: usize,
    pub bytes_max: usize,
}

/// What a shard is made of.
pub(crate) struct Opening {
    pub stream: u64,
    pub number: u64,
    pub created: Timestamp,
    pub parent: Option<ShardId>,
    pub partitions: (u32, u32),
    /// Nothing has become durable in it after this.
    pub last: u64,
}

/// Where to begin to read a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    TrimHorizon,
    /// Behind everything acknowledged so far; exact.
    Latest,
    At(Sequence),
    After(Sequence),
    AtTime(Timestamp),
}

/// What a read found.
#[derive(Clone, Debug, Default)]
pub struct Records {
    pub records: Vec<Arc<Record>>,
    /// Read on after this; `None` when the shard is closed and this was all.
    pub next: Option<Sequence>,
    /// Everything up to here has been read.
    pub through: Sequence,
}

/// Keeps a shard's latest records in memory while it lives.
#[derive(Debug)]
pub struct Tail {
    shard: Arc<Shard>,
}

/// The latest records of a shard, without a gap.
#[derive(Default)]
struct Latest {
    /// All records after this are here; `None` while there are none.
    from: Option<u64>,
    /// The last number that became durable since.
    last: u64,
    records: VecDeque<Arc<Record>>,
    bytes: usize,
}

impl Shard {
    pub(crate) fn new(opening: Opening, stream: Arc<Signal>, limits: TailLimits) -> Shard {
        let Opening { stream: stream_id, number, created, parent, partitions, last } = opening;
        Shard {
            id: ShardId { created_ms: created.millis(), number: number as u32 },
            number,
            prefix: layout::shard(created.millis(), stream_id, number),
            parent,
            partitions,
            start: OnceLock::new(),
            end: OnceLock::new(),
            closed: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            signal: Arc::new(Signal::at(last)),
            stream,
            watchers: AtomicUsize::new(0),
            latest: Mutex::default(),
            limits,
        }
    }

    pub fn id(&self) -> ShardId {
        self.id
    }

    pub fn parent(&self) -> Option<ShardId> {
        self.parent
    }

    /// Below all its records.
    pub fn start(&self) -> Sequence {
        self.start.get().copied().unwrap_or_default()
    }

    /// Of a closed shard: above all its records.
    pub fn end(&self) -> Option<Sequence> {
        self.told_end().map(|(sequence, _)| sequence)
    }

    /// A number that no record in it is above, unless it became durable just now.
    pub fn last(&self) -> Sequence {
        Sequence(self.signal.value())
    }

    /// When it was opened.
    pub fn created(&self) -> Timestamp {
        Timestamp::from_millis(self.id.created_ms)
    }

    /// Whether the records of this partition go here while the shard is open.
    pub fn holds(&self, partition: u32) -> bool {
        (self.partitions.0..=self.partitions.1).contains(&partition)
    }

    /// Whether it has been trimmed: nothing can be read from it any more.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Ready once the shard may hold something after `after`: a record, or its end.
    pub fn changed(&self, after: Sequence) -> Changed {
        self.signal.after(after.0)
    }

    /// Keeps the latest records in memory, so that reading at the tip does not touch the store.
    pub fn tail(self: &Arc<Self>) -> Tail {
        let mut latest = self.lock();
        if self.watchers.fetch_add(1, Ordering::AcqRel) == 0 {
            // What was kept for somebody earlier may have a gap by now.
            *latest = Latest::default();
        }
        drop(latest);
        Tail { shard: self.clone() }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn prefix(&self) -> LogPrefix {
        self.prefix
    }

    pub(crate) fn is_started(&self) -> bool {
        self.start.get().is_some()
    }

    pub(crate) fn closed_at(&self) -> Option<Timestamp> {
        self.told_end().map(|(_, at)| at)
    }

    pub(crate) fn set_start(&self, sequence: Sequence) {
        let _ = self.start.set(sequence);
    }

    pub(crate) fn set_end(&self, sequence: Sequence, at: Timestamp) {
        let _ = self.end.set((sequence, at));
        self.closed.store(true, Ordering::Release);
        self.signal.finish();
    }

    pub(crate) fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
        self.signal.finish();
    }

    /// Takes note of what has become durable; [`Shard::announce`] tells of it.
    pub(crate) fn append(&self, appended: &Appended) {
        let watched = self.watchers.load(Ordering::Acquire) > 0;
        // Records are only decoded for somebody; marks always are.
        if !watched && !record::is_mark(&appended.value) {
            return;
        }
        let sequence = Sequence(appended.sequence);
        let record = match record::decode(sequence, &appended.value) {
            Ok(Logged::Record(record)) => Some(Arc::new(record)),
            Ok(Logged::Begin) => {
                self.set_start(sequence);
                self.stream.bump();
                None
            }
            Ok(Logged::End { at }) => {
                let _ = self.end.set((sequence, at));
                None
            }
            // Whoever reads it from the store is told.
            Err(_) => {
                *self.lock() = Latest::default();
                return;
            }
        };
        let mut latest = self.lock();
        if !watched {
            *latest = Latest::default();
            return;
        }
        latest.from.get_or_insert(appended.sequence - 1);
        latest.last = appended.sequence;
        if let Some(record) = record {
            latest.bytes += record.bytes();
            latest.records.push_back(record);
        }
        while latest.records.len() > self.limits.records_max || latest.bytes > self.limits.bytes_max {
            let Some(oldest) = latest.records.pop_front() else { break };
            latest.bytes -= oldest.bytes();
            latest.from = Some(oldest.sequence.0);
        }
    }

    /// Wakes those who wait for what was appended.
    pub(crate) fn announce(&self, last: u64) {
        self.signal.raise(last);
        if self.end.get().is_some() {
            self.closed.store(true, Ordering::Release);
            self.signal.finish();
            self.stream.bump();
        }
    }

    /// Reads from memory, if all that is asked for is there.
    pub(crate) fn read_latest(&self, after: Sequence, max: usize, bytes_max: usize) -> Option<Records> {
        if self.watchers.load(Ordering::Acquire) == 0 {
            return None;
        }
        let latest = self.lock();
        if latest.from? > after.0 {
            return None;
        }
        let first = latest.records.partition_point(|record| record.sequence <= after);
        let mut found = Records::default();
        let mut bytes = 0;
        for record in latest.records.range(first..) {
            if found.records.len() >= max || (bytes >= bytes_max && !found.records.is_empty()) {
                found.through = found.records.last().map_or(after, |last| last.sequence);
                found.next = Some(found.through);
                return Some(found);
            }
            bytes += record.bytes();
            found.records.push(record.clone());
        }
        found.through = after.max(Sequence(latest.last));
        found.next = match self.end() {
            Some(end) if end <= found.through => None,
            _ => Some(found.through),
        };
        Some(found)
    }

    fn told_end(&self) -> Option<(Sequence, Timestamp)> {
        self.end.get().copied().filter(|_| self.closed.load(Ordering::Acquire))
    }

    fn lock(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shard({}, {}..{:?})", self.id, self.start(), self.end())
    }
}

impl Tail {
    pub fn shard(&self) -> &Arc<Shard> {
        &self.shard
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let mut latest = self.shard.lock();
        if self.shard.watchers.fetch_sub(1, Ordering::AcqRel) == 1 {
            *latest = Latest::default();
        }
    }
}
