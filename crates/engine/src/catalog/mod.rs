//! Which tables there are: created, described, changed, deleted, and kept.

mod backfill;
mod create;
mod delete;
mod describe;
mod description;
mod load;
pub(crate) mod stored;
mod trims;
mod update;

pub(crate) use backfill::Backfill;
pub(crate) use create::Origin;
pub use description::{
    IndexDescription, IndexStatus, StreamDescription, TableDescription, TableNames, TableStatus,
};
pub(crate) use load::load;
pub(crate) use stored::damaged;
pub(crate) use trims::{Range, Trimming, Trims};
pub(crate) use update::TableChanged;

use crate::layout::{self, Meta};
use crate::{Engine, Error, ErrorKind, Scope, Table};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, MutexGuard, PoisonError};
use store::{Batch, Commit, Space, UpdateError};

/// All tables, by scope and name.
pub(crate) type Tables = BTreeMap<Scope, BTreeMap<Arc<str>, Arc<Table>>>;

/// What those who change the catalog hold, one at a time.
#[derive(Debug)]
pub(crate) struct Ddl {
    /// Ids are drawn from here, whatever for, and never twice.
    pub next_id: u64,
}

impl Ddl {
    pub fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    /// The id of a table or index. `other` is where it gets its items from, whose order it keeps.
    pub fn fresh_place(&mut self, other: Option<u64>) -> u64 {
        let id = self.fresh_id();
        other.map_or(layout::marked(id), |other| layout::marked_like(id, other))
    }

    /// Belongs into every update that uses a fresh id.
    pub fn fill(&self, batch: &mut Batch) {
        batch.put(Space::Meta, Meta::NEXT_ID, stored::next_id(self.next_id));
    }
}

/// What became of a change that cannot be refused.
pub(crate) fn queued(done: Result<((), Commit), UpdateError<Infallible>>) -> Result<Commit, Error> {
    match done {
        Ok(((), commit)) => Ok(commit),
        Err(UpdateError::Store(error)) => Err(error.into()),
        Err(UpdateError::Plan { error, .. }) => match error {},
    }
}

impl Engine {
    /// The table of that name.
    pub fn table(&self, scope: &Scope, name: &str) -> Result<Arc<Table>, Error> {
        let tables = self.tables().load();
        let found = tables.get(scope).and_then(|tables| tables.get(name));
        found.cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::TableNotFound,
                format!("Requested resource not found: Table: {name} not found"),
            )
        })
    }

    /// Every table of every scope.
    pub fn all_tables(&self) -> Vec<Arc<Table>> {
        self.tables().load().values().flat_map(|tables| tables.values()).cloned().collect()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Ddl> {
        self.ddl().lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a change of the catalog.
    pub(crate) fn change(&self, mut fill: impl FnMut(&mut Batch)) -> Result<Commit, Error> {
        queued(self.store().update(&[], |_, batch| {
            fill(batch);
            Ok::<_, Infallible>(())
        }))
    }

    /// Changes what lookups find; the caller holds the lock.
    pub(crate) fn publish(&self, change: impl FnOnce(&mut Tables)) {
        let mut tables = Tables::clone(&self.tables().load());
        change(&mut tables);
        self.tables().store(Arc::new(tables));
    }
}
