//! What lies in a data directory: that it stays, that it is guarded, and that damage to it is told.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use store::{Error, ErrorKind, Order, Settings, Space, Store};
use world::Random;

use crate::support::{Scratch, prefix, rows, text, write_now};

#[test]
fn what_was_committed_is_there_after_reopening_and_numbering_goes_on() {
    let scratch = Scratch::new();
    for round in 0..3u64 {
        let store = scratch.open();
        assert_eq!(store.snapshot().sequence(), round * 2);
        let committed = write_now(&store, |batch| {
            batch.put(Space::Items, format!("item{round}").into_bytes(), b"v");
            batch.append(prefix("x"), b"1");
            batch.append(prefix("y"), b"2");
            batch.count(b"count", 1);
        });
        assert_eq!(committed.first_sequence, round * 2 + 1);
        store
            .update_relaxed(|batch| batch.put(Space::Text, format!("line{round}").into_bytes(), b"t"))
            .expect("queued")
            .wait()
            .expect("applied");
    }
    let snapshot = scratch.open().snapshot();
    assert_eq!(rows(&snapshot, Space::Items, "", "z", Order::Forward), ["item0=v", "item1=v", "item2=v"]);
    assert_eq!(rows(&snapshot, Space::Text, "", "z", Order::Forward), ["line0=t", "line1=t", "line2=t"]);
    assert_eq!(snapshot.counter(b"count").expect("readable"), 3);
}

#[test]
fn a_directory_is_open_once() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let error = refused(&scratch.path());
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.to_string().contains("in use by another process"), "{error}");
    drop(store);
    drop(scratch.open());
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    drop(scratch.open());
    let check = |text: &str, kind, words: &str| {
        fs::write(scratch.path().join("FORMAT"), text).expect("writable");
        let error = refused(&scratch.path());
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(fs::read_to_string(scratch.path().join("FORMAT")).expect("readable"), text);
    };
    check("millstream store format 3\n", ErrorKind::Newer, "has format 3, written by a newer version");
    check("millstream store format 0\n", ErrorKind::Corrupt, "FORMAT");
    check("something else", ErrorKind::Corrupt, "restore a backup");
    check("", ErrorKind::Corrupt, "restore a backup");
}

#[test]
fn a_directory_that_was_not_made_completely_is_made_anew_and_no_other() {
    let scratch = Scratch::new();
    let path = scratch.path();
    // Killed while it was being made.
    fs::create_dir_all(path.join("tables/keyspaces")).expect("writable");
    fs::write(path.join("tables/0.jnl"), b"").expect("writable");
    assert_eq!(refused(&path).kind(), ErrorKind::Corrupt);
    fs::write(path.join("MAKING"), b"").expect("writable");
    let store = scratch.open();
    write_now(&store, |batch| batch.put(Space::Items, b"a", b"1"));
    drop(store);
    fs::rename(path.join("tables"), path.join("elsewhere")).expect("writable");
    assert_eq!(refused(&path).kind(), ErrorKind::Corrupt);
    fs::rename(path.join("elsewhere"), path.join("tables")).expect("writable");
    assert_eq!(text(&scratch.open().snapshot(), Space::Items, "a").as_deref(), Some("1"));
}

#[test]
fn a_new_directory_is_made_behind_the_first_readers_backs() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let before = store.snapshot();
    assert_eq!(before.get(Space::Items, b"a").expect("readable"), None);
    assert_eq!(before.range(Space::Log, &[], &[0xff], Order::Forward).count(), 0);
    write_now(&store, |batch| batch.put(Space::Items, b"a", b"1"));
    assert_eq!(before.get(Space::Items, b"a").expect("readable"), None);
    assert_eq!(text(&store.snapshot(), Space::Items, "a").as_deref(), Some("1"));
    // Opened and closed at once, again and again: always a whole directory.
    let other = scratch.path().with_file_name("other");
    for _ in 0..3 {
        drop(Store::open(Settings::new(&other)).expect("opens"));
        assert!(other.join("FORMAT").exists() && !other.join("MAKING").exists());
    }
}

#[test]
fn a_directory_that_cannot_be_made_poisons_its_first_write() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path()).expect("writable");
    // Nothing but this stands in the way, and only the maker meets it.
    fs::create_dir_all(scratch.path().join("FORMAT.new")).expect("writable");
    let store = scratch.open();
    let failed = store.update(&[], |_, batch| {
        batch.put(Space::Items, b"a", b"1");
        Ok::<_, ()>(())
    });
    let error = failed.expect("queued").1.wait().expect_err("not made");
    assert_eq!(error.kind(), ErrorKind::Poisoned);
    assert!(error.to_string().contains("cannot use the data directory"), "{error}");
}

#[test]
fn a_path_that_cannot_be_a_directory_is_told() {
    let scratch = Scratch::new();
    fs::write(scratch.path(), b"a file").expect("writable");
    let error = refused(&scratch.path());
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains(&*scratch.path().to_string_lossy()), "{error}");
}

/// A directory with twenty groups of one record each, as a crash leaves it; and where each group begins in its journal.
fn crashed(scratch: &Scratch) -> (PathBuf, Vec<u64>) {
    let store = scratch.open();
    let mut starts = Vec::new();
    let journal = "tables/0.jnl";
    for index in 0..20u64 {
        starts.push(data_end(&scratch.path().join(journal)));
        write_now(&store, |batch| {
            batch.put(Space::Items, format!("item{index:02}").into_bytes(), vec![index as u8 + 1; 300]);
            batch.append(prefix("x"), vec![index as u8 + 1; 300]);
        });
    }
    starts.push(data_end(&scratch.path().join(journal)));
    let image = scratch.path().with_file_name("crashed");
    copy(&scratch.path(), &image);
    (image, starts)
}

fn data_end(journal: &Path) -> u64 {
    let bytes = data(journal);
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1)
}

/// A new journal is 64 MB of zeros, of which few are on the disk.
fn data(file: &Path) -> Vec<u8> {
    use std::io::Read;
    // A directory that is being made has no journal yet.
    let Ok(metadata) = fs::metadata(file) else { return Vec::new() };
    let mut bytes = Vec::new();
    let within = metadata.len().min(metadata.blocks() * 512);
    fs::File::open(file).expect("readable").take(within).read_to_end(&mut bytes).expect("readable");
    bytes
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("readable") {
        let entry = entry.expect("readable");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(target, data(&entry.path())).expect("writable");
        }
    }
}

fn refused(path: &Path) -> Error {
    match Store::open(Settings::new(path)) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

/// How many of the groups are there: all up to some, each whole.
fn groups(path: &Path) -> usize {
    let store = Store::open(Settings::new(path)).expect("opens");
    let snapshot = store.snapshot();
    let count = |space, from: &[u8]| snapshot.range(space, from, &[0xff], Order::Forward).count();
    let (items, records) = (count(Space::Items, b"item"), count(Space::Log, b"x"));
    assert_eq!((items, records as u64), (records, snapshot.sequence()));
    // And it goes on from there.
    let committed = write_now(&store, |batch| batch.append(prefix("y"), b"more"));
    assert_eq!(committed.first_sequence, records as u64 + 1);
    items
}

#[test]
fn a_group_that_was_being_written_goes_and_the_others_stay() {
    let scratch = Scratch::new();
    let (image, starts) = crashed(&scratch);
    let copied = image.with_file_name("copied");
    let (last, end) = (starts[19], starts[20]);
    assert!(end - last > 600, "a group has some length: {last} to {end}");
    let mut random = Random::from_seed(7);
    for round in 0..12 {
        copy(&image, &copied);
        let journal = OpenOptions::new().write(true).open(copied.join("tables/0.jnl")).expect("writable");
        let at = last + random.below(end - last);
        match round % 3 {
            // Cut short; not all of it written where the file was long already; a page in it not written.
            0 => journal.set_len(at).expect("writable"),
            1 => journal.write_all_at(&vec![0; (end - at) as usize], at).expect("writable"),
            _ => journal.write_all_at(&vec![0; (end - at).min(100) as usize], at).expect("writable"),
        }
        drop(journal);
        assert_eq!(groups(&copied), 19, "round {round}, byte {at} of {last} to {end}");
    }
}

#[test]
fn damage_to_what_was_synced_is_told_and_left_alone() {
    let scratch = Scratch::new();
    let (image, starts) = crashed(&scratch);
    let copied = image.with_file_name("copied");
    let journal = copied.join("tables/0.jnl");
    let mut random = Random::from_seed(11);
    for _ in 0..25 {
        copy(&image, &copied);
        let at = random.below(starts[19]) as usize;
        let mut bytes = fs::read(&journal).expect("readable");
        bytes[at] ^= 1 << random.below(8);
        fs::write(&journal, &bytes).expect("writable");
        for _ in 0..2 {
            let error = refused(&copied);
            assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}: {error}");
            assert!(error.to_string().contains("restore a backup"), "{error}");
            assert!(fs::read(&journal).expect("readable") == bytes, "the journal was touched");
        }
    }
    // A piece cut out of the middle.
    let mut bytes = data(&image.join("tables/0.jnl"));
    bytes.drain(starts[5] as usize..starts[9] as usize);
    fs::write(&journal, &bytes).expect("writable");
    let error = refused(&copied);
    assert!(error.to_string().contains("groups 6 to 9 are missing"), "{error}");
}

#[test]
fn after_an_orderly_end_the_last_group_is_guarded_too() {
    let scratch = Scratch::new();
    let store = scratch.open();
    write_now(&store, |batch| batch.put(Space::Items, b"a", b"first"));
    let start = data_end(&scratch.path().join("tables/0.jnl"));
    write_now(&store, |batch| batch.put(Space::Items, b"a", b"second"));
    drop(store);
    let journal = OpenOptions::new().write(true).open(scratch.path().join("tables/0.jnl")).expect("writable");
    journal.write_all_at(&[0xee], start + 30).expect("writable");
    assert_eq!(refused(&scratch.path()).kind(), ErrorKind::Corrupt);
}

#[test]
fn damaged_tables_are_told() {
    let scratch = Scratch::new();
    let image = fixture(&scratch);
    let mut tables: Vec<PathBuf> = Vec::new();
    for keyspace in fs::read_dir(image.join("tables/keyspaces")).expect("readable") {
        let tables_of = keyspace.expect("readable").path().join("tables");
        let files = fs::read_dir(tables_of).into_iter().flatten();
        tables
            .extend(files.map(|file| file.expect("readable").path()).filter(|file| data(file).len() > 4000));
    }
    assert!(!tables.is_empty(), "the fixture has tables with data");
    for table in tables {
        let bytes = data(&table);
        let mut damaged = bytes.clone();
        // Somewhere in the first data block.
        damaged[200] ^= 0x40;
        fs::write(&table, damaged).expect("writable");
        let told = match Store::open(Settings::new(&image)) {
            Err(error) => Err(error),
            Ok(store) => {
                let snapshot = store.snapshot();
                let spaces = [Space::Meta, Space::Items, Space::Log, Space::Text];
                spaces.into_iter().try_for_each(|space| {
                    snapshot.range(space, &[], &[0xff], Order::Forward).try_for_each(|row| row.map(|_| ()))
                })
            }
        };
        assert_eq!(told.expect_err("damaged").kind(), ErrorKind::Corrupt);
        fs::write(&table, bytes).expect("writable");
    }
}

fn fixture(scratch: &Scratch) -> PathBuf {
    let path = scratch.path().with_file_name("fixture");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1"), &path);
    // Git keeps no empty directories.
    for keyspace in fs::read_dir(path.join("tables/keyspaces")).expect("readable") {
        fs::create_dir_all(keyspace.expect("readable").path().join("tables")).expect("writable");
    }
    path
}

/// The directory was written by `cargo run -p store --example write_fixture`; it is never written again.
#[test]
fn a_directory_of_format_1_opens() {
    let scratch = Scratch::new();
    let store = Store::open(Settings::new(fixture(&scratch))).expect("opens");
    let snapshot = store.snapshot();
    assert_eq!(snapshot.sequence(), 300);
    let log = prefix("stream/1/");
    let mut records = 0;
    for (index, row) in
        snapshot.range(Space::Log, &log.key(0), &log.key(u64::MAX), Order::Forward).enumerate()
    {
        let (key, value) = row.expect("readable");
        let sequence = index as u64 + 1;
        assert_eq!(store::LogPrefix::split(&key), Some((log, sequence)));
        assert_eq!(value[..], *format!("record {sequence} {}", "r".repeat(40)).as_bytes());
        records += 1;
    }
    assert_eq!(records, 300);
    // Every tenth item was removed, every fifth written twice.
    for index in 1..=300u64 {
        let expected = match index {
            index if index.is_multiple_of(10) => None,
            index if index.is_multiple_of(5) => Some(format!("again {index}")),
            index => Some(format!("item {index} {}", "i".repeat(40))),
        };
        assert_eq!(text(&snapshot, Space::Items, &format!("item/{index:03}")), expected);
    }
    assert_eq!(text(&snapshot, Space::Meta, "catalog").as_deref(), Some("one table"));
    assert_eq!(text(&snapshot, Space::Text, "line").as_deref(), Some("hello"));
    // A program that knows only the first must not write to it any more.
    let format = fs::read_to_string(scratch.path().with_file_name("fixture").join("FORMAT"));
    assert_eq!(format.expect("readable"), "millstream store format 2\n");
    assert_eq!(snapshot.counter(b"items").expect("readable"), 270);
    assert_eq!(write_now(&store, |batch| batch.append(log, b"more")).first_sequence, 301);
}

#[test]
fn journals_go_although_a_space_was_trimmed_empty() {
    let scratch = Scratch::new();
    let settings = Settings { memtable_bytes: 4 << 20, ..Settings::new(scratch.path()) };
    let store = Store::open(settings).expect("opens");
    let journals = || {
        let names = fs::read_dir(scratch.path().join("tables")).expect("readable");
        names
            .filter(|entry| {
                entry.as_ref().expect("readable").path().extension().is_some_and(|ext| ext == "jnl")
            })
            .count()
    };
    let (log, value) = (prefix("x"), vec![7u8; 1 << 20]);
    let items = |count: u32| {
        for index in 0..count {
            write_now(&store, |batch| batch.put(Space::Items, (index % 8).to_be_bytes(), &value));
        }
    };
    for _ in 0..10 {
        write_now(&store, |batch| batch.append(log, &value));
    }
    // Enough for the log to be written to tables, all of which are then dropped; it is never written again.
    items(150);
    store.trim(Space::Log, &log.key(0), &log.key(u64::MAX)).expect("queued").wait().expect("trimmed");
    items(280);
    assert!(journals() < 5, "{} journals", journals());
}

#[test]
fn a_trimmed_log_gives_its_disk_back() {
    let scratch = Scratch::new();
    let settings = Settings { memtable_bytes: 1 << 20, ..Settings::new(scratch.path()) };
    let store = Store::open(settings).expect("opens");
    // Interleaved, so that a table has records of both shards; one is trimmed short of its last records.
    let (first, second, value) = (prefix("x"), prefix("y"), vec![7u8; 64 << 10]);
    let mut last = 0;
    for _ in 0..800 {
        last = write_now(&store, |batch| batch.append(first, &value)).last_sequence;
        write_now(&store, |batch| batch.append(second, &value));
    }
    let full = bytes_below(&scratch.path().join("tables").join("keyspaces"));
    assert!(full > 80 << 20, "{full} bytes before");
    for (shard, to) in [(first, last), (second, u64::MAX)] {
        store.trim(Space::Log, &shard.key(0), &shard.key(to)).expect("queued").wait().expect("trimmed");
    }
    // What no table refers to any more goes when tables are next merged, not at once.
    for _ in 0..200 {
        write_now(&store, |batch| batch.append(first, &value));
        write_now(&store, |batch| batch.append(second, &value));
    }
    let left = bytes_below(&scratch.path().join("tables").join("keyspaces"));
    assert!(left < full / 2, "{left} bytes of {full} are left");
    let rows =
        store.snapshot().range(Space::Log, &first.key(0), &first.key(u64::MAX), Order::Forward).count();
    assert_eq!(rows, 201);
}

/// What was removed is passed over by every range until it is written to a table: that is not left for when memory is
/// full.
#[test]
fn much_that_is_removed_is_written_early() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let tables = || bytes_below(&scratch.path().join("tables").join("keyspaces").join("2").join("tables"));
    write_now(&store, |batch| batch.put(Space::Items, *b"kept", b"kept"));
    assert_eq!(tables(), 0);
    write_now(&store, |batch| {
        for key in 0..10_000_u32 {
            batch.remove(Space::Items, key.to_be_bytes());
        }
    });
    for _ in 0..3_000 {
        if tables() > 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(tables() > 0, "nothing was written");
    assert_eq!(text(&store.snapshot(), Space::Items, "kept").as_deref(), Some("kept"));
}

fn bytes_below(path: &Path) -> u64 {
    let entries = fs::read_dir(path).expect("readable").flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            // It went meanwhile.
            Err(_) => 0,
        })
        .sum()
}
