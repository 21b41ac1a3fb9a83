use std::path::PathBuf;

use crate::{Batch, Commit, Error, Faults, LogPrefix, Slice, Snapshot, Space};

/// How a store on disk is opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The data directory; created when it does not exist.
    pub path: PathBuf,
    /// What the cache of blocks read from disk may hold; it fills as data is read.
    pub cache_bytes: u64,
    /// What each space may hold in memory before it is written to a table.
    pub memtable_bytes: u64,
    /// Updates that may wait for the committer; beyond, writers wait.
    pub queue_updates_max: usize,
    /// Bytes that may wait for the committer; beyond, writers wait.
    pub queue_bytes_max: usize,
}

impl Settings {
    pub fn new(path: impl Into<PathBuf>) -> Settings {
        Settings {
            path: path.into(),
            cache_bytes: 64 << 20,
            memtable_bytes: 32 << 20,
            queue_updates_max: 4096,
            queue_bytes_max: 64 << 20,
        }
    }
}

/// Ordered, durable bytes. Cloning shares it; the last clone to go closes it.
#[derive(Clone)]
pub struct Store {}

impl Store {
    pub fn open(_settings: Settings) -> Result<Store, Error> {
        unimplemented!()
    }

    /// A store that forgets everything when it is closed.
    pub fn memory() -> Store {
        unimplemented!()
    }

    /// A store in memory that fails where it is told to: for tests of what stands on it.
    pub fn faulty() -> (Store, Faults) {
        unimplemented!()
    }

    /// Everything durable at this moment. Waits for nobody.
    pub fn snapshot(&self) -> Snapshot {
        unimplemented!()
    }

    /// Reads `keys`, lets `plan` decide, and queues the batch it fills.
    ///
    /// Updates that share a key take effect one after another, each seeing what the one before it decided,
    /// durable or not; hence the [`Commit`] is only ready once all that the plan saw is durable, and so
    /// is the one that comes with a plan's error. The queue's order is commit order is sequence order.
    ///
    /// `plan` is pure and may be run again. Every key it writes that some other update reads must be named,
    /// or follow from one that is (as an index entry follows from its item).
    pub fn update<T, E>(
        &self,
        _keys: &[(Space, Vec<u8>)],
        _plan: impl FnMut(&Before, &mut Batch) -> Result<T, E>,
    ) -> Result<(T, Commit), UpdateError<E>> {
        unimplemented!()
    }

    /// Queues a batch of [`Space::Text`] that waits for no sync: its commit is ready once it can be read,
    /// and it is durable with the next sync, within about a second.
    pub fn update_relaxed(&self, _fill: impl FnOnce(&mut Batch)) -> Result<Commit, Error> {
        unimplemented!()
    }

    /// Calls `observer` with every group's appended records, in commit order, once they are durable and
    /// visible to snapshots and before their commits are ready. It must be quick and must not wait for a commit.
    pub fn watch(&self, _observer: impl Fn(&[Appended]) + Send + Sync + 'static) {
        unimplemented!()
    }

    /// Removes `from <= key < to` behind the writers' backs, in small pieces; ready once all is gone.
    /// Nobody may write into the range meanwhile. A trim that a crash interrupts is not resumed: ask again.
    pub fn trim(&self, _space: Space, _from: &[u8], _to: &[u8]) -> Result<Commit, Error> {
        unimplemented!()
    }

    pub fn stats(&self) -> Stats {
        unimplemented!()
    }

    /// Makes everything queued durable and stops. Later writes are refused, snapshots stay readable.
    pub fn close(&self) -> Result<(), Error> {
        unimplemented!()
    }
}

/// The values of an update's keys as its plan finds them.
#[derive(Debug)]
pub struct Before {
    values: Vec<Option<Slice>>,
}

impl Before {
    /// The value of the key that was named `index`-th.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        self.values[index].as_deref()
    }

    /// The same, to be kept without a copy.
    pub fn slice(&self, index: usize) -> Option<&Slice> {
        self.values[index].as_ref()
    }
}

/// Why an update did not happen.
#[derive(Debug)]
pub enum UpdateError<E> {
    /// The plan refused. Answer only when `after` is ready: it may have refused because of a value that
    /// is not durable yet.
    Plan {
        error: E,
        after: Commit,
    },
    Store(Error),
}

/// A log record that has become durable.
#[derive(Clone, Debug)]
pub struct Appended {
    pub prefix: LogPrefix,
    pub sequence: u64,
    pub value: Slice,
}

/// What the store has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub updates: u64,
    pub groups: u64,
    pub syncs: u64,
    pub appended: u64,
}
