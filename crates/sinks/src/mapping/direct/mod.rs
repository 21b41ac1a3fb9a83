//! From an item's JSON to its row, without an item between: for mappings that ask no more of an item than its attributes.
//! What does not fit is not explained here: whoever reads it as an item says why.

#[cfg(test)]
mod tests;

use super::convert::{convert, fits};
use super::document::{plain, typed};
use super::{From, KeySchema, Keying, Kind, Makes, Mapping, Others, Path};
use crate::config::Form;
use api::dynamodb::{Attribute, Text};
use model::{Item, Number, Value as Found};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use sql::{Dialect, Value};
use std::fmt;

/// A number of so few digits is spelt in one way only.
const DIGITS_SHORT: usize = 18;

#[derive(Debug)]
pub struct Direct {
    mapping: Mapping,
    dialect: Dialect,
    /// By name: the attributes that anything is made of.
    wanted: Vec<Wanted>,
    /// A row of an item without attributes.
    blank: Vec<Value>,
    rest: Option<(usize, Form)>,
}

#[derive(Debug)]
struct Wanted {
    name: String,
    is_key: bool,
    /// The only column of it, if it holds the attribute as a scalar.
    scalar: Option<(usize, Kind)>,
    columns: Vec<(usize, Path)>,
}

/// What was read of an item.
#[derive(Debug)]
pub struct Direction<'d> {
    direct: &'d Direct,
    pub row: Vec<Value>,
    /// The item's key, where it is wanted.
    pub keys: Option<Item>,
    others: Item,
    /// Some value does not fit its column.
    fits: bool,
}

impl Direct {
    /// None: this mapping wants to see items.
    pub fn of(mapping: &Mapping, schema: &KeySchema, dialect: Dialect) -> Option<Direct> {
        let is_simple = mapping.makes == Makes::Rows
            && mapping.keying == Keying::Fixed
            && mapping.filter.is_none()
            && mapping.others != Others::Columns;
        if !is_simple {
            return None;
        }
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut of = |name: &str| -> usize {
            wanted.iter().position(|one| one.name == name).unwrap_or_else(|| {
                let is_key = schema.names().any(|key| key == name);
                wanted.push(Wanted { name: name.to_owned(), is_key, scalar: None, columns: Vec::new() });
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
        if blank.iter().any(|value| fits(value, dialect).is_err()) {
            return None;
        }
        columns.into_iter().for_each(|(name, at, path)| wanted[name].columns.push((at, path)));
        for one in &mut wanted {
            if let [(at, path)] = &one.columns[..]
                && !path.is_nested()
            {
                let kind = mapping.columns[*at].kind;
                one.scalar = is_scalar(kind).then_some((*at, kind));
            }
        }
        wanted.sort_by(|one, two| one.name.cmp(&two.name));
        Some(Direct { mapping: mapping.clone(), dialect, wanted, blank, rest })
    }

    /// To be told of an item's attributes. `keys`: its key is wanted too.
    pub fn begin(&self, keys: bool) -> Direction<'_> {
        let (row, keys) = (self.blank.clone(), keys.then(Item::new));
        Direction { direct: self, row, keys, others: Item::new(), fits: true }
    }
}

fn is_scalar(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Text | Kind::Varchar(_) | Kind::Numeric | Kind::Bigint | Kind::Double | Kind::Boolean
    )
}

impl Direction<'_> {
    /// The row, if the item makes one; none: it wants to be read as an item.
    pub fn end(mut self) -> Option<(Vec<Value>, Option<Item>)> {
        if let Some((at, form)) = self.direct.rest
            && !self.others.is_empty()
        {
            let text = match form {
                Form::Typed => typed(&self.others),
                Form::Plain => plain(&self.others).to_string(),
            };
            self.put(at, Value::Json(text));
        }
        let has_key = self.direct.mapping.key_at.iter().all(|at| self.row[*at] != Value::Null);
        (self.fits && has_key).then_some((self.row, self.keys))
    }

    fn put(&mut self, at: usize, value: Value) {
        self.fits &= fits(&value, self.direct.dialect).is_ok();
        self.row[at] = value;
    }

    fn attribute(&mut self, wanted: Option<&Wanted>, name: &str, value: Found) {
        let direct = self.direct;
        if let Some(wanted) = wanted {
            for (at, path) in &wanted.columns {
                let kind = direct.mapping.columns[*at].kind;
                let made = match path.find_below(&value) {
                    None => continue,
                    Some(Found::Null) if kind != Kind::TypedJson => Ok(Value::Null),
                    Some(found) => convert(found, kind),
                };
                match made {
                    Ok(made) => self.put(*at, made),
                    Err(_) => self.fits = false,
                }
            }
            if let Some(keys) = &mut self.keys
                && wanted.is_key
            {
                keys.insert(name, value.clone());
            }
        }
        if direct.rest.is_some() && !direct.mapping.is_taken(name) {
            self.others.insert(name, value);
        }
    }
}

/// Reads an item's attributes.
impl<'de> DeserializeSeed<'de> for &mut Direction<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Direction<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an item")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let direct = self.direct;
        let mut next = 0;
        while let Some(Text(name)) = map.next_key()? {
            // Both are sorted by name, mostly.
            if direct.wanted.get(next).is_none_or(|wanted| wanted.name != *name) {
                let found = direct.wanted.binary_search_by(|wanted| wanted.name.as_str().cmp(&name));
                next = found.unwrap_or(usize::MAX);
            }
            let wanted = direct.wanted.get(next);
            match wanted.and_then(|wanted| wanted.scalar.filter(|_| self.keys.is_none() || !wanted.is_key)) {
                Some((at, kind)) => match map.next_value_seed(Scalar(kind))? {
                    Some(value) => self.put(at, value),
                    None => self.fits = false,
                },
                None if wanted.is_some() || direct.rest.is_some() && !direct.mapping.is_taken(&name) => {
                    let Attribute(value) = map.next_value()?;
                    self.attribute(wanted, &name, value);
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
            next = if next == usize::MAX { 0 } else { next + 1 };
        }
        Ok(())
    }
}

/// One attribute value as what its column holds; none: it does not fit.
struct Scalar(Kind);

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = Option<Value>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Scalar {
    type Value = Option<Value>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let Some(Text(descriptor)) = map.next_key()? else { return Err(A::Error::custom("empty")) };
        let value = match (&*descriptor, self.0) {
            ("S", Kind::Text) => Some(Value::Text(map.next_value()?)),
            ("S", Kind::Varchar(letters)) => {
                let text: String = map.next_value()?;
                // No text has more letters than bytes.
                let is_short = text.len() <= letters as usize || text.chars().count() <= letters as usize;
                is_short.then_some(Value::Text(text))
            }
            ("N", kind) => {
                let Text(text) = map.next_value()?;
                number(&text).and_then(|text| match kind {
                    Kind::Numeric => Some(Value::Numeric(text)),
                    Kind::Text => Some(Value::Text(text)),
                    Kind::Bigint => text.parse().ok().map(Value::Integer),
                    Kind::Double => text.parse().ok().map(Value::Real),
                    _ => None,
                })
            }
            ("BOOL", Kind::Boolean) => Some(Value::Boolean(map.next_value()?)),
            ("NULL", _) => map.next_value::<bool>()?.then_some(Value::Null),
            _ => {
                map.next_value::<IgnoredAny>()?;
                None
            }
        };
        match map.next_key::<IgnoredAny>()? {
            None => Ok(value),
            Some(_) => Err(A::Error::custom("two descriptors")),
        }
    }
}

/// A number as it is spelt everywhere.
fn number(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let is_short = (1..=DIGITS_SHORT).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if is_short && (digits[0] != b'0' || text == "0") {
        return Some(text.to_owned());
    }
    Number::parse(text).ok().map(|number| number.to_string())
}
