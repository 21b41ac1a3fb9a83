//! Shards and segments that are read: where each is, and when it is read again.

use super::Coordinator;
use crate::Error;
use crate::join::{Sequence, ShardId};
use crate::source::Begin;
use std::time::Duration;

/// A shard or a segment that is being read.
pub(super) struct Feed {
    pub job: FeedJob,
    pub due: Duration,
    pub busy: bool,
    pub pause: Duration,
}

pub(super) enum FeedJob {
    Shard { iterator: Option<String>, begin: Begin },
    Segment { from: Option<Box<str>> },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    Segment(u32),
    Shard(ShardId),
}

impl Coordinator<'_> {
    pub(super) fn open(&mut self, shard: ShardId, after: Option<Sequence>) -> Result<(), Error> {
        self.durable.open(&shard);
        // Nothing says whether its first record is still there.
        if after.is_none() && self.taken.resumed && self.taken.kept.stored.plan.heads.contains_key(&shard) {
            self.lost(&shard)?;
        }
        let begin = after.map_or(Begin::Horizon, Begin::After);
        let iterator = self.head(&shard, &begin);
        self.feed(Name::Shard(shard), FeedJob::Shard { iterator, begin });
        Ok(())
    }

    pub(super) fn feed(&mut self, name: Name, job: FeedJob) {
        let due = self.now();
        self.feeds.insert(name, Feed { job, due, busy: false, pause: Duration::ZERO });
    }
}
