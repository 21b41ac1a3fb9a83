//! What a column holds, and what a statement is given.

use crate::Cell;

/// One value. A database gives back the nearest of these: what was written as `Boolean` into an integer column is an
/// `Integer`, and dates, times, UUIDs and the like are `Text` in the database's own spelling.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    /// A decimal number of any length, as text: exact.
    Numeric(String),
    Text(String),
    Bytes(Vec<u8>),
    /// JSON text.
    Json(String),
    /// An array, where the database has them; JSON text where it has not.
    List(Vec<Value>),
}

impl Value {
    /// The same by reference.
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Value::Null => Cell::Null,
            Value::Boolean(yes) => Cell::Boolean(*yes),
            Value::Integer(number) => Cell::Integer(*number),
            Value::Real(number) => Cell::Real(*number),
            Value::Numeric(text) => Cell::Numeric(text),
            Value::Text(text) => Cell::Text(text),
            Value::Bytes(bytes) => Cell::Bytes(bytes),
            Value::Json(text) => Cell::Json(text),
            Value::List(values) => Cell::List(values),
        }
    }

    /// The text of a value that is a kind of text: text, JSON, a number kept exact.
    pub fn as_text(&self) -> Option<&str> {
        self.cell().as_text()
    }

    /// A whole number, whatever the database calls its column.
    pub fn as_integer(&self) -> Option<i64> {
        self.cell().as_integer()
    }

    pub fn is_null(&self) -> bool {
        *self == Value::Null
    }

    /// Bytes in memory, about.
    pub fn size(&self) -> usize {
        self.cell().size()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\\x{digits}")
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            letter if letter < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Integer(number)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Value {
        Value::Boolean(yes)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Value {
        Value::Bytes(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Null, Into::into)
    }
}
