//! A mapping nobody wrote: columns for the key and for the plain attributes of a sample, a document for the rest.

use super::{Column, From, KeySchema, Kind, Path};
use model::key::KeyType;
use model::{Item, Type, Value};
use std::collections::BTreeMap;

/// Most columns that are derived: what comes after them goes to the document.
const COLUMNS_MAX: usize = 100;

pub fn of_key(kind: KeyType) -> Kind {
    match kind {
        KeyType::S => Kind::Text,
        KeyType::N => Kind::Numeric,
        KeyType::B => Kind::Bytes,
    }
}

/// The kind of column that holds every value of a type without loss.
pub fn of_type(kind: Type) -> Kind {
    match kind {
        Type::S => Kind::Text,
        Type::N => Kind::Numeric,
        Type::B => Kind::Bytes,
        Type::Bool => Kind::Boolean,
        _ => Kind::TypedJson,
    }
}

pub fn column(name: &str, kind: Kind) -> Column {
    Column { name: name.to_owned(), kind, from: From::Attribute(Path::name(name)), default: None }
}

/// Columns for the key, then for scalar attributes that have one type in all the sample.
pub fn columns(schema: &KeySchema, drop: &[String], sample: &[Item]) -> Vec<Column> {
    let mut all: Vec<Column> =
        schema.attributes.iter().map(|(name, kind)| column(name, of_key(*kind))).collect();
    let mut types: BTreeMap<&str, Option<Type>> = BTreeMap::new();
    for (name, value) in sample.iter().flat_map(Item::iter).filter(|(_, value)| **value != Value::Null) {
        let kind = value.kind();
        types
            .entry(name)
            .and_modify(|known| *known = known.filter(|known| *known == kind))
            .or_insert(Some(kind));
    }
    for (name, kind) in types {
        let taken = schema.names().any(|key| key == name) || drop.iter().any(|dropped| dropped == name);
        if let Some(kind @ (Type::S | Type::N | Type::B | Type::Bool)) = kind
            && !taken
            && all.len() < COLUMNS_MAX
        {
            all.push(column(name, of_type(kind)));
        }
    }
    all
}
