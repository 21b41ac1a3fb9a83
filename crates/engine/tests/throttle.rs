//! Throughput that is held to, on a clock that stands still until it is told to go on.

use crate::support::*;
use engine::{
    Billing, Consistency, Error, ErrorKind, IndexCapacity, IndexChange, KeyPart, OnDemandLimits,
    ProjectionKind, Reserve, Scan, Side, TableChange, TableSpec, Throughput, Transacted,
};
use model::key::KeyType;
use std::time::Duration;

fn provisioned(read_units: u64, write_units: u64) -> TableSpec {
    let billing = Billing::Provisioned(Throughput { read_units, write_units });
    TableSpec { billing, ..spec("T", false, None) }
}

fn house() -> House {
    House::in_memory().with(|settings| settings.throttle = true)
}

/// How many writes of one unit get through now.
fn writes(house: &House, table: &engine::Table) -> usize {
    (0..).take_while(|_| house.try_write(table, put(id("a"))).is_ok()).count()
}

fn throttled(error: &Error) -> (Side, bool, bool) {
    match &error.kind {
        ErrorKind::Throttled(why) => (why.side, why.is_index, why.on_demand),
        other => panic!("{other:?}"),
    }
}

#[test]
fn five_minutes_are_saved_up_and_no_more() {
    let house = house();
    let table = house.create(provisioned(2, 3));
    assert_eq!(writes(&house, &table), 900);
    let refused = house.try_write(&table, put(id("a"))).unwrap_err();
    assert_eq!(throttled(&refused.error), (Side::Write, false, false));
    for (seconds, expect) in [(1, 3), (10, 30), (100_000, 900)] {
        house.world.advance(Duration::from_secs(seconds));
        assert_eq!(writes(&house, &table), expect, "after {seconds} s");
    }
    // Reads have a bucket of their own; eventual ones take half.
    let key = table.key(id("a").view()).unwrap();
    let read = |consistency| house.engine().get(&table, &key, consistency);
    assert_eq!((0..).take_while(|_| read(Consistency::Strong).is_ok()).count(), 600);
    house.world.advance(Duration::from_secs(1));
    assert_eq!((0..).take_while(|_| read(Consistency::Eventual).is_ok()).count(), 4);
    assert_eq!(throttled(&read(Consistency::Strong).unwrap_err()), (Side::Read, false, false));
}

#[test]
fn what_was_not_paid_for_is_not_written() {
    let house = house();
    let table = house.create(provisioned(1, 1));
    writes(&house, &table);
    assert!(house.try_write(&table, put(id("new"))).is_err());
    assert_eq!(house.get(&table, id("new")), None);
    // More than can ever be saved up waits for a full bucket, and leaves a debt.
    let large = || put(item([("id", s("large")), ("x", s(&"x".repeat(390 * 1024)))]));
    house.world.advance(Duration::from_secs(299));
    assert!(house.try_write(&table, large()).is_err());
    house.world.advance(Duration::from_secs(1));
    assert!(house.try_write(&table, large()).is_ok());
    house.world.advance(Duration::from_secs(91));
    assert_eq!(writes(&house, &table), 0);
    house.world.advance(Duration::from_secs(1));
    assert_eq!(writes(&house, &table), 1);
}

#[test]
fn indexes_have_throughput_of_their_own() {
    let house = house();
    let mut wanted = provisioned(100, 100);
    let who = KeyPart::new("who", KeyType::S);
    wanted.attributes.push(who.clone());
    let narrow = Throughput { read_units: 1, write_units: 1 };
    wanted.global = vec![index("by-who", who, None, ProjectionKind::All)];
    wanted.global[0].throughput = Some(narrow);
    let table = house.create(wanted);
    let row = |n: u64| put(item([("id", s(&n.to_string())), ("who", s("ann"))]));
    let count = (0..).take_while(|n| house.try_write(&table, row(*n)).is_ok()).count();
    assert_eq!(count, 300);
    let refused = house.try_write(&table, row(1000)).unwrap_err();
    assert_eq!(throttled(&refused.error), (Side::Write, true, false));
    // What does not touch the index does not wait for it.
    assert!(house.try_write(&table, put(id("plain"))).is_ok());
    let scan = Scan { index: Some("by-who"), ..Scan::default() };
    assert!(house.scan(&table, &scan).is_ok());
    // Given more, it takes more.
    let change = TableChange {
        indexes: vec![IndexChange::Capacity(
            "by-who".into(),
            IndexCapacity {
                throughput: Some(Throughput { read_units: 1, write_units: 50 }),
                reserve: Reserve::default(),
            },
        )],
        ..TableChange::default()
    };
    house.engine().update_table(&scope(), "T", change).unwrap();
    house.world.advance(Duration::from_secs(1));
    assert_eq!((2000..).take_while(|n| house.try_write(&table, row(*n)).is_ok()).count(), 50);
}

#[test]
fn batches_leave_and_transactions_refuse() {
    let house = house();
    let table = house.create(provisioned(1, 1));
    while writes(&house, &table) > 0 {}
    house.world.advance(Duration::from_secs(3));
    let batch = |names: &[&str]| names.iter().map(|name| (table.clone(), put(id(name)))).collect::<Vec<_>>();
    let done = house.engine().write_batch(batch(&["b", "c", "d", "e", "f"])).unwrap();
    assert_eq!(done.left, [3, 4]);
    let units: Vec<f64> = done.writes.iter().map(|write| write.consumed.table).collect();
    assert_eq!(units, [1.0, 1.0, 1.0, 0.0, 0.0]);
    done.commit.wait().unwrap();
    assert_eq!((house.get(&table, id("d")).is_some(), house.get(&table, id("e"))), (true, None));
    let refused = house.engine().write_batch(batch(&["e", "f"])).unwrap_err();
    assert_eq!(throttled(&refused.error), (Side::Write, false, false));
    // A transaction costs twice, and all of it waits.
    house.world.advance(Duration::from_secs(3));
    let refused = house.engine().transact_write(batch(&["g", "h"]), None).unwrap_err();
    let reasons: Vec<bool> = refused.reasons.iter().map(Option::is_some).collect();
    assert_eq!(reasons, [false, true]);
    assert_eq!(house.get(&table, id("g")), None);
    house.world.advance(Duration::from_secs(4));
    let done = house.engine().transact_write(batch(&["g", "h"]), None).unwrap();
    assert!(matches!(done, Transacted::Now(done) if done.left.is_empty()));
}

#[test]
fn limits_on_demand_are_limits_of_a_second() {
    let house = house();
    let limits = OnDemandLimits { read_units_max: None, write_units_max: Some(5) };
    let reserve = Reserve { on_demand: Some(limits), warm: None };
    let table = house.create(TableSpec { reserve, ..spec("T", false, None) });
    assert_eq!(writes(&house, &table), 5);
    let refused = house.try_write(&table, put(id("a"))).unwrap_err();
    assert_eq!(throttled(&refused.error), (Side::Write, false, true));
    house.world.advance(Duration::from_secs(60));
    assert_eq!(writes(&house, &table), 5);
    let key = table.key(id("a").view()).unwrap();
    assert!((0..1000).all(|_| house.engine().get(&table, &key, Consistency::Strong).is_ok()));
}

#[test]
fn nothing_is_held_to_unless_it_is_asked_for() {
    let house = House::in_memory();
    let table = house.create(provisioned(1, 1));
    assert!((0..1000).all(|_| house.try_write(&table, put(id("a"))).is_ok()));
}
