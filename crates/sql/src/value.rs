//! What a column holds, and what a statement is given.

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
    /// The text of a value that is a kind of text: text, JSON, a number kept exact.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Json(text) | Value::Numeric(text) => Some(text),
            _ => None,
        }
    }

    /// A whole number, whatever the database calls its column.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Integer(number) => Some(*number),
            Value::Boolean(yes) => Some(i64::from(*yes)),
            Value::Numeric(text) | Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        *self == Value::Null
    }

    /// Bytes in memory, about.
    pub fn size(&self) -> usize {
        match self {
            Value::Numeric(text) | Value::Text(text) | Value::Json(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(values) => values.iter().map(Value::size).sum(),
            _ => 8,
        }
    }

    /// The value as JSON text, for databases without arrays. Bytes are hexadecimal, as in PostgreSQL's spelling.
    pub(crate) fn json(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Boolean(yes) => yes.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) if number.is_finite() => number.to_string(),
            Value::Real(number) => quoted(&number.to_string()),
            Value::Numeric(text) | Value::Json(text) => text.clone(),
            Value::Text(text) => quoted(text),
            Value::Bytes(bytes) => quoted(&hex(bytes)),
            Value::List(values) => {
                let parts: Vec<String> = values.iter().map(Value::json).collect();
                format!("[{}]", parts.join(","))
            }
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\\x{digits}")
}

fn quoted(text: &str) -> String {
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
