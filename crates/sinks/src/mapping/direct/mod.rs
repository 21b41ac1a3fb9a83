//! From an item's JSON to its row, without an item between: for mappings that ask no more of an item than its attributes.
//! What does not fit is not explained here: whoever reads it as an item says why.

mod image;
mod key;
mod read;

#[cfg(test)]
mod tests;

pub use key::Key;
pub use read::{Draft, Drafted, Told};

use super::convert::fits;
use super::sheet::Pool;
use super::{Column, From, KeySchema, Keying, Kind, Makes, Mapping, Others, Path};
use crate::config::Form;
use sql::{Dialect, Value};
use std::sync::Arc;

#[derive(Debug)]
pub struct Direct {
    mapping: Mapping,
    dialect: Dialect,
    /// By name: the attributes that anything is made of.
    wanted: Vec<Wanted>,
    /// The attributes of the source's key, by name.
    keys: Vec<String>,
    /// A row of an item without attributes.
    blank: Vec<Value>,
    rest: Option<(usize, Form)>,
    /// Of the plan: how lanes are chosen.
    by_keys: bool,
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Wanted {
    name: String,
    /// Its place in the source's key.
    key: Option<usize>,
    /// The only column of it, if it holds the attribute as a scalar.
    scalar: Option<(usize, Kind)>,
    columns: Vec<(usize, Path)>,
    usual: Option<Usual>,
}

/// How a member of an item is spelt, mostly: up to its value's first letter.
#[derive(Debug)]
struct Usual {
    descriptor: &'static str,
    opening: String,
}

impl Direct {
    /// None: this mapping wants to see items.
    pub fn of(mapping: &Mapping, schema: &KeySchema, dialect: Dialect) -> Option<Direct> {
        let is_simple = mapping.makes == Makes::Rows
            && mapping.keying == Keying::Fixed
            && mapping.filter.is_none()
            && mapping.has_free_key()
            && mapping.others != Others::Columns;
        if !is_simple {
            return None;
        }
        let mut keys: Vec<String> = schema.names().map(str::to_owned).collect();
        keys.sort();
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut of = |name: &str| -> usize {
            wanted.iter().position(|one| one.name == name).unwrap_or_else(|| {
                let key = keys.iter().position(|key| key == name);
                wanted.push(Wanted {
                    name: name.to_owned(),
                    key,
                    scalar: None,
                    columns: Vec::new(),
                    usual: None,
                });
                wanted.len() - 1
            })
        };
        let mut columns: Vec<(usize, usize, Path)> = Vec::new();
        let (mut blank, mut rest) = (Vec::new(), None);
        for (at, column) in mapping.columns.iter().enumerate() {
            blank.push(match &column.from {
                From::Constant(value) => value.clone(),
                From::Attribute(path) => {
                    columns.push((of(path.root()), at, path.clone()));
                    column.default.clone().unwrap_or(Value::Null)
                }
                From::Rest(form) => {
                    rest = Some((at, *form));
                    Value::Null
                }
                From::DeletedAt => Value::Null,
            });
        }
        for name in schema.names() {
            of(name);
        }
        let refused = |(at, value): (usize, &Value)| {
            fits(value.cell(), dialect).is_err() || mapping.is_within(at, value.cell()).is_err()
        };
        if blank.iter().enumerate().any(refused) {
            return None;
        }
        columns.into_iter().for_each(|(name, at, path)| wanted[name].columns.push((at, path)));
        for one in &mut wanted {
            if let [(at, path)] = &one.columns[..]
                && !path.is_nested()
            {
                let Column { name, kind, .. } = &mapping.columns[*at];
                if mapping.bounds.contains_key(name) {
                    continue;
                }
                one.scalar = is_scalar(*kind).then_some((*at, *kind));
                one.usual = Usual::of(&one.name, *kind);
            }
        }
        wanted.sort_by(|one, two| one.name.cmp(&two.name));
        let (mapping, pool) = (mapping.clone(), Arc::default());
        Some(Direct { mapping, dialect, wanted, keys, blank, rest, by_keys: true, pool })
    }

    /// How the plan chooses lanes.
    pub fn dealing(self, by_keys: bool) -> Direct {
        Direct { by_keys, ..self }
    }

    /// Memory for the next answer.
    pub fn answer(&self) -> Vec<u8> {
        self.pool.answer()
    }
}

impl Usual {
    fn of(name: &str, kind: Kind) -> Option<Usual> {
        let descriptor = match kind {
            Kind::Text | Kind::Varchar(_) => "S",
            Kind::Numeric | Kind::Bigint | Kind::Double => "N",
            Kind::Bytes => "B",
            _ => return None,
        };
        let name = serde_json::to_string(name).ok()?;
        Some(Usual { descriptor, opening: format!("{name}:{{\"{descriptor}\":\"") })
    }
}

fn is_scalar(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Text
            | Kind::Varchar(_)
            | Kind::Numeric
            | Kind::Bigint
            | Kind::Double
            | Kind::Boolean
            | Kind::Bytes
    )
}
