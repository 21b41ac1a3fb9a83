use crate::support::*;
use engine::{
    Attributes, BackupStatus, Consistency, ErrorKind, KeyCondition, KeyPart, ProjectionKind, Query, Scan,
    TableSpec, TableStatus,
};
use model::key::KeyType;
use model::{Item, Value};
use store::Order;

/// More than one chunk.
const ROWS: i32 = 300;

fn wanted(name: &str) -> TableSpec {
    let mut wanted = spec(name, true, None);
    let who = KeyPart::new("who", KeyType::S);
    wanted.attributes.push(who.clone());
    wanted.global = vec![index("by-who", who, None, ProjectionKind::KeysOnly)];
    wanted
}

fn row(number: i32) -> Item {
    let who = if number % 3 == 0 { "ann" } else { "bob" };
    item([("at", s("1")), ("id", s(&format!("{number}"))), ("n", n(number)), ("who", s(who))])
}

fn filled(house: &House) -> Vec<Item> {
    let table = house.create(wanted("Source"));
    for number in 0..ROWS {
        house.put(&table, row(number));
    }
    everything(house, "Source")
}

fn everything(house: &House, name: &str) -> Vec<Item> {
    let scan = Scan {
        index: None,
        filter: None,
        attributes: Attributes::All,
        limit: None,
        start: None,
        segment: None,
        consistency: Consistency::Strong,
    };
    house.scan(&house.table(name), &scan).unwrap().0
}

fn restore(house: &House, arn: &str) {
    let made = house.engine().restore_table(&scope(), arn, wanted("Target")).unwrap();
    assert_eq!(made.status, TableStatus::Creating);
}

#[test]
fn a_backup_is_of_its_moment_and_comes_back_with_its_indexes() {
    everywhere(|house| {
        let before = filled(house);
        let made = house.engine().create_backup(&scope(), "Source", "first").unwrap();
        assert_eq!((made.status, made.items), (BackupStatus::Creating, ROWS as u64));
        // What happens from here on is not in it, though nothing has been copied yet.
        let source = house.table("Source");
        house.delete(&source, id_at("0", "1"));
        house.put(&source, row(ROWS));
        house.update(&source, id_at("1", "1"), "SET n = :n", &[(":n", n(-1))]);
        house.engine().maintain().unwrap();

        let backup = house.engine().backup(&scope(), &made.arn).unwrap();
        assert_eq!((backup.status, backup.items), (BackupStatus::Available, ROWS as u64));
        assert_eq!(backup.bytes, made.bytes);
        house.engine().delete_table(&scope(), "Source").unwrap();
        house.restart();
        restore(house, &made.arn);
        house.engine().maintain().unwrap();

        assert_eq!(everything(house, "Target"), before);
        let target = house.table("Target");
        let ann = KeyCondition { hash: vec![s("ann")], range_equal: vec![], range: None };
        let query = Query {
            index: Some("by-who"),
            key: &ann,
            filter: None,
            attributes: Attributes::Projected,
            order: Order::Forward,
            limit: None,
            start: None,
            consistency: Consistency::Eventual,
        };
        assert_eq!(house.query(&target, &query).unwrap().0.len(), ROWS as usize / 3);
        let described = house.engine().describe_table(&target).unwrap();
        assert_eq!((described.items, described.bytes), (ROWS as u64, backup.bytes));
        assert_eq!(described.global[0].items, ROWS as u64);
        assert!(described.restore.is_some_and(|restore| !restore.in_progress));
        house.put(&target, row(ROWS));
        assert_eq!(everything(house, "Target").len(), before.len() + 1);
    });
}

#[test]
fn an_unfinished_backup_is_gone_and_an_unfinished_restore_begins_again() {
    everywhere(|house| {
        let before = filled(house);
        let kept = house.engine().create_backup(&scope(), "Source", "kept").unwrap();
        house.engine().maintain().unwrap();
        let lost = house.engine().create_backup(&scope(), "Source", "lost").unwrap();
        restore(house, &kept.arn);
        house.restart();

        let known: Vec<_> = house.engine().backups(&scope()).unwrap().into_iter().map(|b| b.name).collect();
        assert_eq!(known, ["kept"]);
        assert_eq!(house.engine().backup(&scope(), &lost.arn).unwrap_err().kind, ErrorKind::BackupNotFound);
        let target = house.table("Target");
        assert_eq!(house.engine().describe_table(&target).unwrap().status, TableStatus::Creating);
        house.engine().maintain().unwrap();
        assert_eq!(everything(house, "Target"), before);
        assert_eq!(house.engine().describe_table(&target).unwrap().items, ROWS as u64);
    });
}

#[test]
fn what_is_being_copied_is_left_alone() {
    let house = House::in_memory();
    filled(&house);
    let engine = house.engine();
    let made = engine.create_backup(&scope(), "Source", "one").unwrap();
    let kind = |refused: Result<(), engine::Error>| refused.unwrap_err().kind;
    assert_eq!(kind(engine.create_backup(&scope(), "Source", "two").map(drop)), ErrorKind::BackupInUse);
    assert_eq!(kind(engine.delete_backup(&scope(), &made.arn).map(drop)), ErrorKind::BackupInUse);
    assert_eq!(kind(engine.delete_table(&scope(), "Source").map(drop)), ErrorKind::TableInUse);
    let early = engine.restore_table(&scope(), &made.arn, wanted("Target"));
    assert_eq!(kind(early.map(drop)), ErrorKind::BackupInUse);
    engine.maintain().unwrap();

    restore(&house, &made.arn);
    let target = house.table("Target");
    let unready: Value = s("1");
    let key = target.key(item([("at", unready.clone()), ("id", unready)]).view()).unwrap();
    let got = engine.get(&target, &key, Consistency::Strong).map(drop);
    assert_eq!(kind(got), ErrorKind::TableNotFound);
    assert!(house.try_write(&target, put(row(1))).is_err());
    assert_eq!(kind(engine.delete_table(&scope(), "Target").map(drop)), ErrorKind::TableInUse);
    assert_eq!(kind(engine.delete_backup(&scope(), &made.arn).map(drop)), ErrorKind::BackupInUse);
    engine.maintain().unwrap();
    engine.delete_backup(&scope(), &made.arn).unwrap();
    engine.maintain().unwrap();
    assert!(engine.backups(&scope()).unwrap().is_empty());
    assert_eq!(everything(&house, "Target").len(), ROWS as usize);
}
