//! The decision procedure of a lane: one pure machine, events in, actions out.
//!
//! A lane carries one shard's records (or those of the shard that hash to it) to one target, in order, one batch at
//! a time. It knows no clock, no task and no target: each event brings the moment it happened at, and what is to be
//! done about it comes out as actions. That makes every retry, split and expiry a line in a table of tests, and lets
//! a simulator drive thousands of lanes through years.

use crate::policy::Policy;
use crate::window::{Frame, Window};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;
use world::Timestamp;

/// One record on its way. `R` is whatever the target wants to be handed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<R> {
    pub sequence: u64,
    pub created: Timestamp,
    /// What the record adds to its batch's size.
    pub bytes: usize,
    pub record: R,
}

/// When an event happened, on both clocks: ages are told by the wall, delays by the stopwatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub now: Timestamp,
    pub elapsed: Duration,
}

#[derive(Debug)]
pub enum Event<R> {
    /// The stream was read up to and including `through`. `ended`: nothing will ever follow.
    /// `filtered`: the sequences of records that were read and are not wanted.
    Read { entries: Vec<Entry<R>>, filtered: Vec<u64>, through: u64, ended: bool },
    /// What the target wants to be handed with the next batch of the window; told before the batch is settled.
    State(Bytes),
    /// The batch in flight came back.
    Settled(Outcome),
    /// The destination of records that are given up took the last ones, or did not.
    Buried { accepted: bool },
    /// The deadline passed.
    Tick,
    /// What made the target unavailable may have changed.
    Nudge,
    /// Finish what is in flight and hand over the position.
    Stop,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted,
    /// Everything before this sequence was accepted.
    Partly(u64),
    /// The target ran and refused: an attempt.
    Refused,
    /// The target was not reached (throttled, missing, broken): not an attempt.
    Unavailable,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Action<R> {
    /// Hand this batch to the target, and bring back `Event::Settled`.
    Deliver { batch: Vec<Entry<R>>, attempt: u32, frame: Option<Frame> },
    /// Everything up to `position` is finished; a restart goes on behind it.
    Advance { position: u64, totals: Totals },
    /// The window has ended: nothing of it need be remembered.
    Forget,
    /// These records leave the stream undelivered.
    Drop { batch: Vec<Entry<R>>, reason: DropReason, invocations: u32 },
    /// Hand these undeliverable records to their destination, and bring back `Event::Buried`.
    Bury { batch: Vec<Entry<R>>, reason: DropReason, invocations: u32 },
    /// Nothing will happen any more.
    Finish(Finish),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    RetriesExhausted,
    AgeExceeded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// The shard ended and every record in it is accounted for.
    Ended,
    Stopped,
}

/// What became of a lane's records. `read = delivered + filtered + dead_lettered + dropped + pending`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub delivered: u64,
    pub filtered: u64,
    /// Given up, and nobody was told.
    pub dropped: u64,
    /// Given up, and taken by the mapping's destination for such records.
    pub dead_lettered: u64,
}

impl Totals {
    /// Records that are finished, whatever became of them.
    pub fn finished(&self) -> u64 {
        self.delivered + self.filtered + self.dropped + self.dead_lettered
    }
}

impl std::ops::Add for Totals {
    type Output = Totals;

    fn add(self, other: Totals) -> Totals {
        Totals {
            delivered: self.delivered + other.delivered,
            filtered: self.filtered + other.filtered,
            dropped: self.dropped + other.dropped,
            dead_lettered: self.dead_lettered + other.dead_lettered,
        }
    }
}

/// How much a lane would take now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    pub records: usize,
    pub bytes: usize,
}

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
    /// The window that is open, and what the target remembers of it.
    window: Option<Window>,
    next_state: Option<Bytes>,
    /// How often the end of the window was refused.
    close_failures: u32,
    /// Everything there is has been read: the clock may close a window.
    is_tick: bool,
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

/// What keeps a lane from going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blockage {
    /// The first record of the batch.
    pub sequence: u64,
    pub records: usize,
    /// How often the target has run on the batch.
    pub invocations: u32,
    /// How often in a row the target, or the destination, could not be reached.
    pub stalls: u32,
    /// The records are given up, and their destination does not take them.
    pub is_burial: bool,
    /// When it is tried again; it is being tried now if absent.
    pub until: Option<Duration>,
}

/// `{"Records":[` and `]}` around the records, and a comma after each.
const ENVELOPE_BYTES: usize = 14;

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
            window: None,
            next_state: None,
            close_failures: 0,
            is_tick: false,
        }
    }

    /// Takes one event, and appends what is to be done about it.
    pub fn handle(&mut self, event: Event<R>, moment: Moment, actions: &mut Vec<Action<R>>) {
        match event {
            Event::Read { entries, filtered, through, ended } => {
                self.read(entries, &filtered, through, ended, moment);
            }
            Event::State(state) => self.next_state = Some(state),
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
        let bytes = self.policy.batch_bytes_max.saturating_sub(self.queue_bytes + ENVELOPE_BYTES);
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

    /// Everything up to here is finished.
    pub fn position(&self) -> u64 {
        self.lowest().map_or(self.taken, |entry| entry.sequence - 1)
    }

    /// Everything up to here has been read.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Records read that are not finished.
    pub fn pending(&self) -> u64 {
        self.held() as u64 + self.filtered.iter().map(|(_, count)| count).sum::<u64>()
    }

    /// Records in memory.
    pub fn held(&self) -> usize {
        self.queue.len() + self.pieces.iter().map(|piece| piece.entries.len()).sum::<usize>()
    }

    /// What the lane is stuck at, after a failure.
    pub fn blockage(&self) -> Option<Blockage> {
        let until = match self.phase {
            Phase::Pausing { until, .. } => Some(until),
            _ => None,
        };
        if self.close_failures > 0 {
            // The end of a window has no records of its own.
            return Some(Blockage {
                sequence: self.position(),
                records: 0,
                invocations: self.close_failures,
                stalls: 0,
                is_burial: false,
                until,
            });
        }
        let piece = self.pieces.last()?;
        let first = piece.entries.front()?;
        let is_stuck = piece.invocations > 0 || self.stalls > 0;
        is_stuck.then_some(Blockage {
            sequence: first.sequence,
            records: piece.entries.len(),
            invocations: piece.invocations,
            stalls: self.stalls,
            is_burial: piece.doom.is_some(),
            until,
        })
    }

    /// When the oldest unfinished record was written: what the lane is waiting on.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.lowest().map(|entry| entry.created)
    }

    fn lowest(&self) -> Option<&Entry<R>> {
        self.pieces.iter().rev().find_map(|piece| piece.entries.front()).or(self.queue.front())
    }

    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether a `Nudge` would be heard.
    pub fn is_stalled(&self) -> bool {
        matches!(self.phase, Phase::Pausing { nudgeable: true, .. })
    }

    /// The shard has ended, and nothing of it is left to do: neither a record nor the end of a window.
    pub fn is_done(&self) -> bool {
        self.ended && self.pieces.is_empty() && self.queue.is_empty() && self.window.is_none()
    }

    /// Nothing will happen any more.
    pub fn is_finished(&self) -> bool {
        self.phase == Phase::Finished
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

    fn settled(&mut self, outcome: Outcome, moment: Moment, actions: &mut Vec<Action<R>>) {
        assert_eq!(self.phase, Phase::Flying, "only a batch in flight comes back");
        self.phase = Phase::Gathering;
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
        if self.policy.bisect && (accepted > 0 || piece.entries.len() > 1) {
            // Splitting costs no attempt: at the record the target named, in the middle otherwise.
            self.split(piece, accepted > 0);
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

    fn buried(&mut self, accepted: bool, moment: Moment) {
        assert_eq!(self.phase, Phase::Burying, "only what was sent comes back");
        self.window_start = self.window_start.max(moment.elapsed);
        if accepted {
            let piece = self.pieces.pop().expect("what is buried is the topmost piece");
            self.totals.dead_lettered += piece.entries.len() as u64;
            self.stalls = 0;
            self.phase = Phase::Gathering;
        } else {
            self.stalls += 1;
            let until = moment.elapsed + self.policy.backoff.delay(self.stalls);
            self.phase = Phase::Pausing { until, nudgeable: false };
        }
    }

    fn split(&mut self, mut piece: Piece<R>, is_split_already: bool) {
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

    /// Whatever the event was: what can start, starts; what has moved, is told.
    fn go_on(&mut self, moment: Moment, actions: &mut Vec<Action<R>>) {
        while self.step(moment, actions) {}
        self.tell(actions);
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
            Phase::Pausing { until, .. } => {
                self.drop_expired(moment, actions);
                let waits = match self.pieces.last() {
                    Some(piece) => !piece.entries.is_empty(),
                    None => self.close_failures > 0,
                };
                if waits && moment.elapsed < until {
                    return false;
                }
                self.phase = Phase::Gathering;
            }
            Phase::Gathering => {}
        }
        if self.stopping {
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
        self.phase = Phase::Flying;
        actions.push(Action::Deliver { batch, attempt, frame });
        false
    }

    /// Cuts the next batch from the queue, if it is time.
    fn cut(&mut self, moment: Moment) -> Option<Piece<R>> {
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
            || self.queue.len() >= self.policy.batch_records_max
            || self.queue_bytes + ENVELOPE_BYTES >= self.policy.batch_bytes_max
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

    /// Takes records that have grown too old out of the topmost piece.
    fn drop_expired(&mut self, moment: Moment, actions: &mut Vec<Action<R>>) {
        let Some(age_max) = self.policy.age_max else { return };
        let Some(piece) = self.pieces.last_mut().filter(|piece| piece.doom.is_none()) else { return };
        // Only from the front: the position moves over all that was dropped, so that nothing is counted twice.
        let count = piece.entries.iter().take_while(|entry| age(entry, moment) > age_max).count();
        if count == 0 {
            return;
        }
        let expired = piece.entries.drain(..count).collect();
        let invocations = piece.invocations;
        self.give_up(expired, DropReason::AgeExceeded, invocations, actions);
    }

    /// Undeliverable records leave at once, or once their destination has taken them.
    fn give_up(
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

    /// When the oldest record of the topmost piece grows too old.
    fn expiry(&self, moment: Moment) -> Option<Duration> {
        let age_max = self.policy.age_max?;
        let oldest = self.pieces.last().filter(|piece| piece.doom.is_none())?.entries.front()?;
        // One millisecond later than its last moment: only what is older than the limit is dropped.
        Some(moment.elapsed + age_max.saturating_sub(age(oldest, moment)) + Duration::from_millis(1))
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

fn age<R>(entry: &Entry<R>, moment: Moment) -> Duration {
    Duration::from_millis(moment.now.millis().saturating_sub(entry.created.millis()))
}

mod windowed;

#[cfg(test)]
mod tests;
