//! Each case is a script of what happens to a lane, and the lines of what it does about it.
//!
//! `read 1 2 3` (created now; `1@0` created at that millisecond), `mixed (1) 2` (1 is filtered), `through 9`, `end`, `ok`,
//! `fail`, `part 2`, `gone`, `nudge`, `buried`, `kept` (the destination took given-up records, or did not),
//! `followed` (what lay ready is in flight), `stop`, `wait MS` (deadlines within it tick).

mod ahead;

use super::*;
use world::Timestamp;

struct Rig {
    lane: Lane<u64>,
    elapsed_ms: u64,
    log: Vec<String>,
    tells_ahead: bool,
}

const EPOCH_MS: u64 = 1_700_000_000_000;

impl Rig {
    fn new(policy: Policy) -> Rig {
        Rig {
            lane: Lane::new(policy, 0, Totals::default()),
            elapsed_ms: 0,
            log: Vec::new(),
            tells_ahead: false,
        }
    }

    fn moment(&self) -> Moment {
        Moment {
            now: Timestamp::from_millis(EPOCH_MS + self.elapsed_ms),
            elapsed: Duration::from_millis(self.elapsed_ms),
        }
    }

    fn entry(&self, word: &str) -> Entry<u64> {
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

    fn read(&mut self, entries: Vec<Entry<u64>>, ended: bool) {
        let through = entries.last().map_or(self.lane.taken, |entry| entry.sequence);
        self.event(Event::Read { entries, filtered: vec![], through, ended });
    }

    /// Records of which those in parentheses are filtered.
    fn mixed<'w>(&mut self, words: impl Iterator<Item = &'w str>) {
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

    fn event(&mut self, event: Event<u64>) {
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

    fn wait(&mut self, span_ms: u64) {
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

    fn run(&mut self, script: &str) {
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

fn list(batch: &[Entry<u64>]) -> String {
    batch.iter().map(|entry| entry.sequence.to_string()).collect::<Vec<_>>().join(",")
}

#[track_caller]
fn check(policy: Policy, script: &str, expect: &str) {
    check_in(Rig::new(policy), script, expect);
}

#[track_caller]
fn check_in(mut rig: Rig, script: &str, expect: &str) {
    rig.run(script);
    let expect: Vec<_> = expect.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(rig.log, expect, "\n{}\n", rig.log.join("\n"));
}

fn policy(batch_records_max: usize) -> Policy {
    Policy { batch_records_max, ..Policy::default() }
}

#[test]
fn hands_over_whatever_is_there_and_cuts_at_the_batch_size() {
    check(
        policy(2),
        "read 1; ok; read 2 3 4; ok; ok",
        "0: deliver 1 try 1
         0: at 1 delivered 1 dropped 0
         0: deliver 2,3 try 1
         0: at 3 delivered 3 dropped 0
         0: deliver 4 try 1
         0: at 4 delivered 4 dropped 0",
    );
}

#[test]
fn waits_for_the_window_to_close_or_the_batch_to_fill() {
    check(
        Policy { batch_window: Duration::from_secs(1), ..policy(3) },
        "read 1; wait 400; read 2; wait 700; ok; read 3; wait 10; read 4 5 6",
        "1000: deliver 1,2 try 1
         1100: at 2 delivered 2 dropped 0
         1110: deliver 3,4,5 try 1",
    );
}

#[test]
fn the_next_window_opens_when_the_invocation_completes() {
    check(
        Policy { batch_window: Duration::from_secs(1), ..policy(10) },
        "read 1; wait 1000; read 2; wait 5000; ok; wait 999; wait 1",
        "1000: deliver 1 try 1
         6000: at 1 delivered 1 dropped 0
         7000: deliver 2 try 1",
    );
}

#[test]
fn the_end_of_a_shard_closes_the_window() {
    check(
        Policy { batch_window: Duration::from_secs(9), ..policy(10) },
        "read 1; end; ok",
        "0: deliver 1 try 1
         0: at 1 delivered 1 dropped 0
         0: Ended",
    );
}

#[test]
fn cuts_before_the_payload_grows_too_large() {
    check(
        Policy { batch_bytes_max: 320, ..policy(10) },
        "read 1 2 3 4; ok",
        "0: deliver 1,2,3 try 1
         0: at 3 delivered 3 dropped 0
         0: deliver 4 try 1",
    );
}

#[test]
fn a_record_larger_than_any_batch_goes_alone() {
    check(Policy { batch_bytes_max: 50, ..policy(10) }, "read 1 2", "0: deliver 1 try 1");
}

#[test]
fn records_of_others_move_the_position_without_a_delivery() {
    check(
        policy(1),
        "through 7; read 9; through 12; ok",
        "0: at 7 delivered 0 dropped 0
         0: at 8 delivered 0 dropped 0
         0: deliver 9 try 1
         0: at 12 delivered 1 dropped 0",
    );
}

#[test]
fn a_refused_batch_is_retried_at_doubling_intervals_for_ever() {
    check(
        policy(2),
        "read 1 2 3; fail; wait 400; fail; wait 800; fail; wait 1600; ok",
        "0: deliver 1,2 try 1
         400: deliver 1,2 try 2
         1200: deliver 1,2 try 3
         2800: deliver 1,2 try 4
         2800: at 2 delivered 2 dropped 0
         2800: deliver 3 try 1",
    );
}

#[test]
fn attempts_run_out() {
    check(
        Policy { retries_max: Some(1), ..policy(2) },
        "read 1 2 3; fail; wait 400; fail; ok",
        "0: deliver 1,2 try 1
         400: deliver 1,2 try 2
         400: drop 1,2 RetriesExhausted after 2
         400: at 2 delivered 0 dropped 2
         400: deliver 3 try 1
         400: at 3 delivered 1 dropped 2",
    );
    check(
        Policy { retries_max: Some(0), ..policy(2) },
        "read 1; fail",
        "0: deliver 1 try 1
         0: drop 1 RetriesExhausted after 1
         0: at 1 delivered 0 dropped 1",
    );
}

#[test]
fn an_unreachable_target_costs_no_attempt() {
    check(
        Policy { retries_max: Some(0), ..policy(1) },
        "read 1; gone; wait 400; gone; wait 800; gone; nudge; fail",
        "0: deliver 1 try 1
         400: deliver 1 try 1
         1200: deliver 1 try 1
         1200: deliver 1 try 1
         1200: drop 1 RetriesExhausted after 1
         1200: at 1 delivered 0 dropped 1",
    );
}

#[test]
fn a_nudge_does_not_hurry_a_refusal() {
    check(
        policy(1),
        "read 1; fail; nudge; wait 399; wait 1",
        "0: deliver 1 try 1
         400: deliver 1 try 2",
    );
}

#[test]
fn old_records_are_dropped_before_an_attempt() {
    check(
        Policy { age_max: Some(Duration::from_secs(60)), ..policy(5) },
        "wait 70000; read 1@0 2@9999 3@10000 4; ok",
        "70000: drop 1,2 AgeExceeded after 0
         70000: at 2 delivered 0 dropped 2
         70000: deliver 3,4 try 1
         70000: at 4 delivered 2 dropped 2",
    );
}

#[test]
fn eight_attempts_fit_into_a_minute_of_age() {
    let mut rig = Rig::new(Policy { age_max: Some(Duration::from_secs(60)), ..policy(1) });
    rig.run("read 1");
    while rig.lane.pending() > 0 {
        if rig.lane.phase == Phase::Flying {
            rig.run("fail");
        }
        rig.run("wait 100");
    }
    let log: Vec<_> = rig.log.iter().map(|line| line.split_once(": ").unwrap().1).collect();
    assert_eq!(log[7..], ["deliver 1 try 8", "drop 1 AgeExceeded after 8", "at 1 delivered 0 dropped 1"]);
    // It was dropped when its time came, not when the next attempt was due.
    assert!(rig.log[8].starts_with("60001: "), "{}", rig.log[8]);
}

#[test]
fn bisects_down_to_the_culprit() {
    check(
        Policy { bisect: true, retries_max: Some(1), ..policy(4) },
        "read 1 2 3 4 5; fail; ok; fail; fail; wait 400; fail; ok; ok",
        "0: deliver 1,2,3,4 try 1
         0: deliver 1,2 try 1
         0: at 2 delivered 2 dropped 0
         0: deliver 3,4 try 1
         0: deliver 3 try 1
         400: deliver 3 try 2
         400: drop 3 RetriesExhausted after 2
         400: at 3 delivered 2 dropped 1
         400: deliver 4 try 1
         400: at 4 delivered 3 dropped 1
         400: deliver 5 try 1
         400: at 5 delivered 4 dropped 1",
    );
}

#[test]
fn a_partial_success_is_retried_from_the_first_failure_and_counts_as_an_attempt() {
    check(
        Policy { retries_max: Some(3), ..policy(4) },
        "read 1 2 3 4; part 3; wait 400; part 3; wait 800; part 4; wait 1600; part 4",
        "0: deliver 1,2,3,4 try 1
         0: at 2 delivered 2 dropped 0
         400: deliver 3,4 try 2
         1200: deliver 3,4 try 3
         1200: at 3 delivered 3 dropped 0
         2800: deliver 4 try 4
         2800: drop 4 RetriesExhausted after 4
         2800: at 4 delivered 3 dropped 1",
    );
}

#[test]
fn a_partial_success_with_bisect_splits_where_the_target_said() {
    check(
        Policy { bisect: true, retries_max: Some(0), ..policy(4) },
        "read 1 2 3 4; part 2; part 2; fail; ok",
        "0: deliver 1,2,3,4 try 1
         0: at 1 delivered 1 dropped 0
         0: deliver 2,3,4 try 1
         0: deliver 2 try 1
         0: drop 2 RetriesExhausted after 1
         0: at 2 delivered 1 dropped 1
         0: deliver 3,4 try 1
         0: at 4 delivered 3 dropped 1",
    );
}

#[test]
fn stopping_waits_for_the_batch_in_flight_and_keeps_its_position() {
    check(
        policy(2),
        "read 1 2 3; stop; ok",
        "0: deliver 1,2 try 1
         0: at 2 delivered 2 dropped 0
         0: Stopped",
    );
    check(
        policy(2),
        "read 1 2 3; stop; fail",
        "0: deliver 1,2 try 1
         0: Stopped",
    );
    check(
        policy(2),
        "read 1 2 3; fail; stop",
        "0: deliver 1,2 try 1
         0: Stopped",
    );
    check(
        policy(2),
        "through 5; stop",
        "0: at 5 delivered 0 dropped 0
         0: Stopped",
    );
    check(
        policy(2),
        "read 1; end; stop; ok",
        "0: deliver 1 try 1
         0: at 1 delivered 1 dropped 0
         0: Ended",
    );
}

#[test]
fn stopping_between_expiry_and_retry_keeps_what_is_queued() {
    check(
        Policy { age_max: Some(Duration::from_secs(1)), ..policy(1) },
        "read 1; fail; wait 400; fail; wait 500; read 2; stop; wait 5000",
        "0: deliver 1 try 1
         400: deliver 1 try 2
         900: Stopped",
    );
}

#[test]
fn wants_no_more_than_it_can_hold() {
    let mut rig = Rig::new(policy(100));
    assert_eq!(rig.lane.wants().map(|wants| wants.records), Some(100));
    rig.run("read 1 2 3");
    // A batch is in flight: the next one is read ahead, once and whole.
    assert_eq!(rig.lane.wants().map(|wants| wants.records), Some(100));
    let more = (4..=70).map(|sequence| rig.entry(&sequence.to_string())).collect();
    rig.read(more, false);
    assert_eq!(rig.lane.wants(), None);
    rig.run("stop");
    assert_eq!(rig.lane.wants(), None);

    // A window fills to the last record.
    let mut rig = Rig::new(Policy { batch_window: Duration::from_secs(1), ..policy(100) });
    let some = (1..=99).map(|sequence| rig.entry(&sequence.to_string())).collect();
    rig.read(some, false);
    assert_eq!(rig.lane.wants().map(|wants| wants.records), Some(1));
}

#[test]
fn filtered_records_count_once_nothing_before_them_is_unfinished() {
    let mut rig = Rig::new(policy(2));
    let filtered = |rig: &Rig| (rig.lane.totals().filtered, rig.lane.pending());
    rig.run("mixed (1) (2) 3 (4) (5) 6 7 (8)");
    assert_eq!(filtered(&rig), (2, 6));
    rig.run("part 6");
    assert_eq!(filtered(&rig), (4, 3));
    rig.run("mixed (9)");
    assert_eq!(filtered(&rig), (4, 4));
    rig.run("wait 400; ok");
    assert_eq!(filtered(&rig), (4, 3));
    rig.run("ok");
    assert_eq!((filtered(&rig), rig.lane.totals().delivered, rig.lane.position()), ((6, 0), 3, 9));
    // Nothing but filtered records: nobody is called, and the position moves.
    rig.run("mixed (10) (11)");
    assert_eq!((filtered(&rig), rig.lane.position()), ((8, 0), 11));
}

#[test]
fn given_up_records_count_once_their_destination_has_them() {
    check(
        Policy { retries_max: Some(1), dead_letter: true, ..policy(2) },
        "read 1 2 3; fail; wait 400; fail; kept; wait 400; kept; wait 800; buried; ok",
        "0: deliver 1,2 try 1
         400: deliver 1,2 try 2
         400: bury 1,2 RetriesExhausted after 2
         800: bury 1,2 RetriesExhausted after 2
         1600: bury 1,2 RetriesExhausted after 2
         1600: at 2 delivered 0 dropped 0
         1600: deliver 3 try 1
         1600: at 3 delivered 1 dropped 0",
    );
}

#[test]
fn expired_records_are_given_up_and_the_rest_goes_on() {
    check(
        Policy { age_max: Some(Duration::from_secs(60)), dead_letter: true, ..policy(3) },
        "wait 70000; read 1@0 2@5000 3@60000; buried; stop; ok",
        "70000: bury 1,2 AgeExceeded after 0
         70000: at 2 delivered 0 dropped 0
         70000: deliver 3 try 1
         70000: at 3 delivered 1 dropped 0
         70000: Stopped",
    );
}

#[test]
fn a_lane_says_what_it_is_stuck_at() {
    let mut rig = Rig::new(Policy { retries_max: Some(0), dead_letter: true, ..policy(2) });
    rig.run("read 1 2");
    assert_eq!(rig.lane.blockage(), None);
    rig.run("gone");
    let blockage = rig.lane.blockage().unwrap();
    assert_eq!((blockage.sequence, blockage.stalls, blockage.invocations), (1, 1, 0));
    assert_eq!(blockage.until, Some(Duration::from_millis(400)));
    rig.run("wait 400; fail; kept");
    let blockage = rig.lane.blockage().unwrap();
    assert!(blockage.is_burial && blockage.invocations == 1 && blockage.records == 2);
    rig.run("wait 400; buried");
    assert_eq!(rig.lane.blockage(), None);
    assert_eq!(rig.lane.totals().dead_lettered, 2);
}

/// Whatever the target does: order is kept, nothing is delivered after it was accepted, and the sums add up.
#[test]
fn laws_hold_for_any_target() {
    for seed in 0..300 {
        let world = world::World::simulated(seed);
        let roll = |n: u64| world.random_u64() % n;
        let mut rig = Rig::new(Policy {
            batch_window: Duration::from_millis(roll(3) * 700),
            bisect: roll(2) == 0,
            retries_max: [None, Some(0), Some(2)][roll(3) as usize],
            age_max: [None, Some(Duration::from_secs(60))][roll(2) as usize],
            dead_letter: roll(2) == 0,
            ..policy(1 + roll(7) as usize)
        });
        let (mut read, mut settled_through) = (0u64, 0u64);
        let mut flight: Vec<u64> = vec![];
        for _ in 0..400 {
            let before = rig.log.len();
            if rig.lane.phase == Phase::Flying && roll(2) == 0 {
                let at = flight[roll(flight.len() as u64) as usize];
                let (event, accepted) = match roll(6) {
                    0 => (Event::Settled(Outcome::Refused), 0),
                    1 => (Event::Settled(Outcome::Partly(at)), at - 1),
                    2 => (Event::Settled(Outcome::Unavailable), 0),
                    _ => (Event::Settled(Outcome::Accepted), *flight.last().unwrap()),
                };
                settled_through = settled_through.max(accepted);
                rig.event(event);
            } else if rig.lane.phase == Phase::Burying && roll(2) == 0 {
                let accepted = roll(3) > 0;
                if accepted {
                    settled_through = *flight.last().unwrap();
                }
                rig.event(Event::Buried { accepted });
            } else if roll(2) == 0 && rig.lane.wants().is_some() {
                let room = rig.lane.wants().unwrap().records as u64;
                let count = roll(9).min(room);
                let entries = (1..=count).map(|n| rig.entry(&(read + n).to_string())).collect();
                read += count;
                rig.read(entries, false);
            } else {
                rig.wait(roll(5000));
            }
            for line in &rig.log[before..] {
                let words: Vec<_> = line.split(' ').collect();
                let batch = || words[2].split(',').map(|n| n.parse().unwrap()).collect::<Vec<u64>>();
                match words[1] {
                    "deliver" => {
                        flight = batch();
                        assert_eq!(flight[0], settled_through + 1, "seed {seed}: {line}");
                        assert!(flight.windows(2).all(|pair| pair[0] + 1 == pair[1]), "seed {seed}: {line}");
                    }
                    "bury" => {
                        flight = batch();
                        assert_eq!(flight[0], settled_through + 1, "seed {seed}: {line}");
                    }
                    "drop" => {
                        let batch = batch();
                        assert_eq!(batch[0], settled_through + 1, "seed {seed}: {line}");
                        settled_through = *batch.last().unwrap();
                    }
                    _ => {}
                }
            }
            let totals = rig.lane.totals();
            assert_eq!(totals.finished() + rig.lane.pending(), read, "seed {seed}");
            assert_eq!(rig.lane.position(), settled_through, "seed {seed}");
        }
    }
}

fn tumbling(batch_records_max: usize) -> Policy {
    Policy { tumbling: Some(Duration::from_secs(10)), ..policy(batch_records_max) }
}

#[test]
fn a_window_hands_its_state_on_and_is_closed_by_a_later_record() {
    check(
        tumbling(2),
        "read 1@0 2@1 3@2 4@10000; state A; ok; state B; ok; ok; state C; ok",
        "0: deliver 1,2 try 1 in 0-10 {}
         0: at 2 delivered 2 dropped 0
         0: deliver 3 try 1 in 0-10 A
         0: at 3 delivered 3 dropped 0
         0: deliver  try 1 in 0-10 B final
         0: deliver 4 try 1 in 10-20 {}
         0: at 4 delivered 4 dropped 0",
    );
}

#[test]
fn the_clock_closes_a_window_and_its_end_is_tried_until_it_is_taken() {
    check(
        Policy { retries_max: Some(0), ..tumbling(2) },
        "read 1@0; state A; ok; wait 10200; fail; wait 400; gone; wait 800; ok; wait 90000",
        "0: deliver 1 try 1 in 0-10 {}
         0: at 1 delivered 1 dropped 0
         10200: deliver  try 1 in 0-10 A final
         10600: deliver  try 2 in 0-10 A final
         11400: deliver  try 3 in 0-10 A final",
    );
}

#[test]
fn a_state_that_is_too_large_ends_its_window_early() {
    let mut rig = Rig::new(tumbling(1));
    rig.run("read 1 2");
    rig.run(&format!("state {}", "x".repeat((1 << 20) + 1)));
    rig.run("ok; ok; stop; ok");
    assert_eq!(
        rig.log,
        [
            "0: deliver 1 try 1 in 0-10 {}",
            "0: at 1 delivered 1 dropped 0",
            "0: deliver  try 1 in 0-10 1048577 bytes final early",
            "0: deliver 2 try 1 in 0-10 {}",
            "0: at 2 delivered 2 dropped 0",
            "0: Stopped",
        ]
    );
}

#[test]
fn the_end_of_a_shard_closes_its_window_and_a_stop_keeps_it() {
    check(
        tumbling(2),
        "read 1; state A; ok; end; ok",
        "0: deliver 1 try 1 in 0-10 {}
         0: at 1 delivered 1 dropped 0
         0: deliver  try 1 in 0-10 A final
         0: Ended",
    );
    let mut rig = Rig::new(tumbling(2));
    rig.run("read 1; state A; end; stop; ok");
    let window = rig.lane.window().cloned();
    // Simulator, seed 14: a lane that is stopped at the end of its shard is not done while its window is open.
    assert!(rig.lane.is_finished() && !rig.lane.is_done());
    assert_eq!(window.as_ref().map(|window| &window.state[..]), Some(&b"A"[..]));
    let mut rig =
        Rig { lane: Lane::new(tumbling(2), 1, Totals::default()).within(window), ..Rig::new(policy(1)) };
    rig.run("read 2");
    assert_eq!(rig.log, ["0: deliver 2 try 1 in 0-10 A"]);
}

#[test]
fn the_end_of_a_window_does_not_wait_for_more_records() {
    let slow = Policy { batch_window: Duration::from_secs(60), ..tumbling(9) };
    check(
        slow,
        "read 1@0 2@9999; wait 10200; state A; ok; wait 0; ok; read 3; wait 20000",
        "10200: deliver 1,2 try 1 in 0-10 {}
         10200: at 2 delivered 2 dropped 0
         10200: deliver  try 1 in 0-10 A final
         20200: deliver 3 try 1 in 10-20 {}",
    );
}

#[test]
fn a_late_record_belongs_to_the_window_that_is_open() {
    check(
        tumbling(9),
        "read 1@10000 2@9999; state A; ok; read 3@9000; ok",
        "0: deliver 1,2 try 1 in 10-20 {}
         0: at 2 delivered 2 dropped 0
         0: deliver 3 try 1 in 10-20 A
         0: at 3 delivered 3 dropped 0",
    );
}

#[test]
fn what_is_accepted_of_a_batch_is_remembered_and_what_is_given_up_is_not() {
    let policy = Policy { retries_max: Some(0), ..tumbling(9) };
    check(
        policy.clone(),
        "read 1 2@1 3@2; state A; part 2; read 4@11000; ok",
        "0: deliver 1,2,3 try 1 in 0-10 {}
         0: drop 2,3 RetriesExhausted after 1
         0: at 3 delivered 1 dropped 2
         0: deliver  try 1 in 0-10 A final
         0: deliver 4 try 1 in 10-20 {}",
    );
    // A window of which nothing was accepted has no end either.
    check(
        policy,
        "read 1; state A; fail; read 2@11000",
        "0: deliver 1 try 1 in 0-10 {}
         0: drop 1 RetriesExhausted after 1
         0: at 1 delivered 0 dropped 1
         0: deliver 2 try 1 in 10-20 {}",
    );
}

#[test]
fn halves_of_a_batch_hand_the_state_on() {
    let mut rig = Rig::new(Policy { bisect: true, ..tumbling(4) });
    rig.run("read 1 2@1 3@2 4@3; fail; state A; ok");
    rig.run(&format!("state {}", "x".repeat((1 << 20) + 1)));
    rig.run("part 4; ok; fail; wait 400");
    assert_eq!(
        rig.log,
        [
            "0: deliver 1,2,3,4 try 1 in 0-10 {}",
            "0: deliver 1,2 try 1 in 0-10 {}",
            "0: at 2 delivered 2 dropped 0",
            "0: deliver 3,4 try 1 in 0-10 A",
            "0: at 3 delivered 3 dropped 0",
            "0: deliver  try 1 in 0-10 1048577 bytes final early",
            "0: deliver 4 try 1 in 0-10 {}",
            "400: deliver 4 try 2 in 0-10 {}",
        ]
    );
}

#[test]
fn a_window_ends_when_its_mapping_has_others() {
    for changed in [policy(2), Policy { tumbling: Some(Duration::from_secs(7)), ..policy(2) }] {
        let state = bytes::Bytes::from_static(b"A");
        let window = Window { start_s: EPOCH_MS / 1000, size_s: 10, state };
        let mut rig = Rig {
            lane: Lane::new(changed, 1, Totals::default()).within(Some(window)),
            ..Rig::new(policy(1))
        };
        // Nothing needs to be read for it.
        rig.run("wait 0");
        assert_eq!(rig.log, ["0: deliver  try 1 in 0-10 A final"]);
        rig.run("read 2; ok");
        assert!(rig.log[1].starts_with("0: deliver 2 try 1") && rig.lane.window().is_none());
    }
}
