//! What is refused, and what cannot be reached: tried again, halved, given up, too old.

use super::*;

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
fn old_records_leave_for_their_destination_when_their_time_comes() {
    // Not when the next attempt is due: that is for what is left, which goes on waiting.
    check(
        Policy { age_max: Some(Duration::from_secs(60)), dead_letter: true, ..policy(5) },
        "wait 59500; read 1@0 2@59500; fail; wait 400; fail; wait 200; buried; wait 600; ok",
        "59500: deliver 1,2 try 1
         59900: deliver 1,2 try 2
         60001: bury 1 AgeExceeded after 2
         60100: at 1 delivered 0 dropped 0
         60700: deliver 2 try 3
         60700: at 2 delivered 1 dropped 0",
    );
    // Nothing is left, and the destination has to be asked twice.
    check(
        Policy { age_max: Some(Duration::from_secs(60)), dead_letter: true, ..policy(1) },
        "wait 59500; read 1@0 2; fail; wait 400; fail; wait 200; kept; wait 400; buried; ok",
        "59500: deliver 1 try 1
         59900: deliver 1 try 2
         60001: bury 1 AgeExceeded after 2
         60500: bury 1 AgeExceeded after 2
         60500: at 1 delivered 0 dropped 0
         60500: deliver 2 try 1
         60500: at 2 delivered 1 dropped 0",
    );
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
fn what_a_partial_success_leaves_is_a_batch_of_its_own() {
    check(
        Policy { retries_max: Some(1), ..policy(4) },
        "read 1 2 3 4; part 3; wait 400; fail; wait 400; part 4; wait 400; part 4; wait 400; fail",
        "0: deliver 1,2,3,4 try 1
         0: at 2 delivered 2 dropped 0
         400: deliver 3,4 try 1
         800: deliver 3,4 try 2
         800: at 3 delivered 3 dropped 0
         1200: deliver 4 try 1
         1600: deliver 4 try 2
         1600: drop 4 RetriesExhausted after 2
         1600: at 4 delivered 3 dropped 1",
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
