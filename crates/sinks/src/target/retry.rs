//! Another try for what is in quarantine: the item as it is now, unless a record has settled it meanwhile.

use super::schema::QUARANTINE;
use super::{Quarantined, State};
use crate::mapping::{KeySchema, Keying, Made, Mapping};
use crate::source::Table;
use crate::{Error, Kind};
use api::dynamodb::Attributes;
use sql::{Kind as SqlKind, OnConflict, Upsert, Value};

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    pub written: usize,
    pub left: usize,
}

pub fn retry(
    state: &mut State,
    source: &mut Table,
    mapping: &Mapping,
    schema: &KeySchema,
) -> Result<Retried, Error> {
    if matches!(mapping.keying, Keying::Shared(_)) {
        return Err(Error::config("items that share keys are retried by the next change of each"));
    }
    let mut retried = Retried::default();
    for entry in state.quarantined()? {
        let key: Attributes = serde_json::from_str(&entry.key)
            .map_err(|_| Error::new(Kind::Target, "a key in quarantine cannot be read"))?;
        // One that is gone is settled by the record of its end.
        let made =
            source.get(&schema.key_of(&key.0))?.map(|item| mapping.row(&item, state.connection.dialect()));
        match made {
            Some(Ok(Made::Row(row))) => match write(state, mapping, &entry, row) {
                Ok(written) => retried.written += usize::from(written),
                Err(error) if matches!(error.kind, SqlKind::Data | SqlKind::Constraint) => retried.left += 1,
                Err(error) => return Err(error.into()),
            },
            _ => retried.left += 1,
        }
    }
    Ok(retried)
}

/// While the entry is there no later record was applied; taking it away first keeps lanes out until the row is in.
fn write(
    state: &mut State,
    mapping: &Mapping,
    entry: &Quarantined,
    row: Vec<Value>,
) -> Result<bool, sql::Error> {
    let own: Vec<Value> = vec![state.pipeline.as_str().into(), entry.item.as_str().into()];
    state.connection.transaction(|connection| {
        let key = ["pipeline", "item"].map(str::to_owned);
        if connection.delete(QUARANTINE, &key, &[own])? == 0 {
            return Ok(false);
        }
        connection.upsert(&Upsert {
            table: &mapping.table,
            columns: &mapping.names(),
            key: &mapping.key,
            rows: &[row],
            on_conflict: OnConflict::Replace,
        })?;
        Ok(true)
    })
}
