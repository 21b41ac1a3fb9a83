use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use store::{Batch, Commit, Committed, LogPrefix, Order, Settings, Snapshot, Space, Store, UpdateError};

/// A directory that goes when the test does.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Scratch {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("store-{}-{count}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a scratch directory can be made");
        Scratch(path)
    }

    pub fn path(&self) -> PathBuf {
        self.0.join("data")
    }

    pub fn open(&self) -> Store {
        Store::open(Settings::new(self.path())).expect("the store opens")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a behaviour on every engine.
pub fn everywhere(behaviour: impl Fn(&Store)) {
    behaviour(&Store::memory());
    behaviour(&Store::faulty().0);
    let scratch = Scratch::new();
    behaviour(&scratch.open());
}

pub fn item(key: &str) -> (Space, Vec<u8>) {
    (Space::Items, key.as_bytes().to_vec())
}

pub fn prefix(text: &str) -> LogPrefix {
    LogPrefix::new(text.as_bytes())
}

/// An update that reads nothing.
pub fn write(store: &Store, mut fill: impl FnMut(&mut Batch)) -> Commit {
    match store.update(&[], |_, batch| {
        fill(batch);
        Ok::<_, ()>(())
    }) {
        Ok(((), commit)) => commit,
        Err(UpdateError::Plan { .. }) => unreachable!("the plan does not fail"),
        Err(UpdateError::Store(error)) => panic!("{error:?}"),
    }
}

pub fn write_now(store: &Store, fill: impl FnMut(&mut Batch)) -> Committed {
    write(store, fill).wait().expect("the write is committed")
}

pub fn text(snapshot: &Snapshot, space: Space, key: &str) -> Option<String> {
    let value = snapshot.get(space, key.as_bytes()).expect("the read succeeds");
    value.map(|value| String::from_utf8_lossy(&value).into_owned())
}

pub fn rows(snapshot: &Snapshot, space: Space, from: &str, to: &str, order: Order) -> Vec<String> {
    let rows = snapshot.range(space, from.as_bytes(), to.as_bytes(), order);
    rows.map(|row| {
        let (key, value) = row.expect("the read succeeds");
        format!("{}={}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value))
    })
    .collect()
}
