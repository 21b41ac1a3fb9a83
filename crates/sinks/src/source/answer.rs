//! Pages of items and of records, straight from their bytes.

use super::in_process::{Changed, InProcess};
use super::table::Part;
use crate::join::Sequence;
use crate::mapping::typed;
use api::dynamodb::Attributes;
use model::{Item, View};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Who deletes what has expired.
const EXPIRY: &str = "dynamodb.amazonaws.com";

#[derive(Debug)]
pub struct ScanPage {
    pub items: Vec<Item>,
    /// Where the next page begins, as JSON.
    pub next: Option<Box<str>>,
    pub read_units: f64,
}

#[derive(Debug, PartialEq)]
pub struct RecordsPage {
    pub records: Vec<Record>,
    pub next: Option<String>,
}

/// One change of one item.
#[derive(Debug, PartialEq)]
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

/// What an item was before, or nothing of it.
trait Old {
    fn item(self) -> Option<Item>;
}

impl Old for Attributes {
    fn item(self) -> Option<Item> {
        Some(self.0)
    }
}

impl Old for IgnoredAny {
    fn item(self) -> Option<Item> {
        None
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "O: Deserialize<'de>"))]
struct Got<O> {
    #[serde(rename = "Records", default)]
    records: Vec<Told<O>>,
    #[serde(rename = "NextShardIterator")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Told<O> {
    dynamodb: Change<O>,
    #[serde(rename = "userIdentity")]
    identity: Option<Identity>,
}

#[derive(Deserialize)]
pub(super) struct Identity {
    #[serde(rename = "PrincipalId", alias = "principalId")]
    principal: Option<String>,
}

impl Identity {
    /// Time to live took the item away.
    pub fn is_expiry(&self) -> bool {
        self.principal.as_deref() == Some(EXPIRY)
    }
}

/// A shard's records are in order; one that is told again says nothing new, and nothing old may follow it.
pub(super) fn in_order<R>(records: &mut Vec<R>, sequence: impl Fn(&R) -> &Sequence) {
    let mut last: Option<Sequence> = None;
    records.retain(|record| {
        let is_new = last.as_ref().is_none_or(|last| last < sequence(record));
        if is_new {
            last = Some(sequence(record).clone());
        }
        is_new
    });
}

#[derive(Deserialize)]
struct Change<O> {
    #[serde(rename = "ApproximateCreationDateTime", default)]
    created: f64,
    #[serde(rename = "Keys")]
    keys: Attributes,
    #[serde(rename = "NewImage")]
    new: Option<Attributes>,
    #[serde(rename = "OldImage")]
    old: Option<O>,
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
        // Checked once as a whole, instead of string by string.
        let scanned: Scanned = serde_json::from_str(std::str::from_utf8(body).ok()?).ok()?;
        Some(ScanPage {
            items: scanned.items.into_iter().map(|item| item.0).collect(),
            next: scanned.last.map(|key| typed(&key.0).into()),
            read_units: scanned.consumed.map_or(0.0, |consumed| consumed.units),
        })
    }

    /// Of tables in this process.
    pub fn own(tables: &dyn InProcess, table: &str, part: &Part<'_>) -> Option<ScanPage> {
        let mut items = Some(Vec::new());
        let scanned = tables.scan(table, part, &mut |item| match (item.to_item(), &mut items) {
            (Ok(item), Some(items)) => items.push(item),
            _ => items = None,
        })?;
        let next = scanned.last.map(|key| typed(&key).into());
        Some(ScanPage { items: items?, next, read_units: scanned.read_units })
    }
}

impl RecordsPage {
    pub fn read(body: &[u8]) -> Option<RecordsPage> {
        let body = std::str::from_utf8(body).ok()?;
        RecordsPage::of(serde_json::from_str::<Got<Attributes>>(body).ok()?)
    }

    /// Without what the items were before.
    pub fn read_new(body: &[u8]) -> Option<RecordsPage> {
        let body = std::str::from_utf8(body).ok()?;
        RecordsPage::of(serde_json::from_str::<Got<IgnoredAny>>(body).ok()?)
    }

    /// Of tables in this process.
    pub fn own(tables: &dyn InProcess, iterator: &str, limit: usize) -> Option<RecordsPage> {
        let mut records = Some(Vec::new());
        let next =
            tables.records(iterator, limit, &mut |change| match (Record::own(change), &mut records) {
                (Some(record), Some(records)) => records.push(record),
                _ => records = None,
            })?;
        Some(RecordsPage { records: records?, next })
    }

    /// The last record's number, where there are records, and the next page's iterator.
    pub fn skim(body: &[u8]) -> Option<(Option<Sequence>, Option<String>)> {
        #[derive(Deserialize)]
        struct Skimmed {
            #[serde(rename = "Records", default)]
            records: Vec<Numbered>,
            #[serde(rename = "NextShardIterator")]
            next: Option<String>,
        }
        #[derive(Deserialize)]
        struct Numbered {
            dynamodb: Number,
        }
        #[derive(Deserialize)]
        struct Number {
            #[serde(rename = "SequenceNumber")]
            sequence: String,
        }
        let got: Skimmed = serde_json::from_slice(body).ok()?;
        let last = match got.records.last() {
            Some(record) => Some(Sequence::parse(&record.dynamodb.sequence)?),
            None => None,
        };
        Some((last, got.next))
    }

    fn of<O: Old>(got: Got<O>) -> Option<RecordsPage> {
        let mut records: Vec<Record> = got.records.into_iter().map(Record::of).collect::<Option<_>>()?;
        in_order(&mut records, |record| &record.sequence);
        Some(RecordsPage { records, next: got.next })
    }

    /// The records, as `read` reads them again.
    pub fn write(&self) -> Vec<u8> {
        let mut out = b"{\"Records\":[".to_vec();
        for (at, record) in self.records.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b"" } else { b"," });
            record.write(&mut out);
        }
        out.extend_from_slice(b"]}");
        out
    }
}

impl Record {
    fn write(&self, out: &mut Vec<u8>) {
        let mut member = |name: &str, value: &str| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(value.as_bytes());
        };
        member("{\"dynamodb\":{\"ApproximateCreationDateTime\":", &self.created_s.to_string());
        member(",\"Keys\":", &typed(&self.keys));
        for (name, image) in [(",\"NewImage\":", &self.new), (",\"OldImage\":", &self.old)] {
            if let Some(image) = image {
                member(name, &typed(image));
            }
        }
        member(",\"SequenceNumber\":\"", &self.sequence.to_string());
        member("\"}", "");
        if self.expired {
            member(",\"userIdentity\":{\"PrincipalId\":\"", EXPIRY);
            member("\"}", "");
        }
        member("}", "");
    }

    fn own(change: Changed<'_>) -> Option<Record> {
        let item = |view: Option<View<'_>>| view.map(|view| view.to_item()).transpose().ok();
        Some(Record {
            sequence: change.sequence,
            keys: change.keys.to_item().ok()?,
            old: item(change.old)?,
            new: item(change.new)?,
            created_s: change.created_s,
            expired: change.expired,
        })
    }

    fn of<O: Old>(told: Told<O>) -> Option<Record> {
        Some(Record {
            sequence: Sequence::parse(&told.dynamodb.sequence)?,
            keys: told.dynamodb.keys.0,
            old: told.dynamodb.old.and_then(Old::item),
            new: told.dynamodb.new.map(|image| image.0),
            created_s: told.dynamodb.created as u64,
            expired: told.identity.is_some_and(|identity| identity.is_expiry()),
        })
    }
}
