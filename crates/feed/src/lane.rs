//! The decision procedure of a lane: one pure machine, events in, actions out.
//!
//! A lane carries one shard's records (or those of the shard that hash to it) to one target, in order, one batch at
//! a time. It knows no clock, no task and no target: each event brings the moment it happened at, and what is to be
//! done about it comes out as actions. That makes every retry, split and expiry a line in a table of tests, and lets
//! a simulator drive thousands of lanes through years.

mod ahead;
mod cut;
mod event;
mod look;
mod settle;
mod windowed;

#[cfg(test)]
mod tests;

pub use event::{Action, Blockage, DropReason, Entry, Event, Finish, Moment, Outcome, Totals, Wants};

use crate::policy::Policy;
use crate::window::Window;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Debug)]
pub struct Lane<R> {
    policy: Policy,
    phase: Phase,
    /// Batches cut but not finished, the next one last: halves lie above the half that follows them.
    pieces: Vec<Piece<R>>,
    /// Records read but not yet cut into a batch.
    queue: VecDeque<Entry<R>>,
    queue_bytes: usize,
    /// Runs of filtered records that lie behind an unfinished one: the last of each run, and how many it has.
    filtered: VecDeque<(u64, u64)>,
    /// The last record that was queued.
    queued: u64,
    /// Since when the records in the queue have been waiting for more.
    window_start: Duration,
    /// Everything up to here has been read.
    taken: u64,
    /// The position last told.
    told: u64,
    totals: Totals,
    ended: bool,
    stopping: bool,
    /// How often in a row the target could not be reached.
    stalls: u32,
    /// The pause that goes on once those have left that grew too old during it.
    paused: Option<(Duration, bool)>,
    /// The window that is open, and what the target remembers of it.
    window: Option<Window>,
    next_state: Option<Bytes>,
    /// How often the end of the window was refused.
    close_failures: u32,
    /// Everything there is has been read: the clock may close a window.
    is_tick: bool,
    /// What follows the batch in flight has been told, or is in flight already.
    ahead: Ahead,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ahead {
    Nothing,
    Told,
    Departed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing in flight: waiting for records, or for the window to close.
    Gathering,
    Flying,
    /// The window's end is in flight.
    Closing,
    /// Undeliverable records are on their way to their destination.
    Burying,
    /// Waiting before the next attempt. `nudgeable`: because the target could not be reached.
    Pausing {
        until: Duration,
        nudgeable: bool,
    },
    Finished,
}

#[derive(Debug)]
struct Piece<R> {
    entries: VecDeque<Entry<R>>,
    /// Attempts that failed.
    failures: u32,
    /// How often the target ran on (part of) this piece.
    invocations: u32,
    /// When the window begins that all of them lie in; zero without windows.
    window_start_s: u64,
    /// Why it is not to be delivered any more.
    doom: Option<DropReason>,
}

impl<R: Clone> Lane<R> {
    /// A lane that goes on behind `position`.
    pub fn new(policy: Policy, position: u64, totals: Totals) -> Lane<R> {
        assert!(policy.batch_records_max > 0, "a batch holds at least one record");
        Lane {
            policy,
            phase: Phase::Gathering,
            pieces: Vec::new(),
            queue: VecDeque::new(),
            queue_bytes: 0,
            filtered: VecDeque::new(),
            queued: 0,
            window_start: Duration::ZERO,
            taken: position,
            told: position,
            totals,
            ended: false,
            stopping: false,
            stalls: 0,
            paused: None,
            window: None,
            next_state: None,
            close_failures: 0,
            is_tick: false,
            ahead: Ahead::Nothing,
        }
    }

    /// Takes one event, and appends what is to be done about it.
    pub fn handle(&mut self, event: Event<R>, moment: Moment, actions: &mut Vec<Action<R>>) {
        match event {
            Event::Read { entries, filtered, through, ended } => {
                self.read(entries, &filtered, through, ended, moment);
            }
            Event::State(state) => self.next_state = Some(state),
            Event::Followed => self.followed(),
            Event::Settled(outcome) if self.phase == Phase::Closing => self.closed(&outcome, moment, actions),
            Event::Settled(outcome) => self.settled(outcome, moment, actions),
            Event::Buried { accepted } => self.buried(accepted, moment),
            Event::Nudge => {
                if let Phase::Pausing { nudgeable: true, .. } = self.phase {
                    self.phase = Phase::Gathering;
                }
            }
            Event::Stop => self.stopping = true,
            Event::Tick => self.is_tick = true,
        }
        self.go_on(moment, actions);
        self.is_tick = false;
    }

    /// How much should be read now; `None` while enough lies ready.
    pub fn wants(&self) -> Option<Wants> {
        if self.ended || self.stopping || self.phase == Phase::Finished {
            return None;
        }
        let records = self.ready_records_max().saturating_sub(self.queue.len());
        let bytes = self.policy.batch_bytes_max.saturating_sub(self.queue_bytes + cut::ENVELOPE_BYTES);
        // Behind a batch in flight, less than half a batch's room is not worth a read.
        let worth = if self.phase == Phase::Gathering { 0 } else { self.ready_records_max() / 2 };
        (records > worth && bytes > 0).then_some(Wants { records, bytes })
    }

    /// When a `Tick` is due, if nothing else happens before.
    pub fn deadline(&self, moment: Moment) -> Option<Duration> {
        match self.phase {
            Phase::Pausing { until, .. } => Some(match self.expiry(moment) {
                Some(expiry) => until.min(expiry),
                None => until,
            }),
            Phase::Gathering => {
                let now = Duration::from_millis(moment.now.millis());
                let end = self.window_end().map(|end| moment.elapsed + end.saturating_sub(now));
                let due = (!self.queue.is_empty()).then(|| self.window_start + self.policy.batch_window);
                [end, due].into_iter().flatten().min()
            }
            Phase::Flying | Phase::Closing | Phase::Burying | Phase::Finished => None,
        }
    }

    /// Small batches are read many at a time: a read costs the same for one as for a handful.
    fn ready_records_max(&self) -> usize {
        self.policy.batch_records_max.max(64)
    }

    fn read(&mut self, entries: Vec<Entry<R>>, filtered: &[u64], through: u64, ended: bool, moment: Moment) {
        assert!(!self.ended, "nothing follows the end of a shard");
        assert!(through >= self.taken, "the stream is read forward");
        assert!(filtered.first().is_none_or(|first| *first > self.taken), "what is filtered is new");
        let mut filtered = filtered.iter().copied().peekable();
        for entry in entries {
            while let Some(unwanted) = filtered.next_if(|unwanted| *unwanted < entry.sequence) {
                self.pass_over(unwanted);
            }
            assert!(entry.sequence > self.taken, "records come in the order of their sequence");
            assert!(entry.sequence <= through, "a record lies within what was read");
            if self.queue.is_empty() {
                self.window_start = moment.elapsed;
            }
            self.taken = entry.sequence;
            self.queued = entry.sequence;
            self.queue_bytes += entry.bytes;
            self.queue.push_back(entry);
        }
        filtered.for_each(|unwanted| self.pass_over(unwanted));
        self.taken = through;
        self.ended = ended;
    }

    fn pass_over(&mut self, sequence: u64) {
        match self.filtered.back_mut() {
            Some((last, count)) if *last > self.queued => (*last, *count) = (sequence, *count + 1),
            _ => self.filtered.push_back((sequence, 1)),
        }
    }

    /// Whatever the event was: what can start, starts; what has moved, is told.
    fn go_on(&mut self, moment: Moment, actions: &mut Vec<Action<R>>) {
        while self.step(moment, actions) {}
        self.tell(actions);
        self.prepare(moment, actions);
        if matches!(self.phase, Phase::Flying | Phase::Closing | Phase::Burying | Phase::Finished) {
            return;
        }
        let is_done = self.is_done();
        if is_done || self.stopping {
            self.phase = Phase::Finished;
            actions.push(Action::Finish(if is_done { Finish::Ended } else { Finish::Stopped }));
        }
    }

    /// Starts what can start now. True if something changed that may let more start.
    fn step(&mut self, moment: Moment, actions: &mut Vec<Action<R>>) -> bool {
        match self.phase {
            Phase::Flying | Phase::Closing | Phase::Burying | Phase::Finished => return false,
            Phase::Pausing { until, nudgeable } => {
                let is_letter = self.drop_expired(moment, actions) && self.policy.dead_letter;
                let waits = match self.pieces.last() {
                    Some(piece) => !piece.entries.is_empty(),
                    None => self.close_failures > 0,
                };
                if waits && moment.elapsed < until {
                    if !is_letter {
                        return false;
                    }
                    self.paused = Some((until, nudgeable));
                }
                self.phase = Phase::Gathering;
            }
            Phase::Gathering => {}
        }
        if self.stopping && self.ahead != Ahead::Departed {
            return false;
        }
        if self.pieces.last().is_some_and(|piece| piece.entries.is_empty()) {
            self.pieces.pop();
            return true;
        }
        if self.must_close(moment) {
            self.close(actions);
            return false;
        }
        if self.pieces.is_empty() {
            match self.cut(moment) {
                Some(piece) => self.pieces.push(piece),
                None => return false,
            }
        }
        self.drop_expired(moment, actions);
        let piece = self.pieces.last().expect("just looked");
        if piece.entries.is_empty() {
            return true;
        }
        let batch = piece.entries.iter().cloned().collect();
        if let Some(reason) = piece.doom {
            let invocations = piece.invocations;
            self.tell(actions);
            self.phase = Phase::Burying;
            actions.push(Action::Bury { batch, reason, invocations });
            return false;
        }
        // The position is told before the next batch is: a crash during it repeats no more than it must.
        let attempt = piece.invocations + 1;
        let frame = self.frame(piece.window_start_s);
        self.tell(actions);
        self.ahead = Ahead::Nothing;
        self.phase = Phase::Flying;
        actions.push(Action::Deliver { batch, attempt, frame });
        false
    }

    fn tell(&mut self, actions: &mut Vec<Action<R>>) {
        let position = self.position();
        while let Some((_, count)) = self.filtered.front().filter(|(last, _)| *last <= position) {
            self.totals.filtered += count;
            self.filtered.pop_front();
        }
        assert!(position >= self.told, "a position never moves back");
        if position > self.told {
            self.told = position;
            actions.push(Action::Advance { position, totals: self.totals });
        }
    }
}
