//! What happens under the spool's lock.

use super::log::{Log, Next};
use super::{Given, Held, Inner, PIECE_BYTES_MAX, safe};
use crate::join::{Sequence, ShardId};
use crate::source::{Record, RecordsPage};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const MANIFEST: &str = "manifest.json";
/// What a frame, and a file's first, add to a page.
const FRAME_BYTES: u64 = 1024;
const SECURE_EVERY_MS: u64 = 1000;

/// A page of the source.
#[derive(Debug)]
pub(super) struct Page {
    /// The last record's number, and all of them as GetRecords tells them.
    pub records: Option<(Sequence, Vec<u8>)>,
    /// The shard has no more.
    pub end: bool,
    pub asked_ms: u64,
}

/// Null: there is none, or none that is whole.
pub(super) fn manifest(dir: &Path) -> io::Result<Value> {
    match fs::read(dir.join(MANIFEST)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Value::Null),
        Err(error) => Err(error),
    }
}

impl Inner {
    /// A disk that fails costs the spool, not the pipeline: nothing more is kept until there is room again.
    pub(super) fn attempt(&mut self, work: impl FnOnce(&mut Inner) -> io::Result<()>) {
        if let Err(error) = work(self) {
            self.full = Some(format!("{}: {error}", self.dir.display()));
        }
    }

    pub(super) fn load(&mut self) -> io::Result<()> {
        let manifest = manifest(&self.dir)?;
        let (Some(stream), Some(begun_ms)) = (manifest["stream"].as_str(), manifest["begun_ms"].as_u64())
        else {
            return self.remove_shards();
        };
        (self.stream, self.begun_ms) = (stream.to_owned(), begun_ms);
        self.secured_ms = manifest["secured_ms"].as_u64().unwrap_or_default();
        let finished = manifest["finished"].as_array().into_iter().flatten();
        self.finished = finished.filter_map(|shard| shard.as_str()).map(ShardId::from).collect();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir()
                && let Some(log) = Log::open(&entry.path())?
            {
                if log.was_torn {
                    // What was lost is to be read again before anything is safe.
                    self.secured_ms = 0;
                }
                self.shards.insert(log.shard.clone(), Held { log, released: false, tip_ms: 0 });
            }
        }
        self.look_whether_full();
        Ok(())
    }

    /// Written anew whenever something moves that a run without a target would have to know.
    pub(super) fn write_manifest(&self) -> io::Result<()> {
        let manifest = json!({
            "version": 1, "stream": self.stream, "begun_ms": self.begun_ms, "finished": self.finished,
            "secured_ms": self.secured_ms,
        });
        let beside = self.dir.join("manifest.new");
        let mut file = File::create(&beside)?;
        file.write_all(manifest.to_string().as_bytes())?;
        file.sync_data()?;
        fs::rename(&beside, self.dir.join(MANIFEST))
    }

    fn remove_shards(&mut self) -> io::Result<()> {
        self.shards.clear();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.remove_shards()?;
        self.finished.clear();
        (self.secured_ms, self.listed_ms, self.full) = (0, 0, None);
        Ok(())
    }

    pub(super) fn dir_of(&self, shard: &str) -> PathBuf {
        self.dir.join(safe(shard))
    }

    pub(super) fn hold(&mut self, shard: ShardId, parent: Option<ShardId>, after: Option<Sequence>) {
        let log = Log::new(&self.dir_of(&shard), shard.clone(), parent, after);
        self.shards.insert(shard, Held { log, released: false, tip_ms: 0 });
    }

    pub(super) fn remove(&mut self, shard: &str) -> io::Result<()> {
        self.shards.remove(shard).map_or(Ok(()), |mut held| held.log.empty())
    }

    pub(super) fn bytes(&self) -> u64 {
        self.shards.values().map(|held| held.log.bytes).sum()
    }

    /// Some shard is followed by the keeper, or has records here that nobody has asked for.
    pub(super) fn is_active(&self) -> bool {
        self.shards.values().any(|held| !held.released)
    }

    pub(super) fn piece_bytes(&self) -> u64 {
        PIECE_BYTES_MAX.min(self.bytes_max / 16)
    }

    /// What was read of the source after `after`; false: nobody wants it any more, or there is no room.
    pub(super) fn append(&mut self, shard: &str, after: Option<&Sequence>, page: Page) -> bool {
        let (held_bytes, bytes_max, piece_bytes) = (self.bytes(), self.bytes_max, self.piece_bytes());
        let dir = self.dir.display().to_string();
        let Some(held) = self.shards.get_mut(shard) else { return false };
        if held.released || held.log.last.as_ref() != after {
            return false;
        }
        if let Some((last, body)) = page.records {
            if held_bytes + body.len() as u64 + FRAME_BYTES > bytes_max {
                self.full = Some(format!("{dir} holds {held_bytes} bytes"));
                return false;
            }
            held.tip_ms = 0;
            let written = held.log.append(last, body, piece_bytes);
            self.attempt(|_| written);
        } else if !page.end {
            held.tip_ms = page.asked_ms;
        }
        if page.end
            && self.full.is_none()
            && let Some(held) = self.shards.get_mut(shard)
        {
            let written = held.log.end();
            self.listed_ms = 0;
            self.attempt(|_| written);
        }
        self.full.is_none()
    }

    /// Notes that all is here that the source had at a time, once every shard has been followed to its tip.
    pub(super) fn secure(&mut self) {
        let mut at_ms = self.listed_ms;
        for held in self.shards.values().filter(|held| !held.log.ended || held.released) {
            at_ms = at_ms.min(if held.released { 0 } else { held.tip_ms });
        }
        if at_ms >= self.secured_ms + SECURE_EVERY_MS {
            self.attempt(|inner| {
                inner.shards.values_mut().try_for_each(|held| held.log.sync())?;
                inner.secured_ms = at_ms;
                inner.write_manifest()
            });
        }
    }

    pub(super) fn look_whether_full(&mut self) {
        // Not at every page: a little room must have come.
        if self.bytes() + self.piece_bytes() < self.bytes_max {
            self.full = None;
        }
    }

    pub(super) fn next(&mut self, shard: &str, after: Option<&Sequence>) -> Given {
        let is_full = self.full.is_some();
        let Some(held) = self.shards.get_mut(shard) else { return Given::Source };
        let (first, last) = (held.log.after.as_ref(), held.log.last.as_ref());
        if after < first {
            return Given::Source;
        }
        if after < last || (after == last && held.log.ended) {
            return match held.log.read(after) {
                Ok(Next::Page(body)) => match records_of(&body, after) {
                    Some(records) => Given::Page(records),
                    None => self.damaged(shard),
                },
                Ok(Next::End) => Given::End,
                Ok(Next::Nothing) | Err(_) => self.damaged(shard),
            };
        }
        if held.released || held.tip_ms > 0 || is_full {
            held.released = true;
            return Given::Source;
        }
        Given::Wait
    }

    /// What cannot be read any more is asked of the source again: it has it, or says that it has not.
    fn damaged(&mut self, shard: &str) -> Given {
        self.secured_ms = 0;
        self.attempt(|inner| inner.remove(shard));
        Given::Source
    }
}

fn records_of(body: &[u8], after: Option<&Sequence>) -> Option<Vec<Record>> {
    let mut page = RecordsPage::read(body)?;
    page.records.retain(|record| Some(&record.sequence) > after);
    Some(page.records)
}
