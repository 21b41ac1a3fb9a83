//! Batches: cut from the queue when it is time, without the records that have grown too old.

use super::{Action, DropReason, Entry, Lane, Moment, Piece};
use std::collections::VecDeque;
use std::time::Duration;

/// `{"Records":[` and `]}` around the records, and a comma after each.
pub(super) const ENVELOPE_BYTES: usize = 14;

impl<R: Clone> Lane<R> {
    /// Whether more records would not change the next batch.
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= self.policy.batch_records_max
            || self.queue_bytes + ENVELOPE_BYTES >= self.policy.batch_bytes_max
    }

    /// Cuts the next batch from the queue, if it is time.
    pub(super) fn cut(&mut self, moment: Moment) -> Option<Piece<R>> {
        if self.queue.is_empty() {
            return None;
        }
        // Records of two windows never share a batch.
        let first = self.queue.front().map_or(0, |entry| self.window_start_of(entry));
        let is_later = |entry: &Entry<R>| self.window_start_of(entry) > first;
        let now = Duration::from_millis(moment.now.millis());
        let is_complete =
            self.window_end().is_some_and(|end| now >= end) || self.queue.back().is_some_and(is_later);
        let is_due = self.ended
            || is_complete
            || self.is_full()
            || moment.elapsed >= self.window_start + self.policy.batch_window;
        if !is_due {
            return None;
        }
        let framing = self.frame(first).map_or(0, |frame| frame.bytes());
        let mut bytes = ENVELOPE_BYTES + framing;
        let mut count = 0;
        for entry in self.queue.iter().take(self.policy.batch_records_max) {
            // A record that is too large by itself still goes: the target's refusal is a better answer than silence.
            if is_later(entry) || (count > 0 && bytes + entry.bytes + 1 > self.policy.batch_bytes_max) {
                break;
            }
            bytes += entry.bytes + 1;
            count += 1;
        }
        let entries: VecDeque<_> = self.queue.drain(..count).collect();
        self.queue_bytes -= entries.iter().map(|entry| entry.bytes).sum::<usize>();
        Some(Piece { entries, failures: 0, invocations: 0, window_start_s: first, doom: None })
    }

    /// Takes records that have grown too old out of the topmost piece. Whether there were some.
    pub(super) fn drop_expired(&mut self, moment: Moment, actions: &mut Vec<Action<R>>) -> bool {
        let Some(age_max) = self.policy.age_max else { return false };
        let Some(piece) = self.pieces.last_mut().filter(|piece| piece.doom.is_none()) else { return false };
        // Only from the front: the position moves over all that was dropped, so that nothing is counted twice.
        let count = piece.entries.iter().take_while(|entry| age(entry, moment) > age_max).count();
        if count == 0 {
            return false;
        }
        let expired = piece.entries.drain(..count).collect();
        let invocations = piece.invocations;
        self.give_up(expired, DropReason::AgeExceeded, invocations, actions);
        true
    }

    /// When the oldest record of the topmost piece grows too old.
    pub(super) fn expiry(&self, moment: Moment) -> Option<Duration> {
        let age_max = self.policy.age_max?;
        let oldest = self.pieces.last().filter(|piece| piece.doom.is_none())?.entries.front()?;
        // One millisecond later than its last moment: only what is older than the limit is dropped.
        Some(moment.elapsed + age_max.saturating_sub(age(oldest, moment)) + Duration::from_millis(1))
    }
}

fn age<R>(entry: &Entry<R>, moment: Moment) -> Duration {
    Duration::from_millis(moment.now.millis().saturating_sub(entry.created.millis()))
}
