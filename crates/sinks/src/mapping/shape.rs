//! What a mapping makes, for those who do not care whether it is a row or an item.

use super::convert::fits;
use super::{Fault, Made, Mapping, hex, typed};
use model::Item;
use sql::{Dialect, Value};
use std::fmt::Debug;

pub trait Shape {
    type Row: Clone + Debug;
    type Key: Clone + Debug + PartialEq;

    fn mapping(&self) -> &Mapping;
    fn make(&self, item: &Item) -> Result<Made<Self::Row>, Fault>;
    fn key(&self, row: &Self::Row) -> Self::Key;
    /// The key of the row that this item has, or had.
    fn key_before(&self, item: &Item) -> Option<Self::Key>;
    /// A key as people read it.
    fn shown(&self, key: &Self::Key) -> String;
}

/// Rows of a database.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub mapping: &'a Mapping,
    pub dialect: Dialect,
}

/// Items of a table.
#[derive(Clone, Copy)]
pub struct Items<'a>(pub &'a Mapping);

impl Shape for Rows<'_> {
    type Row = Vec<Value>;
    type Key = Vec<Value>;

    fn mapping(&self) -> &Mapping {
        self.mapping
    }

    fn make(&self, item: &Item) -> Result<Made, Fault> {
        self.mapping.row(item, self.dialect)
    }

    fn key(&self, row: &Vec<Value>) -> Vec<Value> {
        self.mapping.key_of(row)
    }

    fn key_before(&self, item: &Item) -> Option<Vec<Value>> {
        // What the database cannot even be asked for has no row there.
        let fits = |(value, at): (&Value, &usize)| {
            fits(value.cell(), self.dialect).is_ok() && self.mapping.is_within(*at, value.cell()).is_ok()
        };
        self.mapping.key_values(item).filter(|key| key.iter().zip(&self.mapping.key_at).all(fits))
    }

    fn shown(&self, key: &Vec<Value>) -> String {
        let part = |(name, value): (&String, &Value)| format!("{name} = {}", shown(value));
        self.mapping.key.iter().zip(key).map(part).collect::<Vec<_>>().join(", ")
    }
}

impl Shape for Items<'_> {
    type Row = Item;
    type Key = Item;

    fn mapping(&self) -> &Mapping {
        self.0
    }

    fn make(&self, item: &Item) -> Result<Made<Item>, Fault> {
        self.0.item(item)
    }

    fn key(&self, row: &Item) -> Item {
        self.0.key_of_item(row)
    }

    fn key_before(&self, item: &Item) -> Option<Item> {
        self.0.item_key(item)
    }

    fn shown(&self, key: &Item) -> String {
        typed(key)
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Numeric(text) => text.clone(),
        Value::Bytes(bytes) => format!("0x{}", hex(bytes)),
        other => format!("{:?}", other.as_text().unwrap_or_default()),
    }
}
