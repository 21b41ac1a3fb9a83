//! Values on their way to PostgreSQL: single ones as text, whose type the server knows; columns of many rows as arrays.

use super::numeric;
use crate::value::hex;
use crate::{Cell, ColumnShape, Error, Kind, Value};
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
            value => out.extend_from_slice(text(value.cell()).as_bytes()),
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

fn text(cell: Cell<'_>) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Boolean(yes) => yes.to_string(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) if number.is_infinite() => {
            if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
        }
        Cell::Real(number) => number.to_string(),
        Cell::Numeric(text) | Cell::Text(text) | Cell::Json(text) => text.to_owned(),
        Cell::Bytes(bytes) => hex(bytes),
        Cell::List(values) => {
            let parts: Vec<String> = values.iter().map(element).collect();
            format!("{{{}}}", parts.join(","))
        }
    }
}

/// An element of an array's text.
fn element(value: &Value) -> String {
    match value {
        Value::Null | Value::List(_) => text(value.cell()),
        value => format!("\"{}\"", text(value.cell()).replace('\\', "\\\\").replace('"', "\\\"")),
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
    pub fn encode(self, cell: Cell<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        match (self, cell) {
            (Class::Text | Class::Other, Cell::Text(text) | Cell::Json(text) | Cell::Numeric(text)) => {
                out.extend_from_slice(text.as_bytes());
            }
            (Class::Text | Class::Other, cell) => out.extend_from_slice(text(cell).as_bytes()),
            (Class::Bytes, Cell::Bytes(bytes)) => out.extend_from_slice(bytes),
            (Class::Bytes, cell) => return Err(misfit(cell, "bytea")),
            (Class::Boolean, cell) => match cell {
                Cell::Boolean(yes) => out.push(u8::from(yes)),
                Cell::Integer(number @ (0 | 1)) => out.push(number as u8),
                other => return Err(misfit(other, "boolean")),
            },
            (Class::Bigint, cell) => match cell.as_integer() {
                Some(number) => out.extend_from_slice(&number.to_be_bytes()),
                None => return Err(misfit(cell, "bigint")),
            },
            (Class::Double, cell) => {
                let number = match cell {
                    Cell::Real(number) => Some(number),
                    Cell::Integer(number) => Some(number as f64),
                    other => other.as_text().and_then(|text| text.parse().ok()),
                };
                let number = number.ok_or_else(|| misfit(cell, "double precision"))?;
                out.extend_from_slice(&number.to_be_bytes());
            }
            (Class::Numeric, Cell::Boolean(_) | Cell::Bytes(_) | Cell::List(_)) => {
                return Err(misfit(cell, "numeric"));
            }
            (Class::Numeric, Cell::Numeric(text)) => numeric::encode(text, out)?,
            (Class::Numeric, cell) => numeric::encode(&text(cell), out)?,
        }
        Ok(())
    }
}

fn misfit(cell: Cell<'_>, column: &str) -> Error {
    let kind = match cell {
        Cell::Null => "null",
        Cell::Boolean(_) => "a boolean",
        Cell::Integer(_) | Cell::Real(_) | Cell::Numeric(_) => "this number",
        Cell::Text(_) => "this text",
        Cell::Bytes(_) => "bytes",
        Cell::Json(_) => "JSON",
        Cell::List(_) => "a list",
    };
    Error::with_code(Kind::Data, "22000", format!("{kind} does not fit a column of type {column}"))
}

/// One column of many rows, as PostgreSQL's binary array.
#[derive(Debug)]
pub(super) struct Array {
    class: Class,
    bytes: Vec<u8>,
}

/// More memory than this is not kept for the next statement.
pub(super) const KEPT_BYTES_MAX: usize = 4 << 20;

impl Default for Array {
    fn default() -> Array {
        Array { class: Class::Other, bytes: Vec::new() }
    }
}

impl Array {
    pub fn begin(&mut self, class: Class, rows: usize) {
        self.class = class;
        self.bytes.clear();
        // One dimension, perhaps nulls, the element's type, how many, counted from 1.
        for number in [1, 1, class.element(), rows as u32, 1] {
            self.bytes.extend_from_slice(&number.to_be_bytes());
        }
    }

    pub fn add(&mut self, cell: Cell<'_>) -> Result<(), Error> {
        let at = self.bytes.len();
        if cell.is_null() {
            self.bytes.extend_from_slice(&u32::MAX.to_be_bytes());
            return Ok(());
        }
        self.bytes.extend_from_slice(&[0; 4]);
        self.class.encode(cell, &mut self.bytes)?;
        let length = (self.bytes.len() - at - 4) as u32;
        self.bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
        Ok(())
    }

    /// It has been sent.
    pub fn end(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES_MAX);
    }
}

impl ToSql for Array {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn AnyError + Sync + Send>> {
        out.extend_from_slice(&self.bytes);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
