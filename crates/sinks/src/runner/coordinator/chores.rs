//! What the coordinator does from time to time, and the jobs it gives.

use super::{Coordinator, FeedJob, LIST_EVERY, Name, REPORT_EVERY, REST_EVERY, TICK_EVERY};
use crate::join::{Event, Shard};
use crate::runner::job::Job;
use crate::runner::progress::{Phase, Progress, Report};
use crate::runner::skim::Skim;
use crate::{Error, Kind};
use std::time::Duration;
use world::Timestamp;

/// Most rows that wait for the target, for each row of a batch on each lane; and the least of them, which a few pages of
/// the scan are, so that those who read and those who write need not wait for each other.
const AHEAD: usize = 4;
const AHEAD_LEAST: usize = 16_000;
/// And most bytes of them, but for a page of each reader.
const AHEAD_BYTES: usize = 64 << 20;

/// A transaction that takes longer is told of.
const WAIT_TOLD: Duration = Duration::from_secs(10);

impl Coordinator<'_> {
    pub(super) fn chores(&mut self, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        let now = self.now();
        if (self.list || now >= self.list_due) && !self.quit.is_set() {
            self.list_shards(now)?;
        }
        if now >= self.tick_due {
            self.tick_due = now + TICK_EVERY;
            self.step(Event::Tick)?;
            self.look_after_the_spool(report);
        }
        // At the end what is to be written down is sent once.
        if !self.quit.is_set() {
            self.errands();
        }
        let rows = self.applied.snapshot_rows + self.applied.changes;
        if self.waiting_works == 0 && rows > self.rested.1 && now >= self.rested.0 + REST_EVERY {
            report(Report::AtRest(self.progress()));
            self.rested = (now, rows);
        }
        if now >= self.reported.0 + REPORT_EVERY {
            report(Report::Progress(self.progress()));
            self.reported = (now, rows);
        }
        Ok(())
    }

    fn list_shards(&mut self, now: Duration) -> Result<(), Error> {
        if now < self.list_due && !self.list {
            return Ok(());
        }
        let stream = self.taken.kept.stream.clone();
        match self.table.shards(&stream) {
            Ok(mut shards) => {
                if let Some(spool) = &self.spool {
                    let kept = spool.shards();
                    let is_new = |one: &Shard| !shards.iter().any(|shard| shard.id == one.id);
                    let more: Vec<Shard> = kept.into_iter().filter(is_new).collect();
                    shards.extend(more);
                }
                self.list = false;
                self.list_due = now + LIST_EVERY;
                self.step(Event::Listed(shards))?;
                self.durable.listed();
                if !self.feeds.keys().any(|name| matches!(name, Name::Shard(_))) {
                    self.look_for_another_stream(&stream)?;
                    self.list_due = now + Duration::from_secs(2);
                }
                Ok(())
            }
            Err(_) if self.quit.is_set() => Ok(()),
            Err(error) if error.is_retryable() => {
                self.list = false;
                self.list_due = now + Duration::from_secs(1);
                self.source_trouble = Some(error.message);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// All shards have ended: either a new one is about to come, or the stream is no longer the table's.
    fn look_for_another_stream(&mut self, stream: &str) -> Result<(), Error> {
        let now = match self.table.describe() {
            Ok(description) => description.stream,
            Err(error) if error.is_retryable() => return Ok(()),
            Err(error) => return Err(error),
        };
        if now.as_deref() == Some(stream) || !self.taken.join.is_caught_up() {
            return Ok(());
        }
        let what = match now {
            Some(_) => "has another stream now",
            None => "has no stream any more",
        };
        Err(Error::new(
            Kind::Gap,
            format!(
                "table {} {what}; all records of the one that was followed are applied; `millstream replicate FILE resync {}` begins again with a snapshot",
                self.pipeline.source_table, self.pipeline.config.name
            ),
        ))
    }

    /// Enough waits for the target.
    pub(super) fn is_full(&self) -> bool {
        let most = self.rows_most();
        self.waiting_rows >= most || self.waiting_bytes >= AHEAD_BYTES
    }

    fn rows_most(&self) -> usize {
        (self.pipeline.config.batch_rows * self.lanes.len() * AHEAD).max(AHEAD_LEAST)
    }

    pub(super) fn give_jobs(&mut self) {
        // Nobody writes while an earlier copy's rows are swept away.
        if self.paused || self.seal && self.taken.join.is_recopying() {
            return;
        }
        let now = self.now();
        let (most, is_full) = (self.rows_most(), self.is_full());
        for (name, feed) in &mut self.feeds {
            if feed.busy || feed.due > now || is_full {
                continue;
            }
            let given = match (name, &feed.job) {
                (Name::Shard(shard), FeedJob::Shard { iterator, begin }) => self.reads.send(Job::Read {
                    shard: shard.clone(),
                    iterator: iterator.clone(),
                    begin: begin.clone(),
                }),
                (Name::Segment(segment), FeedJob::Segment { from })
                    if self.scan_due <= now && self.waiting_rows < most / 2 =>
                {
                    self.scans.send(Job::Scan { segment: *segment, from: from.clone() })
                }
                _ => continue,
            };
            feed.busy = given.is_ok();
            if let Name::Shard(shard) = name
                && let Some(skim) = self.skims.get_mut(shard)
                && let Skim::Reached(last) = skim
            {
                *skim = Skim::Asked(last.clone());
            }
        }
    }

    /// What fails, and what does not come to an end.
    fn trouble(&self) -> Option<String> {
        let told = self.trouble.values().next().cloned().or_else(|| self.source_trouble.clone());
        told.or_else(|| {
            let (lane, (_, since)) = self.given.iter().min_by_key(|(_, (_, since))| *since)?;
            let waited = self.now().saturating_sub(*since);
            let at_ms = self.pipeline.world.now().millis().saturating_sub(waited.as_millis() as u64);
            let since = Timestamp::from_millis(at_ms).iso_seconds();
            (waited >= WAIT_TOLD).then(|| format!("lane {lane} waits for the target since {since}"))
        })
    }

    pub(super) fn progress(&mut self) -> Progress {
        let (at, rows) = self.reported;
        let seconds = (self.now() - at).as_secs_f64();
        let all = self.applied.snapshot_rows + self.applied.changes;
        let now_ms = self.pipeline.world.now().millis();
        let caught_up = self.taken.join.is_caught_up();
        let since = now_ms.saturating_sub(self.created_s * 1000);
        let phase = match () {
            () if self.paused => Phase::Paused,
            () if self.taken.join.is_scanned() => Phase::Stream,
            () => Phase::Snapshot,
        };
        Progress {
            phase,
            applied: self.applied,
            items: self.taken.planned.description.items,
            rate: if seconds > 0.0 { (all - rows) as f64 / seconds } else { 0.0 },
            lag: (!caught_up && self.created_s > 0).then(|| Duration::from_millis(since)),
            shards_open: self.feeds.keys().filter(|name| matches!(name, Name::Shard(_))).count(),
            waiting: self.waiting_rows,
            trouble: self.trouble(),
            until_loss: Duration::from_millis(self.pipeline.kept_for_ms().saturating_sub(self.unsafe_ms())),
            spool: self.spool.as_ref().map(|spool| spool.stand()),
        }
    }
}
