//! What a lane is told, what it answers, and what can be seen of it.

use crate::window::Frame;
use bytes::Bytes;
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
    /// The batch that lay ready is in flight: told before the one before it is settled, which was accepted.
    Followed,
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
    /// This batch is the next one, should the one in flight be accepted whole.
    Prepare { batch: Vec<Entry<R>>, attempt: u32 },
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

impl DropReason {
    /// As the service calls it.
    pub fn condition(self) -> &'static str {
        match self {
            DropReason::RetriesExhausted => "RetryAttemptsExhausted",
            DropReason::AgeExceeded => "RecordAgeExceeded",
        }
    }
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
