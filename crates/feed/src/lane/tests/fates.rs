//! What becomes of records that are not delivered, and of lanes that are stuck.

use super::*;

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
