//! The catalog's records as they lie in the store: a version byte, then JSON.

use crate::catalog::trims::Range;
use crate::expiry::Expiry;
use crate::history::History;
use crate::stream::{Stream, StreamState, ViewType};
use crate::{
    Billing, Encryption, Error, IndexKind, IndexSpec, KeyPart, KeySchema, OnDemandLimits, ProjectionKind,
    Reserve, Restore, Table, TableClass, TableState, Throughput,
};
use model::key::KeyType;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::Space;
use world::Timestamp;

const VERSION: u8 = 1;

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

/// Name and type.
type Part = (String, String);

#[derive(Serialize, Deserialize)]
pub(crate) struct Keys {
    hash: Vec<Part>,
    range: Vec<Part>,
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

#[derive(Serialize, Deserialize)]
pub(crate) enum BillingRecord {
    OnDemand { since_ms: Option<u64> },
    Provisioned { read_units: u64, write_units: u64 },
}

/// Read units, then write units.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct ReserveRecord {
    on_demand: Option<(Option<u64>, Option<u64>)>,
    warm: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum ClassRecord {
    Standard,
    InfrequentAccess,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct EncryptionRecord {
    kms_key_arn: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ExpiryRecord {
    id: u64,
    attribute: String,
    backfilling: bool,
}

/// Where a restored table comes from.
#[derive(Serialize, Deserialize)]
pub(crate) struct RestoreRecord {
    backup: u64,
    backup_arn: String,
    table_arn: String,
    at_ms: u64,
    in_progress: bool,
    /// Of a table that was brought back to a moment: that moment, and `backup` is the source's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct HistoryRecord {
    id: u64,
    since_ms: u64,
    days: u32,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StreamRecord {
    pub id: u64,
    pub account: String,
    pub region: String,
    pub table: String,
    pub table_id: u64,
    pub created_ms: u64,
    pub view: String,
    pub key: Keys,
    pub enabled: bool,
    pub shards: Vec<ShardRecord>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ShardRecord {
    pub number: u64,
    pub created_ms: u64,
    /// The parent's creation and number.
    pub parent: Option<(u64, u32)>,
    /// The partitions it holds, the last included.
    pub partitions: (u32, u32),
    pub open: bool,
}

#[derive(Serialize, Deserialize)]
struct TrimRecord {
    log: bool,
    from: Vec<u8>,
    to: Vec<u8>,
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
        key: keys(&table.key),
        attributes: parts(&state.attributes),
        indexes: state
            .indexes
            .iter()
            .map(|index| IndexRecord {
                id: index.id,
                local: index.kind == IndexKind::Local,
                name: index.name.to_string(),
                key: keys(&index.key),
                projection: match &index.projection {
                    ProjectionKind::All => ProjectionRecord::All,
                    ProjectionKind::KeysOnly => ProjectionRecord::KeysOnly,
                    ProjectionKind::Include(names) => {
                        ProjectionRecord::Include(names.iter().map(|name| name.to_string()).collect())
                    }
                },
                throughput: index.throughput.map(|units| (units.read_units, units.write_units)),
                reserve: ReserveRecord::of(index.reserve),
                backfilling: index.backfilling,
            })
            .collect(),
        billing: match state.billing {
            Billing::OnDemand { since } => BillingRecord::OnDemand { since_ms: since.map(Timestamp::millis) },
            Billing::Provisioned(Throughput { read_units, write_units }) => {
                BillingRecord::Provisioned { read_units, write_units }
            }
        },
        class: state.class.map(|class| match class {
            TableClass::Standard => ClassRecord::Standard,
            TableClass::InfrequentAccess => ClassRecord::InfrequentAccess,
        }),
        deletion_protection: state.deletion_protection,
        encryption: state
            .encryption
            .as_ref()
            .map(|Encryption { kms_key_arn }| EncryptionRecord { kms_key_arn: kms_key_arn.clone() }),
        reserve: ReserveRecord::of(state.reserve),
        tags: state.tags.clone(),
        expiry: state.expiry.as_ref().map(|expiry| ExpiryRecord {
            id: expiry.id,
            attribute: expiry.attribute.to_string(),
            backfilling: expiry.backfilling,
        }),
        latest_stream: state
            .latest_stream
            .as_ref()
            .map(|(label, view)| (label.to_string(), view.as_str().to_owned())),
        stream: state.stream.as_ref().map(|(stream, _)| stream.id),
        restore: state.restore.as_ref().map(|restore| RestoreRecord {
            backup: restore.backup,
            backup_arn: restore.backup_arn.clone(),
            table_arn: restore.table_arn.clone(),
            at_ms: restore.at.millis(),
            in_progress: restore.in_progress,
            until_ms: restore.until.map(Timestamp::millis),
        }),
        importing: state.importing,
        history: state.history.map(|History { id, since, days }| HistoryRecord {
            id,
            since_ms: since.millis(),
            days,
        }),
    }
}

pub(crate) fn stream(stream: &Stream, state: &StreamState) -> Vec<u8> {
    encode(&StreamRecord {
        id: stream.id,
        account: stream.scope.account.to_string(),
        region: stream.scope.region.to_string(),
        table: stream.table.to_string(),
        table_id: stream.table_id,
        created_ms: stream.created.millis(),
        view: stream.view.as_str().to_owned(),
        key: keys(&stream.key),
        enabled: state.enabled,
        shards: state
            .shards
            .iter()
            .map(|shard| ShardRecord {
                number: shard.number(),
                created_ms: shard.created().millis(),
                parent: shard.parent().map(|parent| (parent.created_ms, parent.number)),
                partitions: shard.partitions,
                open: state.open.iter().any(|open| open.number() == shard.number()),
            })
            .collect(),
    })
}

pub(crate) fn next_id(id: u64) -> Vec<u8> {
    encode(&id)
}

pub(crate) fn trim((space, from, to): &Range) -> Vec<u8> {
    encode(&TrimRecord { log: *space == Space::Log, from: from.clone(), to: to.clone() })
}

pub(crate) fn read_trim(bytes: &[u8]) -> Result<Range, Error> {
    let TrimRecord { log, from, to } = decode(bytes)?;
    Ok((if log { Space::Log } else { Space::Items }, from, to))
}

impl Keys {
    pub fn read(self) -> Result<KeySchema, Error> {
        Ok(KeySchema { hash: read_parts(self.hash)?, range: read_parts(self.range)? })
    }
}

impl IndexRecord {
    pub fn spec(self) -> Result<IndexSpec, Error> {
        Ok(IndexSpec {
            name: self.name.into(),
            key: self.key.read()?,
            projection: match self.projection {
                ProjectionRecord::All => ProjectionKind::All,
                ProjectionRecord::KeysOnly => ProjectionKind::KeysOnly,
                ProjectionRecord::Include(names) => {
                    ProjectionKind::Include(names.into_iter().map(Into::into).collect())
                }
            },
            throughput: self
                .throughput
                .map(|(read_units, write_units)| Throughput { read_units, write_units }),
            reserve: self.reserve.read(),
        })
    }
}

impl BillingRecord {
    pub fn read(self) -> Billing {
        match self {
            BillingRecord::OnDemand { since_ms } => {
                Billing::OnDemand { since: since_ms.map(Timestamp::from_millis) }
            }
            BillingRecord::Provisioned { read_units, write_units } => {
                Billing::Provisioned(Throughput { read_units, write_units })
            }
        }
    }
}

impl ClassRecord {
    pub fn read(self) -> TableClass {
        match self {
            ClassRecord::Standard => TableClass::Standard,
            ClassRecord::InfrequentAccess => TableClass::InfrequentAccess,
        }
    }
}

impl ReserveRecord {
    fn is_empty(&self) -> bool {
        self.on_demand.is_none() && self.warm.is_none()
    }

    fn of(reserve: Reserve) -> ReserveRecord {
        ReserveRecord {
            on_demand: reserve.on_demand.map(|limits| (limits.read_units_max, limits.write_units_max)),
            warm: reserve.warm.map(|units| (units.read_units, units.write_units)),
        }
    }

    pub fn read(self) -> Reserve {
        Reserve {
            on_demand: self
                .on_demand
                .map(|(read_units_max, write_units_max)| OnDemandLimits { read_units_max, write_units_max }),
            warm: self.warm.map(|(read_units, write_units)| Throughput { read_units, write_units }),
        }
    }
}

impl RestoreRecord {
    pub fn read(self) -> Restore {
        Restore {
            backup: self.backup,
            backup_arn: self.backup_arn,
            table_arn: self.table_arn,
            at: Timestamp::from_millis(self.at_ms),
            in_progress: self.in_progress,
            until: self.until_ms.map(Timestamp::from_millis),
        }
    }
}

impl HistoryRecord {
    pub fn read(self) -> History {
        History { id: self.id, since: Timestamp::from_millis(self.since_ms), days: self.days }
    }
}

impl EncryptionRecord {
    pub fn read(self) -> Encryption {
        Encryption { kms_key_arn: self.kms_key_arn }
    }
}

impl ExpiryRecord {
    pub fn read(self) -> Expiry {
        Expiry { id: self.id, attribute: self.attribute.into(), backfilling: self.backfilling }
    }
}

pub(crate) fn read_view(text: &str) -> Result<ViewType, Error> {
    ViewType::parse(text).ok_or_else(|| damaged("a stream's view type"))
}

pub(crate) fn read_parts(parts: Vec<Part>) -> Result<Vec<KeyPart>, Error> {
    let read = |(name, kind): Part| {
        let kind = KeyType::parse(&kind).ok_or_else(|| damaged("a key attribute's type"))?;
        Ok(KeyPart { name: name.into(), kind })
    };
    parts.into_iter().map(read).collect()
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    match bytes.split_first() {
        Some((&VERSION, json)) => {
            serde_json::from_slice(json).map_err(|error| damaged(&format!("a catalog record ({error})")))
        }
        Some((version, _)) => Err(Error::internal(format!(
            "the catalog has a record of format {version}, which this version does not know"
        ))),
        None => Err(damaged("a catalog record")),
    }
}

pub(crate) fn damaged(what: &str) -> Error {
    Error::internal(format!("the catalog is damaged: {what} cannot be read"))
}

pub(crate) fn encode(record: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, record).expect("records of names and numbers have a JSON form");
    bytes
}

fn keys(schema: &KeySchema) -> Keys {
    Keys { hash: parts(&schema.hash), range: parts(&schema.range) }
}

fn parts(parts: &[KeyPart]) -> Vec<Part> {
    parts.iter().map(|part| (part.name.to_string(), part.kind.as_str().to_owned())).collect()
}
