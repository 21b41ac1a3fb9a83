//! What a store does when something beneath it fails.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use store::{Batch, Before, Commit, Committed, Error, ErrorKind, Fault, Order, Space, Store, UpdateError};

use crate::support::{item, prefix, text, write, write_now};

fn poll(commit: &mut Commit) -> Poll<Result<Committed, Error>> {
    Pin::new(commit).poll(&mut Context::from_waker(Waker::noop()))
}

fn set_a(value: &'static [u8]) -> impl FnMut(&Before, &mut Batch) -> Result<Option<Vec<u8>>, ()> {
    move |before, batch| {
        batch.put(Space::Items, b"a", value);
        Ok(before.get(0).map(<[u8]>::to_vec))
    }
}

#[test]
fn pending_values_are_seen_by_plans_and_not_by_snapshots() {
    let (store, faults) = Store::faulty();
    faults.hold();
    let (seen, mut first) = store.update(&[item("a")], set_a(b"1")).expect("queued");
    assert_eq!(seen, None);
    faults.wait_until_held();
    let (seen, mut second) = store.update(&[item("a")], set_a(b"2")).expect("queued");
    assert_eq!(seen.as_deref(), Some(&b"1"[..]), "seen while its group is being written");
    let (seen, mut third) = store.update(&[item("a")], set_a(b"3")).expect("queued");
    assert_eq!(seen.as_deref(), Some(&b"2"[..]), "seen while it stands in line");

    // Neither an empty batch nor a refusal is told before what it was based on is durable.
    let (seen, mut empty) = store
        .update(&[item("a")], |before, _| Ok::<_, ()>(before.get(0).map(<[u8]>::to_vec)))
        .expect("queued");
    assert_eq!(seen.as_deref(), Some(&b"3"[..]));
    let refused = store.update(&[item("a")], |before, _| Err::<(), _>(before.get(0).map(<[u8]>::to_vec)));
    let Err(UpdateError::Plan { error, mut after }) = refused else { panic!("refused") };
    assert_eq!(error.as_deref(), Some(&b"3"[..]));
    // Another key's reader waits for nobody.
    let other = store.update(&[item("b")], |before, _| Ok::<_, ()>(before.get(0).is_none())).expect("ready");
    assert!(other.0 && matches!(poll(&mut { other.1 }), Poll::Ready(Ok(_))));

    for commit in [&mut first, &mut second, &mut third, &mut empty, &mut after] {
        assert!(poll(commit).is_pending());
    }
    assert_eq!(text(&store.snapshot(), Space::Items, "a"), None);
    faults.release();
    for commit in [first, second, third, empty, after] {
        assert_eq!(commit.wait().expect("committed"), Committed::default());
    }
    assert_eq!(text(&store.snapshot(), Space::Items, "a").as_deref(), Some("3"));
    let stats = store.stats();
    assert_eq!((stats.groups, stats.syncs), (2, 2), "a hot key does not sync once a write");
    // Settled: the next reader finds it in the snapshot and waits for nobody.
    let (seen, mut commit) = store
        .update(&[item("a")], |before, _| Ok::<_, ()>(before.get(0).map(<[u8]>::to_vec)))
        .expect("ready");
    assert_eq!(seen.as_deref(), Some(&b"3"[..]));
    assert!(poll(&mut commit).is_ready());
}

#[test]
fn pending_removals_are_seen_too() {
    let (store, faults) = Store::faulty();
    write_now(&store, |batch| batch.put(Space::Items, b"a", b"1"));
    faults.hold();
    let removed = write(&store, |batch| batch.remove(Space::Items, b"a"));
    let (seen, after) =
        store.update(&[item("a")], |before, _| Ok::<_, ()>(before.get(0).is_some())).expect("queued");
    assert!(!seen);
    faults.release();
    removed.wait().expect("committed");
    after.wait().expect("committed");
}

#[test]
fn a_failed_group_poisons() {
    for fault in [Fault::Write, Fault::Sync, Fault::Panic] {
        let (store, faults) = Store::faulty();
        write_now(&store, |batch| batch.put(Space::Items, b"a", b"1"));
        faults.hold();
        let doomed = write(&store, |batch| batch.put(Space::Items, b"a", b"2"));
        faults.wait_until_held();
        let behind = write(&store, |batch| batch.append(prefix("x"), b"3"));
        faults.inject(fault);
        faults.release();
        let error = doomed.wait().expect_err("poisoned");
        assert_eq!(error.kind(), ErrorKind::Poisoned, "{fault:?}: {error}");
        assert!(error.to_string().contains(&format!("njected: {fault:?}")), "{error}");
        // Whoever has learnt of it finds the store shut; readers keep what was durable.
        let Err(UpdateError::Store(error)) = store.update(&[item("a")], set_a(b"4")) else {
            panic!("poisoned")
        };
        assert_eq!(error.kind(), ErrorKind::Poisoned);
        assert!(error.to_string().contains("restart the process"), "{error}");
        assert_eq!(behind.wait().expect_err("poisoned").kind(), ErrorKind::Poisoned);
        let relaxed = store.update_relaxed(|batch| batch.put(Space::Text, b"t", b"1"));
        assert_eq!(relaxed.map(|_| ()).expect_err("poisoned").kind(), ErrorKind::Poisoned);
        assert_eq!(text(&store.snapshot(), Space::Items, "a").as_deref(), Some("1"));
        assert_eq!(store.close().expect_err("poisoned").kind(), ErrorKind::Poisoned);
    }
}

#[test]
fn writers_that_wait_for_room_learn_of_a_failure() {
    let (store, faults) = Store::faulty();
    faults.hold();
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            std::thread::spawn(move || {
                loop {
                    let value = vec![0u8; 4 << 20];
                    match store.update(&[], |_, batch| {
                        batch.put(Space::Items, b"a", &value);
                        Ok::<_, ()>(())
                    }) {
                        Ok(_) => {}
                        Err(UpdateError::Store(error)) => return error.kind(),
                        Err(UpdateError::Plan { .. }) => unreachable!("the plan does not fail"),
                    }
                }
            })
        })
        .collect();
    faults.wait_until_held();
    faults.inject(Fault::Write);
    faults.release();
    for writer in writers {
        assert_eq!(writer.join().expect("no panic"), ErrorKind::Poisoned);
    }
}

#[test]
fn a_failed_read_fails_its_update_alone() {
    let (store, faults) = Store::faulty();
    write_now(&store, |batch| batch.put(Space::Items, b"a", b"1"));
    faults.inject(Fault::Read);
    let Err(UpdateError::Store(error)) = store.update(&[item("a")], set_a(b"2")) else {
        panic!("unreadable")
    };
    assert_eq!(error.kind(), ErrorKind::Io);
    faults.inject(Fault::Read);
    let mut range = store.snapshot().range(Space::Items, b"a", b"z", Order::Forward);
    assert!(range.next().expect("one row").is_err());
    let (seen, commit) = store.update(&[item("a")], set_a(b"2")).expect("queued");
    assert_eq!(seen.as_deref(), Some(&b"1"[..]));
    commit.wait().expect("committed");
}

#[test]
fn a_panicking_observer_poisons() {
    let store = Store::memory();
    store.watch(|appended| assert!(appended[0].sequence < 2, "enough"));
    write_now(&store, |batch| batch.append(prefix("x"), b"1"));
    let error = write(&store, |batch| batch.append(prefix("x"), b"2")).wait().expect_err("poisoned");
    assert_eq!(error.kind(), ErrorKind::Poisoned);
    let Err(UpdateError::Store(error)) = store.update(&[item("a")], set_a(b"1")) else { panic!("poisoned") };
    assert_eq!(error.kind(), ErrorKind::Poisoned);
}

#[test]
fn a_panicking_plan_harms_nobody() {
    let store = Store::memory();
    let panicking = store.clone();
    let outcome = std::thread::spawn(move || {
        let _ = panicking.update(&[item("a")], |_, _| -> Result<(), ()> { panic!("a plan's bug") });
    });
    assert!(outcome.join().is_err());
    store.update(&[item("a")], set_a(b"1")).expect("the latch is free").1.wait().expect("committed");
}

#[test]
fn a_relaxed_write_waits_for_no_sync_and_gets_one_soon() {
    let (store, _) = Store::faulty();
    store
        .update_relaxed(|batch| batch.put(Space::Text, b"t", b"1"))
        .expect("queued")
        .wait()
        .expect("applied");
    assert_eq!(store.stats().syncs, 0);
    while store.stats().syncs == 0 {
        std::thread::yield_now();
    }
    // A durable write takes a relaxed one along.
    store
        .update_relaxed(|batch| batch.put(Space::Text, b"t", b"2"))
        .expect("queued")
        .wait()
        .expect("applied");
    write_now(&store, |batch| batch.put(Space::Items, b"a", b"1"));
    assert_eq!(store.stats().syncs, 2);
}
