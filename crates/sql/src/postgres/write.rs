//! Values on their way to PostgreSQL: single ones as text, whose type the server knows; columns of many rows as arrays.

use super::numeric;
use crate::value::hex;
use crate::{ColumnShape, Error, Kind, Value};
use postgres::types::private::BytesMut;
use postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use std::error::Error as AnyError;

/// One parameter. The server reads the text as whatever type the statement wants there.
#[derive(Debug)]
pub(super) struct Given<'a>(pub &'a Value);

impl ToSql for Given<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn AnyError + Sync + Send>> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Bytes(bytes) if *ty == Type::BYTEA => out.extend_from_slice(bytes),
            value => out.extend_from_slice(text(value).as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, ty: &Type) -> Format {
        match self.0 {
            Value::Bytes(_) if *ty == Type::BYTEA => Format::Binary,
            _ => Format::Text,
        }
    }

    to_sql_checked!();
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(yes) => yes.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) if number.is_infinite() => {
            if *number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
        }
        Value::Real(number) => number.to_string(),
        Value::Numeric(text) | Value::Text(text) | Value::Json(text) => text.clone(),
        Value::Bytes(bytes) => hex(bytes),
        Value::List(values) => {
            let parts: Vec<String> = values.iter().map(element).collect();
            format!("{{{}}}", parts.join(","))
        }
    }
}

/// An element of an array's text.
fn element(value: &Value) -> String {
    match value {
        Value::Null | Value::List(_) => text(value),
        value => format!("\"{}\"", text(value).replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

/// How a column of many rows travels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Class {
    Text,
    Bigint,
    Double,
    Boolean,
    Bytes,
    Numeric,
    /// As text, which the statement casts.
    Other,
}

impl Class {
    pub fn of(column: &ColumnShape) -> Class {
        let name = column.type_name.as_str();
        match name.split('(').next().unwrap_or(name).trim() {
            _ if name.ends_with(']') => Class::Other,
            "text" | "character varying" | "character" => Class::Text,
            "bigint" | "integer" | "smallint" => Class::Bigint,
            "double precision" | "real" => Class::Double,
            "boolean" => Class::Boolean,
            "bytea" => Class::Bytes,
            "numeric" => Class::Numeric,
            _ => Class::Other,
        }
    }

    pub fn array(self) -> &'static str {
        match self {
            Class::Text | Class::Other => "text[]",
            Class::Bigint => "bigint[]",
            Class::Double => "float8[]",
            Class::Boolean => "boolean[]",
            Class::Bytes => "bytea[]",
            Class::Numeric => "numeric[]",
        }
    }

    fn element(self) -> u32 {
        match self {
            Class::Text | Class::Other => 25,
            Class::Bigint => 20,
            Class::Double => 701,
            Class::Boolean => 16,
            Class::Bytes => 17,
            Class::Numeric => 1700,
        }
    }

    /// The value as an element of this class's array.
    fn encode(self, value: &Value, out: &mut Vec<u8>) -> Result<(), Error> {
        match (self, value) {
            (Class::Bytes, Value::Bytes(bytes)) => out.extend(bytes),
            (Class::Boolean, value) => match value {
                Value::Boolean(yes) => out.push(u8::from(*yes)),
                Value::Integer(number @ (0 | 1)) => out.push(*number as u8),
                other => return Err(misfit(other, "boolean")),
            },
            (Class::Bigint, value) => match value.as_integer() {
                Some(number) => out.extend(number.to_be_bytes()),
                None => return Err(misfit(value, "bigint")),
            },
            (Class::Double, value) => {
                let number = match value {
                    Value::Real(number) => Some(*number),
                    Value::Integer(number) => Some(*number as f64),
                    other => other.as_text().and_then(|text| text.parse().ok()),
                };
                out.extend(number.ok_or_else(|| misfit(value, "double precision"))?.to_be_bytes());
            }
            (Class::Numeric, Value::Boolean(_) | Value::Bytes(_) | Value::List(_)) => {
                return Err(misfit(value, "numeric"));
            }
            (Class::Numeric, value) => numeric::encode(&text(value), out)?,
            (Class::Bytes, value) => return Err(misfit(value, "bytea")),
            (Class::Text | Class::Other, Value::Text(text) | Value::Json(text) | Value::Numeric(text)) => {
                out.extend(text.as_bytes());
            }
            (Class::Text | Class::Other, value) => out.extend(text(value).as_bytes()),
        }
        Ok(())
    }
}

fn misfit(value: &Value, column: &str) -> Error {
    let kind = match value {
        Value::Null => "null",
        Value::Boolean(_) => "a boolean",
        Value::Integer(_) | Value::Real(_) | Value::Numeric(_) => "this number",
        Value::Text(_) => "this text",
        Value::Bytes(_) => "bytes",
        Value::Json(_) => "JSON",
        Value::List(_) => "a list",
    };
    Error::with_code(Kind::Data, "22000", format!("{kind} does not fit a column of type {column}"))
}

/// One column of many rows, as PostgreSQL's binary array.
#[derive(Debug)]
pub(super) struct Array(Vec<u8>);

impl Array {
    pub fn of<'a>(class: Class, values: impl ExactSizeIterator<Item = &'a Value>) -> Result<Array, Error> {
        let mut out = Vec::with_capacity(20 + values.len() * 12);
        let word = |number: u32, out: &mut Vec<u8>| out.extend(number.to_be_bytes());
        // One dimension, perhaps nulls, the element's type, how many, counted from 1.
        for number in [1, 1, class.element(), values.len() as u32, 1] {
            word(number, &mut out);
        }
        for value in values {
            let at = out.len();
            if value.is_null() {
                word(u32::MAX, &mut out);
                continue;
            }
            word(0, &mut out);
            class.encode(value, &mut out)?;
            let length = (out.len() - at - 4) as u32;
            out[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(Array(out))
    }
}

impl ToSql for Array {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn AnyError + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
