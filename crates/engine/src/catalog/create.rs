use crate::catalog::{Ddl, TableStatus};
use crate::index::{Index, IndexKind};
use crate::layout::Meta;
use crate::stream::NewStream;
use crate::stream::Of;
use crate::{
    Billing, Engine, Error, ErrorKind, IndexSpec, KeySchema, ProjectionKind, Restore, Scope, Table,
    TableDescription, TableSpec, TableState,
};
use std::sync::{Arc, MutexGuard};
use store::Space;

/// What a new table is filled from.
pub(crate) enum Origin {
    New,
    Restore(Restore),
    /// Items that come from outside.
    Import,
}

const LOCAL_INDEXES_MAX: usize = 5;
pub(super) const GLOBAL_INDEXES_MAX: usize = 20;
/// Attributes on either side of a global index's key.
const KEY_PARTS_MAX: usize = 4;

impl Engine {
    /// Creates a table. It is ready when this returns, though its description still says that it is being created, as
    /// clients expect.
    pub fn create_table(&self, scope: &Scope, spec: TableSpec) -> Result<TableDescription, Error> {
        self.make_table(self.lock(), scope, spec, Origin::New)
    }

    pub(crate) fn make_table(
        &self,
        mut ddl: MutexGuard<'_, Ddl>,
        scope: &Scope,
        spec: TableSpec,
        origin: Origin,
    ) -> Result<TableDescription, Error> {
        check(&spec)?;
        if self.table(scope, &spec.name).is_ok() {
            return Err(Error::new(ErrorKind::TableExists, format!("Table already exists: {}", spec.name)));
        }
        let now = self.world().now();
        let other = match &origin {
            Origin::Restore(restore) => Some(restore.backup),
            Origin::New | Origin::Import => None,
        };
        let id = ddl.fresh_place(other);
        let local = spec.local.into_iter().map(|index| (IndexKind::Local, index));
        let indexes = local.chain(spec.global.into_iter().map(|index| (IndexKind::Global, index)));
        let indexes = indexes
            .map(|(kind, index)| Arc::new(Index::new(ddl.fresh_place(other), kind, index, &spec.key, false)))
            .collect();
        let of = Of { scope, table: &spec.name, table_id: id, key: &spec.key };
        let new_stream = spec.stream.map(|view| self.new_stream(&mut ddl, of, view));
        let billing = match spec.billing {
            Billing::OnDemand { .. } => Billing::OnDemand { since: Some(now) },
            provisioned => provisioned,
        };
        let (restore, importing) = match origin {
            Origin::New => (None, false),
            Origin::Restore(restore) => (Some(restore), false),
            Origin::Import => (None, true),
        };
        let state = TableState {
            deleted: false,
            attributes: spec.attributes,
            indexes,
            billing,
            class: spec.class,
            deletion_protection: spec.deletion_protection,
            encryption: spec.encryption,
            reserve: spec.reserve,
            restore: restore.clone(),
            importing,
            history: None,
            tags: spec.tags,
            stream: new_stream.as_ref().map(|NewStream { stream, routes }| (stream.clone(), routes.clone())),
            expiry: None,
            latest_stream: new_stream.as_ref().map(|new| (new.stream.label.clone(), new.stream.view)),
        };
        let table =
            Arc::new(Table::new(id, self.world().uuid(), scope.clone(), spec.name, spec.key, now, state));
        let commit = self.change(|batch| {
            ddl.fill(batch);
            batch.put(Space::Meta, Meta::table(id), super::stored::table(&table, &table.load()));
            if let Some(new_stream) = &new_stream {
                new_stream.fill(batch);
            }
        })?;
        commit.wait()?;
        if let Some(new_stream) = new_stream {
            self.registry().insert(new_stream.stream);
        }
        self.publish(|tables| {
            tables.entry(scope.clone()).or_default().insert(table.name.clone(), table.clone());
        });
        if let Some(restore) = restore {
            self.start_filling(&table, &restore);
        }
        self.steward().poke();
        let mut description = self.describe_table(&table)?;
        description.status = TableStatus::Creating;
        for index in &mut description.global {
            index.status = super::IndexStatus::Creating;
        }
        Ok(description)
    }
}

/// What the engine relies on.
fn check(spec: &TableSpec) -> Result<(), Error> {
    if spec.key.hash.len() != 1 || spec.key.range.len() > 1 {
        return Err(Error::validation("A table has one hash key and at most one range key"));
    }
    if spec.local.len() > LOCAL_INDEXES_MAX {
        return Err(Error::parameter(format_args!(
            "Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_INDEXES_MAX}"
        )));
    }
    if spec.global.len() > GLOBAL_INDEXES_MAX {
        return Err(Error::parameter(format_args!(
            "GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_INDEXES_MAX}"
        )));
    }
    for local in &spec.local {
        if spec.key.range.is_empty() {
            return Err(Error::parameter(
                "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
            ));
        }
        if local.key.hash != spec.key.hash || local.key.range.len() != 1 {
            return Err(Error::parameter(format_args!(
                "Index KeySchema does not have the same leading hash key as table KeySchema for index: {}",
                local.name
            )));
        }
    }
    let mut names: Vec<&str> = Vec::new();
    for index in spec.local.iter().chain(&spec.global) {
        if names.contains(&&*index.name) {
            return Err(Error::parameter(format_args!("Duplicate index name: {}", index.name)));
        }
        names.push(&index.name);
        check_index(index)?;
    }
    let keys = spec.local.iter().chain(&spec.global).map(|index| &index.key).chain([&spec.key]);
    for part in keys.flat_map(KeySchema::parts) {
        if !spec.attributes.contains(part) {
            return Err(Error::parameter(format_args!(
                "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}]",
                part.name
            )));
        }
    }
    Ok(())
}

pub(super) fn check_index(index: &IndexSpec) -> Result<(), Error> {
    if index.key.hash.is_empty()
        || index.key.hash.len() > KEY_PARTS_MAX
        || index.key.range.len() > KEY_PARTS_MAX
    {
        return Err(Error::validation(format!(
            "An index has 1 to {KEY_PARTS_MAX} hash keys and at most {KEY_PARTS_MAX} range keys: {}",
            index.name
        )));
    }
    let mut names: Vec<_> = index.key.parts().map(|part| &part.name).collect();
    names.sort();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::validation(
            "Both the Hash Key and the Range Key element in the KeySchema have the same name",
        ));
    }
    match &index.projection {
        ProjectionKind::Include(names) if names.is_empty() => {
            Err(Error::parameter("ProjectionType is INCLUDE, but NonKeyAttributes is not specified"))
        }
        _ => Ok(()),
    }
}
