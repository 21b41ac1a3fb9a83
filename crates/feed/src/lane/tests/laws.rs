//! Laws that hold for any lane.

use super::*;

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
