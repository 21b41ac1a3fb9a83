//! Tables brought back to what they were.

use crate::support::*;
use engine::{Attributes, Consistency, ErrorKind, KeyPart, ProjectionKind, Scan, TableSpec};
use model::Item;
use model::key::KeyType;
use std::collections::BTreeMap;
use std::time::Duration;
use store::Order;
use world::{Timestamp, World};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn wanted(name: &str) -> TableSpec {
    let mut wanted = spec(name, false, None);
    let who = KeyPart::new("who", KeyType::S);
    wanted.attributes.push(who.clone());
    wanted.global = vec![index("by-who", who, None, ProjectionKind::All)];
    wanted
}

type Rows = BTreeMap<String, Item>;

fn rows(house: &House, name: &str) -> Rows {
    let scan = Scan {
        index: None,
        filter: None,
        attributes: Attributes::All,
        limit: None,
        start: None,
        segment: None,
        consistency: Consistency::Strong,
    };
    let items = house.scan(&house.table(name), &scan).unwrap().0;
    items.into_iter().map(|item| (format!("{:?}", item.get("id")), item)).collect()
}

fn row(id: u64, round: u64) -> Item {
    let who = if round.is_multiple_of(2) { "ann" } else { "bob" };
    item([("id", s(&id.to_string())), ("n", n(round)), ("who", s(who))])
}

fn keep(house: &House, days: Option<u32>) {
    house.engine().keep_history(&scope(), "Source", days).unwrap();
}

fn recover(house: &House, name: &str, until: Timestamp) -> Result<(), engine::Error> {
    house.engine().recover_table(&scope(), "Source", until, wanted(name)).map(drop)
}

#[test]
fn a_table_comes_back_as_it_was_at_any_moment() {
    everywhere(|house| {
        let dice = World::simulated(11);
        let table = house.create(wanted("Source"));
        for id in 0..200 {
            house.put(&table, row(id, 0));
        }
        house.advance(Duration::from_secs(1));
        keep(house, Some(35));
        let mut moments = Vec::new();
        for round in 1..=6 {
            house.advance(Duration::from_secs(10));
            for _ in 0..80 {
                // More keys than there were, and some of them more than once.
                let id = dice.below(260);
                match dice.below(3) {
                    0 => drop(house.delete(&table, item([("id", s(&id.to_string()))]))),
                    _ => drop(house.put(&table, row(id, round))),
                }
            }
            moments.push((house.world.now(), rows(house, "Source")));
        }
        house.advance(Duration::from_secs(1));
        house.restart();
        for (number, (moment, before)) in moments.iter().enumerate() {
            let name = format!("Target{number}");
            recover(house, &name, *moment).unwrap();
            // Begun, interrupted, and the source is changed before it begins again.
            house.restart();
            let table = house.table("Source");
            house.put(&table, row(number as u64, 99));
            house.put(&table, row(1000 + number as u64, 99));
            house.engine().maintain().unwrap();
            assert_eq!(rows(house, &name), *before, "{number}");
            let target = house.table(&name);
            let described = house.engine().describe_table(&target).unwrap();
            assert_eq!(described.items, before.len() as u64);
            assert!(described.restore.is_some_and(|restore| !restore.in_progress && restore.until.is_some()));
            let anns = before.values().filter(|item| item.get("who") == Some(&s("ann"))).count();
            assert_eq!(house.by_who(&target, "ann"), anns);
        }
    });
}

#[test]
fn what_is_older_than_the_period_is_forgotten() {
    let house = House::in_memory();
    let table = house.create(wanted("Source"));
    keep(&house, Some(2));
    let since = house.world.now();
    let recoverable = || house.engine().recoverable(&house.table("Source")).unwrap();
    assert_eq!((recoverable().earliest, recoverable().latest, recoverable().days), (since, since, 2));
    let logged = || {
        let snapshot = house.engine().store().snapshot();
        snapshot.range(store::Space::Log, &[0xff; 4], &[0xff; 32], Order::Forward).count()
    };
    for day in 0..4 {
        house.put(&table, row(day, day));
        house.advance(DAY);
    }
    // The change at the very horizon is part of what was then: it need not be undone.
    assert_eq!((logged(), recoverable().earliest), (1, house.world.now() - DAY * 2));
    let then = house.world.now() - DAY * 2 + Duration::from_secs(1);
    recover(&house, "Target", then).unwrap();
    // A longer period does not bring back what is gone, and a shorter one forgets.
    house.engine().maintain().unwrap();
    assert_eq!(rows(&house, "Target").len(), 3);
    keep(&house, Some(1));
    house.advance(Duration::from_secs(1));
    assert_eq!(logged(), 0);
    // Switched off and on again, it begins anew.
    keep(&house, None);
    assert!(house.engine().recoverable(&table).is_none());
    keep(&house, Some(35));
    assert_eq!(recoverable().earliest, house.world.now());
    house.put(&table, row(9, 9));
    assert_eq!(logged(), 1);
    house.engine().delete_table(&scope(), "Source").unwrap();
    house.engine().maintain().unwrap();
    assert_eq!(logged(), 0);
}

#[test]
fn only_what_is_known_is_brought_back() {
    let house = House::in_memory();
    let table = house.create(wanted("Source"));
    let now = house.world.now();
    let kind = |refused: Result<(), engine::Error>| refused.unwrap_err().kind;
    assert_eq!(kind(recover(&house, "Target", now)), ErrorKind::NotRecoverable);
    keep(&house, Some(1));
    assert_eq!(kind(recover(&house, "Target", now - Duration::from_secs(1))), ErrorKind::NotThen);
    assert_eq!(kind(recover(&house, "Target", now + Duration::from_secs(1))), ErrorKind::NotThen);
    assert_eq!(kind(recover(&house, "Source", now)), ErrorKind::TableExists);
    house.put(&table, row(1, 1));
    // While it is brought back, what it is made of stays.
    recover(&house, "Target", now).unwrap();
    let engine = house.engine();
    assert_eq!(kind(engine.delete_table(&scope(), "Source").map(drop)), ErrorKind::TableInUse);
    assert_eq!(kind(engine.keep_history(&scope(), "Source", None)), ErrorKind::TableInUse);
    assert_eq!(kind(engine.keep_history(&scope(), "Target", Some(1))), ErrorKind::TableInUse);
    engine.maintain().unwrap();
    // The put happened in the same millisecond: it is not later.
    assert_eq!(rows(&house, "Target").len(), 1);
    engine.keep_history(&scope(), "Source", None).unwrap();
    engine.delete_table(&scope(), "Source").unwrap();
}
