//! The batch after the one in flight: when it is told, when it departs by itself, and what happens when it must not.

use super::*;

#[track_caller]
fn check(policy: Policy, script: &str, expect: &str) {
    check_in(Rig { tells_ahead: true, ..Rig::new(policy) }, script, expect);
}

#[test]
fn a_full_batch_is_told_early_and_departs_by_itself() {
    check(
        policy(2),
        "read 1 2; read 3; read 4 5 6; followed; ok; ok",
        "0: deliver 1,2 try 1
         0: prepare 3,4 try 1
         0: at 2 delivered 2 dropped 0
         0: deliver 3,4 try 1
         0: prepare 5,6 try 1
         0: at 4 delivered 4 dropped 0
         0: deliver 5,6 try 1",
    );
}

#[test]
fn a_batch_that_may_still_grow_is_not_told() {
    check(policy(3), "read 1; read 2 3", "0: deliver 1 try 1");
    check(
        Policy { batch_bytes_max: 320, ..policy(10) },
        "read 1 2 3 4 5 6 7",
        "0: deliver 1,2,3 try 1\n0: prepare 4,5,6 try 1",
    );
}

#[test]
fn what_was_refused_goes_before_what_was_told() {
    check(
        Policy { bisect: true, ..policy(2) },
        "read 1 2 3 4; fail; ok; followed; ok",
        "0: deliver 1,2 try 1
         0: prepare 3,4 try 1
         0: deliver 1 try 1
         0: prepare 2 try 1
         0: at 1 delivered 1 dropped 0
         0: deliver 2 try 1
         0: prepare 3,4 try 1
         0: at 2 delivered 2 dropped 0
         0: deliver 3,4 try 1",
    );
    check(
        Policy { partial: true, ..policy(2) },
        "read 1 2 3 4; part 2; wait 400",
        "0: deliver 1,2 try 1
         0: prepare 3,4 try 1
         0: at 1 delivered 1 dropped 0
         400: deliver 2 try 1
         400: prepare 3,4 try 1",
    );
}

#[test]
fn a_lane_that_stops_waits_for_what_has_departed_and_for_nothing_else() {
    check(
        policy(1),
        "read 1 2 3; stop; followed; ok; ok",
        "0: deliver 1 try 1
         0: prepare 2 try 1
         0: at 1 delivered 1 dropped 0
         0: deliver 2 try 1
         0: at 2 delivered 2 dropped 0
         0: Stopped",
    );
    check(
        policy(1),
        "read 1 2 3; stop; ok",
        "0: deliver 1 try 1
         0: prepare 2 try 1
         0: at 1 delivered 1 dropped 0
         0: Stopped",
    );
}

#[test]
fn neither_states_nor_ages_are_guessed() {
    let windows = Policy { tumbling: Some(Duration::from_secs(60)), ..policy(1) };
    let mut rig = Rig { tells_ahead: true, ..Rig::new(windows) };
    rig.run("read 1 2 3");
    assert!(rig.log.iter().all(|line| !line.contains("prepare")), "{:?}", rig.log);
    let ages = Policy { age_max: Some(Duration::from_secs(60)), ..policy(1) };
    check(ages, "read 1 2 3", "0: deliver 1 try 1");
}

#[test]
fn a_large_batch_waits_for_its_turn() {
    let mut rig = Rig { tells_ahead: true, ..Rig::new(policy(1)) };
    rig.run("read 1");
    let large = Entry { bytes: 2 << 20, ..rig.entry("2") };
    rig.read(vec![large], false);
    rig.run("ok");
    assert_eq!(rig.log, ["0: deliver 1 try 1", "0: at 1 delivered 1 dropped 0", "0: deliver 2 try 1"]);
}
