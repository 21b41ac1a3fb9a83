use crate::support::*;
use engine::stream::{Event, Position, Sequence, ShardId, StreamStatus, ViewType};
use engine::{ErrorKind, StreamChange, TableChange};
use model::{Item, Value};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

fn change(stream: StreamChange) -> TableChange {
    TableChange { stream: Some(stream), ..TableChange::default() }
}

#[test]
fn view_types_say_what_records_hold() {
    let (old, new) = (item([("id", s("a")), ("v", n(1))]), item([("id", s("a")), ("v", n(2)), ("w", n(3))]));
    for (view, before, after) in [
        (ViewType::KeysOnly, None, None),
        (ViewType::Old, Some(&old), None),
        (ViewType::New, None, Some(&new)),
        (ViewType::NewAndOld, Some(&old), Some(&new)),
    ] {
        let house = House::in_memory();
        let table = house.create(spec("T", false, Some(view)));
        house.put(&table, old.clone());
        house.put(&table, new.clone());
        house.delete(&table, id("a"));
        let records = house.records(&house.stream(&table));
        let events: Vec<_> = records.iter().map(|record| record.event).collect();
        assert_eq!(events, [Event::Insert, Event::Modify, Event::Remove]);
        let [insert, modify, remove] = &records[..] else { panic!() };
        for record in [insert, modify, remove] {
            assert_eq!((tree(Some(record.keys())), record.view), (Some(id("a")), view));
            assert_eq!(record.created, house.world.now());
            assert!(!record.service_delete);
        }
        assert_eq!((tree(insert.before()), tree(insert.after())), (None, after.map(|_| old.clone())));
        assert_eq!((tree(modify.before()), tree(modify.after())), (before.cloned(), after.cloned()));
        assert_eq!((tree(remove.before()), tree(remove.after())), (before.map(|_| new.clone()), None));
    }
}

/// The sizes that the reference has recorded of the service.
#[test]
fn sizes_are_those_of_the_service() {
    let house = House::in_memory();
    let check = |name: &str, key: &str, view, writes: Vec<Item>, expect: &[u64]| {
        let mut wanted = spec(name, false, Some(view));
        wanted.key.hash[0].name = key.into();
        wanted.attributes[0].name = key.into();
        let table = house.create(wanted);
        for item in writes {
            house.put(&table, item);
        }
        let records = house.records(&house.stream(&table));
        assert_eq!(records.iter().map(|record| record.size_bytes).collect::<Vec<_>>(), expect, "{name}");
    };
    check("keys", "Username", ViewType::KeysOnly, vec![item([("Username", s("Fred")), ("x", n(1))])], &[12]);
    check("both", "id", ViewType::NewAndOld, vec![id("Fred")], &[12]);
    let filled = |text: &str| item([("attr1", s(text)), ("attr2", s(text)), ("id", s("my-item-id"))]);
    check("modify", "id", ViewType::NewAndOld, vec![filled("value1"), filled("value2")], &[46, 80]);
    let binary = || Value::B(vec![1, 2, 3, 4, 5, 6]);
    check(
        "new",
        "my_partition_key",
        ViewType::New,
        vec![
            item([("my_partition_key", s("hello world"))]),
            item([("binary_key", binary()), ("my_partition_key", s("hello world"))]),
        ],
        &[54, 70],
    );
    let table = house.create(spec("remove", false, Some(ViewType::NewAndOld)));
    house.put(&table, id("NewKey"));
    house.delete(&table, id("NewKey"));
    let records = house.records(&house.stream(&table));
    assert_eq!(records[1].size_bytes, 16);
}

#[test]
fn what_changes_nothing_leaves_no_record() {
    let house = House::in_memory();
    let table = house.create(spec("T", false, Some(ViewType::NewAndOld)));
    let one = || item([("id", s("a")), ("v", n(1))]);
    house.put(&table, one());
    house.put(&table, item([("id", s("a")), ("v", n("1.0"))]));
    house.update(&table, id("a"), "SET v = :v", &[(":v", n(1))]);
    house.update(&table, id("b"), "REMOVE v", &[]);
    house.delete(&table, id("b"));
    let batch = vec![(table.clone(), put(one())), (table.clone(), delete(&table, id("c")))];
    house.engine().write_batch(batch).unwrap().commit.wait().unwrap();
    house.try_write(&table, when(put(id("a")), "attribute_not_exists(id)", &[])).unwrap_err();
    assert_eq!(house.records(&house.stream(&table)).len(), 1);
    house.update(&table, id("b"), "SET v = :v", &[(":v", n(1))]);
    assert_eq!(house.records(&house.stream(&table))[1].event, Event::Insert);
}

#[test]
fn ids_are_spelt_as_clients_expect() {
    let house = House::in_memory();
    let table = house.create(spec("T", false, Some(ViewType::New)));
    house.put(&table, id("a"));
    let stream = house.stream(&table);
    assert_eq!(&**stream.label(), "2026-01-01T00:00:00.000");
    let shard = &stream.shards()[0];
    let text = shard.id().to_string();
    assert_eq!((text.len(), &text[..28]), (37, "shardId-00000001767225600000"));
    assert_eq!(text.parse::<ShardId>(), Ok(shard.id()));
    for wrong in ["", "shardId-1-2", &text[1..], "shardId-0000000176722560000x-00000002"] {
        assert!(wrong.parse::<ShardId>().is_err());
    }
    let record = &house.records(&stream)[0];
    let sequence = record.sequence.to_string();
    assert_eq!((sequence.len(), &sequence[..1]), (21, "1"));
    assert_eq!(sequence.parse::<Sequence>(), Ok(record.sequence));
    for wrong in ["", "7", "-1", "x", &"9".repeat(21), &"1".repeat(41)] {
        assert!(wrong.parse::<Sequence>().is_err(), "{wrong}");
    }
    assert_eq!(record.event_id().len(), 32);
}

#[test]
fn positions_are_exact() {
    everywhere(|house| {
        let table = house.create(spec("T", false, Some(ViewType::New)));
        let stream = house.stream(&table);
        let shard = stream.shards()[0].clone();
        let latest_of_nothing = house.engine().stream_position(&shard, Position::Latest).unwrap();
        for number in 0..5 {
            house.put(&table, id(&number.to_string()));
            house.world.advance(Duration::from_secs(10));
        }
        let all = house.read(&shard, Position::TrimHorizon);
        assert_eq!(all.len(), 5);
        let numbers = sequences(&all);
        assert!(numbers.is_sorted_by(|a, b| a < b));
        assert_eq!(
            house.engine().read_records(&shard, latest_of_nothing, 10, 1 << 20).unwrap().records.len(),
            5
        );
        let from = |position| sequences(&house.read(&shard, position));
        assert_eq!(from(Position::At(shard.start())), numbers);
        assert_eq!(from(Position::At(numbers[2])), numbers[2..]);
        assert_eq!(from(Position::After(numbers[2])), numbers[3..]);
        assert_eq!(from(Position::AtTime(all[3].created)), numbers[3..]);
        assert_eq!(from(Position::AtTime(all[3].created + Duration::from_millis(1))), numbers[4..]);
        assert_eq!(from(Position::AtTime(all[0].created - HOUR)), numbers);
        assert_eq!(from(Position::AtTime(house.world.now())), []);
        let latest = house.engine().stream_position(&shard, Position::Latest).unwrap();
        house.put(&table, id("next"));
        let read = house.engine().read_records(&shard, latest, 10, 1 << 20).unwrap();
        assert_eq!((read.records.len(), tree(read.records[0].after())), (1, Some(id("next"))));
        for wrong in [Sequence(0), Sequence(shard.start().0 - 1), Sequence(u64::MAX)] {
            let refused = house.engine().stream_position(&shard, Position::At(wrong));
            assert_eq!(refused.unwrap_err().kind, ErrorKind::Validation);
        }
        // Bounds of a read.
        let read = house.engine().read_records(&shard, shard.start(), 2, 1 << 20).unwrap();
        assert_eq!((sequences(&read.records), read.next), (numbers[..2].to_vec(), Some(numbers[1])));
        let read = house.engine().read_records(&shard, shard.start(), 100, 1).unwrap();
        assert_eq!(read.records.len(), 1);
    });
}

#[test]
fn numbers_and_records_survive_a_restart() {
    everywhere(|house| {
        let table = house.create(spec("T", false, Some(ViewType::New)));
        house.put(&table, id("a"));
        house.put(&table, id("b"));
        let stream = house.stream(&table);
        let before = sequences(&house.records(&stream));
        let (shard, arn) = (stream.shards()[0].id(), stream.arn());
        house.restart();
        let table = house.table("T");
        let stream = house.stream(&table);
        assert_eq!((stream.shards()[0].id(), stream.arn()), (shard, arn));
        assert_eq!(sequences(&house.records(&stream)), before);
        house.put(&table, id("c"));
        let after = sequences(&house.records(&stream));
        assert_eq!((&after[..2], after.len()), (&before[..], 3));
        assert!(after[2] > before[1]);
    });
}

#[test]
fn a_disabled_stream_is_closed_and_readable_and_its_successor_is_another() {
    everywhere(|house| {
        let table = house.create(spec("T", false, Some(ViewType::New)));
        house.put(&table, id("a"));
        let first = house.stream(&table);
        let shard = first.shards()[0].clone();
        assert_eq!(shard.end(), None);
        house.engine().update_table(&scope(), "T", change(StreamChange::Disable)).unwrap();
        house.put(&table, id("b"));
        let described = house.engine().describe_table(&table).unwrap().stream.unwrap();
        assert_eq!((described.enabled, described.arn), (false, first.arn()));
        assert_eq!(first.status(), StreamStatus::Disabled);
        let records = house.read(&shard, Position::TrimHorizon);
        assert_eq!(records.len(), 1);
        assert!(shard.end().unwrap() > records[0].sequence);
        let end = house.engine().read_records(&shard, records[0].sequence, 10, 1 << 20).unwrap();
        assert_eq!((end.records.len(), end.next), (0, None));

        // In the very same millisecond: the label is another one all the same.
        house.engine().update_table(&scope(), "T", change(StreamChange::Enable(ViewType::Old))).unwrap();
        let second = house.stream(&table);
        assert!(second.label() > first.label());
        house.restart();
        let engine = house.engine();
        assert_eq!(engine.list_streams(&scope(), Some("T"), None, 10).streams.len(), 2);
        let found = engine.stream(&scope(), "T", first.label()).unwrap();
        assert_eq!((found.status(), found.shards()[0].end()), (StreamStatus::Disabled, shard.end()));
        assert_eq!(sequences(&house.records(&found)), sequences(&records));

        // The streams of a deleted table too.
        engine.delete_table(&scope(), "T").unwrap();
        house.create(spec("T", false, Some(ViewType::New)));
        let engine = house.engine();
        let labels: Vec<_> = engine.list_streams(&scope(), Some("T"), None, 10).streams;
        assert_eq!(
            labels.iter().map(|stream| stream.status()).collect::<Vec<_>>(),
            [StreamStatus::Disabled, StreamStatus::Disabled, StreamStatus::Enabled]
        );
        let page = engine.list_streams(&scope(), None, Some(("T", labels[0].label())), 1);
        assert_eq!((page.streams[0].label(), page.more), (labels[1].label(), true));
        let page = engine.list_streams(&scope(), None, Some(("T", labels[1].label())), 1);
        assert_eq!((page.streams[0].label(), page.more), (labels[2].label(), false));
        refuses(
            engine.stream(&scope(), "T", "nonsense"),
            ErrorKind::StreamNotFound,
            "no stream nonsense of a table T",
        );
    });
}

#[test]
fn shards_roll_over_and_split_without_losing_order() {
    everywhere(|house| {
        let table = house.create(spec("T", false, Some(ViewType::New)));
        let stream = house.stream(&table);
        let root = stream.shards()[0].clone();
        let version = stream.version();
        for number in 0..10 {
            house.put(&table, id(&number.to_string()));
        }
        house.advance(4 * HOUR);
        let shards = stream.shards();
        let [parent, child] = &shards[..] else { panic!("{shards:?}") };
        assert_eq!((parent.id(), child.parent()), (root.id(), Some(root.id())));
        assert!(child.start() > parent.end().unwrap());
        assert!(stream.version() > version);
        for number in 10..20 {
            house.put(&table, id(&number.to_string()));
        }
        house.engine().split_shard(&stream, child.id()).unwrap();
        refuses(
            house.engine().split_shard(&stream, child.id()),
            ErrorKind::ShardNotFound,
            &format!("no open shard {}", child.id()),
        );
        for number in 0..20 {
            house.delete(&table, id(&number.to_string()));
        }
        house.restart();
        let stream = house.stream(&house.table("T"));
        let shards = stream.shards();
        assert!(shards.is_sorted_by(|a, b| a.id() < b.id()));
        let counts: Vec<_> =
            shards.iter().map(|shard| house.read(shard, Position::TrimHorizon).len()).collect();
        assert_eq!((counts.len(), &counts[..2], counts[2] + counts[3]), (4, &[10, 10][..], 20));
        assert!(counts[2] > 0 && counts[3] > 0);
        let (low, high) = (&shards[2], &shards[3]);
        assert_eq!((low.parent(), high.parent()), (Some(shards[1].id()), Some(shards[1].id())));
        assert!(low.holds(0) && low.holds(0x7fff_ffff) && high.holds(0x8000_0000) && high.holds(u32::MAX));
        assert!(low.start() > shards[1].end().unwrap() && high.start() > shards[1].end().unwrap());
        // A closed shard says so with its last record.
        let read = house.engine().read_records(&shards[0], shards[0].start(), 100, 1 << 20).unwrap();
        assert_eq!((read.records.len(), read.next, Some(read.through)), (10, None, shards[0].end()));
        // Simulator, seed 29: who goes on from its very end hears so again, instead of waiting for ever.
        let again = house.engine().read_records(&shards[0], read.through, 100, 1 << 20).unwrap();
        assert_eq!((again.records.len(), again.next, again.through), (0, None, read.through));
    });
}

#[test]
fn streams_may_begin_with_several_shards() {
    let house = House::in_memory().with(|settings| settings.stream_shards = 3);
    let table = house.create(spec("T", false, Some(ViewType::KeysOnly)));
    for number in 0..60 {
        house.put(&table, id(&number.to_string()));
    }
    let stream = house.stream(&table);
    let counts: Vec<_> =
        stream.shards().iter().map(|shard| house.read(shard, Position::TrimHorizon).len()).collect();
    assert_eq!((counts.len(), counts.iter().sum::<usize>()), (3, 60));
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn what_is_old_is_trimmed() {
    everywhere(|house| {
        let table = house.create(spec("T", false, Some(ViewType::New)));
        let stream = house.stream(&table);
        house.put(&table, id("old"));
        let root = stream.shards()[0].clone();
        let old = house.records(&stream)[0].sequence;
        house.advance(4 * HOUR);
        house.put(&table, id("young"));
        // Expired records of a shard that is not closed for long enough are not given out any more.
        house.world.advance(20 * HOUR + HOUR / 2);
        assert_eq!(house.read(&root, Position::TrimHorizon).len(), 0);
        let late = house.engine().stream_position(&root, Position::At(old)).unwrap_err();
        assert_eq!(late.kind, ErrorKind::Trimmed);
        let late = house.engine().read_records(&root, root.start(), 10, 1 << 20).unwrap_err();
        assert_eq!(late.kind, ErrorKind::Trimmed);
        house.advance(4 * HOUR);
        assert!(stream.shard(root.id()).is_none() && root.is_gone());
        let shards = stream.shards();
        assert_eq!(shards[0].parent(), Some(root.id()));
        assert_eq!(
            house.engine().read_records(&root, root.start(), 10, 1).unwrap_err().kind,
            ErrorKind::Trimmed
        );
        assert_eq!(
            house.engine().stream_position(&root, Position::TrimHorizon).unwrap_err().kind,
            ErrorKind::Trimmed
        );
        let logged = |house: &House| {
            let snapshot = house.engine().store().snapshot();
            snapshot.range(store::Space::Log, &[0], &[255; 32], store::Order::Forward).count()
        };
        let left = logged(house);
        house.restart();
        assert_eq!(house.stream(&house.table("T")).shards().len(), shards.len());
        // Marks, and the young record.
        assert_eq!(left, 2 * shards.len() - 1 + 1);

        // A stream that nobody writes any more goes as a whole.
        house.engine().delete_table(&scope(), "T").unwrap();
        let stream = house.engine().list_streams(&scope(), None, None, 10).streams[0].clone();
        house.advance(24 * HOUR);
        assert!(stream.is_gone());
        assert_eq!(house.engine().list_streams(&scope(), None, None, 10).streams.len(), 0);
        assert_eq!(logged(house), 0);
    });
}

fn is_ready(future: &mut (impl Future + Unpin)) -> bool {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn waiters_are_woken_by_records_ends_and_new_shards() {
    let house = House::in_memory();
    let table = house.create(spec("T", false, Some(ViewType::New)));
    let stream = house.stream(&table);
    let shard = stream.shards()[0].clone();
    let tail = shard.tail();
    let read = house.engine().read_records(&shard, shard.start(), 10, 1 << 20).unwrap();
    let mut changed = shard.changed(read.through);
    assert!(!is_ready(&mut changed));
    // Somebody else's record is nothing to wake up for.
    let other = house.create(spec("Other", false, Some(ViewType::New)));
    house.put(&other, id("a"));
    assert!(!is_ready(&mut changed));
    house.put(&table, id("a"));
    assert!(is_ready(&mut changed));
    let first = house.engine().read_records(&shard, read.through, 10, 1 << 20).unwrap();
    assert_eq!(first.records.len(), 1);
    // All consumers share one record.
    let again = house.engine().read_records(&shard, first.records[0].sequence, 10, 1 << 20).unwrap();
    assert!(again.records.is_empty() && again.next == Some(again.through));
    house.put(&table, id("b"));
    let one = house.engine().read_records(&shard, first.through, 10, 1 << 20).unwrap();
    let two = house.engine().read_records(&shard, first.through, 10, 1 << 20).unwrap();
    assert!(Arc::ptr_eq(&one.records[0], &two.records[0]));

    let (mut end, mut version) = (shard.changed(one.through), stream.changed(stream.version()));
    assert!(!is_ready(&mut end) && !is_ready(&mut version));
    house.advance(4 * HOUR);
    assert!(is_ready(&mut end) && is_ready(&mut version));
    assert_eq!(house.engine().read_records(&shard, one.through, 10, 1 << 20).unwrap().next, None);
    drop(tail);
}

#[test]
fn a_tail_reads_what_the_store_reads() {
    for (records_max, bytes_max) in [(4, 1 << 20), (1000, 300), (1000, 1 << 20)] {
        let house = House::in_memory().with(|settings| {
            settings.tail_records_max = records_max;
            settings.tail_bytes_max = bytes_max;
        });
        let table = house.create(spec("T", false, Some(ViewType::New)));
        let shard = house.stream(&table).shards()[0].clone();
        let mut tail = None;
        for number in 0..40 {
            // Held, let go, and held again.
            match number % 13 {
                2 => tail = Some(shard.tail()),
                11 => tail = None,
                _ => {}
            }
            house.put(&table, id(&number.to_string()));
            let all = house.read(&shard, Position::TrimHorizon);
            assert_eq!(all.len(), number + 1);
            for (at, record) in all.iter().enumerate() {
                let read = house.engine().read_records(&shard, record.sequence, 3, 1 << 20).unwrap();
                let expect: Vec<_> = all[at + 1..].iter().take(3).map(|record| record.sequence).collect();
                assert_eq!(sequences(&read.records), expect);
            }
        }
        drop(tail);
    }
}

#[test]
fn a_follower_reads_all_shards_in_commit_order() {
    everywhere(|house| {
        house.settings.stream_shards = 3;
        house.restart();
        let table = house.create(spec("T", false, Some(ViewType::New)));
        let stream = house.stream(&table);
        let mut follow = house.engine().follow(&stream, Position::TrimHorizon).unwrap();
        let mut latest = house.engine().follow(&stream, Position::Latest).unwrap();
        let mut seen = Vec::new();
        for round in 0..6 {
            for number in 0..7 {
                house.put(&table, item([("id", s(&number.to_string())), ("v", n(round))]));
            }
            if round == 2 {
                house.advance(4 * HOUR);
            }
            if round == 4 {
                let open = stream.shards().into_iter().find(|shard| shard.end().is_none()).unwrap();
                house.engine().split_shard(&stream, open.id()).unwrap();
            }
            assert!(is_ready(&mut pin!(follow.changed())));
            loop {
                let read = follow.read(4).unwrap();
                assert!(read.len() <= 4);
                if read.is_empty() {
                    break;
                }
                seen.extend(read);
            }
        }
        assert_eq!(seen.len(), 42);
        assert!(sequences(&seen).is_sorted_by(|a, b| a < b));
        assert_eq!(sequences(&latest.read(100).unwrap()), sequences(&seen));
        let written: Vec<_> = seen.iter().map(|record| tree(record.after()).unwrap()).collect();
        let expect: Vec<_> =
            (0..42).map(|at| item([("id", s(&(at % 7).to_string())), ("v", n(at / 7))])).collect();
        assert_eq!(written, expect);
        assert!(!is_ready(&mut pin!(follow.changed())));
        house.engine().delete_table(&scope(), "T").unwrap();
        assert!(is_ready(&mut pin!(follow.changed())));
        assert!(follow.read(10).unwrap().is_empty());
        let mut over = pin!(follow.changed());
        let std::task::Poll::Ready(more) = over.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!()
        };
        assert!(!more);
    });
}
