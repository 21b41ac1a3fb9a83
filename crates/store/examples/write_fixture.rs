//! Writes a data directory of the current format: `cargo run -p store --example write_fixture -- DIRECTORY`.
//!
//! Run once when a format is born; what it wrote is committed under `fixtures/` and never written again.

use std::path::Path;
use std::time::Duration;

use store::{Batch, Committed, LogPrefix, Settings, Space, Store};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name a directory that does not exist")?;
    // Small memtables, so that some of it lies in tables and the rest in the journal.
    let settings = Settings { memtable_bytes: 8 << 10, ..Settings::new(&path) };
    let store = Store::open(settings.clone())?;
    let log = LogPrefix::new(b"stream/1/");
    for index in 1..=300u64 {
        let key = format!("item/{index:03}").into_bytes();
        write(&store, |batch| {
            batch.put(Space::Items, key.clone(), format!("item {index} {}", "i".repeat(40)).into_bytes());
            batch.append(log, format!("record {index} {}", "r".repeat(40)).into_bytes());
            batch.count(b"items", 1);
        })?;
        if index.is_multiple_of(10) {
            write(&store, |batch| {
                batch.remove(Space::Items, key.clone());
                batch.count(b"items", -1);
            })?;
        } else if index.is_multiple_of(5) {
            write(&store, |batch| {
                batch.put(Space::Items, key.clone(), format!("again {index}").into_bytes())
            })?;
        }
        if index == 200 {
            wait_for_tables(Path::new(&path))?;
        }
    }
    write(&store, |batch| {
        batch.put(Space::Meta, b"catalog", b"one table");
        batch.put(Space::Text, b"line", b"hello");
    })?;
    store.close()?;
    drop(store);
    // Opened once more, which cuts the journal's 64 MB to what is in it.
    drop(Store::open(settings)?);
    Ok(())
}

fn write(store: &Store, mut fill: impl FnMut(&mut Batch)) -> Result<Committed, store::Error> {
    match store.update(&[], |_, batch| {
        fill(batch);
        Ok::<_, ()>(())
    }) {
        Ok(((), commit)) => commit.wait(),
        Err(store::UpdateError::Store(error)) => Err(error),
        Err(store::UpdateError::Plan { .. }) => unreachable!("the plan does not fail"),
    }
}

fn wait_for_tables(path: &Path) -> std::io::Result<()> {
    loop {
        let mut with_tables = 0;
        for keyspace in std::fs::read_dir(path.join("tables/keyspaces"))? {
            with_tables += usize::from(std::fs::read_dir(keyspace?.path().join("tables"))?.next().is_some());
        }
        // The engine's own, the items and the log.
        if with_tables >= 3 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
