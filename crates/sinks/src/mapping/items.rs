//! One item to another: attributes renamed, dropped, added, under another key, each as it is.

use super::convert::{convert, fault};
use super::{Column, Fault, From, Kind, Made, Mapping, Others};
use model::{Item, Number, Value as Attribute};
use sql::Value;

/// Of a partition key and a sort key.
pub const KEY_BYTES_MAX: [usize; 2] = [2048, 1024];
const ITEM_BYTES_MAX: usize = 400 << 10;

impl Mapping {
    /// The target's item that a source's item becomes.
    pub fn item(&self, item: &Item) -> Result<Made<Item>, Fault> {
        if !self.admits(item)? {
            return Ok(Made::Nothing);
        }
        let mut made = Item::with_capacity(item.len());
        if self.others == Others::Columns {
            self.others(item).for_each(|(name, value)| drop(made.insert(name, value)));
        }
        for column in &self.columns {
            if let From::Rest(_) = column.from {
                let others: Item = self.others(item).collect();
                if !others.is_empty() {
                    made.insert(column.name.clone(), Attribute::M(others));
                }
                continue;
            }
            let value = value_of(column, item);
            match value.map_err(|reason| fault(format!("attribute {}: {reason}", column.name)))? {
                Some(value) => drop(made.insert(column.name.clone(), value)),
                // Under this name stands what the column says, not what the source has there.
                None => drop(made.remove(&column.name)),
            }
        }
        for (number, at) in self.key_at.iter().enumerate() {
            let Column { name, kind, .. } = &self.columns[*at];
            match made.get(name) {
                None | Some(Attribute::Null) => return self.without_key(*at),
                Some(value) => {
                    let told = |reason: String| fault(format!("the key {name} {reason}"));
                    key_fits(value, *kind, KEY_BYTES_MAX[number.min(1)]).map_err(told)?;
                }
            }
        }
        if made.size_bytes() > ITEM_BYTES_MAX {
            return Err(fault(format!("{} bytes are more than an item has", made.size_bytes())));
        }
        Ok(Made::Row(made))
    }

    /// The key of an item of the target.
    pub fn key_of_item(&self, item: &Item) -> Item {
        let part = |name: &String| item.get(name).map(|value| (name.clone(), value.clone()));
        self.key.iter().filter_map(part).collect()
    }

    /// The key of the item that a source's item became: the rest of it need not be known or fit.
    pub fn item_key(&self, item: &Item) -> Option<Item> {
        let of = |(number, at): (usize, &usize)| {
            let column = &self.columns[*at];
            let value = value_of(column, item).ok()??;
            key_fits(&value, column.kind, KEY_BYTES_MAX[number.min(1)]).ok()?;
            Some((column.name.clone(), value))
        };
        self.key_at.iter().enumerate().map(of).collect()
    }
}

fn key_fits(value: &Attribute, kind: Kind, most: usize) -> Result<(), String> {
    let bytes = match (value, kind) {
        (Attribute::S(text), Kind::Text) => text.len(),
        (Attribute::B(bytes), Kind::Bytes) => bytes.len(),
        (Attribute::N(_), Kind::Numeric) => 1,
        (other, kind) => return Err(format!("is {kind}, the attribute of type {}", other.kind())),
    };
    match (1..=most).contains(&bytes) {
        true => Ok(()),
        false => Err(format!("has {bytes} bytes: a key of its kind has 1 to {most}")),
    }
}

fn value_of(column: &Column, item: &Item) -> Result<Option<Attribute>, String> {
    let path = match &column.from {
        From::Constant(value) => return Ok(attribute_of(value)),
        From::DeletedAt | From::Rest(_) => return Ok(None),
        From::Attribute(path) => path,
    };
    Ok(match (path.find(item), column.kind) {
        (None, _) => column.default.as_ref().and_then(attribute_of),
        (Some(value), Kind::Same) => Some(value.clone()),
        (Some(Attribute::Null), _) => Some(Attribute::Null),
        (Some(value), kind) => attribute_of(&convert(value, kind)?),
    })
}

/// A column's value as an attribute; none: it is of no type that goes there and back.
pub fn attribute_of(value: &Value) -> Option<Attribute> {
    Some(match value {
        Value::Text(text) => Attribute::S(text.clone()),
        Value::Numeric(text) => Attribute::N(Number::parse(text).ok()?),
        Value::Integer(number) => Attribute::N(Number::from(*number)),
        Value::Bytes(bytes) => Attribute::B(bytes.clone()),
        Value::Boolean(yes) => Attribute::Bool(*yes),
        _ => return None,
    })
}
