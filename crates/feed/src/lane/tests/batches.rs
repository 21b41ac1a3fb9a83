//! What is handed over, and when; how much is read; what a stop waits for.

use super::*;

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
