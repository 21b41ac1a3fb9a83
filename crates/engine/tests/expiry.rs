//! Items that go by themselves.

use crate::support::*;
use engine::stream::{Event, ViewType};
use engine::{KeyPart, ProjectionKind, TableSpec};
use model::Item;
use model::key::KeyType;
use std::time::Duration;
use world::Random;

const SECOND: Duration = Duration::from_secs(1);

fn with_ttl(name: &str, ttl: u64) -> Item {
    item([("id", s(name)), ("ttl", n(ttl))])
}

/// With an index by the time itself.
fn by_ttl() -> TableSpec {
    let mut wanted = spec("T", false, None);
    let ttl = KeyPart::new("ttl", KeyType::N);
    wanted.attributes.push(ttl.clone());
    wanted.global = vec![index("by-ttl", ttl, None, ProjectionKind::KeysOnly)];
    wanted
}

fn maintain(house: &House) -> Duration {
    house.engine().maintain().unwrap()
}

#[test]
fn what_is_over_goes_with_a_record_that_says_who_deleted_it() {
    let house = House::in_memory();
    let table = house.create(spec("T", false, Some(ViewType::NewAndOld)));
    let now = house.world.now().seconds();
    // One is there before, and is found by the backfill.
    house.put(&table, with_ttl("before", now + 10));
    house.engine().enable_time_to_live(&scope(), "T", "ttl").unwrap();
    house.put(&table, with_ttl("after", now + 10));
    house.put(&table, with_ttl("later", now + 20));
    house.put(&table, with_ttl("long ago", now - 6 * 365 * 86_400));
    house.put(&table, item([("id", s("text")), ("ttl", s("1"))]));
    house.put(&table, item([("id", s("none"))]));
    // Looked at every second, and not a second too early.
    assert_eq!(maintain(&house), SECOND);
    house.world.advance(10 * SECOND);
    maintain(&house);
    assert!(house.get(&table, id("before")).is_some());
    house.world.advance(SECOND);
    maintain(&house);
    let left = |name: &str| house.get(&table, id(name)).is_some();
    assert_eq!(
        ["before", "after", "later", "long ago", "text", "none"].map(left),
        [false, false, true, true, true, true]
    );
    let records = house.records(&house.stream(&table));
    let removed = records.iter().filter(|record| record.event == Event::Remove);
    let mut removed: Vec<_> = removed.map(|record| (tree(record.before()), record.service_delete)).collect();
    removed.sort_by_key(|(item, _)| format!("{item:?}"));
    let gone = |name: &str| (Some(with_ttl(name, now + 10)), true);
    assert_eq!(removed, [gone("after"), gone("before")]);
    house.delete(&table, id("later"));
    let last = house.records(&house.stream(&table)).pop().unwrap();
    assert!(!last.service_delete);
}

#[test]
fn an_item_that_is_given_more_time_lives() {
    let house = House::in_memory();
    let table = house.create(spec("T", false, None));
    let now = house.world.now().seconds();
    house.engine().enable_time_to_live(&scope(), "T", "ttl").unwrap();
    house.put(&table, with_ttl("a", now + 5));
    house.put(&table, with_ttl("b", now + 5));
    house.put(&table, with_ttl("c", now + 5));
    house.put(&table, with_ttl("a", now + 100));
    house.put(&table, item([("id", s("b"))]));
    house.delete(&table, id("c"));
    house.world.advance(6 * SECOND);
    maintain(&house);
    assert!(house.get(&table, id("a")).is_some() && house.get(&table, id("b")).is_some());
    house.world.advance(100 * SECOND);
    maintain(&house);
    assert!(house.get(&table, id("a")).is_none() && house.get(&table, id("b")).is_some());
    assert_eq!(house.engine().describe_table(&table).unwrap().items, 1);
}

#[test]
fn it_is_switched_with_the_service_s_words_and_stays_over_a_restart() {
    let mut house = House::on_disk();
    let table = house.create(spec("T", false, None));
    let words = |result: Result<(), engine::Error>| result.unwrap_err().message;
    let on = |house: &House, name: &str| house.engine().enable_time_to_live(&scope(), "T", name);
    let off = |house: &House, name: &str| house.engine().disable_time_to_live(&scope(), "T", name);
    assert_eq!(words(off(&house, "ttl")), "TimeToLive is already disabled");
    on(&house, "ttl").unwrap();
    let now = house.world.now().seconds();
    house.put(&table, with_ttl("a", now + 1));
    house.restart();
    assert_eq!(words(on(&house, "ttl")), "TimeToLive is already enabled");
    let other = "TimeToLive is active on a different AttributeName: current AttributeName is ttl";
    assert_eq!([words(on(&house, "other")), words(off(&house, "other"))], [other, other]);
    let table = house.engine().table(&scope(), "T").unwrap();
    house.world.advance(3 * SECOND);
    maintain(&house);
    assert!(house.get(&table, id("a")).is_none());
    house.put(&table, with_ttl("b", now + 5));
    off(&house, "ttl").unwrap();
    house.world.advance(10 * SECOND);
    maintain(&house);
    assert!(house.get(&table, id("b")).is_some());
    // What was noted before is forgotten: switched on again, it is found again.
    on(&house, "ttl").unwrap();
    maintain(&house);
    maintain(&house);
    assert!(house.get(&table, id("b")).is_none());
}

/// Random writes, random switches and time: what is there is what a list of items with their times says.
#[test]
fn random_lives() {
    for seed in 0..20 {
        let mut random = Random::from_seed(seed);
        let house = House::in_memory();
        let table = house.create(by_ttl());
        house.engine().enable_time_to_live(&scope(), "T", "ttl").unwrap();
        let mut model: Vec<Option<u64>> = vec![None; 8];
        for _ in 0..200 {
            let at = random.below(8) as usize;
            let name = at.to_string();
            let now = house.world.now().seconds();
            match random.below(5) {
                0 => {
                    house.delete(&table, id(&name));
                    model[at] = None;
                }
                1 => {
                    house.world.advance(SECOND * random.below(4) as u32);
                    maintain(&house);
                    let now = house.world.now().seconds();
                    for life in &mut model {
                        *life = life.filter(|ttl| *ttl >= now);
                    }
                }
                _ => {
                    let ttl = now + random.below(6);
                    house.put(&table, with_ttl(&name, ttl));
                    model[at] = Some(ttl);
                }
            }
            let there = |at: usize| house.get(&table, id(&at.to_string()));
            for (at, life) in model.iter().enumerate() {
                let ttl = there(at).and_then(|item| item.get("ttl").cloned());
                let expected = life.map(n);
                assert_eq!(ttl, expected, "seed {seed}, item {at}");
            }
            let described = house.engine().describe_table(&table).unwrap();
            let count = model.iter().flatten().count() as u64;
            assert_eq!(described.items, count, "seed {seed}");
            assert!(described.global.iter().all(|index| index.items == count), "seed {seed}");
        }
    }
}
