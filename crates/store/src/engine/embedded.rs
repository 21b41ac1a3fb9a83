//! The engine on disk: fjall's log-structured trees under one journal.
//!
//! A data directory holds `FORMAT` (written last, so a directory that has one was made completely), `LOCK`
//! (held while open) and `tables/` (fjall's own).

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;

use fjall::config::{BlockSizePolicy, BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry};
use fjall::{
    AbstractTree, Database, Guard, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode, Readable,
};

use super::{Change, Engine, Rows, View, journal};
use crate::committer::panicked;
use crate::{Error, ErrorKind, Order, Settings, Slice, Space};

/// The format of everything below the data directory. A program opens its own and older ones.
const FORMAT: u32 = 1;
const FORMAT_LINE: &str = "millstream store format ";

/// Journals are sealed at 64 MB; when the sealed ones have this much, the spaces that keep the oldest one alive are
/// written to tables. Opening after a crash reads about twice as much.
const JOURNAL_BYTES_MAX: u64 = 64 << 20;

/// One thread flushes while the other compacts.
const WORKERS: usize = 2;

pub(crate) struct Embedded {
    shared: Arc<Shared>,
}

struct Shared {
    // In the order in which they are to be dropped: the directory is unlocked last.
    spaces: [Keyspace; Space::ALL.len()],
    database: Database,
    _lock: File,
}

impl Embedded {
    pub(crate) fn open(settings: &Settings) -> Result<Embedded, Error> {
        let path = &settings.path;
        let io = |what: &str, error: io::Error| {
            Error::new(ErrorKind::Io, format!("cannot {what} in the data directory {}", path.display()))
                .because(error)
        };
        fs::create_dir_all(path).map_err(|error| io("make it or a file", error))?;
        let lock = lock(path)?;
        let (format, making, tables) = (path.join("FORMAT"), path.join("MAKING"), path.join("tables"));
        let is_new = match fs::read_to_string(&format) {
            Ok(text) => check_format(path, &text).map(|()| false)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(io("read FORMAT", error)),
        };
        if is_new {
            let unfinished = making.try_exists().map_err(|error| io("look", error))?;
            if tables.try_exists().map_err(|error| io("look", error))? {
                if !unfinished {
                    return Err(corrupt(path, "it has tables but no FORMAT file"));
                }
                // The process that was making it ended before anything was written to it.
                fs::remove_dir_all(&tables).map_err(|error| io("remove what was left unfinished", error))?;
            }
            write_file(&making, b"").map_err(|error| io("write", error))?;
            sync_directory(path).map_err(|error| io("write", error))?;
        } else {
            if !tables.try_exists().map_err(|error| io("look", error))? {
                return Err(corrupt(path, "its tables are gone"));
            }
            journal::check(&tables)
                .map_err(|error| io("read the journal", error))?
                .map_err(|damage| corrupt(path, &damage))?;
        }
        // What the engine meets on a damaged disk may panic it.
        let opened = panic::catch_unwind(AssertUnwindSafe(|| open_tables(settings, &tables)));
        let opened = opened.map_err(|panic| corrupt(path, &panicked("reading it", &*panic).to_string()))?;
        let (database, spaces) = opened.map_err(|error| match error {
            fjall::Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => {
                io("open the tables", error)
            }
            error => corrupt(path, &error.to_string()),
        })?;
        if is_new {
            write_file(&format, format!("{FORMAT_LINE}{FORMAT}\n").as_bytes())
                .and_then(|()| fs::remove_file(&making))
                .and_then(|()| sync_directory(path))
                .map_err(|error| io("write", error))?;
        }
        Ok(Embedded { shared: Arc::new(Shared { spaces, database, _lock: lock }) })
    }
}

fn open_tables(
    settings: &Settings,
    tables: &Path,
) -> fjall::Result<(Database, [Keyspace; Space::ALL.len()])> {
    let database = Database::builder(tables)
        .cache_size(settings.cache_bytes)
        .worker_threads(WORKERS)
        .max_journaling_size(JOURNAL_BYTES_MAX)
        .manual_journal_persist(true)
        .open()?;
    let large = settings.memtable_bytes;
    let small = (large / 4).max(1 << 20);
    // Point reads of what is not there must not cost a disk read; the log is read in ranges alone.
    let filtered = FilterPolicy::all(FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(10.0)));
    let options = || KeyspaceCreateOptions::default().manual_journal_persist(true);
    let points = || options().filter_policy(filtered.clone());
    let ranges = || {
        options()
            .filter_policy(FilterPolicy::disabled())
            .data_block_size_policy(BlockSizePolicy::all(16 * 1024))
    };
    let spaces = [
        database.keyspace("meta", || points().max_memtable_size(small))?,
        database.keyspace("items", || points().max_memtable_size(large))?,
        database.keyspace("log", || ranges().max_memtable_size(large))?,
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

fn check_format(path: &Path, text: &str) -> Result<(), Error> {
    let format = text.strip_prefix(FORMAT_LINE).and_then(|number| number.trim_end().parse::<u32>().ok());
    match format {
        Some(FORMAT) => Ok(()),
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
        let Shared { spaces, database, .. } = &*self.shared;
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
        batch.commit().map_err(|error| failed("write", error))
    }

    fn sync(&self) -> Result<(), Error> {
        self.shared.database.persist(PersistMode::SyncData).map_err(|error| failed("sync", error))
    }

    fn view(&self) -> Box<dyn View> {
        Box::new(EmbeddedView { snapshot: self.shared.database.snapshot(), shared: self.shared.clone() })
    }

    fn reclaim(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), Error> {
        let tree = &self.shared.spaces[space as usize].tree;
        tree.drop_range(from..to).map_err(|error| failed("drop tables", fjall::Error::Storage(error)))
    }
}

struct EmbeddedView {
    // Dropped before what it is a snapshot of.
    snapshot: fjall::Snapshot,
    shared: Arc<Shared>,
}

impl View for EmbeddedView {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, Error> {
        let value = self.snapshot.get(&self.shared.spaces[space as usize], key);
        value.map(|value| value.map(Slice::from)).map_err(|error| failed("read", error))
    }

    fn range(&self, space: Space, from: &[u8], to: &[u8], order: Order) -> Rows {
        let rows = self.snapshot.range(&self.shared.spaces[space as usize], from..to);
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
