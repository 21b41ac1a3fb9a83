//! A lane, and a script of what happens to it.

use super::super::*;
use world::Timestamp;

pub(super) struct Rig {
    pub(super) lane: Lane<u64>,
    pub(super) elapsed_ms: u64,
    pub(super) log: Vec<String>,
    pub(super) tells_ahead: bool,
}

pub(super) const EPOCH_MS: u64 = 1_700_000_000_000;

impl Rig {
    pub(super) fn new(policy: Policy) -> Rig {
        Rig {
            lane: Lane::new(policy, 0, Totals::default()),
            elapsed_ms: 0,
            log: Vec::new(),
            tells_ahead: false,
        }
    }

    pub(super) fn moment(&self) -> Moment {
        Moment {
            now: Timestamp::from_millis(EPOCH_MS + self.elapsed_ms),
            elapsed: Duration::from_millis(self.elapsed_ms),
        }
    }

    pub(super) fn entry(&self, word: &str) -> Entry<u64> {
        let (sequence, created_ms) = match word.split_once('@') {
            Some((sequence, at)) => (sequence, at.parse().unwrap()),
            None => (word, self.elapsed_ms),
        };
        let sequence = sequence.parse().unwrap();
        Entry {
            sequence,
            created: Timestamp::from_millis(EPOCH_MS + created_ms),
            bytes: 100,
            record: sequence,
        }
    }

    pub(super) fn read(&mut self, entries: Vec<Entry<u64>>, ended: bool) {
        let through = entries.last().map_or(self.lane.taken, |entry| entry.sequence);
        self.event(Event::Read { entries, filtered: vec![], through, ended });
    }

    /// Records of which those in parentheses are filtered.
    pub(super) fn mixed<'w>(&mut self, words: impl Iterator<Item = &'w str>) {
        let (mut entries, mut filtered, mut through) = (vec![], vec![], self.lane.taken);
        for word in words {
            match word.strip_prefix('(').and_then(|word| word.strip_suffix(')')) {
                Some(word) => filtered.push(word.parse().unwrap()),
                None => entries.push(self.entry(word)),
            }
            through =
                filtered.last().copied().max(entries.last().map(|entry| entry.sequence)).unwrap_or(through);
        }
        self.event(Event::Read { entries, filtered, through, ended: false });
    }

    pub(super) fn event(&mut self, event: Event<u64>) {
        let mut actions = Vec::new();
        self.lane.handle(event, self.moment(), &mut actions);
        for action in actions {
            let line = match action {
                Action::Deliver { batch, attempt, frame } => {
                    assert!(!batch.is_empty() || frame.as_ref().is_some_and(|frame| frame.is_final));
                    let frame = frame.map(|frame| {
                        let state = match frame.state.len() {
                            0..=100 => String::from_utf8_lossy(&frame.state).into_owned(),
                            large => format!("{large} bytes"),
                        };
                        let kind = match (frame.is_final, frame.is_early) {
                            (false, _) => "",
                            (true, false) => " final",
                            (true, true) => " final early",
                        };
                        format!(" in {}-{} {state}{kind}", frame.start_s % 1000, frame.end_s % 1000)
                    });
                    format!("deliver {} try {attempt}{}", list(&batch), frame.unwrap_or_default())
                }
                Action::Forget => continue,
                Action::Prepare { .. } if !self.tells_ahead => continue,
                Action::Prepare { batch, attempt } => format!("prepare {} try {attempt}", list(&batch)),
                Action::Advance { position, totals } => {
                    assert!(position <= self.lane.told, "told before it is so");
                    format!("at {position} delivered {} dropped {}", totals.delivered, totals.dropped)
                }
                Action::Drop { batch, reason, invocations } => {
                    format!("drop {} {reason:?} after {invocations}", list(&batch))
                }
                Action::Bury { batch, reason, invocations } => {
                    format!("bury {} {reason:?} after {invocations}", list(&batch))
                }
                Action::Finish(finish) => format!("{finish:?}"),
            };
            self.log.push(format!("{}: {line}", self.elapsed_ms));
        }
    }

    pub(super) fn wait(&mut self, span_ms: u64) {
        let until = self.elapsed_ms + span_ms;
        while let Some(deadline) = self.lane.deadline(self.moment()) {
            let deadline_ms = deadline.as_millis() as u64;
            if deadline_ms > until {
                break;
            }
            assert!(
                deadline_ms > self.elapsed_ms || deadline_ms == self.elapsed_ms && self.elapsed_ms == until,
                "a deadline that has passed has been acted on"
            );
            self.elapsed_ms = deadline_ms;
            self.event(Event::Tick);
        }
        self.elapsed_ms = until;
    }

    pub(super) fn run(&mut self, script: &str) {
        for step in script.split(';').map(str::trim).filter(|step| !step.is_empty()) {
            let (word, rest) = step.split_once(' ').unwrap_or((step, ""));
            match word {
                "read" => {
                    let entries = rest.split(' ').map(|word| self.entry(word)).collect();
                    self.read(entries, false);
                }
                "mixed" => self.mixed(rest.split(' ')),
                "buried" => self.event(Event::Buried { accepted: true }),
                "kept" => self.event(Event::Buried { accepted: false }),
                "through" => {
                    let through = rest.parse().unwrap();
                    self.event(Event::Read { entries: vec![], filtered: vec![], through, ended: false });
                }
                "end" => self.read(vec![], true),
                "ok" => self.event(Event::Settled(Outcome::Accepted)),
                "state" => self.event(Event::State(rest.to_owned().into())),
                "fail" => self.event(Event::Settled(Outcome::Refused)),
                "part" => self.event(Event::Settled(Outcome::Partly(rest.parse().unwrap()))),
                "gone" => self.event(Event::Settled(Outcome::Unavailable)),
                "nudge" => self.event(Event::Nudge),
                "followed" => self.event(Event::Followed),
                "stop" => self.event(Event::Stop),
                "wait" => self.wait(rest.parse().unwrap()),
                _ => panic!("what is {step}?"),
            }
        }
    }
}

pub(super) fn list(batch: &[Entry<u64>]) -> String {
    batch.iter().map(|entry| entry.sequence.to_string()).collect::<Vec<_>>().join(",")
}

#[track_caller]
pub(super) fn check(policy: Policy, script: &str, expect: &str) {
    check_in(Rig::new(policy), script, expect);
}

#[track_caller]
pub(super) fn check_in(mut rig: Rig, script: &str, expect: &str) {
    rig.run(script);
    let expect: Vec<_> = expect.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(rig.log, expect, "\n{}\n", rig.log.join("\n"));
}

pub(super) fn policy(batch_records_max: usize) -> Policy {
    Policy { batch_records_max, ..Policy::default() }
}
