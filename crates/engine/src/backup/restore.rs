//! From a backup to a new table.

use super::{BackupStatus, Restore, chunk, in_use, moved};
use crate::catalog::{Origin, stored};
use crate::layout::{self, Meta};
use crate::{Engine, Error, ErrorKind, Scope, Table, TableDescription, TableSpec, TableState};
use model::View;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Order, Slice, Space};
use world::Timestamp;

/// A table that is to be filled from a backup.
#[derive(Debug)]
pub(crate) struct Filling {
    table: Arc<Table>,
    /// Whose items it gets: a backup's, or another table's.
    backup: u64,
    /// The moment that the other table is to be brought back to.
    until: Option<Timestamp>,
}

/// Items and bytes by the id of a table or index.
type Counts = BTreeMap<u64, (i64, i64)>;

impl Engine {
    /// Makes a table and fills it from a backup in the background. Nobody reads or writes it before it is whole.
    pub fn restore_table(
        &self,
        scope: &Scope,
        backup_arn: &str,
        spec: TableSpec,
    ) -> Result<TableDescription, Error> {
        let ddl = self.lock();
        let backup = self.backup(scope, backup_arn)?;
        if backup.status != BackupStatus::Available {
            return Err(in_use());
        }
        let restore = Restore {
            backup: backup.id,
            backup_arn: backup.arn.clone(),
            table_arn: backup.source.arn(),
            at: self.world().now(),
            in_progress: true,
            until: None,
        };
        self.make_table(ddl, scope, spec, Origin::Restore(restore))
    }

    /// Makes a table and fills it with what another one was at a moment.
    pub fn recover_table(
        &self,
        scope: &Scope,
        source: &str,
        until: Timestamp,
        spec: TableSpec,
    ) -> Result<TableDescription, Error> {
        let ddl = self.lock();
        let source = self.table(scope, source)?;
        let Some(recoverable) = self.recoverable(&source) else {
            let message = format!("Point in time recovery is not enabled for table '{}'", source.name);
            return Err(Error::new(ErrorKind::NotRecoverable, message));
        };
        if until < recoverable.earliest || until > recoverable.latest {
            return Err(Error::new(
                ErrorKind::NotThen,
                "An invalid restore time was specified. RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime.",
            ));
        }
        let restore = Restore {
            backup: source.id,
            backup_arn: String::new(),
            table_arn: source.arn(),
            at: until,
            in_progress: true,
            until: Some(until),
        };
        self.make_table(ddl, scope, spec, Origin::Restore(restore))
    }

    pub(crate) fn start_filling(&self, table: &Arc<Table>, from: &Restore) {
        let (backup, until) = (from.backup, from.until);
        self.steward().fillings_waiting().push(Filling { table: table.clone(), backup, until });
        self.steward().poke();
    }
}

impl Filling {
    pub(super) fn run(self, engine: &Engine, go_on: &impl Fn() -> bool) -> Result<(), Error> {
        let mut source = self.backup;
        if let Some(until) = self.until {
            if !crate::history::undo(engine, self.backup, &self.table, until, go_on)? {
                return Ok(());
            }
            // Its items lie where they belong; what follows puts their entries beside them, and counts them.
            source = self.table.id;
        }
        let (from, to) = layout::whole(source);
        let snapshot = engine.store().snapshot();
        let mut rows = snapshot.range(Space::Items, &from, &to, Order::Forward);
        // What was put before a crash is put again, and nothing is counted before all is there.
        let mut counts = Counts::new();
        loop {
            let chunk = chunk(&mut rows)?;
            if chunk.is_empty() {
                return self.finish(engine, &counts);
            }
            if !go_on() {
                return Ok(());
            }
            self.fill(engine, &chunk, &mut counts)?;
        }
    }

    fn fill(&self, engine: &Engine, chunk: &[(Slice, Slice)], counts: &mut Counts) -> Result<(), Error> {
        let state = self.table.load();
        let mut rows = Vec::with_capacity(chunk.len());
        let mut count = |id, bytes: usize| {
            let (items, sum) = counts.entry(id).or_default();
            *items += 1;
            *sum += bytes as i64;
        };
        for (key, image) in chunk {
            count(self.table.id, View::new(image)?.size_bytes());
            for index in &state.indexes {
                if let Some(entry) = index.entry(image, &key[layout::HEAD_LEN..])? {
                    count(index.id, entry.size_bytes);
                    rows.push((entry.stored, entry.value));
                }
            }
            rows.push((moved(key, self.table.id), image.clone()));
        }
        let commit = engine.change(|batch| {
            for (key, value) in &rows {
                batch.put(Space::Items, &key[..], value);
            }
        })?;
        commit.wait()?;
        Ok(())
    }

    /// Opens the table to everybody.
    fn finish(&self, engine: &Engine, counts: &Counts) -> Result<(), Error> {
        let _ddl = engine.lock();
        let shut = self.table.shut();
        let mut state = TableState::clone(&self.table.load());
        if let Some(restore) = &mut state.restore {
            restore.in_progress = false;
        }
        let commit = engine.change(|batch| {
            batch.put(Space::Meta, Meta::table(self.table.id), stored::table(&self.table, &state));
            for (id, (items, bytes)) in counts {
                batch.count(Meta::items(*id), *items);
                batch.count(Meta::bytes(*id), *bytes);
            }
        })?;
        // Whoever finds the table ready finds all of it in their snapshot.
        commit.wait()?;
        self.table.set(state, &shut);
        Ok(())
    }
}
