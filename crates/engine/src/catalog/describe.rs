use crate::catalog::{
    IndexDescription, IndexStatus, StreamDescription, TableDescription, TableNames, TableStatus,
};
use crate::index::{Index, IndexKind};
use crate::layout::Meta;
use crate::{Engine, Error, ErrorKind, KeyPart, Scope, Table, TableState, stream};
use std::ops::Bound;
use store::Snapshot;

impl Engine {
    pub fn describe_table(&self, table: &Table) -> Result<TableDescription, Error> {
        let snapshot = self.store().snapshot();
        let state = table.load();
        if state.deleted {
            return Err(Error::new(ErrorKind::TableNotFound, "the table was deleted"));
        }
        let filling = state.is_filling();
        let (items, bytes) = counts(&snapshot, table.id)?;
        let indexes = |kind| {
            state
                .of_kind(kind)
                .map(|index| describe_index(&snapshot, table, index, filling))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(TableDescription {
            name: table.name.clone(),
            id: table.uuid.clone(),
            arn: table.arn(),
            status: if filling { TableStatus::Creating } else { TableStatus::Active },
            created: table.created,
            key: table.key.clone(),
            attributes: used_attributes(table, &state),
            billing: state.billing,
            items,
            bytes,
            local: indexes(IndexKind::Local)?,
            global: indexes(IndexKind::Global)?,
            stream: state.latest_stream.as_ref().map(|(label, view)| StreamDescription {
                enabled: state.stream.is_some(),
                view: *view,
                label: label.to_string(),
                arn: stream::arn(&table.scope, &table.name, label),
            }),
            class: state.class,
            deletion_protection: state.deletion_protection,
            encryption: state.encryption.clone(),
            reserve: state.reserve,
            restore: state.restore.clone(),
        })
    }

    /// Names in order, beginning behind `after`.
    pub fn list_tables(&self, scope: &Scope, after: Option<&str>, limit: usize) -> TableNames {
        let tables = self.tables().load();
        let Some(tables) = tables.get(scope) else { return TableNames::default() };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut found = tables.range::<str, _>((from, Bound::Unbounded)).map(|(name, _)| name.clone());
        let names: Vec<_> = found.by_ref().take(limit).collect();
        let last = found.next().and_then(|_| names.last().cloned());
        TableNames { names, last }
    }

    pub fn tags(&self, table: &Table) -> Vec<(String, String)> {
        table.load().tags.clone()
    }
}

fn describe_index(
    snapshot: &Snapshot,
    table: &Table,
    index: &Index,
    filling: bool,
) -> Result<IndexDescription, Error> {
    let (items, bytes) = counts(snapshot, index.id)?;
    Ok(IndexDescription {
        name: index.name.clone(),
        arn: format!("{}/index/{}", table.arn(), index.name),
        key: index.key.clone(),
        projection: index.projection.clone(),
        status: if index.backfilling || filling { IndexStatus::Creating } else { IndexStatus::Active },
        backfilling: index.backfilling,
        items,
        bytes,
        throughput: index.throughput,
        reserve: index.reserve,
    })
}

fn counts(snapshot: &Snapshot, id: u64) -> Result<(u64, u64), Error> {
    let read = |key| Ok::<_, Error>(u64::try_from(snapshot.counter(key)?).unwrap_or(0));
    Ok((read(&Meta::items(id))?, read(&Meta::bytes(id))?))
}

/// The definitions that some key still needs.
pub(super) fn used_attributes(table: &Table, state: &TableState) -> Vec<KeyPart> {
    let is_used =
        |name: &str| table.key.contains(name) || state.indexes.iter().any(|index| index.key.contains(name));
    state.attributes.iter().filter(|part| is_used(&part.name)).cloned().collect()
}
