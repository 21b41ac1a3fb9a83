//! Tumbling windows.

use super::*;

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
        "read 1 2@1 3@2; state A; part 2; wait 400; fail; read 4@11000; ok",
        "0: deliver 1,2,3 try 1 in 0-10 {}
         0: at 1 delivered 1 dropped 0
         400: deliver 2,3 try 1 in 0-10 A
         400: drop 2,3 RetriesExhausted after 1
         400: at 3 delivered 1 dropped 2
         400: deliver  try 1 in 0-10 A final
         400: deliver 4 try 1 in 10-20 {}",
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
