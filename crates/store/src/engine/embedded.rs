//! The engine on disk: fjall's log-structured trees under one journal.
//!
//! A data directory holds `FORMAT` (written last, so a directory that has one was made completely), `LOCK`
//! (held while open) and `tables/` (fjall's own).

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use fjall::config::{
    BlockSizePolicy, BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry, PartitioningPolicy,
};
use fjall::{
    AbstractTree, CompressionType, Database, Guard, Keyspace, KeyspaceCreateOptions, KvSeparationOptions,
    OwnedWriteBatch, PersistMode, Readable,
};

use super::dead::Dead;
use super::{Change, Engine, Rows, View, journal};
use crate::committer::panicked;
use crate::{Error, ErrorKind, Order, Settings, Slice, Space};

/// The format of everything below the data directory. A program opens its own and older ones, which then have its own:
/// what it writes, an older program would misread. In the second, partitions may lie in the service's own order.
const FORMAT: u32 = 2;
const FORMAT_LINE: &str = "millstream store format ";

/// Journals are sealed at 64 MB; when the sealed ones have this much, the spaces that keep the oldest one alive are
/// written to tables. Opening after a crash reads about twice as much.
const JOURNAL_BYTES_MAX: u64 = 64 << 20;

/// One thread flushes while the other compacts.
const WORKERS: usize = 2;

pub(crate) struct Embedded {
    tables: Arc<OnceLock<Result<Arc<Tables>, Error>>>,
    maker: Option<JoinHandle<()>>,
    dead: Mutex<[Dead; Space::ALL.len()]>,
}

struct Tables {
    // In the order in which they are to be dropped: the directory is unlocked last.
    spaces: [Keyspace; Space::ALL.len()],
    database: Database,
    _lock: File,
}

impl Embedded {
    pub(crate) fn open(settings: &Settings) -> Result<Embedded, Error> {
        let path = &settings.path;
        fs::create_dir_all(path).map_err(|error| unusable(path, error))?;
        let lock = lock(path)?;
        let tables = Arc::new(OnceLock::new());
        if is_made(path)? {
            let _ = tables.set(Ok(open_made(settings, lock)?));
            return Ok(Embedded { tables, maker: None, dead: Mutex::default() });
        }
        // Making tables takes some eighty syncs. Until the first write has need of them, all there is to read is
        // that there is nothing; so nobody waits for them here.
        let (made, settings) = (tables.clone(), settings.clone());
        let maker = move || {
            let _ = made.set(make(&settings, lock));
        };
        let maker = thread::Builder::new().name("store-maker".into()).spawn(maker);
        let maker =
            maker.map_err(|error| Error::new(ErrorKind::Io, "cannot start a thread").because(error))?;
        Ok(Embedded { tables, maker: Some(maker), dead: Mutex::default() })
    }

    /// Waits for them where they are still being made.
    fn tables(&self) -> Result<&Tables, Error> {
        self.tables.wait().as_deref().map_err(Error::clone)
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // The directory must not be in use any more when its store is gone. A panic has been told by then.
        let _ = self.maker.take().map(JoinHandle::join);
    }
}

/// Whether the directory was made completely, in a format that this program knows.
fn is_made(path: &Path) -> Result<bool, Error> {
    let exists = |name: &str| path.join(name).try_exists().map_err(|error| unusable(path, error));
    match fs::read_to_string(path.join("FORMAT")) {
        Ok(text) => drop(read_format(path, &text)?),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(path, error)),
        Err(_) if exists("tables")? && !exists("MAKING")? => {
            return Err(corrupt(path, "it has tables but no FORMAT file"));
        }
        Err(_) => return Ok(false),
    }
    if exists("tables")? { Ok(true) } else { Err(corrupt(path, "its tables are gone")) }
}

/// Removes what a process left that ended while it was making the directory; nobody had been told of any write.
fn clear(path: &Path) -> Result<(), Error> {
    let cleared = || {
        write_file(&path.join("MAKING"), b"")?;
        sync_directory(path)?;
        let tables = path.join("tables");
        if tables.try_exists()? { fs::remove_dir_all(tables) } else { Ok(()) }
    };
    cleared().map_err(|error| unusable(path, error))
}

fn make(settings: &Settings, lock: File) -> Result<Arc<Tables>, Error> {
    let path = &settings.path;
    clear(path)?;
    let tables = open_tables(settings, lock)?;
    let finish = || {
        write_format(path)?;
        fs::remove_file(path.join("MAKING"))?;
        sync_directory(path)
    };
    finish().map_err(|error| unusable(path, error))?;
    Ok(tables)
}

fn open_made(settings: &Settings, lock: File) -> Result<Arc<Tables>, Error> {
    let path = &settings.path;
    let checked = journal::check(&path.join("tables")).map_err(|error| unusable(path, error))?;
    checked.map_err(|damage| corrupt(path, &damage))?;
    let tables = open_tables(settings, lock)?;
    let text = fs::read_to_string(path.join("FORMAT")).map_err(|error| unusable(path, error))?;
    if read_format(path, &text)? < FORMAT {
        write_format(path).map_err(|error| unusable(path, error))?;
    }
    Ok(tables)
}

fn open_tables(settings: &Settings, lock: File) -> Result<Arc<Tables>, Error> {
    let path = &settings.path;
    // What the engine meets on a damaged disk may panic it.
    let opened = panic::catch_unwind(AssertUnwindSafe(|| open_database(settings)));
    let opened = opened.map_err(|panic| corrupt(path, &panicked("reading it", &*panic).to_string()))?;
    let (database, spaces) = opened.map_err(|error| match error {
        fjall::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => unusable(path, error),
        error => corrupt(path, &error.to_string()),
    })?;
    Ok(Arc::new(Tables { spaces, database, _lock: lock }))
}

fn unusable(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot use the data directory {}", path.display())).because(error)
}

fn open_database(settings: &Settings) -> fjall::Result<(Database, [Keyspace; Space::ALL.len()])> {
    let database = Database::builder(settings.path.join("tables"))
        .cache_size(settings.cache_bytes)
        .worker_threads(WORKERS)
        .max_journaling_size(JOURNAL_BYTES_MAX)
        .manual_journal_persist(true)
        .open()?;
    let large = settings.memtable_bytes;
    let small = (large / 4).max(1 << 20);
    // Point reads of what is not there must not cost a disk read; the log is read in ranges alone.
    let filtered = FilterPolicy::all(FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(10.0)));
    // A table's index and filter lie in parts, of which the cache holds those that are read: whole, the indexes of some
    // ten million items are larger than it, and a read that misses would bring in more than half a megabyte for one key.
    let parts = PartitioningPolicy::all(true);
    let options = || {
        KeyspaceCreateOptions::default()
            .manual_journal_persist(true)
            .index_block_partitioning_policy(parts.clone())
            .filter_block_partitioning_policy(parts.clone())
    };
    let points = || options().filter_policy(filtered.clone());
    let ranges = || {
        options()
            .filter_policy(FilterPolicy::disabled())
            .data_block_size_policy(BlockSizePolicy::all(16 * 1024))
    };
    // Values beyond these sizes lie beside the trees, so that compaction does not write them again and again. What
    // comes to the log ends up in as many places as there are shards, and with it every table would be rewritten.
    let beside = |options: KeyspaceCreateOptions, bytes| {
        let separated = KvSeparationOptions::default().compression(CompressionType::None);
        options.with_kv_separation(Some(separated.separation_threshold(bytes)))
    };
    let spaces = [
        database.keyspace("meta", || points().max_memtable_size(small))?,
        database.keyspace("items", || beside(points().max_memtable_size(large), 1024))?,
        database.keyspace("log", || beside(ranges().max_memtable_size(large), 128))?,
        database.keyspace("text", || ranges().max_memtable_size(small))?,
    ];
    Ok((database, spaces))
}

fn lock(path: &Path) -> Result<File, Error> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("LOCK"));
    let file = file.map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot write to the data directory {}", path.display()))
            .because(error)
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            ErrorKind::Locked,
            format!(
                "the data directory {} is in use by another process: stop that one, or use another",
                path.display()
            ),
        )),
        Err(TryLockError::Error(error)) => {
            Err(Error::new(ErrorKind::Io, format!("cannot lock the data directory {}", path.display()))
                .because(error))
        }
    }
}

/// Whole or not at all.
fn write_format(path: &Path) -> io::Result<()> {
    write_file(&path.join("FORMAT.new"), format!("{FORMAT_LINE}{FORMAT}\n").as_bytes())?;
    fs::rename(path.join("FORMAT.new"), path.join("FORMAT"))?;
    sync_directory(path)
}

fn read_format(path: &Path, text: &str) -> Result<u32, Error> {
    let format = text.strip_prefix(FORMAT_LINE).and_then(|number| number.trim_end().parse::<u32>().ok());
    match format {
        Some(format @ 1..=FORMAT) => Ok(format),
        Some(newer) if newer > FORMAT => Err(Error::new(
            ErrorKind::Newer,
            format!(
                "the data directory {} has format {newer}, written by a newer version; this one reads format {FORMAT} \
                 and older: use the newer version, or another directory",
                path.display()
            ),
        )),
        _ => Err(corrupt(path, "its FORMAT file is not one")),
    }
}

fn corrupt(path: &Path, what: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!(
            "the data directory {} is damaged: {what}. Nothing was changed. Keep a copy of it, check the disk, \
             and restore a backup",
            path.display()
        ),
    )
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

impl Engine for Embedded {
    fn apply(&self, changes: &[Change], durable: bool) -> Result<(), Error> {
        let Tables { spaces, database, .. } = self.tables()?;
        let mode = if durable { PersistMode::SyncData } else { PersistMode::Buffer };
        let mut batch =
            OwnedWriteBatch::with_capacity(database.clone(), changes.len()).durability(Some(mode));
        for Change { space, key, value } in changes {
            let space = &spaces[*space as usize];
            match value {
                Some(value) => batch.insert(space, key.to_engine(), value.to_engine()),
                None => batch.remove(space, key.to_engine()),
            }
        }
        batch.commit().map_err(|error| failed("write", error))?;
        let mut dead = self.dead.lock().unwrap_or_else(PoisonError::into_inner);
        for Change { space, key, value } in changes {
            let space = *space as usize;
            if dead[space].count(key, value.is_none()) {
                // What was applied stays applied: if this fails, the next write meets what is wrong.
                let _ = spaces[space].rotate_memtable();
            }
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        self.tables()?.database.persist(PersistMode::SyncData).map_err(|error| failed("sync", error))
    }

    fn view(&self) -> Box<dyn View> {
        match self.tables.get() {
            Some(Ok(tables)) => {
                Box::new(EmbeddedView { snapshot: tables.database.snapshot(), tables: tables.clone() })
            }
            Some(Err(_)) | None => Box::new(Nothing),
        }
    }

    fn reclaim(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), Error> {
        let tree = &self.tables()?.spaces[space as usize].tree;
        tree.drop_range(from..to).map_err(|error| failed("drop tables", fjall::Error::Storage(error)))
    }
}

struct EmbeddedView {
    // Dropped before what it is a snapshot of.
    snapshot: fjall::Snapshot,
    tables: Arc<Tables>,
}

/// What can be seen of a directory whose tables are still being made.
struct Nothing;

impl View for Nothing {
    fn get(&self, _space: Space, _key: &[u8]) -> Result<Option<Slice>, Error> {
        Ok(None)
    }

    fn range(&self, _space: Space, _from: &[u8], _to: &[u8], _order: Order) -> Rows {
        Box::new(std::iter::empty())
    }
}

impl View for EmbeddedView {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, Error> {
        let value = self.snapshot.get(&self.tables.spaces[space as usize], key);
        value.map(|value| value.map(Slice::from)).map_err(|error| failed("read", error))
    }

    fn range(&self, space: Space, from: &[u8], to: &[u8], order: Order) -> Rows {
        let rows = self.snapshot.range(&self.tables.spaces[space as usize], from..to);
        let row = |guard: Guard| match guard.into_inner() {
            Ok((key, value)) => Ok((Slice::from(key), Slice::from(value))),
            Err(error) => Err(failed("read", error)),
        };
        match order {
            Order::Forward => Box::new(rows.map(row)),
            Order::Backward => Box::new(rows.rev().map(row)),
        }
    }
}

fn failed(what: &str, error: fjall::Error) -> Error {
    let kind = match &error {
        fjall::Error::Poisoned => ErrorKind::Poisoned,
        fjall::Error::Io(_) | fjall::Error::Storage(fjall::LsmError::Io(_)) => ErrorKind::Io,
        _ => ErrorKind::Corrupt,
    };
    Error::new(kind, format!("the storage engine cannot {what}")).because(error)
}
