use std::sync::{Arc, Mutex};
use std::thread;

use store::{Batch, Committed, LogPrefix, Order, Space, Store, UpdateError};

use crate::support::{everywhere, item, prefix, rows, text, write, write_now};

#[test]
fn what_is_written_is_read() {
    everywhere(|store| {
        write_now(store, |batch| {
            batch.put(Space::Items, b"a", b"1");
            batch.put(Space::Items, b"b", b"2");
            batch.put(Space::Meta, b"a", b"meta");
            batch.put(Space::Text, b"a", b"text");
        });
        write_now(store, |batch| batch.remove(Space::Items, b"b"));
        let snapshot = store.snapshot();
        assert_eq!(text(&snapshot, Space::Items, "a").as_deref(), Some("1"));
        assert_eq!(text(&snapshot, Space::Items, "b"), None);
        assert_eq!(text(&snapshot, Space::Meta, "a").as_deref(), Some("meta"));
        assert_eq!(text(&snapshot, Space::Text, "a").as_deref(), Some("text"));
    });
}

#[test]
fn the_last_change_of_a_key_in_a_batch_counts() {
    everywhere(|store| {
        write_now(store, |batch| {
            batch.put(Space::Items, b"a", b"1");
            batch.remove(Space::Items, b"a");
            batch.put(Space::Items, b"b", b"1");
            batch.put(Space::Items, b"b", b"2");
            batch.remove(Space::Items, b"c");
            batch.put(Space::Items, b"c", b"3");
        });
        assert_eq!(rows(&store.snapshot(), Space::Items, "", "z", Order::Forward), ["b=2", "c=3"]);
    });
}

#[test]
fn ranges_run_both_ways_and_leave_the_end_out() {
    everywhere(|store| {
        write_now(store, |batch| {
            for index in 0..300 {
                batch.put(Space::Items, format!("{index:03}").into_bytes(), b"v");
            }
        });
        let snapshot = store.snapshot();
        let keys = |from, to, order| -> Vec<String> {
            let rows = rows(&snapshot, Space::Items, from, to, order);
            rows.into_iter().map(|row| row.trim_end_matches("=v").to_owned()).collect()
        };
        assert_eq!(keys("100", "103", Order::Forward), ["100", "101", "102"]);
        assert_eq!(keys("100", "103", Order::Backward), ["102", "101", "100"]);
        assert_eq!(keys("0995", "1005", Order::Forward), ["100"]);
        assert_eq!(keys("000", "999", Order::Forward).len(), 300);
        let mut backward = keys("000", "999", Order::Backward);
        backward.reverse();
        assert_eq!(backward, keys("000", "999", Order::Forward));
        assert!(keys("100", "100", Order::Forward).is_empty());
        assert!(keys("200", "100", Order::Backward).is_empty());
        assert!(keys("x", "y", Order::Backward).is_empty());
    });
}

#[test]
fn a_snapshot_stays_as_it_was() {
    everywhere(|store| {
        write_now(store, |batch| batch.put(Space::Items, b"a", b"1"));
        let before = store.snapshot();
        let mut range = before.range(Space::Items, b"a", b"z", Order::Forward);
        write_now(store, |batch| {
            batch.put(Space::Items, b"a", b"2");
            batch.put(Space::Items, b"b", b"2");
        });
        assert_eq!(text(&before, Space::Items, "a").as_deref(), Some("1"));
        assert_eq!(rows(&before, Space::Items, "a", "z", Order::Backward), ["a=1"]);
        let (key, value) = range.next().expect("one row").expect("readable");
        assert_eq!((&key[..], &value[..]), (&b"a"[..], &b"1"[..]));
        assert!(range.next().is_none());
        assert_eq!(rows(&store.snapshot(), Space::Items, "a", "z", Order::Forward), ["a=2", "b=2"]);
    });
}

#[test]
fn sequence_numbers_rise_by_one_over_all_prefixes() {
    everywhere(|store| {
        let first = write_now(store, |batch| {
            batch.append(prefix("x"), b"1");
            batch.append(prefix("y"), b"2");
        });
        let none = write_now(store, |batch| batch.put(Space::Items, b"a", b"1"));
        let second = write_now(store, |batch| batch.append(prefix("x"), b"3"));
        assert_eq!(first, Committed { first_sequence: 1, last_sequence: 2 });
        assert_eq!(none, Committed::default());
        assert_eq!(second, Committed { first_sequence: 3, last_sequence: 3 });
        let snapshot = store.snapshot();
        assert_eq!(snapshot.sequence(), 3);
        let x = prefix("x");
        let range = snapshot.range(Space::Log, &x.key(0), &x.key(u64::MAX), Order::Forward);
        let found: Vec<_> = range
            .map(|row| {
                let (key, value) = row.expect("readable");
                (LogPrefix::split(&key).expect("a log key"), value.to_vec())
            })
            .collect();
        assert_eq!(found, [((x, 1), b"1".to_vec()), ((x, 3), b"3".to_vec())]);
    });
}

#[test]
fn an_update_sees_what_the_one_before_it_decided() {
    everywhere(|store| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                thread::spawn(move || {
                    let mut commits = Vec::new();
                    for _ in 0..50 {
                        let (seen, commit) = store
                            .update(&[item("counter")], |before, batch| {
                                let seen = before
                                    .get(0)
                                    .map_or(0, |value| u64::from_be_bytes(value.try_into().expect("eight")));
                                batch.put(Space::Items, b"counter", (seen + 1).to_be_bytes());
                                batch.append(prefix("log"), (seen + 1).to_be_bytes());
                                Ok::<_, ()>(seen)
                            })
                            .expect("the update is queued");
                        commits.push((seen, commit));
                    }
                    commits
                })
            })
            .collect();
        let mut order: Vec<(u64, u64)> = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .map(|(seen, commit)| (commit.wait().expect("committed").first_sequence, seen))
            .collect();
        order.sort_unstable();
        let expected: Vec<(u64, u64)> = (0..400).map(|seen| (seen + 1, seen)).collect();
        assert_eq!(order, expected, "sequence order is the order in which the plans saw each other");
        let value = store.snapshot().get(Space::Items, b"counter").expect("readable").expect("there");
        assert_eq!(value[..], 400u64.to_be_bytes());
    });
}

#[test]
fn updates_of_several_keys_are_atomic_and_do_not_lock_each_other_up() {
    everywhere(|store| {
        write_now(store, |batch| {
            for index in 0..4 {
                batch.put(Space::Items, format!("account{index}").into_bytes(), 1000i64.to_be_bytes());
            }
        });
        let number =
            |value: Option<&[u8]>| i64::from_be_bytes(value.expect("there").try_into().expect("eight"));
        let writers: Vec<_> = (0..4usize)
            .map(|me| {
                let store = store.clone();
                thread::spawn(move || {
                    for round in 0..60usize {
                        let (from, to) = (me, (me + 1 + round % 3) % 4);
                        let keys = [item(&format!("account{from}")), item(&format!("account{to}"))];
                        let moved = store.update(&keys, |before, batch| {
                            batch.put(
                                Space::Items,
                                keys[0].1.clone(),
                                (number(before.get(0)) - 1).to_be_bytes(),
                            );
                            batch.put(
                                Space::Items,
                                keys[1].1.clone(),
                                (number(before.get(1)) + 1).to_be_bytes(),
                            );
                            Ok::<_, ()>(())
                        });
                        moved.expect("queued").1.wait().expect("committed");
                    }
                })
            })
            .collect();
        while !writers.iter().all(thread::JoinHandle::is_finished) {
            let snapshot = store.snapshot();
            let sum: i64 = snapshot
                .range(Space::Items, b"account", b"accounu", Order::Forward)
                .map(|row| number(Some(&row.expect("readable").1)))
                .sum();
            assert_eq!(sum, 4000);
        }
        writers.into_iter().for_each(|writer| writer.join().expect("no panic"));
    });
}

#[test]
fn a_plan_that_refuses_leaves_nothing() {
    everywhere(|store| {
        let refused = store.update(&[item("a")], |before, batch| {
            assert_eq!(before.get(0), None);
            batch.put(Space::Items, b"a", b"1");
            batch.append(prefix("x"), b"1");
            Err::<(), _>("no")
        });
        let Err(UpdateError::Plan { error, after }) = refused else { panic!("refused") };
        assert_eq!(error, "no");
        after.wait().expect("nothing to wait for");
        assert_eq!(text(&store.snapshot(), Space::Items, "a"), None);
        assert_eq!(write_now(store, |batch| batch.append(prefix("x"), b"1")).first_sequence, 1);
    });
}

#[test]
fn counters_add_up() {
    everywhere(|store| {
        let threads: Vec<_> = (0..4i64)
            .map(|me| {
                let store = store.clone();
                thread::spawn(move || {
                    for round in 0..50 {
                        write_now(&store, |batch| {
                            batch.count(b"items", 1);
                            batch.count(b"bytes", me * round);
                            batch.count(b"bytes", -1);
                        });
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        let snapshot = store.snapshot();
        assert_eq!(snapshot.counter(b"items").expect("readable"), 200);
        assert_eq!(snapshot.counter(b"bytes").expect("readable"), 6 * 49 * 50 / 2 - 200);
        assert_eq!(snapshot.counter(b"none").expect("readable"), 0);
        write_now(store, |batch| {
            batch.count(b"items", 5);
            batch.remove(Space::Meta, b"items");
            batch.count(b"items", 2);
        });
        assert_eq!(store.snapshot().counter(b"items").expect("readable"), 2);
    });
}

#[test]
fn observers_hear_every_record_in_order_before_its_writer() {
    everywhere(|store| {
        let heard = Arc::new(Mutex::new(Vec::new()));
        store.watch({
            let heard = heard.clone();
            move |appended| {
                let mut heard = heard.lock().expect("no panic");
                heard.extend(
                    appended.iter().map(|record| (record.sequence, record.prefix, record.value.to_vec())),
                );
            }
        });
        let threads: Vec<_> = (0..8u8)
            .map(|me| {
                let (store, heard) = (store.clone(), heard.clone());
                thread::spawn(move || {
                    for round in 0..40u8 {
                        let committed = write_now(&store, |batch| batch.append(prefix("log"), [me, round]));
                        let heard = heard.lock().expect("no panic");
                        let (sequence, _, value) = &heard[committed.first_sequence as usize - 1];
                        assert_eq!((*sequence, &value[..]), (committed.first_sequence, &[me, round][..]));
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
        let heard = heard.lock().expect("no panic");
        assert!(heard.iter().map(|(sequence, ..)| *sequence).eq(1..=320));
    });
}

#[test]
fn trimming_removes_a_range_and_nothing_else() {
    everywhere(|store| {
        let (a, b, c) = (prefix("a"), prefix("b"), prefix("c"));
        for round in 0..10u64 {
            write_now(store, |batch| {
                for index in 0..100u64 {
                    [a, b, c]
                        .iter()
                        .for_each(|prefix| batch.append(*prefix, (round * 100 + index).to_be_bytes()));
                }
            });
        }
        let count = |prefix: LogPrefix| {
            let snapshot = store.snapshot();
            snapshot.range(Space::Log, &prefix.key(0), &prefix.key(u64::MAX), Order::Forward).count()
        };
        store.trim(Space::Log, &b.key(0), &b.key(1501)).expect("queued").wait().expect("trimmed");
        assert_eq!([a, b, c].map(count), [1000, 500, 1000]);
        store.trim(Space::Log, &b.key(0), &b.key(u64::MAX)).expect("queued").wait().expect("trimmed");
        assert_eq!([a, b, c].map(count), [1000, 0, 1000]);
        store.trim(Space::Log, &b.key(9), &b.key(3)).expect("empty").wait().expect("nothing to do");
        assert_eq!(write_now(store, |batch| batch.append(b, b"more")).first_sequence, 3001);
        assert_eq!([a, b, c].map(count), [1000, 1, 1000]);
    });
}

#[test]
fn relaxed_text_is_visible_when_its_commit_is_ready() {
    everywhere(|store| {
        let commit = store.update_relaxed(|batch| batch.put(Space::Text, b"line", b"hello")).expect("queued");
        commit.wait().expect("applied");
        assert_eq!(text(&store.snapshot(), Space::Text, "line").as_deref(), Some("hello"));
    });
}

#[test]
fn a_plan_may_be_run_with_no_keys_and_no_batch() {
    everywhere(|store| {
        let groups = store.stats().groups;
        write_now(store, |_: &mut Batch| {});
        assert_eq!(store.stats().groups, groups);
    });
}

#[test]
fn a_closed_store_refuses_writes_and_still_reads() {
    everywhere(|store| {
        let commit = write(store, |batch| batch.put(Space::Items, b"a", b"1"));
        store.close().expect("closes");
        commit.wait().expect("what was queued is written");
        let refused = store.update(&[item("a")], |_, _| Ok::<_, ()>(()));
        let Err(UpdateError::Store(error)) = refused else { panic!("closed") };
        assert_eq!(error.kind(), store::ErrorKind::Closed);
        assert_eq!(text(&store.snapshot(), Space::Items, "a").as_deref(), Some("1"));
        store.close().expect("closes twice");
    });
}

#[test]
fn the_queue_is_bounded_and_waiting_writers_get_in() {
    let scratch = crate::support::Scratch::new();
    let settings = store::Settings {
        queue_updates_max: 2,
        queue_bytes_max: 1000,
        ..store::Settings::new(scratch.path())
    };
    let store = Store::open(settings).expect("opens");
    let threads: Vec<_> = (0..8u8)
        .map(|me| {
            let store = store.clone();
            thread::spawn(move || {
                for round in 0..20u8 {
                    // Not waited for: only the queue's bounds hold this writer back.
                    drop(write(&store, |batch| batch.append(prefix("log"), [me, round, 0, 0].repeat(100))));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(write_now(&store, |batch| batch.append(prefix("log"), b"last")).first_sequence, 161);
}
