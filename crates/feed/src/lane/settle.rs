//! What comes back: a batch that was accepted, in part, or not; records that are given up.

use super::{Action, Ahead, DropReason, Entry, Lane, Moment, Outcome, Phase, Piece};
use std::collections::VecDeque;

impl<R: Clone> Lane<R> {
    pub(super) fn settled(&mut self, outcome: Outcome, moment: Moment, actions: &mut Vec<Action<R>>) {
        assert_eq!(self.phase, Phase::Flying, "only a batch in flight comes back");
        self.phase = Phase::Gathering;
        match self.ahead {
            Ahead::Departed => assert_eq!(outcome, Outcome::Accepted, "only what was accepted is followed"),
            Ahead::Told | Ahead::Nothing => self.ahead = Ahead::Nothing,
        }
        // The next window opens when the previous invocation completes.
        self.window_start = self.window_start.max(moment.elapsed);
        let mut piece = self.pieces.pop().expect("a batch in flight is the topmost piece");
        if outcome == Outcome::Unavailable {
            self.pieces.push(piece);
            self.stalls += 1;
            let until = moment.elapsed + self.policy.backoff.delay(self.stalls);
            self.phase = Phase::Pausing { until, nudgeable: true };
            return;
        }
        self.stalls = 0;
        piece.invocations += 1;
        let accepted = match outcome {
            Outcome::Accepted => piece.entries.len(),
            Outcome::Partly(first) => piece.entries.partition_point(|entry| entry.sequence < first),
            Outcome::Refused | Outcome::Unavailable => 0,
        };
        piece.entries.drain(..accepted);
        if accepted > 0 {
            self.remember(piece.window_start_s);
        }
        self.next_state = None;
        self.totals.delivered += accepted as u64;
        if piece.entries.is_empty() {
            return;
        }
        if accepted > 0 {
            // What is left is a batch of its own: three retries make five invocations with the record that fails.
            // [suite: recorded answers]
            (piece.failures, piece.invocations) = (0, 0);
        }
        if self.policy.bisect && (accepted > 0 || piece.entries.len() > 1) {
            // Splitting costs no attempt: at the record the target named, in the middle otherwise.
            self.split(piece, accepted > 0);
            return;
        }
        if accepted > 0 {
            let until = moment.elapsed + self.policy.backoff.delay(1);
            self.pieces.push(piece);
            self.phase = Phase::Pausing { until, nudgeable: false };
            return;
        }
        piece.failures += 1;
        if self.policy.retries_max.is_some_and(|retries_max| piece.failures > retries_max) {
            self.give_up(piece.entries, DropReason::RetriesExhausted, piece.invocations, actions);
            return;
        }
        let until = moment.elapsed + self.policy.backoff.delay(piece.failures);
        self.pieces.push(piece);
        self.phase = Phase::Pausing { until, nudgeable: false };
    }

    pub(super) fn buried(&mut self, accepted: bool, moment: Moment) {
        assert_eq!(self.phase, Phase::Burying, "only what was sent comes back");
        self.window_start = self.window_start.max(moment.elapsed);
        if accepted {
            let piece = self.pieces.pop().expect("what is buried is the topmost piece");
            self.totals.dead_lettered += piece.entries.len() as u64;
            self.stalls = 0;
            self.phase = match self.paused.take() {
                Some((until, nudgeable)) => Phase::Pausing { until, nudgeable },
                None => Phase::Gathering,
            };
        } else {
            self.stalls += 1;
            let until = moment.elapsed + self.policy.backoff.delay(self.stalls);
            self.phase = Phase::Pausing { until, nudgeable: false };
        }
    }

    pub(super) fn split(&mut self, mut piece: Piece<R>, is_split_already: bool) {
        let window_start_s = piece.window_start_s;
        if is_split_already {
            self.pieces.push(Piece {
                entries: piece.entries,
                failures: piece.failures,
                invocations: 0,
                window_start_s,
                doom: None,
            });
            return;
        }
        let second = piece.entries.split_off(piece.entries.len() / 2);
        self.pieces.push(Piece { entries: second, failures: 0, invocations: 0, window_start_s, doom: None });
        self.pieces.push(Piece {
            entries: piece.entries,
            failures: 0,
            invocations: 0,
            window_start_s,
            doom: None,
        });
    }

    /// Undeliverable records leave at once, or once their destination has taken them.
    pub(super) fn give_up(
        &mut self,
        entries: VecDeque<Entry<R>>,
        reason: DropReason,
        invocations: u32,
        actions: &mut Vec<Action<R>>,
    ) {
        if self.policy.dead_letter {
            self.pieces.push(Piece {
                entries,
                failures: 0,
                invocations,
                window_start_s: 0,
                doom: Some(reason),
            });
            return;
        }
        self.totals.dropped += entries.len() as u64;
        actions.push(Action::Drop { batch: entries.into(), reason, invocations });
    }
}
