//! Tables and their indexes.

use super::encode;
use super::keys::{Keys, Part, parts};
use super::settings::{
    BillingRecord, ClassRecord, EncryptionRecord, ExpiryRecord, HistoryRecord, ReserveRecord, RestoreRecord,
};
use crate::{Error, Index, IndexKind, IndexSpec, ProjectionKind, Table, TableState, Throughput};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct TableRecord {
    pub id: u64,
    pub uuid: String,
    pub account: String,
    pub region: String,
    pub name: String,
    pub created_ms: u64,
    pub key: Keys,
    pub attributes: Vec<Part>,
    pub indexes: Vec<IndexRecord>,
    pub billing: BillingRecord,
    pub class: Option<ClassRecord>,
    pub deletion_protection: bool,
    pub encryption: Option<EncryptionRecord>,
    #[serde(default, skip_serializing_if = "ReserveRecord::is_empty")]
    pub reserve: ReserveRecord,
    pub tags: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<ExpiryRecord>,
    /// Label and view type.
    pub latest_stream: Option<(String, String)>,
    /// The enabled stream's id.
    pub stream: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<RestoreRecord>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub importing: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryRecord>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct IndexRecord {
    pub id: u64,
    pub local: bool,
    pub name: String,
    pub key: Keys,
    pub projection: ProjectionRecord,
    pub throughput: Option<(u64, u64)>,
    #[serde(default, skip_serializing_if = "ReserveRecord::is_empty")]
    pub reserve: ReserveRecord,
    pub backfilling: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum ProjectionRecord {
    All,
    KeysOnly,
    Include(Vec<String>),
}

pub(crate) fn table(table: &Table, state: &TableState) -> Vec<u8> {
    encode(&table_record(table, state))
}

pub(crate) fn table_record(table: &Table, state: &TableState) -> TableRecord {
    TableRecord {
        id: table.id,
        uuid: table.uuid.clone(),
        account: table.scope.account.to_string(),
        region: table.scope.region.to_string(),
        name: table.name.to_string(),
        created_ms: table.created.millis(),
        key: Keys::of(&table.key),
        attributes: parts(&state.attributes),
        indexes: state.indexes.iter().map(|index| IndexRecord::of(index)).collect(),
        billing: BillingRecord::of(state.billing),
        class: state.class.map(ClassRecord::of),
        deletion_protection: state.deletion_protection,
        encryption: state.encryption.as_ref().map(EncryptionRecord::of),
        reserve: ReserveRecord::of(state.reserve),
        tags: state.tags.clone(),
        expiry: state.expiry.as_ref().map(|expiry| ExpiryRecord::of(expiry)),
        latest_stream: state
            .latest_stream
            .as_ref()
            .map(|(label, view)| (label.to_string(), view.as_str().to_owned())),
        stream: state.stream.as_ref().map(|(stream, _)| stream.id),
        restore: state.restore.as_ref().map(RestoreRecord::of),
        importing: state.importing,
        history: state.history.map(HistoryRecord::of),
    }
}

impl IndexRecord {
    fn of(index: &Index) -> IndexRecord {
        IndexRecord {
            id: index.id,
            local: index.kind == IndexKind::Local,
            name: index.name.to_string(),
            key: Keys::of(&index.key),
            projection: ProjectionRecord::of(&index.projection),
            throughput: index.throughput.map(|units| (units.read_units, units.write_units)),
            reserve: ReserveRecord::of(index.reserve),
            backfilling: index.backfilling,
        }
    }

    pub fn spec(self) -> Result<IndexSpec, Error> {
        Ok(IndexSpec {
            name: self.name.into(),
            key: self.key.read()?,
            projection: self.projection.read(),
            throughput: self
                .throughput
                .map(|(read_units, write_units)| Throughput { read_units, write_units }),
            reserve: self.reserve.read(),
        })
    }
}

impl ProjectionRecord {
    fn of(projection: &ProjectionKind) -> ProjectionRecord {
        match projection {
            ProjectionKind::All => ProjectionRecord::All,
            ProjectionKind::KeysOnly => ProjectionRecord::KeysOnly,
            ProjectionKind::Include(names) => {
                ProjectionRecord::Include(names.iter().map(|name| name.to_string()).collect())
            }
        }
    }

    fn read(self) -> ProjectionKind {
        match self {
            ProjectionRecord::All => ProjectionKind::All,
            ProjectionRecord::KeysOnly => ProjectionKind::KeysOnly,
            ProjectionRecord::Include(names) => {
                ProjectionKind::Include(names.into_iter().map(Into::into).collect())
            }
        }
    }
}
