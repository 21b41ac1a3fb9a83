//! What a lane does about tumbling windows: which records share one, what is remembered, when it ends.

use super::{Action, Entry, Lane, Moment, Outcome, Phase};
use crate::window::{CLOCK_GRACE, Frame, STATE_EMPTY, Window, start_of};
use std::time::Duration;

impl<R: Clone> Lane<R> {
    /// Goes on within a window that was open.
    pub fn within(mut self, window: Option<Window>) -> Lane<R> {
        self.window = window;
        self
    }

    /// The window that is open.
    pub fn window(&self) -> Option<&Window> {
        self.window.as_ref()
    }

    /// The window a record belongs to that comes after all that the lane has been through: one that is late belongs to
    /// the window that is open, so that windows follow one another. Zero without windows.
    pub(super) fn window_start_of(&self, entry: &Entry<R>) -> u64 {
        let Some(size) = self.policy.tumbling else { return 0 };
        let open = self.window.as_ref().filter(|window| window.size_s == size.as_secs());
        start_of(entry.created, size).max(open.map_or(0, |window| window.start_s))
    }

    /// When the clock ends the window that is open, or that the next record will open.
    pub(super) fn window_end(&self) -> Option<Duration> {
        if let Some(window) = &self.window {
            let is_over = window.is_early() || self.is_foreign(window);
            return Some(if is_over { Duration::ZERO } else { window.end() });
        }
        let first = self.queue.front()?;
        Some(Duration::from_secs(self.window_start_of(first)) + self.policy.tumbling? + CLOCK_GRACE)
    }

    /// The target has taken records of the window that begins then, and said what it remembers.
    pub(super) fn remember(&mut self, start_s: u64) {
        let Some(size) = self.policy.tumbling else { return };
        let before = self.window.take().filter(|window| window.start_s == start_s).map(|window| window.state);
        let state = self.next_state.take().or(before).unwrap_or(STATE_EMPTY);
        self.window = Some(Window { start_s, size_s: size.as_secs(), state });
    }

    /// Its mapping has other windows now, or none.
    fn is_foreign(&self, window: &Window) -> bool {
        self.policy.tumbling.is_none_or(|size| size.as_secs() != window.size_s)
    }

    /// Whether the open window ends before anything else can be handed over.
    pub(super) fn must_close(&self, moment: Moment) -> bool {
        let Some(window) = &self.window else { return false };
        // A state that is too large ends it in the middle of its records.
        if window.is_early() || !self.pieces.is_empty() {
            return window.is_early();
        }
        if self.is_foreign(window) {
            return true;
        }
        let now = Duration::from_millis(moment.now.millis());
        match self.queue.front() {
            Some(entry) => self.window_start_of(entry) != window.start_s,
            // The clock ends it only once everything there is has been read.
            None => self.ended || self.close_failures > 0 || (self.is_tick && now >= window.end()),
        }
    }

    /// What records of the window that begins then are handed with.
    pub(super) fn frame(&self, start_s: u64) -> Option<Frame> {
        let size = self.policy.tumbling?;
        let window = self.window.as_ref().filter(|window| window.start_s == start_s);
        Some(Frame {
            start_s,
            end_s: start_s + size.as_secs(),
            state: window.map_or(STATE_EMPTY, |window| window.state.clone()),
            is_final: false,
            is_early: false,
        })
    }

    /// Hands over the end of the window.
    pub(super) fn close(&mut self, actions: &mut Vec<Action<R>>) {
        let frame = self.window.as_ref().map(Window::last_frame);
        self.tell(actions);
        self.phase = Phase::Closing;
        actions.push(Action::Deliver { batch: Vec::new(), attempt: self.close_failures + 1, frame });
    }

    /// The end of the window came back. It is tried until it is taken: what the window came to is not given up.
    pub(super) fn closed(&mut self, outcome: &Outcome, moment: Moment, actions: &mut Vec<Action<R>>) {
        self.next_state = None;
        self.window_start = self.window_start.max(moment.elapsed);
        if *outcome == Outcome::Accepted {
            (self.window, self.close_failures) = (None, 0);
            actions.push(Action::Forget);
            self.phase = Phase::Gathering;
            return;
        }
        self.close_failures += 1;
        let until = moment.elapsed + self.policy.backoff.delay(self.close_failures);
        self.phase = Phase::Pausing { until, nudgeable: *outcome == Outcome::Unavailable };
    }
}
