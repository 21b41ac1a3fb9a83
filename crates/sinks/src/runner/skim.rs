//! Where shards were when the pipeline began. Reading goes on from there at once, by an iterator, which lives for minutes;
//! what came before is seen by the scan. The number of the last record before is not told by any stream but by reading
//! to it: that is done when the snapshot has ended, by a runner that stays, and becomes the shard's mark unless a record
//! has come meanwhile, so that a later run need not begin at the horizon.

use super::Stop;
use super::begin::Pipeline;
use super::job::Done;
use crate::Error;
use crate::join::{Sequence, Shard, ShardId};
use crate::source::{Ahead, Begin};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What is not reached by then is read again by the next run.
const SKIM_MAX: Duration = Duration::from_secs(10);
/// All iterators together are kept up to this length.
const HEADS_BYTES_MAX: usize = 64 << 10;

impl Pipeline {
    /// Iterators behind the last record of each open shard, to be asked for before the scan begins.
    pub(super) fn heads(&self, stream: &str, shards: &[Shard]) -> Result<BTreeMap<ShardId, String>, Error> {
        let mut table = self.source()?;
        let (mut heads, mut bytes) = (BTreeMap::new(), 0);
        for shard in shards.iter().filter(|shard| !shard.closed) {
            let Some(latest) = table.latest(stream, &shard.id)? else { continue };
            // Once it has been asked, an iterator stands somewhere for certain.
            if let Some(next) = table.records(&latest, 1)?.next
                && bytes + next.len() <= HEADS_BYTES_MAX
            {
                bytes += next.len();
                heads.insert(shard.id.clone(), next);
            }
        }
        Ok(heads)
    }
}

/// How far that is with each shard.
pub enum Skim {
    UnderWay,
    Reached(Sequence),
    /// The shard has been asked since: without an answer's records, what was reached was there before.
    Asked(Sequence),
}

pub struct Skimmer<'a> {
    pub pipeline: &'a Pipeline,
    pub stream: &'a str,
    /// Shards whose marks are still wanted.
    pub wanted: &'a Mutex<BTreeSet<ShardId>>,
    pub give_up: &'a Stop,
}

impl Skimmer<'_> {
    /// `scanned`: told once when the snapshot has ended, or never.
    pub fn run(&self, scanned: &Receiver<()>, done: &Sender<Done>) {
        if scanned.recv().is_err() {
            return;
        }
        let shards = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let until = self.pipeline.world.elapsed() + SKIM_MAX;
        for shard in shards {
            // What cannot be read has no mark, as before.
            let last = self.last(&shard, until).unwrap_or_default();
            if done.send(Done::Skimmed { shard, last }).is_err() {
                return;
            }
        }
    }

    fn last(&self, shard: &ShardId, until: Duration) -> Result<Option<Sequence>, Error> {
        let Pipeline { login, world, tables, .. } = self.pipeline;
        let Some(iterator) = self.pipeline.source()?.iterator(self.stream, shard, &Begin::Horizon)? else {
            return Ok(None);
        };
        let is_wanted = || {
            let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.contains(shard) && world.elapsed() < until && !self.give_up.is_set()
        };
        let ahead = Ahead::new(login, world, false).with_tables(tables.clone());
        Ok(ahead.skim(iterator, &is_wanted)?)
    }
}
