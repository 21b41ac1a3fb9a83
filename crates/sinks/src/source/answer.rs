//! Pages of items and of records, straight from their bytes.

use crate::join::Sequence;
use api::dynamodb::Attributes;
use model::Item;
use serde::Deserialize;

#[derive(Debug)]
pub struct ScanPage {
    pub items: Vec<Item>,
    /// Where the next page begins, as JSON.
    pub next: Option<Box<str>>,
    pub read_units: f64,
}

#[derive(Debug)]
pub struct RecordsPage {
    pub records: Vec<Record>,
    pub next: Option<String>,
}

/// One change of one item.
#[derive(Debug)]
pub struct Record {
    pub sequence: Sequence,
    pub keys: Item,
    pub old: Option<Item>,
    pub new: Option<Item>,
    /// Whole seconds.
    pub created_s: u64,
    /// Time to live took it away.
    pub expired: bool,
}

#[derive(Deserialize)]
struct Scanned {
    #[serde(rename = "Items", default)]
    items: Vec<Attributes>,
    #[serde(rename = "LastEvaluatedKey")]
    last: Option<Attributes>,
    #[serde(rename = "ConsumedCapacity")]
    consumed: Option<Consumed>,
}

#[derive(Deserialize)]
struct Consumed {
    #[serde(rename = "CapacityUnits", default)]
    units: f64,
}

#[derive(Deserialize)]
struct Got {
    #[serde(rename = "Records", default)]
    records: Vec<Told>,
    #[serde(rename = "NextShardIterator")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    dynamodb: Change,
    #[serde(rename = "userIdentity")]
    identity: Option<Identity>,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "PrincipalId", alias = "principalId")]
    principal: Option<String>,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "ApproximateCreationDateTime", default)]
    created: f64,
    #[serde(rename = "Keys")]
    keys: Attributes,
    #[serde(rename = "NewImage")]
    new: Option<Attributes>,
    #[serde(rename = "OldImage")]
    old: Option<Attributes>,
    #[serde(rename = "SequenceNumber")]
    sequence: String,
}

/// The item of GetItem's answer; the outer none: it cannot be read.
pub fn item_of(body: &[u8]) -> Option<Option<Item>> {
    #[derive(Deserialize)]
    struct Gotten {
        #[serde(rename = "Item")]
        item: Option<Attributes>,
    }
    let gotten: Gotten = serde_json::from_slice(body).ok()?;
    Some(gotten.item.map(|item| item.0))
}

impl ScanPage {
    pub fn read(body: &[u8]) -> Option<ScanPage> {
        let scanned: Scanned = serde_json::from_slice(body).ok()?;
        Some(ScanPage {
            items: scanned.items.into_iter().map(|item| item.0).collect(),
            next: scanned.last.map(|key| crate::mapping::typed(&key.0).into()),
            read_units: scanned.consumed.map_or(0.0, |consumed| consumed.units),
        })
    }
}

impl RecordsPage {
    pub fn read(body: &[u8]) -> Option<RecordsPage> {
        let got: Got = serde_json::from_slice(body).ok()?;
        let records = got.records.into_iter().map(Record::of).collect::<Option<_>>()?;
        Some(RecordsPage { records, next: got.next })
    }
}

impl Record {
    fn of(told: Told) -> Option<Record> {
        let principal = told.identity.and_then(|identity| identity.principal);
        Some(Record {
            sequence: Sequence::parse(&told.dynamodb.sequence)?,
            keys: told.dynamodb.keys.0,
            old: told.dynamodb.old.map(|image| image.0),
            new: told.dynamodb.new.map(|image| image.0),
            created_s: told.dynamodb.created as u64,
            expired: principal.as_deref() == Some("dynamodb.amazonaws.com"),
        })
    }
}
