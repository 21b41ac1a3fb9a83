//! A mapping nobody wrote: columns for the key and for the plain attributes of a sample, a document for the rest.

use super::convert::{convert, fits};
use super::{Column, From, KeySchema, Kind, Path};
use model::key::KeyType;
use model::{Item, Type, Value};
use sql::Dialect;
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

/// Columns for the key, then for scalar attributes that have one type in all the sample, values that the database holds,
/// and names that it takes and tells apart. `taken`: names of columns that are no attributes.
pub fn columns(
    schema: &KeySchema,
    drop: &[String],
    sample: &[Item],
    dialect: Dialect,
    taken: &[&str],
) -> Vec<Column> {
    let mut all: Vec<Column> =
        schema.attributes.iter().map(|(name, kind)| column(name, of_key(*kind))).collect();
    let mut types: BTreeMap<&str, Option<Type>> = BTreeMap::new();
    for (name, value) in sample.iter().flat_map(Item::iter).filter(|(_, value)| **value != Value::Null) {
        let has_room =
            convert(value, of_type(value.kind())).is_ok_and(|made| fits(made.cell(), dialect).is_ok());
        let kind = Some(value.kind()).filter(|_| has_room);
        types
            .entry(name)
            .and_modify(|known| *known = known.filter(|known| Some(*known) == kind))
            .or_insert(kind);
    }
    for (name, kind) in types {
        let others = all.iter().map(|column| column.name.as_str()).chain(taken.iter().copied());
        let is_free = dialect.refuses_column(name).is_none()
            && !others.into_iter().any(|other| dialect.is_same_column(other, name))
            && !drop.iter().any(|dropped| dropped == name);
        if let Some(kind @ (Type::S | Type::N | Type::B | Type::Bool)) = kind
            && is_free
            && all.len() < COLUMNS_MAX
        {
            all.push(column(name, of_type(kind)));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Number;

    #[test]
    fn what_a_database_does_not_hold_stays_in_the_document() {
        let schema = KeySchema { attributes: vec![("id".to_owned(), KeyType::S)] };
        let sample: Item = [
            ("id".to_owned(), Value::S("a".to_owned())),
            ("ctid".to_owned(), Value::S("x".to_owned())),
            ("nul".to_owned(), Value::S("\0".to_owned())),
            ("wide".to_owned(), Value::N(Number::parse("1E100").expect("a number"))),
        ]
        .into_iter()
        .collect();
        let names = |dialect| {
            let columns = columns(&schema, &[], std::slice::from_ref(&sample), dialect, &["taken"]);
            columns.into_iter().map(|column| column.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Dialect::Sqlite), ["id", "ctid", "nul", "wide"]);
        assert_eq!(names(Dialect::Postgres), ["id", "wide"]);
        assert_eq!(names(Dialect::Mysql), ["id", "ctid", "nul"]);
    }
}
