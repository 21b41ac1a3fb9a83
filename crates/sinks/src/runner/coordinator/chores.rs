//! What the coordinator does from time to time, and the jobs it gives.

use super::{CONFIRM_EVERY, Coordinator, FeedJob, LIST_EVERY, Name, PAUSED_LOOK, REPORT_EVERY, TICK_EVERY};
use crate::join::{Event, Shard};
use crate::runner::job::Job;
use crate::runner::progress::{Phase, Progress, Report};
use crate::{Error, Kind};
use std::time::Duration;

/// Most rows that wait for the target, for each row of a batch on each lane; and the least of them, which a few pages of
/// the scan are, so that those who read and those who write need not wait for each other.
const AHEAD: usize = 4;
const AHEAD_LEAST: usize = 16_000;
/// And most bytes of them, but for a page of each reader.
const AHEAD_BYTES: usize = 64 << 20;

impl Coordinator<'_> {
    pub(super) fn chores(&mut self, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        let now = self.now();
        if self.list || now >= self.list_due {
            self.list_shards(now, report)?;
        }
        if self.seal && (self.waiting_works == 0 || !self.taken.join.is_recopying()) {
            self.write_the_end(report)?;
        }
        if now >= self.tick_due {
            self.tick_due = now + TICK_EVERY;
            self.step(Event::Tick, report)?;
            self.look_after_the_spool(report);
        }
        if now >= self.confirm_due {
            self.confirm_due = now + CONFIRM_EVERY;
            self.confirm()?;
            self.tidy()?;
        }
        if now >= self.paused_due {
            self.paused_due = now + PAUSED_LOOK;
            self.look_whether_paused(report)?;
        }
        if now >= self.reported.0 + REPORT_EVERY {
            report(Report::Progress(self.progress()));
            let rows = self.applied.snapshot_rows + self.applied.changes;
            self.reported = (now, rows);
        }
        Ok(())
    }

    /// The snapshot has ended; a target that is away is told later.
    fn write_the_end(&mut self, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        match self.sweep().and_then(|swept| self.taken.ledger.seal(self.taken.epoch).map(|()| swept)) {
            Ok(swept) => {
                if swept > 0 {
                    report(Report::Note(format!("{swept} rows went that no item makes any more")));
                }
                self.seal = false;
                self.step(Event::Sealed, report)
            }
            Err(error) if error.is_retryable() => self.reconnect(),
            Err(error) => Err(error),
        }
    }

    /// What an earlier copy left: no lane writes now, and none is given anything.
    fn sweep(&mut self) -> Result<u64, Error> {
        if !self.taken.join.is_recopying() {
            return Ok(0);
        }
        let now_ms = self.pipeline.world.now().millis();
        self.taken.ledger.sweep(&self.taken.planned.mapping, self.taken.epoch, now_ms)
    }

    fn list_shards(&mut self, now: Duration, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
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
                self.step(Event::Listed(shards), report)?;
                self.durable.listed();
                if !self.feeds.keys().any(|name| matches!(name, Name::Shard(_))) {
                    self.look_for_another_stream(&stream)?;
                    self.list_due = now + Duration::from_secs(2);
                }
                Ok(())
            }
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

    fn look_whether_paused(&mut self, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        let paused = match self.taken.ledger.is_paused(self.taken.epoch) {
            Ok(paused) => paused,
            Err(error) if error.is_retryable() => {
                return self.reconnect();
            }
            Err(error) => return Err(error),
        };
        if paused != self.paused {
            self.paused = paused;
            let word = if paused { "paused" } else { "resumed" };
            report(Report::Note(word.to_owned()));
        }
        Ok(())
    }

    fn reconnect(&mut self) -> Result<(), Error> {
        match self.pipeline.ledger() {
            Ok(ledger) => self.taken.ledger = ledger,
            Err(error) if error.is_retryable() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Notes up to when all that the source had is applied. That this fails now and then costs nothing.
    pub(super) fn confirm(&mut self) -> Result<(), Error> {
        if self.taken.join.is_caught_up() {
            self.durable.confirmed(self.pipeline.world.now().millis());
        }
        let at_ms = self.durable.floor_ms();
        if at_ms == self.confirmed_ms {
            return Ok(());
        }
        match self.taken.ledger.confirm(self.taken.epoch, at_ms, self.taken.join.is_consistent()) {
            Ok(()) => self.confirmed_ms = at_ms,
            Err(error) if error.is_retryable() => return self.reconnect(),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Of shards that have ended one mark is kept, of those that the source has forgotten none. A target that is away
    /// is told later, or by the next run.
    pub(super) fn tidy(&mut self) -> Result<(), Error> {
        let (finish, forget) = (std::mem::take(&mut self.finish), std::mem::take(&mut self.forget));
        let (ledger, epoch) = (&mut self.taken.ledger, self.taken.epoch);
        let finished = if finish.is_empty() { Ok(()) } else { ledger.finish(&finish, epoch) };
        let done =
            finished.and_then(|()| if forget.is_empty() { Ok(()) } else { ledger.forget(&forget, epoch) });
        match done {
            Err(error) if error.is_retryable() => {
                (self.finish, self.forget) = (finish, forget);
                self.reconnect()
            }
            done => done,
        }
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
        }
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
            trouble: self.trouble.values().next().cloned().or_else(|| self.source_trouble.clone()),
            until_loss: Duration::from_millis(self.pipeline.kept_for_ms().saturating_sub(self.unsafe_ms())),
            spool: self.spool.as_ref().map(|spool| spool.stand()),
        }
    }
}
