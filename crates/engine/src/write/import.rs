//! Tables that are filled from outside before anybody reads or writes them.

use super::plan::{Plan, Prepared, check_indexes, plan};
use super::{Action, Write};
use crate::catalog::stored;
use crate::layout::Meta;
use crate::{Engine, Error, ErrorKind, Scope, Table, TableDescription, TableSpec, TableState};
use model::Image;
use std::collections::HashMap;
use std::sync::Arc;
use store::{Space, UpdateError};

impl Engine {
    /// Makes a table that is being created until its import is finished.
    pub fn create_for_import(&self, scope: &Scope, spec: TableSpec) -> Result<TableDescription, Error> {
        self.make_table(self.lock(), scope, spec, crate::catalog::Origin::Import)
    }

    /// The tables whose imports are not finished.
    pub fn importing(&self) -> Vec<Arc<Table>> {
        let mut tables = self.all_tables();
        tables.retain(|table| table.load().importing);
        tables
    }

    /// Puts items into a table that is being imported: of several with the same key, the last one. Says of each why it
    /// was not put, where that is so. Blocks until they are durable.
    pub fn import(&self, table: &Table, items: Vec<Image>) -> Result<Vec<Option<Error>>, Error> {
        let _gate = table.enter();
        let state = table.load();
        if state.deleted || !state.importing {
            return Err(Error::new(ErrorKind::TableNotFound, "the table is not being imported"));
        }
        let mut refused = Vec::with_capacity(items.len());
        let mut places = HashMap::new();
        let mut prepared: Vec<Prepared> = Vec::with_capacity(items.len());
        for item in items {
            match check(table, &state, item) {
                Err(error) => refused.push(Some(error)),
                Ok(write) => {
                    refused.push(None);
                    match places.get(&write.place.stored) {
                        Some(&at) => prepared[at] = write,
                        None => {
                            places.insert(write.place.stored.clone(), prepared.len());
                            prepared.push(write);
                        }
                    }
                }
            }
        }
        let keys: Vec<_> = prepared.iter().map(|write| (Space::Items, write.place.stored.clone())).collect();
        let planned = self.store().update(&keys, |before, batch| {
            let now = self.world().now();
            for (at, write) in prepared.iter().enumerate() {
                let mut plan: Plan = plan(table, &state, write, before.slice(at), now)?;
                plan.fill(&write.place, batch);
            }
            Ok::<_, Error>(())
        });
        match planned {
            Ok(((), commit)) => commit.wait()?,
            Err(UpdateError::Plan { error, .. }) => return Err(error),
            Err(UpdateError::Store(error)) => return Err(error.into()),
        };
        Ok(refused)
    }

    /// Opens an imported table to everybody.
    pub fn finish_import(&self, table: &Table) -> Result<(), Error> {
        let _ddl = self.lock();
        let shut = table.shut();
        let state = TableState { importing: false, ..TableState::clone(&table.load()) };
        let commit =
            self.change(|batch| batch.put(Space::Meta, Meta::table(table.id), stored::table(table, &state)))?;
        // Whoever finds the table ready finds all of it in their snapshot.
        commit.wait()?;
        table.set(state, &shut);
        Ok(())
    }
}

fn check(table: &Table, state: &TableState, item: Image) -> Result<Prepared, Error> {
    let write = Prepared::new(table, Write { action: Action::Put(item), condition: None })?;
    check_indexes(state, write.put.as_ref(), |index, misfit| Err(misfit.refuse_put(index)))?;
    Ok(write)
}
