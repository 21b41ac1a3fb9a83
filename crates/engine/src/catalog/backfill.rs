//! Filling a new index while writes go on.
//!
//! From the moment the index is there, every write keeps it, as if all items had their entries already. The backfill
//! goes through a snapshot of that moment, and gives each item it finds its entry as the item is now. So a write and
//! the backfill may both put the same entry, and neither puts a wrong one. The index's counters come out right for a like
//! reason: the backfill counts the snapshot's entries, whatever has become of them, and the writes count their changes.

use crate::catalog::stored;
use crate::expiry::Expiry;
use crate::index::{Entry, Index};
use crate::layout::{self, Meta};
use crate::{Engine, Error, ErrorKind, Table, TableState};
use model::View;
use std::sync::Arc;
use store::{Order, Slice, Snapshot, Space, UpdateError};

/// Items that get their entries in one update.
const CHUNK_ITEMS: usize = 128;

/// An index that is to be filled.
#[derive(Debug)]
pub(crate) struct Backfill {
    table: Arc<Table>,
    index: u64,
    snapshot: Snapshot,
}

impl Backfill {
    pub fn new(table: &Arc<Table>, index: u64, snapshot: Snapshot) -> Backfill {
        Backfill { table: table.clone(), index, snapshot }
    }

    /// Fills the index, and opens it to readers. `go_on` may stop it.
    pub fn run(self, engine: &Engine, go_on: impl Fn() -> bool) -> Result<(), Error> {
        let (from, to) = layout::whole(self.table.id);
        let mut rows = self.snapshot.range(Space::Items, &from, &to, Order::Forward);
        loop {
            let chunk = rows.by_ref().take(CHUNK_ITEMS).collect::<Result<Vec<_>, _>>()?;
            if chunk.is_empty() {
                return self.finish(engine);
            }
            if !go_on() || !self.fill(engine, &chunk)? {
                return Ok(());
            }
        }
    }

    /// Puts the entries of some items. False: the index is no more.
    fn fill(&self, engine: &Engine, chunk: &[(Slice, Slice)]) -> Result<bool, Error> {
        let gate = self.table.enter();
        let state = self.table.load();
        let Some(filled) = Filled::find(&state, self.index) else { return Ok(false) };
        let keys: Vec<_> = chunk.iter().map(|(key, _)| (Space::Items, key.to_vec())).collect();
        let filled = engine.store().update(&keys, |before, batch| {
            let (mut items, mut bytes) = (0, 0);
            for (at, (key, image)) in chunk.iter().enumerate() {
                if let Some(entry) = filled.entry(image, key)? {
                    items += 1;
                    bytes += entry.size_bytes as i64;
                }
                if let Some(now) = before.slice(at)
                    && let Some(entry) = filled.entry(now, key)?
                {
                    batch.put(Space::Items, entry.stored, entry.value);
                }
            }
            if items != 0 && filled.counts() {
                batch.count(Meta::items(self.index), items);
                batch.count(Meta::bytes(self.index), bytes);
            }
            Ok::<_, Error>(())
        });
        drop(gate);
        match filled {
            // One chunk is on its way at a time: writers come first.
            Ok(((), commit)) => drop(commit.wait()?),
            Err(UpdateError::Plan { error, .. }) => return Err(error),
            Err(UpdateError::Store(error)) => return Err(error.into()),
        }
        Ok(true)
    }

    fn finish(&self, engine: &Engine) -> Result<(), Error> {
        let _ddl = engine.lock();
        let shut = self.table.shut();
        let mut state = TableState::clone(&self.table.load());
        if state.deleted {
            return Ok(());
        }
        let index = state.indexes.iter_mut().find(|index| index.id == self.index);
        let expiry = state.expiry.as_mut().filter(|expiry| expiry.id == self.index);
        match (index, expiry) {
            (Some(index), _) => *index = Arc::new(Index { backfilling: false, ..Index::clone(index) }),
            (None, Some(expiry)) => {
                *expiry = Arc::new(Expiry { backfilling: false, ..Expiry::clone(expiry) });
            }
            (None, None) => return Ok(()),
        }
        let commit = engine.change(|batch| {
            batch.put(Space::Meta, Meta::table(self.table.id), stored::table(&self.table, &state));
        })?;
        self.table.set(state, &shut);
        drop(shut);
        commit.wait()?;
        Ok(())
    }
}

/// What is being filled.
enum Filled<'a> {
    Index(&'a Index),
    Expiry(&'a Expiry),
}

impl<'a> Filled<'a> {
    fn find(state: &'a TableState, id: u64) -> Option<Filled<'a>> {
        if state.deleted {
            return None;
        }
        let index = state.indexes.iter().find(|index| index.id == id).map(|index| Filled::Index(index));
        let expiry = || state.expiry.as_deref().filter(|expiry| expiry.id == id).map(Filled::Expiry);
        index.or_else(expiry)
    }

    fn entry(&self, image: &Slice, key: &[u8]) -> Result<Option<Entry>, Error> {
        match self {
            Filled::Index(index) => Ok(index.entry(image, &key[layout::HEAD_LEN..])?),
            Filled::Expiry(expiry) => {
                let stored = expiry.place(View::new(image)?, key)?;
                Ok(stored.map(|stored| Entry { stored, value: Slice::from(&[][..]), size_bytes: 0 }))
            }
        }
    }

    /// Whether clients are told how much it holds.
    fn counts(&self) -> bool {
        matches!(self, Filled::Index(_))
    }
}

impl Engine {
    /// Fills indexes in the background, or with the next maintenance.
    pub(crate) fn start_backfills(&self, backfills: Vec<Backfill>) {
        self.steward().backfills_waiting().extend(backfills);
        self.steward().poke();
    }

    /// Fills the indexes that wait for it.
    pub(crate) fn run_backfills(&self, go_on: impl Fn() -> bool) -> Result<(), Error> {
        loop {
            let next = self.steward().backfills_waiting().pop();
            let Some(backfill) = next else { return Ok(()) };
            match backfill.run(self, &go_on) {
                // A table that went away meanwhile needs no index.
                Err(error) if error.kind == ErrorKind::TableNotFound => {}
                other => other?,
            }
        }
    }
}
