//! The one thread that writes: it takes a group from the line, numbers its records, merges it into one
//! batch, has it synced once, publishes what readers see, and has everybody told.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use world::World;

use crate::announcer::News;
use crate::batch::Op;
use crate::engine::{Change, View};
use crate::header::{self, Header};
use crate::line::{Completion, Update, Work};
use crate::snapshot::Published;
use crate::store::Shared;
use crate::{Appended, Committed, Error, ErrorKind, Slice, Space};

/// How long a relaxed write may stay unsynced when no other write comes along.
const RELAXED_SYNC_AFTER: Duration = Duration::from_millis(500);

/// Counters whose values are kept at hand.
const COUNTERS_MAX: usize = 10_000;

pub(crate) struct Committer {
    shared: Arc<Shared>,
    world: World,
    header: Header,
    counters: HashMap<Slice, i64>,
    /// When the oldest write not yet synced was applied.
    unsynced: Option<Duration>,
}

/// What a group comes to.
#[derive(Default)]
struct Merged {
    changes: Vec<Change>,
    /// Where a key's change stands, so that a later one takes its place.
    places: [HashMap<Slice, usize>; Space::ALL.len()],
    counts: HashMap<Slice, i64>,
    appended: Vec<Appended>,
    completions: Vec<(Completion, Committed)>,
    durable: bool,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, header: Header) -> Committer {
        Committer { shared, world: World::real(), header, counters: HashMap::new(), unsynced: None }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Commits until the store closes. A failure, or a panic anywhere beneath, poisons the store.
    pub(crate) fn run(mut self) {
        let shared = self.shared.clone();
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| self.commit_until_closed()));
        let outcome = outcome.unwrap_or_else(|panic| Err(panicked("the committer", &*panic)));
        if let Err(error) = outcome {
            shared.line.fail(error.poisoned());
        }
    }

    fn commit_until_closed(&mut self) -> Result<(), Error> {
        loop {
            let timeout =
                self.unsynced.map(|since| (since + RELAXED_SYNC_AFTER).saturating_sub(self.world.elapsed()));
            match self.shared.line.next(timeout) {
                Work::Group(group) => self.commit(group)?,
                Work::Timeout => self.sync()?,
                Work::Closed => return self.close(),
            }
            if timeout.is_some_and(|timeout| timeout.is_zero()) {
                self.sync()?;
            }
        }
    }

    fn commit(&mut self, group: Vec<Update>) -> Result<(), Error> {
        let Some(last_ticket) = group.last().map(|update| update.ticket) else { return Ok(()) };
        let updates = group.len() as u64;
        let mut merged = Merged::default();
        // Caught here, where everybody who waits for this group is at hand.
        let written =
            AssertUnwindSafe(|| self.merge(group, &mut merged).and_then(|()| self.write(&mut merged)));
        let written =
            panic::catch_unwind(written).unwrap_or_else(|panic| Err(panicked("the committer", &*panic)));
        if let Err(error) = written {
            let error = error.poisoned();
            // Refused first: who learns of the failure must not find the store open.
            self.shared.line.fail(error.clone());
            for (completion, _) in merged.completions {
                completion.tell(Err(error.clone()));
            }
            return Err(error);
        }
        self.shared.line.settle(last_ticket, &merged.changes);
        self.shared.counts.updates.fetch_add(updates, Ordering::Relaxed);
        self.shared.counts.appended.fetch_add(merged.appended.len() as u64, Ordering::Relaxed);
        let busy = self.shared.line.is_waiting();
        self.shared.announcer.announce(
            News { appended: merged.appended, completions: merged.completions },
            busy,
            &self.shared.line,
        );
        Ok(())
    }

    fn merge(&mut self, group: Vec<Update>, merged: &mut Merged) -> Result<(), Error> {
        // Noted first, so that a failure on the way is told to all of them.
        let plans: Vec<_> = group
            .into_iter()
            .map(|Update { ops, relaxed, completion, .. }| {
                merged.durable |= !relaxed && !ops.is_empty();
                merged.completions.push((completion, Committed::default()));
                ops
            })
            .collect();
        for (index, ops) in plans.into_iter().enumerate() {
            let before = self.header.sequence;
            for op in ops {
                match op {
                    Op::Set { space, key, value } => {
                        if space == Space::Meta {
                            merged.counts.remove(&key);
                            self.counters.remove(&key);
                        }
                        merged.set(space, key, value);
                    }
                    Op::Append { prefix, value } => {
                        self.header.sequence += 1;
                        let sequence = self.header.sequence;
                        let (space, key) = (Space::Log, prefix.key(sequence));
                        merged.changes.push(Change { space, key, value: Some(value.clone()) });
                        merged.appended.push(Appended { prefix, sequence, value });
                    }
                    Op::Count { key, delta } => {
                        let value = self.counter(merged, &key)?.saturating_add(delta);
                        merged.counts.insert(key, value);
                    }
                }
            }
            if self.header.sequence > before {
                merged.completions[index].1 =
                    Committed { first_sequence: before + 1, last_sequence: self.header.sequence };
            }
        }
        Ok(())
    }

    /// A counter's value with all of the group so far.
    fn counter(&self, merged: &Merged, key: &Slice) -> Result<i64, Error> {
        if let Some(value) = merged.counts.get(key).or_else(|| self.counters.get(key)) {
            return Ok(*value);
        }
        match merged.places[Space::Meta as usize].get(key) {
            Some(&place) => merged.changes[place].value.as_deref().map_or(Ok(0), decode_counter),
            None => read_counter(&*self.shared.published.load().view, key),
        }
    }

    fn write(&mut self, merged: &mut Merged) -> Result<(), Error> {
        if self.counters.len() > COUNTERS_MAX {
            self.counters.clear();
        }
        for (key, value) in std::mem::take(&mut merged.counts) {
            merged.set(Space::Meta, key.clone(), Some(encode_counter(value)));
            self.counters.insert(key, value);
        }
        if merged.changes.is_empty() {
            return Ok(());
        }
        self.apply(merged)
    }

    fn apply(&mut self, merged: &mut Merged) -> Result<(), Error> {
        self.header.group += 1;
        let (space, key, value) = (Space::Meta, Slice::from(header::KEY), Some(self.header.encode()));
        merged.changes.push(Change { space, key, value });
        self.shared.engine.apply(&merged.changes, merged.durable)?;
        self.shared.counts.groups.fetch_add(1, Ordering::Relaxed);
        if merged.durable {
            self.synced();
        } else {
            self.unsynced.get_or_insert_with(|| self.world.elapsed());
        }
        let published = Published { view: self.shared.engine.view(), sequence: self.header.sequence };
        self.shared.published.store(Arc::new(published));
        Ok(())
    }

    /// A last header tells that all groups are on disk, so that losing any of them later is noticed.
    fn close(&mut self) -> Result<(), Error> {
        if self.shared.line.failure().is_some() || self.shared.counts.groups.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        self.sync()?;
        self.apply(&mut Merged { durable: true, ..Merged::default() })
    }

    fn sync(&mut self) -> Result<(), Error> {
        if self.unsynced.is_some() {
            self.shared.engine.sync()?;
            self.synced();
        }
        Ok(())
    }

    fn synced(&mut self) {
        self.unsynced = None;
        self.header.synced = self.header.group;
        self.shared.counts.syncs.fetch_add(1, Ordering::Relaxed);
    }
}

impl Merged {
    fn set(&mut self, space: Space, key: Slice, value: Option<Slice>) {
        if let Some(&place) = self.places[space as usize].get(&key) {
            self.changes[place].value = value;
            return;
        }
        self.places[space as usize].insert(key.clone(), self.changes.len());
        self.changes.push(Change { space, key, value });
    }
}

/// What a panic on one of the store's threads means to those who wait for it.
pub(crate) fn panicked(who: &str, panic: &(dyn Any + Send)) -> Error {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Error::new(ErrorKind::Io, format!("{who} panicked: {}", text.unwrap_or("no message")))
}

/// Counters are stored as a format version and a big-endian number.
const COUNTER_VERSION: u8 = 1;

pub(crate) fn read_counter(view: &dyn View, key: &[u8]) -> Result<i64, Error> {
    view.get(Space::Meta, key)?.map_or(Ok(0), |value| decode_counter(&value))
}

fn encode_counter(value: i64) -> Slice {
    let mut bytes = [COUNTER_VERSION; 9];
    bytes[1..].copy_from_slice(&value.to_be_bytes());
    Slice::from(bytes)
}

fn decode_counter(bytes: &[u8]) -> Result<i64, Error> {
    match bytes {
        [COUNTER_VERSION, value @ ..] if value.len() == 8 => {
            Ok(value.iter().fold(0, |value, byte| value << 8 | i64::from(*byte)))
        }
        _ => Err(Error::new(
            ErrorKind::Corrupt,
            "a counter holds something else: restore the directory from a backup",
        )),
    }
}
