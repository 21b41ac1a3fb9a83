use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use arc_swap::ArcSwap;

use crate::announcer::Announcer;
use crate::batch::Op;
use crate::committer::Committer;
use crate::engine::Engine;
use crate::engine::embedded::Embedded;
use crate::engine::faulty::Faulty;
use crate::engine::memory::Memory;
use crate::header::Header;
use crate::latches::Latches;
use crate::line::Line;
use crate::snapshot::Published;
use crate::trimmer::Trimmer;
use crate::{Batch, Commit, Error, ErrorKind, Faults, LogPrefix, Slice, Snapshot, Space};

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
            memtable_bytes: 64 << 20,
            queue_updates_max: 4096,
            queue_bytes_max: 64 << 20,
        }
    }
}

/// Ordered, durable bytes. Cloning shares it; the last clone to go closes it.
#[derive(Clone)]
pub struct Store {
    owner: Arc<Owner>,
}

struct Owner {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the store's threads and its callers share.
pub(crate) struct Shared {
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) line: Line,
    pub(crate) published: ArcSwap<Published>,
    pub(crate) announcer: Announcer,
    pub(crate) counts: Counts,
    latches: Latches,
    trimmer: Trimmer,
}

#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) updates: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) appended: AtomicU64,
}

/// While there is one, no trim begins.
pub struct Hold(Arc<Shared>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.trimmer.release();
    }
}

impl Store {
    pub fn open(settings: Settings) -> Result<Store, Error> {
        let engine = Embedded::open(&settings)?;
        Store::start(Box::new(engine), settings.queue_updates_max, settings.queue_bytes_max)
    }

    /// A store that forgets everything when it is closed.
    ///
    /// # Panics
    /// When the machine has no thread left to give.
    pub fn memory() -> Store {
        Store::start_in_memory(Box::new(Memory::default()))
    }

    /// A store in memory that fails where it is told to: for tests of what stands on it.
    ///
    /// # Panics
    /// When the machine has no thread left to give.
    pub fn faulty() -> (Store, Faults) {
        let engine = Faulty::default();
        let faults = engine.faults.clone();
        (Store::start_in_memory(Box::new(engine)), faults)
    }

    /// Everything durable at this moment. Waits for nobody.
    pub fn snapshot(&self) -> Snapshot {
        self.owner.shared.snapshot()
    }

    /// Reads `keys`, lets `plan` decide, and queues the batch it fills.
    ///
    /// Updates that share a key take effect one after another, each seeing what the one before it decided,
    /// durable or not; hence the [`Commit`] is only ready once all that the plan saw is durable, and so
    /// is the one that comes with a plan's error. The queue's order is commit order is sequence order.
    ///
    /// `plan` is pure, may be run again, and calls nothing of this store. Every key it writes that some other
    /// update reads must be named, or follow from one that is (as an index entry follows from its item).
    pub fn update<T, E>(
        &self,
        keys: &[(Space, Vec<u8>)],
        mut plan: impl FnMut(&Before, &mut Batch) -> Result<T, E>,
    ) -> Result<(T, Commit), UpdateError<E>> {
        let shared = &*self.owner.shared;
        shared.line.admit().map_err(UpdateError::Store)?;
        let latches = shared.latches.take(keys);
        let (before, saw_pending) = shared.read(keys).map_err(UpdateError::Store)?;
        let mut batch = Batch::default();
        let planned = plan(&before, &mut batch);
        if planned.is_err() {
            batch = Batch::default();
        }
        // An empty batch still stands in line when its plan saw something that does.
        let commit = if batch.is_empty() && !saw_pending {
            Ok(Commit::ready())
        } else {
            shared.line.enqueue(batch, false)
        };
        drop(latches);
        match planned {
            Ok(value) => Ok((value, commit.map_err(UpdateError::Store)?)),
            Err(error) => Err(UpdateError::Plan { error, after: commit.unwrap_or_else(Commit::failed) }),
        }
    }

    /// Queues a batch of [`Space::Text`] that waits for no sync: its commit is ready once it can be read,
    /// and it is durable with the next sync, within about a second.
    pub fn update_relaxed(&self, fill: impl FnOnce(&mut Batch)) -> Result<Commit, Error> {
        let mut batch = Batch::default();
        fill(&mut batch);
        let is_text = |op: &Op| matches!(op, Op::Set { space: Space::Text, .. });
        assert!(batch.ops.iter().all(is_text), "only Text is written without a sync");
        let shared = &*self.owner.shared;
        shared.line.admit()?;
        shared.line.enqueue(batch, true)
    }

    /// Calls `observer` with every group's appended records, in commit order, once they are durable and
    /// visible to snapshots and before their commits are ready. It must be quick, must not wait for a
    /// commit, and must not hold a `Store`, which could then never close.
    pub fn watch(&self, observer: impl Fn(&[Appended]) + Send + Sync + 'static) {
        self.owner.shared.announcer.watch(Arc::new(observer));
    }

    /// While there is a hold, no trim begins: take it before a snapshot that is to be read as a whole.
    pub fn hold_trims(&self) -> Hold {
        self.owner.shared.trimmer.hold();
        Hold(self.owner.shared.clone())
    }

    /// Removes `from <= key < to` behind the writers' backs, in small pieces; ready once all is gone.
    /// Nobody may write into the range meanwhile, and who reads it may find any part of it. A trim that
    /// a crash interrupts is not resumed: ask again.
    pub fn trim(&self, space: Space, from: &[u8], to: &[u8]) -> Result<Commit, Error> {
        assert!(
            space != Space::Meta || from > &[0][..],
            "keys of Meta that begin with a zero byte are the store's own"
        );
        if from >= to {
            return Ok(Commit::ready());
        }
        let shared = &self.owner.shared;
        let (commit, start) = shared.trimmer.queue(space, from, to)?;
        if start {
            let shared = shared.clone();
            self.owner.spawn("store-trimmer", move || shared.trimmer.run(&shared))?;
        }
        Ok(commit)
    }

    /// What has been done since the store was opened.
    pub fn stats(&self) -> Stats {
        let Counts { updates, groups, syncs, appended } = &self.owner.shared.counts;
        let [updates, groups, syncs, appended] =
            [updates, groups, syncs, appended].map(|count| count.load(Ordering::Relaxed));
        Stats { updates, groups, syncs, appended }
    }

    /// Makes everything queued durable and stops. Later writes are refused, snapshots stay readable.
    /// The directory is free for others once all clones and snapshots are dropped.
    pub fn close(&self) -> Result<(), Error> {
        self.owner.close();
        self.owner.shared.line.failure().map_or(Ok(()), Err)
    }

    fn start_in_memory(engine: Box<dyn Engine>) -> Store {
        let Settings { queue_updates_max, queue_bytes_max, .. } = Settings::new("");
        Store::start(engine, queue_updates_max, queue_bytes_max)
            .expect("a store in memory needs but two threads")
    }

    fn start(engine: Box<dyn Engine>, updates_max: usize, bytes_max: usize) -> Result<Store, Error> {
        let view = engine.view();
        let header = Header::read(&*view)?;
        let published = ArcSwap::from_pointee(Published { view, sequence: header.sequence });
        let shared = Arc::new(Shared {
            engine,
            line: Line::new(updates_max, bytes_max),
            published,
            announcer: Announcer::default(),
            counts: Counts::default(),
            latches: Latches::new(),
            trimmer: Trimmer::default(),
        });
        let owner = Arc::new(Owner { shared: shared.clone(), threads: Mutex::default() });
        let committer = Committer::new(shared.clone(), header);
        owner.spawn("store-committer", move || {
            let shared = committer.shared().clone();
            committer.run();
            shared.announcer.close();
        })?;
        owner.spawn("store-announcer", move || shared.announcer.run(&shared.line))?;
        Ok(Store { owner })
    }
}

impl Shared {
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(self.published.load_full())
    }

    /// The keys' values, those in line first; and whether any of them was in line.
    fn read(&self, keys: &[(Space, Vec<u8>)]) -> Result<(Before, bool), Error> {
        if keys.is_empty() {
            return Ok((Before { values: Vec::new() }, false));
        }
        let pending = self.line.pending(keys);
        let saw_pending = pending.iter().any(Option::is_some);
        // Loaded after the line was asked: what has left the line by then is in here.
        let published = self.published.load();
        let values = pending.into_iter().zip(keys).map(|(pending, (space, key))| match pending {
            Some(pending) => Ok(pending.value),
            None => published.view.get(*space, key),
        });
        let values = values.collect::<Result<_, Error>>()?;
        Ok((Before { values }, saw_pending))
    }
}

impl Owner {
    fn spawn(&self, name: &str, life: impl FnOnce() + Send + 'static) -> Result<(), Error> {
        let thread = thread::Builder::new().name(name.into()).spawn(life);
        let thread =
            thread.map_err(|error| Error::new(ErrorKind::Io, "cannot start a thread").because(error))?;
        self.threads().push(thread);
        Ok(())
    }

    fn close(&self) {
        self.shared.trimmer.close();
        self.shared.line.close();
        let threads = std::mem::take(&mut *self.threads());
        for thread in threads {
            // The last clone may go on one of these threads, which then cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?})", self.stats())
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
