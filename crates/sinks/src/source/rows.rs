//! Pages read straight into rows. What cannot be read so is read as items, which says why.

use super::answer::in_order;
use crate::join::Sequence;
use crate::mapping::{Direct, typed};
use api::dynamodb::{Attributes, Text};
use model::Item;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::de::{Deserializer as Reader, StrRead};
use sql::Value;
use std::fmt;

/// A page of records. `next`: the iterator of the next.
#[derive(Debug)]
pub struct RecordRows {
    pub records: Vec<RecordRow>,
    pub next: Option<String>,
}

#[derive(Debug)]
pub struct RecordRow {
    pub sequence: Sequence,
    pub keys: Item,
    /// None: the item was deleted.
    pub row: Option<Vec<Value>>,
    pub created_s: u64,
    pub expired: bool,
}

/// A page of the scan: keys and rows.
#[derive(Debug)]
pub struct ScanRows {
    pub rows: Vec<(Item, Vec<Value>)>,
    pub next: Option<Box<str>>,
    pub read_units: f64,
}

impl RecordRows {
    pub fn read(body: &[u8], direct: &Direct) -> Option<RecordRows> {
        let mut page = RecordsReader { direct, records: Vec::new(), next: None };
        read(body, &mut page)?;
        let mut records = page.records;
        in_order(&mut records, |record| &record.sequence);
        Some(RecordRows { records, next: page.next })
    }
}

impl ScanRows {
    pub fn read(body: &[u8], direct: &Direct) -> Option<ScanRows> {
        let empty = ScanRows { rows: Vec::new(), next: None, read_units: 0.0 };
        let mut page = ScanReader { direct, page: empty };
        read(body, &mut page)?;
        Some(page.page)
    }
}

fn read<'b, M: Members<'b>>(body: &'b [u8], members: &mut M) -> Option<()> {
    let mut reader: Reader<StrRead<'b>> = Reader::from_str(std::str::from_utf8(body).ok()?);
    Object(members).deserialize(&mut reader).ok()?;
    reader.end().ok()
}

/// What is made of an object's members, as they come.
trait Members<'de> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
}

/// What is made of an array's elements, as they come.
trait Elements<'de> {
    /// False: there are no more.
    fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error>;
}

struct Object<'m, M>(&'m mut M);
struct List<'m, E>(&'m mut E);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for Object<'_, M> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for Object<'_, M> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            self.0.member(&name, &mut map)?;
        }
        Ok(())
    }
}

impl<'de, E: Elements<'de>> DeserializeSeed<'de> for List<'_, E> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, E: Elements<'de>> Visitor<'de> for List<'_, E> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while self.0.element(&mut list)? {}
        Ok(())
    }
}

fn unfit<E: Error>() -> E {
    E::custom("to be read as an item")
}

struct RecordsReader<'d> {
    direct: &'d Direct,
    records: Vec<RecordRow>,
    next: Option<String>,
}

impl<'de> Members<'de> for RecordsReader<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "Records" => map.next_value_seed(List(self)),
            "NextShardIterator" => {
                self.next = map.next_value()?;
                Ok(())
            }
            _ => map.next_value::<IgnoredAny>().map(drop),
        }
    }
}

impl<'de> Elements<'de> for RecordsReader<'_> {
    fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let mut reader = RecordReader::new(self.direct);
        if list.next_element_seed(Object(&mut reader))?.is_none() {
            return Ok(false);
        }
        let sequence = reader.sequence.ok_or_else(unfit)?;
        let keys = reader.keys.ok_or_else(unfit)?;
        let RecordReader { row, created, expired, .. } = reader;
        self.records.push(RecordRow { sequence, keys, row, created_s: created as u64, expired });
        Ok(true)
    }
}

/// A record, the change in it, and who made it: no two of them have members of one name.
struct RecordReader<'d> {
    direct: &'d Direct,
    sequence: Option<Sequence>,
    keys: Option<Item>,
    row: Option<Vec<Value>>,
    created: f64,
    expired: bool,
}

impl<'d> RecordReader<'d> {
    fn new(direct: &'d Direct) -> RecordReader<'d> {
        RecordReader { direct, sequence: None, keys: None, row: None, created: 0.0, expired: false }
    }
}

impl<'de> Members<'de> for RecordReader<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "dynamodb" => map.next_value_seed(Object(self))?,
            "userIdentity" => {
                if let Some(identity) = map.next_value::<Option<super::answer::Identity>>()? {
                    self.expired = identity.is_expiry();
                }
            }
            "ApproximateCreationDateTime" => self.created = map.next_value()?,
            "Keys" => self.keys = Some(map.next_value::<Attributes>()?.0),
            "SequenceNumber" => {
                let Text(number) = map.next_value()?;
                self.sequence = Some(Sequence::parse(&number).ok_or_else(unfit)?);
            }
            "NewImage" => {
                let mut item = self.direct.begin(false);
                map.next_value_seed(&mut item)?;
                self.row = Some(item.end().ok_or_else(unfit)?.0);
            }
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

struct ScanReader<'d> {
    direct: &'d Direct,
    page: ScanRows,
}

#[derive(serde::Deserialize)]
struct Consumed {
    #[serde(rename = "CapacityUnits", default)]
    units: f64,
}

impl<'de> Members<'de> for ScanReader<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "Items" => map.next_value_seed(List(self))?,
            "LastEvaluatedKey" => {
                let last = map.next_value::<Option<Attributes>>()?;
                self.page.next = last.map(|key| typed(&key.0).into());
            }
            "ConsumedCapacity" => {
                let consumed = map.next_value::<Option<Consumed>>()?;
                self.page.read_units = consumed.map_or(0.0, |consumed| consumed.units);
            }
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl<'de> Elements<'de> for ScanReader<'_> {
    fn element<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let mut item = self.direct.begin(true);
        if list.next_element_seed(&mut item)?.is_none() {
            return Ok(false);
        }
        let (row, keys) = item.end().ok_or_else(unfit)?;
        self.page.rows.push((keys.unwrap_or_default(), row));
        Ok(true)
    }
}
