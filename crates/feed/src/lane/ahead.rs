//! The batch after the one in flight: told early, so that all of it can lie ready where it is to go.

use super::{Action, Ahead, Lane, Moment, Phase};

/// What lies ready is held twice, as records and as the target wants it: a larger batch waits for its turn, and is worth
/// the wait.
const AHEAD_BYTES_MAX: usize = 1 << 20;

impl<R: Clone> Lane<R> {
    /// Tells the batch after the one in flight, once that is sure to be what it would be then.
    pub(super) fn prepare(&mut self, moment: Moment, actions: &mut Vec<Action<R>>) {
        // A state is not known before, nor what will have grown too old.
        let is_plain = self.policy.tumbling.is_none() && self.policy.age_max.is_none();
        if !is_plain || self.stopping || self.phase != Phase::Flying || self.ahead != Ahead::Nothing {
            return;
        }
        if self.pieces.len() == 1 && self.is_full() {
            // Below the one in flight, whose halves would come before it.
            let next = self.cut(moment).expect("a full queue is cut");
            self.pieces.insert(0, next);
        }
        let Some(next) = self.pieces.len().checked_sub(2).map(|at| &self.pieces[at]) else { return };
        let bytes: usize = next.entries.iter().map(|entry| entry.bytes).sum();
        if next.doom.is_some() || next.entries.is_empty() || bytes > AHEAD_BYTES_MAX {
            return;
        }
        let batch = next.entries.iter().cloned().collect();
        let attempt = next.invocations + 1;
        self.ahead = Ahead::Told;
        actions.push(Action::Prepare { batch, attempt });
    }

    pub(super) fn followed(&mut self) {
        assert_eq!(self.phase, Phase::Flying, "something is in flight before it");
        assert_eq!(self.ahead, Ahead::Told, "what departs was told");
        self.ahead = Ahead::Departed;
    }
}
