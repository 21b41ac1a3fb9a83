//! A value by reference, and rows of them, wherever they lie.

use crate::Value;
use crate::value::{hex, quoted};
use std::borrow::Cow;

/// One value, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Numeric(&'a str),
    Text(&'a str),
    Bytes(&'a [u8]),
    Json(&'a str),
    List(&'a [Value]),
}

/// A row: one cell for each column.
pub trait Cells {
    fn width(&self) -> usize;
    fn cell(&self, at: usize) -> Cell<'_>;
}

impl<'a> Cell<'a> {
    /// The text of a value that is a kind of text: text, JSON, a number kept exact.
    pub fn as_text(self) -> Option<&'a str> {
        match self {
            Cell::Text(text) | Cell::Json(text) | Cell::Numeric(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number, whatever the database calls its column.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Cell::Integer(number) => Some(number),
            Cell::Boolean(yes) => Some(i64::from(yes)),
            Cell::Numeric(text) | Cell::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub fn is_null(self) -> bool {
        self == Cell::Null
    }

    /// Bytes in memory, about.
    pub fn size(self) -> usize {
        match self {
            Cell::Numeric(text) | Cell::Text(text) | Cell::Json(text) => text.len(),
            Cell::Bytes(bytes) => bytes.len(),
            Cell::List(values) => values.iter().map(Value::size).sum(),
            _ => 8,
        }
    }

    pub fn to_value(self) -> Value {
        match self {
            Cell::Null => Value::Null,
            Cell::Boolean(yes) => Value::Boolean(yes),
            Cell::Integer(number) => Value::Integer(number),
            Cell::Real(number) => Value::Real(number),
            Cell::Numeric(text) => Value::Numeric(text.to_owned()),
            Cell::Text(text) => Value::Text(text.to_owned()),
            Cell::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Cell::Json(text) => Value::Json(text.to_owned()),
            Cell::List(values) => Value::List(values.to_vec()),
        }
    }

    /// The value as JSON text, for databases without arrays. Bytes are hexadecimal, as in PostgreSQL's spelling.
    pub(crate) fn json(self) -> String {
        match self {
            Cell::Null => "null".to_owned(),
            Cell::Boolean(yes) => yes.to_string(),
            Cell::Integer(number) => number.to_string(),
            Cell::Real(number) if number.is_finite() => number.to_string(),
            Cell::Real(number) => quoted(&number.to_string()),
            Cell::Numeric(text) | Cell::Json(text) => text.to_owned(),
            Cell::Text(text) => quoted(text),
            Cell::Bytes(bytes) => quoted(&hex(bytes)),
            Cell::List(values) => {
                let parts: Vec<String> = values.iter().map(|value| value.cell().json()).collect();
                format!("[{}]", parts.join(","))
            }
        }
    }
}

impl Cells for [Value] {
    fn width(&self) -> usize {
        self.len()
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        self[at].cell()
    }
}

impl Cells for Vec<Value> {
    fn width(&self) -> usize {
        self.len()
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        self[at].cell()
    }
}

impl Cells for Cow<'_, [Value]> {
    fn width(&self) -> usize {
        self.len()
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        self[at].cell()
    }
}

impl<R: Cells + ?Sized> Cells for &R {
    fn width(&self) -> usize {
        (**self).width()
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        (**self).cell(at)
    }
}
