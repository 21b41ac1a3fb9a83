//! Every interleaving of small lives: writes, scan pages, shard pages, rollovers, trimming, lanes' commits, ticks and a
//! crash, explored to the end. The rule must never end wrong; each weaker rule must.

mod life;
mod moves;

use life::{Life, Write, Wrong};
use std::collections::HashSet;

/// Explores a life; how many of its moments claim to be at rest, and how many of those are wrong.
fn explore(life: &Life) -> (usize, usize) {
    let mut seen = HashSet::new();
    let mut open = vec![life.begin()];
    let (mut rests, mut wrong) = (0, 0);
    while let Some(moment) = open.pop() {
        if !seen.insert(moment.clone()) {
            continue;
        }
        if moment.missed {
            wrong += 1;
            continue;
        }
        if life.is_at_rest(&moment) {
            rests += 1;
            wrong += usize::from(moment.target.rows != life.source(moment.written));
        }
        open.extend(life.next(&moment));
    }
    (rests, wrong)
}

/// All lives of so many writes of so many keys that no deletion is of nothing, with every rollover and every plan.
fn lives(keys: usize, length: usize, form: &Life) -> Vec<Life> {
    let mut scripts: Vec<Vec<Write>> = vec![Vec::new()];
    for _ in 0..length {
        let mut longer = Vec::new();
        for script in &scripts {
            for key in 0..keys {
                let is_there = script.iter().rev().find(|(of, _)| *of == key).is_some_and(|(_, put)| *put);
                longer.push([&script[..], &[(key, true)]].concat());
                if is_there {
                    longer.push([&script[..], &[(key, false)]].concat());
                }
            }
        }
        scripts = longer;
    }
    let mut all = Vec::new();
    for writes in scripts {
        for roll in 1..=length {
            for planned in 0..=length {
                all.push(Life { writes: writes.clone(), rolls: vec![roll], planned, keys, ..form.clone() });
            }
        }
    }
    all
}

fn form(lanes: usize, segments: u32, crashes: u8, wrong: Wrong) -> Life {
    Life {
        writes: Vec::new(),
        rolls: Vec::new(),
        planned: 0,
        keys: 0,
        lanes,
        segments,
        crashes,
        recopy: false,
        trims: false,
        wrong,
    }
}

fn total(lives: Vec<Life>) -> (usize, usize) {
    lives.iter().map(explore).fold((0, 0), |(rests, wrong), one| {
        assert!(one.0 > 0, "a life that never comes to rest");
        (rests + one.0, wrong + one.1)
    })
}

#[test]
fn one_item_is_right_at_every_rest() {
    for length in 0..=2 {
        assert_eq!(total(lives(1, length, &form(1, 1, 1, Wrong::Nothing))).1, 0);
    }
    assert_eq!(total(lives(1, 3, &form(1, 1, 0, Wrong::Nothing))).1, 0);
}

#[test]
fn two_items_on_two_lanes_are_right_at_every_rest() {
    assert_eq!(total(lives(2, 1, &form(2, 1, 1, Wrong::Nothing))).1, 0);
    assert_eq!(total(lives(2, 2, &form(2, 1, 0, Wrong::Nothing))).1, 0);
}

/// Over rows of an earlier copy, one of which no item makes any more.
#[test]
fn a_copy_over_an_earlier_one_is_right_at_every_rest() {
    let over = |lanes, crashes| Life { recopy: true, ..form(lanes, 1, crashes, Wrong::Nothing) };
    for length in 0..=2 {
        assert_eq!(total(lives(1, length, &over(1, 1))).1, 0);
    }
    assert_eq!(total(lives(1, 3, &over(1, 0))).1, 0);
    assert_eq!(total(lives(2, 1, &over(2, 1))).1, 0);
}

/// Lives of one item in three shards, the oldest of which the stream forgets as time goes by.
fn forgetful(crashes: u8, wrong: Wrong) -> Vec<Life> {
    let put = (0, true);
    let lives = [vec![put, put, put], vec![put, (0, false), put]].map(|writes| Life {
        writes,
        rolls: vec![1, 2],
        keys: 1,
        trims: true,
        ..form(1, 1, crashes, wrong)
    });
    lives.into()
}

/// What the stream has forgotten is forgotten, and never followed or missed again.
#[test]
fn shards_that_are_over_are_forgotten() {
    assert_eq!(total(forgetful(1, Wrong::Nothing)).1, 0);
    for wrong in [Wrong::ListedAreForgotten, Wrong::ParentsAreForgotten, Wrong::CapturedAreForgotten] {
        let (rests, wrongs) = total(forgetful(1, wrong));
        println!("{wrong:?}: {wrongs} of {rests} rests end wrong");
        assert!(wrongs > 0, "{wrong:?} passes {rests} rests");
    }
}

/// The larger spaces, for a release build: `MILLSTREAM_EXHAUSTIVE=1 cargo test --release -p sinks join`.
#[test]
fn longer_lives_are_right_at_every_rest() {
    if std::env::var_os("MILLSTREAM_EXHAUSTIVE").is_none() {
        return;
    }
    assert_eq!(total(lives(1, 4, &form(1, 1, 1, Wrong::Nothing))).1, 0);
    assert_eq!(total(lives(2, 3, &form(2, 1, 0, Wrong::Nothing))).1, 0);
    assert_eq!(total(lives(2, 2, &form(2, 1, 1, Wrong::Nothing))).1, 0);
}

#[test]
fn every_weaker_rule_is_caught() {
    for wrong in [
        Wrong::ScanOverwrites,
        Wrong::DeletionsForgotten,
        Wrong::ChildrenDoNotWait,
        Wrong::PositionTakenLate,
        Wrong::ScanReadsOldItems,
    ] {
        let (rests, wrongs) = total(lives(1, 3, &form(1, 1, 0, wrong)));
        println!("{wrong:?}: {wrongs} of {rests} rests end wrong");
        assert!(wrongs > 0, "{wrong:?} passes {rests} rests");
    }
    for wrong in
        [Wrong::ScanOverwrites, Wrong::DeletionsForgotten, Wrong::OldRowsCount, Wrong::SweepDoesNotWait]
    {
        let over = Life { recopy: true, ..form(1, 1, 0, wrong) };
        let (rests, wrongs) = total(lives(1, 3, &over));
        println!("over an earlier copy, {wrong:?}: {wrongs} of {rests} rests end wrong");
        assert!(wrongs > 0, "{wrong:?} passes {rests} rests over an earlier copy");
    }
}
