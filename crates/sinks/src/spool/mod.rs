//! Records kept on disk while the target is away or too slow, so that the stream may forget them.
//!
//! It lengthens the stream and decides nothing: whoever follows a shard asks for what comes after a record, and is given
//! it from here or told to ask the source. What is applied is known by the target alone. Per shard, the spool
//! covers records from one that was durable in the target on, without a hole.

mod frame;
mod inner;
mod keeper;
mod log;

#[cfg(test)]
mod tests;

pub use keeper::Keeper;

use crate::Error;
use crate::join::{Sequence, Shard, ShardId};
use crate::source::Record;
use log::Log;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file of a shard; smaller where the bound is small, so that there is something to take away.
const PIECE_BYTES_MAX: u64 = 8 << 20;

/// Where a shard goes on after a record.
#[derive(Debug)]
pub enum Given {
    /// Not here: ask the source.
    Source,
    Page(Vec<Record>),
    /// The shard has no more.
    End,
    /// What comes is about to be written here.
    Wait,
}

/// What it holds, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    pub is_active: bool,
    pub bytes: u64,
    /// Nothing more is read: why.
    pub full: Option<String>,
    /// Everything that the source had then is here, or applied.
    pub secured_ms: u64,
}

#[derive(Debug)]
pub struct Spool {
    inner: Mutex<Inner>,
    /// Held as long as this process lives.
    _lock: File,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    bytes_max: u64,
    shards: BTreeMap<ShardId, Held>,
    /// Shards whose records are all applied.
    finished: BTreeSet<ShardId>,
    full: Option<String>,
    secured_ms: u64,
    listed_ms: u64,
    stream: String,
    begun_ms: u64,
}

#[derive(Debug)]
struct Held {
    log: Log,
    /// The runner follows this shard at the source again.
    released: bool,
    /// When nothing more was there, the last time. 0: not yet.
    tip_ms: u64,
}

impl Spool {
    /// What an earlier run kept, without what a crash tore. `pipeline` names its part of the directory.
    pub fn open(root: &Path, pipeline: &str, bytes_max: u64) -> Result<Spool, Error> {
        let dir = root.join(safe(pipeline));
        let opened = || -> io::Result<Option<Spool>> {
            fs::create_dir_all(&dir)?;
            let lock = File::create(dir.join("lock"))?;
            if lock.try_lock().is_err() {
                return Ok(None);
            }
            let mut inner = Inner {
                dir: dir.clone(),
                bytes_max,
                shards: BTreeMap::new(),
                finished: BTreeSet::new(),
                full: None,
                secured_ms: 0,
                listed_ms: 0,
                stream: String::new(),
                begun_ms: 0,
            };
            inner.load()?;
            Ok(Some(Spool { inner: Mutex::new(inner), _lock: lock }))
        };
        match opened() {
            Ok(Some(spool)) => Ok(spool),
            Ok(None) => Err(Error::config(format!(
                "spool: {} is in the hands of another runner, which still runs",
                dir.display()
            ))),
            Err(error) => Err(Error::config(format!("spool: {}: {error}", dir.display()))),
        }
    }

    /// What a runner, perhaps another process, has noted as safe.
    pub fn secured_ms(root: &Path, pipeline: &str, stream: &str) -> u64 {
        let manifest = inner::manifest(&root.join(safe(pipeline))).unwrap_or_default();
        let secured_ms = manifest["secured_ms"].as_u64().filter(|_| manifest["stream"] == stream);
        secured_ms.unwrap_or_default()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept of another stream, or of an earlier life of the pipeline, is none of this one's.
    pub fn belongs(&self, stream: &str, begun_ms: u64, finished: BTreeSet<ShardId>) {
        self.inner().attempt(|inner| {
            if inner.stream != stream || inner.begun_ms != begun_ms {
                inner.clear()?;
                (inner.stream, inner.begun_ms) = (stream.to_owned(), begun_ms);
            }
            let done: Vec<ShardId> =
                inner.shards.keys().filter(|shard| finished.contains(*shard)).cloned().collect();
            inner.finished = finished;
            done.iter().try_for_each(|shard| inner.remove(shard))?;
            inner.look_whether_full();
            Ok(())
        });
    }

    /// The stream of what is kept.
    pub fn stream(&self) -> Option<String> {
        Some(self.inner().stream.clone()).filter(|stream| !stream.is_empty())
    }

    /// Keeps these shards from now on, each from the last record that is durable in the target.
    pub fn follow(&self, shards: Vec<(ShardId, Option<ShardId>, Option<Sequence>)>) {
        self.inner().attempt(|inner| {
            for (shard, parent, durable) in shards {
                if inner.finished.contains(&shard) {
                    continue;
                }
                match inner.shards.get_mut(&shard) {
                    Some(held) if held.log.last >= durable && held.log.after <= durable => {
                        if held.released && !held.log.ended {
                            (held.released, held.tip_ms) = (false, 0);
                        }
                        continue;
                    }
                    Some(_) => inner.remove(&shard)?,
                    None => {}
                }
                inner.hold(shard, parent, durable);
            }
            inner.write_manifest()
        });
    }

    /// All shards of the stream: new ones are kept too, as long as anything is.
    pub fn listed(&self, shards: &[Shard], now_ms: u64) {
        let mut inner = self.inner();
        for shard in shards {
            if !inner.finished.contains(&shard.id) && !inner.shards.contains_key(&shard.id) {
                inner.hold(shard.id.clone(), shard.parent.clone(), None);
            }
        }
        inner.listed_ms = now_ms;
        // A disk that refused may have room by now.
        inner.look_whether_full();
    }

    /// Shards that are here, for a stream that lists them no more.
    pub fn shards(&self) -> Vec<Shard> {
        let inner = self.inner();
        let of = |held: &Held| Shard {
            id: held.log.shard.clone(),
            parent: held.log.parent.clone(),
            closed: held.log.ended,
        };
        inner.shards.values().filter(|held| held.log.bytes > 0).map(of).collect()
    }

    /// What comes after a record of a shard; none: from its beginning.
    pub fn next(&self, shard: &str, after: Option<&Sequence>) -> Given {
        self.inner().next(shard, after)
    }

    /// This record and those before it are durable in the target.
    pub fn applied(&self, shard: &str, durable: &Sequence) {
        self.inner().attempt(|inner| {
            let Some(held) = inner.shards.get_mut(shard) else { return Ok(()) };
            held.log.trim(durable)?;
            if held.released && held.log.last.as_ref() <= Some(durable) && held.log.bytes > 0 {
                // What follows is followed elsewhere.
                held.log.empty()?;
            }
            inner.look_whether_full();
            Ok(())
        });
    }

    /// All of a shard is durable in the target.
    pub fn finished(&self, shard: &str) {
        self.inner().attempt(|inner| {
            inner.finished.insert(shard.into());
            inner.remove(shard)?;
            inner.look_whether_full();
            Ok(())
        });
    }

    pub fn stand(&self) -> Stand {
        let inner = self.inner();
        Stand {
            is_active: inner.is_active(),
            bytes: inner.bytes(),
            full: inner.full.clone(),
            secured_ms: inner.secured_ms,
        }
    }
}

/// A name as one part of a path, whatever is in it.
fn safe(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}
