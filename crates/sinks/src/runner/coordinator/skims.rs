//! What becomes of the last records that shards had before the scan.

use super::{Coordinator, FeedJob, Name};
use crate::Error;
use crate::join::{Event, Sequence, ShardId};
use crate::runner::skim::Skim;
use crate::source::Begin;
use std::sync::PoisonError;

impl Coordinator<'_> {
    /// Without a mark a shard goes on where it was when the pipeline began.
    pub(super) fn head(&self, shard: &ShardId, begin: &Begin) -> Option<String> {
        let heads = &self.taken.kept.stored.plan.heads;
        heads.get(shard).filter(|_| *begin == Begin::Horizon).cloned()
    }

    pub(super) fn skimmed(&mut self, shard: ShardId, last: Option<Sequence>) {
        match (last, self.skims.get_mut(&shard)) {
            (Some(last), Some(skim)) => *skim = Skim::Reached(last),
            _ => drop(self.skims.remove(&shard)),
        }
    }

    /// The shard has been read on from where it was: `tip`, nothing was there.
    pub(super) fn passed(&mut self, shard: &ShardId, tip: bool) -> Result<(), Error> {
        match self.skims.get(shard) {
            None => return Ok(()),
            Some(Skim::UnderWay | Skim::Reached(_)) if tip => return Ok(()),
            _ => {}
        }
        self.skims_wanted.lock().unwrap_or_else(PoisonError::into_inner).remove(shard);
        // Records have marks of their own.
        let Some(Skim::Asked(upto)) = self.skims.remove(shard).filter(|_| tip) else { return Ok(()) };
        if let Some(feed) = self.feeds.get_mut(&Name::Shard(shard.clone()))
            && let FeedJob::Shard { begin, .. } = &mut feed.job
            && *begin == Begin::Horizon
        {
            *begin = Begin::After(upto.clone());
        }
        self.step(Event::Reached { shard: shard.clone(), upto })
    }
}
