//! One item to one row.

use super::document::{plain, plain_value, typed, typed_value};
use super::{From, Kind, Mapping, Others, attribute_of};
use crate::config::{Form, MissingKey};
use model::{Item, Value as Attribute};
use sql::{Cell, Cells, Dialect, Value};

/// What an item becomes.
#[derive(Clone, Debug, PartialEq)]
pub enum Made<R = Vec<Value>> {
    Row(R),
    /// It does not meet the filter, or lacks what the target's key is made of.
    Nothing,
}

/// Why an item becomes no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub reason: String,
    /// The rule for it is to stop.
    pub stop: bool,
}

pub(super) fn fault(reason: impl Into<String>) -> Fault {
    Fault { reason: reason.into(), stop: false }
}

impl Mapping {
    /// Whether the filter lets this item through.
    pub(super) fn admits(&self, item: &Item) -> Result<bool, Fault> {
        let Some(filter) = &self.filter else { return Ok(true) };
        filter.evaluate(Some(item.view())).map_err(|error| fault(error.to_string()))
    }

    /// What the rule makes of an item without a value for a column of the target's key.
    pub(super) fn without_key<R>(&self, at: usize) -> Result<Made<R>, Fault> {
        let reason = format!("the target's key {} has no value in this item", self.columns[at].name);
        match self.missing_key {
            MissingKey::Skip => Ok(Made::Nothing),
            MissingKey::Quarantine => Err(fault(reason)),
            MissingKey::Stop => Err(Fault { reason, stop: true }),
        }
    }

    pub fn row(&self, item: &Item, dialect: Dialect) -> Result<Made, Fault> {
        if !self.admits(item)? {
            return Ok(Made::Nothing);
        }
        self.has_columns(item, dialect)?;
        let mut row = Vec::with_capacity(self.columns.len());
        // Columns and attributes are both sorted by name, mostly.
        let mut walk = item.iter().peekable();
        for (at, column) in self.columns.iter().enumerate() {
            let value = match &column.from {
                From::Constant(value) => value.clone(),
                From::DeletedAt => Value::Null,
                From::Rest(form) => self.rest(item, *form),
                From::Attribute(path) => match path.find_on(&mut walk, item) {
                    None => column.default.clone().unwrap_or(Value::Null),
                    Some(Attribute::Null) if column.kind != Kind::TypedJson => Value::Null,
                    Some(value) => convert(value, column.kind)
                        .map_err(|reason| fault(format!("column {}: {reason}", column.name)))?,
                },
            };
            fits(value.cell(), dialect)
                .and_then(|()| self.is_within(at, value.cell()))
                .map_err(|reason| fault(format!("column {}: {reason}", column.name)))?;
            row.push(value);
        }
        for at in &self.key_at {
            if row[*at] == Value::Null {
                return self.without_key(*at);
            }
        }
        Ok(Made::Row(row))
    }

    /// The key's values of the row that this item has, or had: the rest of the item need not be known or fit.
    pub fn key_values(&self, item: &Item) -> Option<Vec<Value>> {
        let of = |at: &usize| {
            let column = &self.columns[*at];
            match &column.from {
                From::Constant(value) => Some(value.clone()),
                From::Attribute(path) => match path.find(item) {
                    None => column.default.clone(),
                    Some(value) => convert(value, column.kind).ok(),
                },
                From::Rest(_) | From::DeletedAt => None,
            }
        };
        self.key_at.iter().map(of).collect()
    }

    /// Attributes that would need columns of their own.
    pub fn unmapped<'i>(&'i self, item: &'i Item) -> impl Iterator<Item = (&'i str, &'i Attribute)> {
        let wanted = self.others == Others::Columns;
        item.iter().filter(move |(name, _)| wanted && !self.is_taken(name))
    }

    /// The attributes without a column.
    pub(super) fn others<'i>(&'i self, item: &'i Item) -> impl Iterator<Item = (String, Attribute)> + 'i {
        let free = item.iter().filter(|(name, _)| !self.is_taken(name));
        free.map(|(name, value)| (name.to_owned(), value.clone()))
    }

    /// About the item that a row was made of: what has a column.
    pub fn item_again(&self, row: &impl Cells) -> Item {
        let mut item = Item::new();
        for (at, column) in self.columns.iter().enumerate() {
            if let (From::Attribute(path), Some(value)) =
                (&column.from, attribute_of(&row.cell(at).to_value()))
                && !path.is_nested()
            {
                item.insert(path.root(), value);
            }
        }
        item
    }

    fn rest(&self, item: &Item, form: Form) -> Value {
        let others: Item = self.others(item).collect();
        if others.is_empty() {
            return Value::Null;
        }
        Value::Json(match form {
            Form::Typed => typed(&others),
            Form::Plain => plain(&others).to_string(),
        })
    }

    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.taken.binary_search_by(|taken| taken.as_str().cmp(name)).is_ok()
    }
}

pub(super) fn convert(value: &Attribute, kind: Kind) -> Result<Value, String> {
    Ok(match (kind, value) {
        (Kind::Text, Attribute::S(text)) => Value::Text(text.clone()),
        (Kind::Varchar(letters), Attribute::S(text)) => {
            let count = text.chars().count();
            if count > letters as usize {
                return Err(format!("{count} characters are more than {kind} holds"));
            }
            Value::Text(text.clone())
        }
        (Kind::Numeric, Attribute::N(number)) => Value::Numeric(number.to_string()),
        (Kind::Bigint, Attribute::N(number)) => {
            let text = number.to_string();
            Value::Integer(text.parse().map_err(|_| format!("{text} is no whole number of 64 bits"))?)
        }
        (Kind::Double, Attribute::N(number)) => {
            let text = number.to_string();
            Value::Real(text.parse().map_err(|_| format!("{text} is no double"))?)
        }
        (Kind::Boolean, Attribute::Bool(yes)) => Value::Boolean(*yes),
        (Kind::Bytes, Attribute::B(bytes)) => Value::Bytes(bytes.clone()),
        (Kind::Json, value) => Value::Json(plain_value(value).to_string()),
        (Kind::TypedJson, value) => Value::Json(typed_value(value)),
        // A number can be kept as the text that it is.
        (Kind::Text, Attribute::N(number)) => Value::Text(number.to_string()),
        (kind, value) => return Err(format!("the attribute is of type {}, the column {kind}", value.kind())),
    })
}

/// What the database would refuse anyway, told before it sees it.
pub(super) fn fits(cell: Cell<'_>, dialect: Dialect) -> Result<(), String> {
    match (cell, dialect) {
        (Cell::Text(text), Dialect::Postgres) if text.contains('\0') => {
            Err("PostgreSQL's texts hold no NUL".to_owned())
        }
        (Cell::Json(text), Dialect::Postgres) if text.contains("\\u0000") => {
            Err("PostgreSQL's documents hold no NUL".to_owned())
        }
        (Cell::Numeric(text), Dialect::Mysql) if !fits_decimal(text) => Err(format!(
            "{text} has more digits than decimal(65,30) holds: use type = \"text\" or the rest column"
        )),
        _ => Ok(()),
    }
}

fn fits_decimal(text: &str) -> bool {
    let (whole, part) =
        text.trim_start_matches('-').split_once('.').unwrap_or((text.trim_start_matches('-'), ""));
    whole.len() <= 35 && part.len() <= 30
}
