//! What lies in the store is readable for ever: its bytes are kept in `fixtures`, a row a line.
//!
//! With `UPDATE_FIXTURES=1` the fixture of the current format is written anew; those of older ones never are.

use crate::support::*;
use engine::stream::{Event, ViewType};
use engine::{
    Attributes, Consistency, Engine, KeyCondition, KeyPart, Maintenance, ProjectionKind, Query, Settings,
};
use model::key::KeyType;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{LogPrefix, Order, Space, Store};
use world::World;

const SPACES: [(&str, Space); 3] = [("meta", Space::Meta), ("items", Space::Items), ("log", Space::Log)];

/// The second has the service's own order of partitions.
const CURRENT: u32 = 2;

fn fixture(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/v{version}.txt"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn the_current_format_is_what_it_was() {
    let house = House::in_memory();
    let mut wanted = spec("T", true, Some(ViewType::NewAndOld));
    let who = KeyPart::new("who", KeyType::N);
    wanted.attributes.push(who.clone());
    wanted.global = vec![index("by-who", who, None, ProjectionKind::KeysOnly)];
    wanted.tags = vec![("team".into(), "blue".into())];
    let table = house.create(wanted);
    house.put(&table, item([("at", s("1")), ("id", s("a")), ("who", n(7)), ("x", s("x"))]));
    house.advance(Duration::from_secs(4 * 3600));
    house.put(&table, id_at("b", "2"));
    house.delete(&table, id_at("b", "2"));
    let snapshot = house.engine().store().snapshot();
    let mut rows = String::new();
    for (name, space) in SPACES {
        for row in snapshot.range(space, &[], &[255; 64], Order::Forward) {
            let (key, value) = row.unwrap();
            writeln!(rows, "{name} {} {}", hex(&key), hex(&value)).unwrap();
        }
    }
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::create_dir_all(fixture(CURRENT).parent().unwrap()).unwrap();
        std::fs::write(fixture(CURRENT), &rows).unwrap();
    }
    assert_eq!(std::fs::read_to_string(fixture(CURRENT)).unwrap(), rows);
}

#[test]
fn every_format_is_readable() {
    for version in 1..=CURRENT {
        check_readable(version);
    }
}

fn check_readable(version: u32) {
    let store = Store::memory();
    for row in std::fs::read_to_string(fixture(version)).unwrap().lines() {
        let [space, key, value] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let (_, space) = SPACES.into_iter().find(|(name, _)| *name == space).unwrap();
        let (key, value) = (unhex(key), unhex(value));
        let done = store.update(&[], |_, batch| {
            match space {
                Space::Log => batch.append(LogPrefix::split(&key).unwrap().0, &value),
                _ => batch.put(space, &key, &value),
            }
            Ok::<_, Infallible>(())
        });
        done.unwrap().1.wait().unwrap();
    }
    let settings = Settings { maintenance: Maintenance::Manual, ..Settings::default() };
    let engine = Engine::open(store, World::simulated(1), settings).unwrap();
    let table = engine.table(&scope(), "T").unwrap();
    let described = engine.describe_table(&table).unwrap();
    assert_eq!((described.items, described.global[0].items), (1, 1));
    assert_eq!(engine.tags(&table), [("team".to_owned(), "blue".to_owned())]);
    let expect = item([("at", s("1")), ("id", s("a")), ("who", n(7))]);
    let query = Query {
        index: Some("by-who"),
        key: &KeyCondition { hash: vec![n(7)], range_equal: vec![], range: None },
        filter: None,
        attributes: Attributes::Projected,
        order: Order::Forward,
        limit: None,
        start: None,
        consistency: Consistency::Eventual,
    };
    let mut found = Vec::new();
    engine
        .query(&table, &query, &mut |view| {
            found.push(view.to_item()?);
            Ok(())
        })
        .unwrap();
    assert_eq!(found, [expect]);
    let stream = engine.table_stream(&table).unwrap();
    let [parent, child] = &stream.shards()[..] else { panic!() };
    assert_eq!((child.parent(), parent.end().is_some(), child.end()), (Some(parent.id()), true, None));
    let events = |shard| {
        let read = engine.read_records(shard, Default::default(), 10, 1 << 20).unwrap();
        read.records.iter().map(|record| record.event).collect::<Vec<_>>()
    };
    assert_eq!(events(parent), [Event::Insert]);
    assert_eq!(events(child), [Event::Insert, Event::Remove]);
}
