use crate::support::*;
use engine::stream::{Position, Record, ViewType};
use engine::{Maintenance, StreamChange, TableChange};
use model::{Item, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn version(item: &Item) -> u64 {
    match item.get("v") {
        Some(Value::N(number)) => number.to_string().parse().unwrap(),
        _ => 0,
    }
}

#[test]
fn writers_of_one_item_leave_a_record_each_in_order() {
    everywhere(|house| {
        let house = &*house;
        let table = house.create(spec("T", false, Some(ViewType::NewAndOld)));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        house.update(&table, id("a"), "ADD v :one", &[(":one", n(1))]);
                    }
                });
            }
        });
        let records = house.records(&house.stream(&table));
        assert_eq!(records.len(), 400);
        for (at, record) in records.iter().enumerate() {
            assert_eq!(tree(record.before()).map_or(0, |before| version(&before)), at as u64);
            assert_eq!(version(&tree(record.after()).unwrap()), at as u64 + 1);
        }
    });
}

/// While shards roll over and split, streams go and come, every change is recorded where it belongs: replaying the
/// records of an item gives its history without a gap.
#[test]
fn shards_end_exactly() {
    let house = House::in_memory().with(|settings| settings.stream_shards = 2);
    let house = &house;
    let table = house.create(spec("T", false, Some(ViewType::NewAndOld)));
    let over = AtomicBool::new(false);
    let written: u64 = thread::scope(|threads| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (table, over) = (&table, &over);
                threads.spawn(move || {
                    let mut count = 0;
                    while !over.load(Ordering::Relaxed) || count < 100 {
                        let key = id(&format!("{writer}-{}", count % 5));
                        house.update(table, key, "ADD v :one", &[(":one", n(1))]);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        for round in 0..30 {
            let stream = house.stream(&table);
            let open: Vec<_> = stream.shards().into_iter().filter(|shard| shard.end().is_none()).collect();
            match round % 10 {
                9 => house.advance(house.settings.shard_rollover),
                4 => house.engine().split_shard(&stream, open[round % open.len()].id()).unwrap(),
                _ => thread::yield_now(),
            }
        }
        over.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    let stream = house.stream(&table);
    let mut latest: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = 0;
    for shard in stream.shards() {
        let records: Vec<Arc<Record>> = house.read(&shard, Position::TrimHorizon);
        for record in records {
            assert!(record.sequence > shard.start() && shard.end().is_none_or(|end| record.sequence < end));
            let key = format!("{:?}", tree(Some(record.keys())));
            // Parents come before children: an item's records are in order across them.
            let before = latest.insert(key, version(&tree(record.after()).unwrap())).unwrap_or(0);
            assert_eq!(tree(record.before()).map_or(0, |before| version(&before)), before);
            count += 1;
        }
    }
    assert_eq!(count, written);
}

/// Consumers look for a shard's children the moment they have read its end.
#[test]
fn who_has_read_a_shard_finds_its_children() {
    for tailed in [false, true] {
        let keep = std::time::Duration::from_secs(10_000 * 3600);
        let house = House::in_memory().with(|settings| settings.stream_retention = keep);
        let house = &house;
        let table = house.create(spec("T", false, Some(ViewType::KeysOnly)));
        let stream = house.stream(&table);
        thread::scope(|threads| {
            threads.spawn(|| {
                let mut shard = stream.shards()[0].clone();
                for _ in 0..40 {
                    let _tail = tailed.then(|| shard.tail());
                    let mut next = Some(shard.start());
                    while let Some(after) = next {
                        let read = house.engine().read_records(&shard, after, 10, 1 << 20).unwrap();
                        next = read.next;
                    }
                    let child = stream.shards().into_iter().find(|child| child.parent() == Some(shard.id()));
                    shard = child.expect("a closed shard has a child");
                }
            });
            for _ in 0..40 {
                house.put(&table, id("a"));
                house.advance(house.settings.shard_rollover / 2);
                house.delete(&table, id("a"));
                house.advance(house.settings.shard_rollover / 2);
            }
        });
    }
}

#[test]
fn a_stream_holds_exactly_what_was_written_while_it_was_enabled() {
    let house = House::in_memory();
    let house = &house;
    let table = house.create(spec("T", false, None));
    let over = AtomicBool::new(false);
    thread::scope(|threads| {
        threads.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                house.update(&table, id("a"), "ADD v :one", &[(":one", n(1))]);
            }
        });
        let change = |stream| TableChange { stream: Some(stream), ..TableChange::default() };
        for _ in 0..20 {
            let known = || house.get(&table, id("a")).map_or(0, |item| version(&item));
            let before = known();
            house.engine().update_table(&scope(), "T", change(StreamChange::Enable(ViewType::New))).unwrap();
            let stream = house.stream(&table);
            let enabled = known();
            while known() < enabled + 3 {
                thread::yield_now();
            }
            let disabling = known();
            house.engine().update_table(&scope(), "T", change(StreamChange::Disable)).unwrap();
            let after = known();
            let versions: Vec<u64> =
                house.records(&stream).iter().map(|record| version(&tree(record.after()).unwrap())).collect();
            let (first, last) = (versions[0], versions[versions.len() - 1]);
            assert_eq!(versions, (first..=last).collect::<Vec<_>>());
            assert!(before < first && first <= enabled + 1, "{before} {first} {enabled}");
            assert!(disabling <= last && last <= after, "{disabling} {last} {after}");
        }
        over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn readers_see_every_acknowledged_write() {
    everywhere(|house| {
        let house = &*house;
        let table = house.create(spec("T", false, Some(ViewType::KeysOnly)));
        let shard = house.stream(&table).shards()[0].clone();
        thread::scope(|threads| {
            for writer in 0..4 {
                let (table, shard) = (&table, &shard);
                threads.spawn(move || {
                    for number in 0..50 {
                        let key = id(&format!("{writer}-{number}"));
                        let latest = house.engine().stream_position(shard, Position::Latest).unwrap();
                        house.put(table, key.clone());
                        assert_eq!(house.get(table, key.clone()), Some(key.clone()));
                        let read = house.engine().read_records(shard, latest, 1000, 1 << 20).unwrap();
                        assert!(
                            read.records.iter().any(|record| tree(Some(record.keys())) == Some(key.clone()))
                        );
                    }
                });
            }
        });
    });
}

#[test]
fn a_tail_wakes_its_reader_with_every_record() {
    let house = House::in_memory().with(|settings| settings.maintenance = Maintenance::Thread);
    let house = &house;
    let table = house.create(spec("T", false, Some(ViewType::New)));
    let shard = house.stream(&table).shards()[0].clone();
    let after = shard.start();
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let _tail = shard.tail();
            let (mut after, mut seen) = (after, Vec::new());
            while seen.len() < 300 {
                let read = house.engine().read_records(&shard, after, 7, 1 << 20).unwrap();
                seen.extend(sequences(&read.records));
                match read.records.is_empty() {
                    true => shard.changed(read.through).wait(),
                    false => after = read.through,
                }
            }
            seen
        });
        for writer in 0..3 {
            let table = &table;
            threads.spawn(move || {
                for number in 0..100 {
                    house.put(table, id(&format!("{writer}-{number}")));
                }
            });
        }
        let seen = reader.join().unwrap();
        assert!(seen.is_sorted_by(|a, b| a < b));
        assert_eq!(seen, sequences(&house.records(&house.stream(&table))));
    });
}
