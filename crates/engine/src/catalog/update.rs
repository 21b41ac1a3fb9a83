use crate::catalog::{Backfill, IndexDescription, IndexStatus, TableStatus, stored};
use crate::index::{Index, IndexKind};
use crate::layout::{self, Meta};
use crate::stream::{NewStream, Of};
use crate::{
    Billing, Engine, Error, ErrorKind, IndexCapacity, IndexChange, Scope, StreamChange, Table, TableChange,
    TableDescription, TableState,
};
use std::sync::{Arc, MutexGuard};
use store::Space;

/// A table's new state, and what is no longer needed.
pub(crate) struct TableChanged {
    pub state: TableState,
    pub trims: crate::catalog::Trims,
}

/// What a change of a table comes to, besides its new state.
#[derive(Default)]
struct Consequences {
    begins: Option<NewStream>,
    ends: bool,
    trims: crate::catalog::Trims,
    forgotten: Vec<u64>,
    /// Ids of indexes that are to be filled.
    backfills: Vec<u64>,
    deleted: Vec<IndexDescription>,
}

impl Engine {
    /// Changes a table. All but the filling of a new index is done when this returns, though the description still says
    /// that the table is being updated, as clients expect.
    pub fn update_table(
        &self,
        scope: &Scope,
        name: &str,
        change: TableChange,
    ) -> Result<TableDescription, Error> {
        let mut ddl = self.lock();
        let table = self.table(scope, name)?;
        table.load().check_settled(&table)?;
        let touched: Vec<Arc<str>> = change
            .indexes
            .iter()
            .filter_map(|change| match change {
                IndexChange::Capacity(name, _) => Some(name.clone()),
                _ => None,
            })
            .collect();
        let mut state = TableState::clone(&table.load());
        let consequences = self.apply(&mut ddl, &table, &mut state, change)?;
        let deleted = self.settle(ddl, &table, state, consequences)?;
        let mut description = self.describe_table(&table)?;
        description.status = TableStatus::Updating;
        for index in &mut description.global {
            if touched.contains(&index.name) {
                index.status = IndexStatus::Updating;
            }
        }
        description.global.extend(deleted);
        Ok(description)
    }

    /// Adds tags, or gives new values to those that are there.
    pub fn tag(&self, table: &Table, tags: Vec<(String, String)>) -> Result<(), Error> {
        let ddl = self.lock();
        let mut state = TableState::clone(&table.load());
        state.check_exists()?;
        for (key, value) in tags {
            match state.tags.iter_mut().find(|(known, _)| *known == key) {
                Some((_, known)) => *known = value,
                None => state.tags.push((key, value)),
            }
        }
        self.settle(ddl, table, state, Consequences::default()).map(drop)
    }

    /// Removes tags.
    pub fn untag(&self, table: &Table, keys: &[String]) -> Result<(), Error> {
        let ddl = self.lock();
        let mut state = TableState::clone(&table.load());
        state.check_exists()?;
        state.tags.retain(|(known, _)| !keys.contains(known));
        self.settle(ddl, table, state, Consequences::default()).map(drop)
    }

    /// Makes a change true that has been decided.
    pub(crate) fn change_table(
        &self,
        ddl: MutexGuard<'_, crate::catalog::Ddl>,
        table: &Table,
        changed: TableChanged,
    ) -> Result<(), Error> {
        let TableChanged { state, trims } = changed;
        self.settle(ddl, table, state, Consequences { trims, ..Consequences::default() }).map(drop)
    }

    fn apply(
        &self,
        ddl: &mut crate::catalog::Ddl,
        table: &Table,
        state: &mut TableState,
        change: TableChange,
    ) -> Result<Consequences, Error> {
        let mut consequences = Consequences::default();
        let TableChange {
            billing,
            stream,
            class,
            deletion_protection,
            encryption,
            reserve,
            indexes,
            attributes,
        } = change;
        if let Some(billing) = billing {
            state.billing = match billing {
                Billing::OnDemand { .. } => Billing::OnDemand { since: Some(self.world().now()) },
                provisioned => provisioned,
            };
        }
        state.class = class.or(state.class);
        state.deletion_protection = deletion_protection.unwrap_or(state.deletion_protection);
        if let Some(encryption) = encryption {
            state.encryption = encryption;
        }
        state.reserve = reserve.unwrap_or(state.reserve);
        for part in attributes {
            match state.attributes.iter().find(|known| known.name == part.name) {
                None => state.attributes.push(part),
                Some(known) if known.kind == part.kind => {}
                Some(_) => {
                    return Err(Error::parameter(format_args!(
                        "Attribute type cannot be redefined. AttributeName: {}",
                        part.name
                    )));
                }
            }
        }
        for change in indexes {
            self.apply_index(ddl, table, state, change, &mut consequences)?;
        }
        match (stream, &state.stream) {
            (None, _) => {}
            (Some(StreamChange::Enable(_)), Some(_)) => {
                return Err(Error::validation(format!(
                    "Table already has an enabled stream: TableName: {}",
                    table.name
                )));
            }
            (Some(StreamChange::Enable(view)), None) => {
                let of = Of { scope: &table.scope, table: &table.name, table_id: table.id, key: &table.key };
                let begins = self.new_stream(ddl, of, view);
                state.stream = Some((begins.stream.clone(), begins.routes.clone()));
                state.latest_stream = Some((begins.stream.label.clone(), view));
                consequences.begins = Some(begins);
            }
            (Some(StreamChange::Disable), None) => {
                return Err(Error::validation(format!(
                    "Table has no stream to disable: TableName: {}",
                    table.name
                )));
            }
            (Some(StreamChange::Disable), Some(_)) => {
                state.stream = None;
                consequences.ends = true;
            }
        }
        Ok(consequences)
    }

    fn apply_index(
        &self,
        ddl: &mut crate::catalog::Ddl,
        table: &Table,
        state: &mut TableState,
        change: IndexChange,
        consequences: &mut Consequences,
    ) -> Result<(), Error> {
        let global = |name: &str, state: &TableState| {
            let found = state
                .indexes
                .iter()
                .position(|index| *index.name == *name && index.kind == IndexKind::Global);
            found.ok_or_else(|| Error::new(ErrorKind::IndexNotFound, "Requested resource not found"))
        };
        match change {
            IndexChange::Create(spec) => {
                super::create::check_index(&spec)?;
                if state.indexes.iter().any(|index| index.name == spec.name) {
                    return Err(Error::validation("Attempting to create an index which already exists"));
                }
                if state.indexes.iter().any(|index| index.backfilling) {
                    return Err(Error::new(
                        ErrorKind::LimitExceeded,
                        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
                    ));
                }
                if state.of_kind(IndexKind::Global).count() >= super::create::GLOBAL_INDEXES_MAX {
                    return Err(Error::parameter(format_args!(
                        "GlobalSecondaryIndex count exceeds the per-table limit of {}",
                        super::create::GLOBAL_INDEXES_MAX
                    )));
                }
                if let Some(part) = spec.key.parts().find(|part| !state.attributes.contains(part)) {
                    return Err(Error::parameter(format_args!(
                        "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}]",
                        part.name
                    )));
                }
                let index = Index::new(ddl.fresh_place(None), IndexKind::Global, spec, &table.key, true);
                consequences.backfills.push(index.id);
                state.indexes.push(Arc::new(index));
            }
            IndexChange::Delete(name) => {
                let index = state.indexes.remove(global(&name, state)?);
                let (from, to) = layout::whole(index.id);
                consequences.trims.0.push((ddl.fresh_id(), (Space::Items, from, to)));
                consequences.forgotten.push(index.id);
                // What no key is any more may be defined anew.
                state.attributes = super::describe::used_attributes(table, state);
                let described =
                    self.describe_table(table)?.global.into_iter().find(|index| index.name == name);
                let deleting =
                    |index| IndexDescription { status: IndexStatus::Deleting, backfilling: false, ..index };
                consequences.deleted.extend(described.map(deleting));
            }
            IndexChange::Capacity(name, IndexCapacity { throughput, reserve }) => {
                let at = global(&name, state)?;
                let index = Index::clone(&state.indexes[at]);
                state.indexes[at] = Arc::new(Index { throughput, reserve, ..index });
            }
        }
        Ok(())
    }

    /// Makes the new state durable and true. Gives back what is left to say of deleted indexes.
    fn settle(
        &self,
        ddl: MutexGuard<'_, crate::catalog::Ddl>,
        table: &Table,
        state: TableState,
        consequences: Consequences,
    ) -> Result<Vec<IndexDescription>, Error> {
        let Consequences { begins, ends, trims, forgotten, backfills, deleted } = consequences;
        let shut = table.shut();
        let before = table.state();
        let ending = before.stream.as_ref().map(|(stream, _)| stream).filter(|_| ends);
        let mut ended = None;
        let commit = self.change(|batch| {
            ddl.fill(batch);
            trims.fill(batch);
            batch.put(Space::Meta, Meta::table(table.id), stored::table(table, &state));
            for id in &forgotten {
                batch.remove(Space::Meta, Meta::items(*id));
                batch.remove(Space::Meta, Meta::bytes(*id));
            }
            if let Some(begins) = &begins {
                begins.fill(batch);
            }
            if let Some(stream) = ending {
                ended = Some(self.end_stream(stream, batch));
            }
        })?;
        if backfills.is_empty() {
            table.set(state, &shut);
            drop(shut);
            commit.wait()?;
        } else {
            // Writes wait for this one sync: what the snapshot holds is what they have not indexed.
            commit.wait()?;
            let snapshot = self.store().snapshot();
            table.set(state, &shut);
            drop(shut);
            let table = self.table(&table.scope, &table.name)?;
            let backfills = backfills.into_iter().map(|index| Backfill::new(&table, index, snapshot.clone()));
            self.start_backfills(backfills.collect());
        }
        if let (Some(stream), Some(ended)) = (ending, ended) {
            stream.set(ended);
        }
        if let Some(begins) = begins {
            self.registry().insert(begins.stream);
        }
        drop(ddl);
        self.start_trims(trims);
        Ok(deleted)
    }
}
