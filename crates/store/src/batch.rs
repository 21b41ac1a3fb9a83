use std::fmt;

use crate::{Slice, Space};

/// What the store keeps of a key at most.
const KEY_BYTES_MAX: usize = 16 * 1024;

/// The first key of every space but Meta: the store's own.
pub(crate) const OWN_KEY: &[u8] = &[0];

/// Changes that become durable together or not at all.
#[derive(Debug, Default)]
pub struct Batch {
    pub(crate) ops: Vec<Op>,
    pub(crate) bytes: usize,
}

#[derive(Debug)]
pub(crate) enum Op {
    Set { space: Space, key: Slice, value: Option<Slice> },
    Append { prefix: LogPrefix, value: Slice },
    Count { key: Slice, delta: i64 },
}

impl Batch {
    pub fn put(&mut self, space: Space, key: impl Into<Slice>, value: impl Into<Slice>) {
        self.set(space, key.into(), Some(value.into()));
    }

    pub fn remove(&mut self, space: Space, key: impl Into<Slice>) {
        self.set(space, key.into(), None);
    }

    /// Appends a record to the log. It lies in [`Space::Log`] at `prefix` ‖ its sequence number, which the
    /// store assigns: one rising number for the whole store, in commit order, never used twice.
    pub fn append(&mut self, prefix: LogPrefix, value: impl Into<Slice>) {
        let value = value.into();
        self.bytes += prefix.len() + 8 + value.len();
        self.ops.push(Op::Append { prefix, value });
    }

    /// Adds `delta` to the counter at `key` of [`Space::Meta`], which starts at zero.
    /// Writers do not wait for each other to count; [`Snapshot::counter`](crate::Snapshot::counter) reads it.
    pub fn count(&mut self, key: impl Into<Slice>, delta: i64) {
        let key = key.into();
        check_key(Space::Meta, &key);
        self.bytes += key.len() + 16;
        self.ops.push(Op::Count { key, delta });
    }

    /// What the store does by itself, the log and its own keys included.
    pub(crate) fn set_unchecked(&mut self, space: Space, key: Slice, value: Option<Slice>) {
        self.bytes += key.len();
        self.ops.push(Op::Set { space, key, value });
    }

    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    fn set(&mut self, space: Space, key: Slice, value: Option<Slice>) {
        check_key(space, &key);
        self.bytes += key.len() + value.as_ref().map_or(0, |value| value.len());
        self.ops.push(Op::Set { space, key, value });
    }
}

fn check_key(space: Space, key: &[u8]) {
    assert!(
        !key.is_empty() && key.len() <= KEY_BYTES_MAX,
        "a key has 1 to {KEY_BYTES_MAX} bytes, not {}",
        key.len()
    );
    assert!(space != Space::Log, "the log is written by append and shortened by trim");
    assert!(
        space != Space::Meta || key[0] != 0,
        "keys of Meta that begin with a zero byte are the store's own"
    );
}

/// The fixed part of a log record's key: which stream and which of its shards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPrefix {
    // Trailing bytes are zero, so that the derived comparisons see equal prefixes as equal.
    bytes: [u8; LogPrefix::BYTES_MAX],
    len: u8,
}

impl LogPrefix {
    pub const BYTES_MAX: usize = 31;

    /// # Panics
    /// When there are more than [`LogPrefix::BYTES_MAX`] bytes.
    pub fn new(prefix: &[u8]) -> LogPrefix {
        assert!(
            prefix.len() <= LogPrefix::BYTES_MAX,
            "a log prefix has at most {} bytes",
            LogPrefix::BYTES_MAX
        );
        let mut bytes = [0; LogPrefix::BYTES_MAX];
        bytes[..prefix.len()].copy_from_slice(prefix);
        LogPrefix { bytes, len: prefix.len() as u8 }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len()]
    }

    /// The key of the record with this sequence number; `key(a)..key(b)` is the range of `a <= sequence < b`.
    pub fn key(&self, sequence: u64) -> Slice {
        let mut key = [0; LogPrefix::BYTES_MAX + 8];
        key[..self.len()].copy_from_slice(self.as_bytes());
        key[self.len()..self.len() + 8].copy_from_slice(&sequence.to_be_bytes());
        Slice::from(&key[..self.len() + 8])
    }

    /// Prefix and sequence number of a key of [`Space::Log`].
    pub fn split(key: &[u8]) -> Option<(LogPrefix, u64)> {
        let (prefix, sequence) = key.split_last_chunk::<8>()?;
        (prefix.len() <= LogPrefix::BYTES_MAX)
            .then(|| (LogPrefix::new(prefix), u64::from_be_bytes(*sequence)))
    }

    fn len(&self) -> usize {
        usize::from(self.len)
    }
}

impl fmt::Debug for LogPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogPrefix(\"{}\")", self.as_bytes().escape_ascii())
    }
}
