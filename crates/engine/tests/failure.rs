use crate::support::*;
use engine::stream::{Position, ViewType};
use engine::{Engine, ErrorKind, Maintenance, Settings};
use store::{Fault, Store};
use world::World;

#[test]
fn what_cannot_be_made_durable_is_not_acknowledged_and_nothing_comes_after() {
    let (store, faults) = Store::faulty();
    let settings = Settings { maintenance: Maintenance::Manual, ..Settings::default() };
    let engine = Engine::open(store, World::simulated(1), settings).unwrap();
    engine.create_table(&scope(), spec("T", false, Some(ViewType::New))).unwrap();
    let table = engine.table(&scope(), "T").unwrap();
    engine.write(&table, put(id("a"))).unwrap().commit.wait().unwrap();
    let shard = engine.table_stream(&table).unwrap().shards()[0].clone();
    let mut changed = shard.changed(shard.last());

    faults.inject(Fault::Sync);
    engine.write(&table, put(id("b"))).unwrap().commit.wait().unwrap_err();
    let refused = engine.write(&table, put(id("c"))).unwrap_err();
    assert_eq!(refused.error.kind, ErrorKind::Internal);
    assert!(engine.create_table(&scope(), spec("U", false, None)).is_err());
    assert!(engine.table(&scope(), "U").is_err());
    assert!(engine.delete_table(&scope(), "T").is_err());

    // What was durable is still there to read, and nothing else.
    let key = |text| table.key(id(text).view()).unwrap();
    assert!(engine.get(&table, &key("a"), Default::default()).unwrap().image.is_some());
    assert!(engine.get(&table, &key("b"), Default::default()).unwrap().image.is_none());
    let start = engine.stream_position(&shard, Position::TrimHorizon).unwrap();
    assert_eq!(engine.read_records(&shard, start, 10, 1 << 20).unwrap().records.len(), 1);
    let waker = std::task::Waker::noop();
    let poll = std::future::Future::poll(
        std::pin::Pin::new(&mut changed),
        &mut std::task::Context::from_waker(waker),
    );
    assert!(poll.is_pending());
}
