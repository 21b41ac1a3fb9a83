//! Which rows a query or scan reads, in the order of their keys.

use super::{KeyCondition, Segment};
use crate::key::MISMATCH;
use crate::{Error, Index, KeyPart, KeySchema, Table, key, layout};
use model::expression::RangeCondition;
use model::key as encoding;
use model::{Item, Value};
use store::Order;

/// `from <= key < to`
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub from: Vec<u8>,
    pub to: Vec<u8>,
}

/// A table or one of its indexes, as something to be read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub table: &'a Table,
    pub index: Option<&'a Index>,
}

impl<'a> Source<'a> {
    pub fn id(self) -> u64 {
        self.index.map_or(self.table.id, |index| index.id)
    }

    pub fn schema(self) -> &'a KeySchema {
        self.index.map_or(&self.table.key, |index| &index.key)
    }

    /// Whether a partition is of one item: a query has nothing to go on with. [suite: alternator]
    pub fn is_of_one_item(self) -> bool {
        self.index.is_none() && self.table.key.range.is_empty()
    }

    /// The names of what tells one row from another: of an index, its own keys and the table's.
    pub fn key_names(self) -> Vec<&'a str> {
        let own = self.schema().parts();
        let table = self.index.iter().flat_map(|_| self.table.key.parts());
        let mut names: Vec<&str> = own.chain(table).map(|part| &*part.name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Bounds {
    /// The rows that a key condition selects.
    pub fn of_query(source: Source<'_>, condition: &KeyCondition) -> Result<Bounds, Error> {
        let KeySchema { hash, range } = source.schema();
        let KeyCondition { hash: hash_values, range_equal, range: range_condition } = condition;
        if hash_values.len() != hash.len() || range_equal.len() > range.len() {
            return Err(Error::validation("Query condition missed key schema element"));
        }
        let mut bytes = Vec::with_capacity(64);
        for (part, value) in hash.iter().zip(hash_values) {
            append(part, value, &mut bytes)?;
        }
        let mut prefix = Vec::with_capacity(layout::HEAD_LEN + bytes.len() + 64);
        layout::head(source.id(), &bytes, hash_values.iter().map(Value::view), &mut prefix);
        for (part, value) in range.iter().zip(range_equal) {
            append(part, value, &mut prefix)?;
        }
        let Some(range_condition) = range_condition else {
            return Ok(Bounds { to: layout::behind(prefix.clone()), from: prefix });
        };
        let part = range
            .get(range_equal.len())
            .ok_or_else(|| Error::validation("Query condition missed key schema element"))?;
        let at = |value: &Value| -> Result<Vec<u8>, Error> {
            let mut bytes = prefix.clone();
            append(part, value, &mut bytes)?;
            Ok(bytes)
        };
        let behind = |value: &Value| at(value).map(layout::behind);
        let end = layout::behind(prefix.clone());
        Ok(match range_condition {
            RangeCondition::Equal(value) => Bounds { from: at(value)?, to: behind(value)? },
            RangeCondition::Less(value) => Bounds { to: at(value)?, from: prefix },
            RangeCondition::LessOrEqual(value) => Bounds { to: behind(value)?, from: prefix },
            RangeCondition::Greater(value) => Bounds { from: behind(value)?, to: end },
            RangeCondition::GreaterOrEqual(value) => Bounds { from: at(value)?, to: end },
            RangeCondition::Between(low, high) => Bounds { from: at(low)?, to: behind(high)? },
            RangeCondition::BeginsWith(start) => {
                if !layout::is_kind(part.kind, start) {
                    return Err(wrong_type());
                }
                let mut from = prefix;
                encoding::encode_prefix(start, &mut from).map_err(|_| wrong_type())?;
                Bounds { to: layout::behind(from.clone()), from }
            }
        })
    }

    /// The rows of a table or index, or of a segment of it.
    pub fn of_scan(source: Source<'_>, segment: Option<Segment>) -> Bounds {
        let (from, to) = match segment {
            None => layout::whole(source.id()),
            Some(Segment { number, total }) => {
                let cut = |at: u64| (at << 32) / u64::from(total.max(1));
                layout::partitions(source.id(), cut(number.into()), cut(u64::from(number) + 1))
            }
        };
        Bounds { from, to }
    }

    /// Leaves what comes after `start` in reading order. False: `start` lies outside.
    pub fn go_on(&mut self, start: Vec<u8>, order: Order) -> bool {
        if start < self.from || start >= self.to {
            return false;
        }
        match order {
            Order::Forward => {
                self.from = start;
                self.from.push(0);
            }
            Order::Backward => self.to = start,
        }
        true
    }
}

const INVALID: &str = "The provided starting key is invalid";

/// Refuses a start key that is none of this table's or index's, before anything else is said of a query.
pub(super) fn check_start(source: Source<'_>, start: &Item) -> Result<(), Error> {
    if start.len() != source.key_names().len() {
        return Err(Error::validation(INVALID));
    }
    for part in source.schema().parts() {
        match start.get(&part.name) {
            None => return Err(Error::validation(INVALID)),
            Some(value) if !layout::is_kind(part.kind, value) => return Err(Error::validation(MISMATCH)),
            Some(value) => key::check_empty(part, value.view())?,
        }
    }
    Ok(())
}

/// Where the row lies that an exclusive start key names.
pub(super) fn start(source: Source<'_>, start: &Item) -> Result<Vec<u8>, Error> {
    let mismatch = || Error::validation(format!("{INVALID}: {MISMATCH}"));
    match source.index {
        Some(_) => check_start(source, start)?,
        None if start.len() != source.key_names().len() => return Err(mismatch()),
        None => {}
    }
    let key: Item = source
        .table
        .key_names()
        .filter_map(|name| Some((name.to_owned(), start.get(name)?.clone())))
        .collect();
    let place = source.table.key(key.view()).map_err(|_| mismatch())?.place;
    match source.index {
        None => Ok(place.stored),
        Some(index) => {
            let own = &place.stored[layout::HEAD_LEN..];
            index.place(start.view(), own)?.ok_or_else(|| Error::validation(INVALID))
        }
    }
}

fn append(part: &KeyPart, value: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
    layout::part(part.kind, value.view(), out).map_err(|_| wrong_type())?;
    key::check_empty(part, value.view())
}

fn wrong_type() -> Error {
    Error::parameter("Condition parameter type does not match schema type")
}
