//! What comes from the threads.

use super::{Coordinator, FeedJob, Name, PAUSE_MOST};
use crate::Error;
use crate::join::{Event, ShardId};
use crate::runner::job::{Done, Job, Next};
use crate::runner::progress::Report;
use crate::source::Begin;
use std::time::Duration;

/// The pause at the tip: an endpoint nearby costs nothing; AWS answers five calls of a shard in a second.
const PAUSE_NEAR: Duration = Duration::from_millis(20);
const PAUSE_FAR: Duration = Duration::from_millis(250);
/// Until the spool has read on.
const PAUSE_SPOOL: Duration = Duration::from_millis(50);

impl Coordinator<'_> {
    pub(super) fn hear(&mut self, done: Done, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        match done {
            Done::Broken(error) => Err(error),
            Done::Trouble { lane, message } => {
                match message {
                    Some(message) => {
                        if self.trouble.insert(lane, message.clone()).is_none() {
                            report(Report::Note(format!("lane {lane}: {message}; trying again")));
                        }
                    }
                    None => {
                        self.trouble.remove(&lane);
                        report(Report::Note(format!("lane {lane}: the target answers again")));
                    }
                }
                Ok(())
            }
            Done::Committed { lane, works, rows, bytes, applied, created_s } => {
                self.waiting_rows -= rows;
                self.waiting_bytes -= bytes;
                self.waiting_works -= works.len();
                self.heard_of(lane, works.len());
                self.applied.add(applied);
                self.created_s = self.created_s.max(created_s);
                for (track, mark, end) in works {
                    self.made_durable(lane, &track, mark.as_ref(), end);
                    self.step(Event::Committed { lane, track, end })?;
                }
                Ok(())
            }
            Done::Told(told) => self.told(told, report),
            Done::NotTold(errand) => {
                self.not_told(errand, report);
                Ok(())
            }
            Done::Skimmed { shard, last } => {
                self.skimmed(shard, last);
                Ok(())
            }
            // What was read and not dealt is read again by the next run.
            _ if self.quit.is_set() => Ok(()),
            Done::Failed { job, error } => self.failed(&job, error, report),
            Done::Trimmed { shard } => {
                self.lost(&shard)?;
                self.list = true;
                let pause = self.now() + Duration::from_secs(1);
                if let Some(feed) = self.feeds.get_mut(&Name::Shard(shard)) {
                    feed.job = FeedJob::Shard { iterator: None, begin: Begin::Horizon };
                    (feed.busy, feed.due) = (false, pause);
                }
                Ok(())
            }
            Done::Page { segment, rows, next, units } => {
                self.worked(report);
                let now = self.now();
                if let Some(most) = self.pipeline.config.scan_units_per_second {
                    self.scan_due = self.scan_due.max(now) + Duration::from_secs_f64(units / most);
                }
                let name = Name::Segment(segment);
                match &next {
                    None => drop(self.feeds.remove(&name)),
                    Some(_) => {
                        if let Some(feed) = self.feeds.get_mut(&name) {
                            feed.job = FeedJob::Segment { from: next.clone() };
                            (feed.busy, feed.due, feed.pause) = (false, now, Duration::ZERO);
                        }
                    }
                }
                self.step(Event::Scanned { segment, rows, next })
            }
            Done::NotYet { shard } => {
                let soon = self.now() + PAUSE_SPOOL;
                if let Some(feed) = self.feeds.get_mut(&Name::Shard(shard)) {
                    (feed.busy, feed.due) = (false, soon);
                }
                Ok(())
            }
            Done::Records { shard, records, next, asked_ms } => {
                self.worked(report);
                self.moved(&shard, records.last().map(|(sequence, _)| sequence.clone()), &next);
                let first_s = records.first().map(|(_, row)| row.row.created_s());
                let last = records.last().map(|(sequence, _)| sequence.clone());
                if asked_ms > 0 || last.is_some() {
                    self.durable.read(&shard, last.zip(first_s.map(|at| at * 1000)), asked_ms);
                }
                let end = next == Next::End;
                let tip = !end && records.is_empty();
                self.passed(&shard, tip)?;
                self.step(Event::Read { shard, records, end, tip })
            }
        }
    }

    /// A lane has done so many works.
    fn heard_of(&mut self, lane: usize, works: usize) {
        let now = self.now();
        if let Some((left, since)) = self.given.get_mut(&lane) {
            (*left, *since) = (left.saturating_sub(works), now);
            if *left == 0 {
                self.given.remove(&lane);
            }
        }
    }

    fn moved(&mut self, shard: &ShardId, last: Option<crate::join::Sequence>, next: &Next) {
        let name = Name::Shard(shard.clone());
        let near = self.pipeline.login.endpoint.contains("127.0.0.1")
            || self.pipeline.login.endpoint.contains("localhost");
        let pause = if near { PAUSE_NEAR } else { PAUSE_FAR };
        let due = self.now() + if last.is_some() { Duration::ZERO } else { pause };
        if *next == Next::End {
            self.feeds.remove(&name);
            return;
        }
        if let Some(feed) = self.feeds.get_mut(&name) {
            (feed.busy, feed.due, feed.pause) = (false, due, Duration::ZERO);
            if let FeedJob::Shard { iterator, begin } = &mut feed.job {
                *iterator = match next {
                    Next::Iterator(next) => Some(next.clone()),
                    Next::Position | Next::End => None,
                };
                if let Some(last) = last {
                    *begin = Begin::After(last);
                }
            }
        }
    }

    fn failed(&mut self, job: &Job, error: Error, report: &mut dyn FnMut(Report)) -> Result<(), Error> {
        if !error.is_retryable() {
            return Err(error);
        }
        if self.source_trouble.is_none() {
            report(Report::Note(format!("{}; trying again", error.message)));
        }
        self.source_trouble = Some(error.message);
        let name = match job {
            Job::Read { shard, .. } => Name::Shard(shard.clone()),
            Job::Scan { segment, .. } => Name::Segment(*segment),
        };
        let head = match job {
            Job::Read { shard, begin, .. } => self.head(shard, begin),
            Job::Scan { .. } => None,
        };
        let now = self.now();
        if let Some(feed) = self.feeds.get_mut(&name) {
            feed.pause = (feed.pause * 2).clamp(Duration::from_millis(100), PAUSE_MOST);
            let jitter = self.pipeline.world.below(feed.pause.as_millis() as u64 / 2 + 1);
            (feed.busy, feed.due) = (false, now + feed.pause / 2 + Duration::from_millis(jitter));
            // A server that came back may know another iterator.
            if let FeedJob::Shard { iterator, .. } = &mut feed.job {
                *iterator = head;
            }
        }
        Ok(())
    }

    fn worked(&mut self, report: &mut dyn FnMut(Report)) {
        if self.source_trouble.take().is_some() {
            report(Report::Note("the source answers again".to_owned()));
        }
    }
}
