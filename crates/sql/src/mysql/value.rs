//! Values to and from MySQL, whose two protocols answer in two ways: as numbers, or as text.

use crate::{Cell, Value};
use mysql::Column;
use mysql::consts::{ColumnFlags, ColumnType};

/// The character set that means none: bytes.
const BINARY: u16 = 63;

pub(super) fn given(cell: Cell<'_>) -> mysql::Value {
    match cell {
        Cell::Null => mysql::Value::NULL,
        Cell::Boolean(yes) => mysql::Value::Int(i64::from(yes)),
        Cell::Integer(number) => mysql::Value::Int(number),
        Cell::Real(number) => mysql::Value::Double(number),
        Cell::Numeric(text) | Cell::Text(text) | Cell::Json(text) => {
            mysql::Value::Bytes(text.as_bytes().to_vec())
        }
        Cell::Bytes(bytes) => mysql::Value::Bytes(bytes.to_vec()),
        Cell::List(_) => mysql::Value::Bytes(cell.json().into_bytes()),
    }
}

/// How a value travels; none: as nothing.
pub(super) fn travels(cell: Cell<'_>) -> Option<Travel> {
    match cell {
        Cell::Null => None,
        Cell::Boolean(_) | Cell::Integer(_) => Some(Travel::Integer),
        Cell::Real(_) => Some(Travel::Real),
        Cell::Numeric(_) | Cell::Text(_) | Cell::Json(_) | Cell::Bytes(_) | Cell::List(_) => {
            Some(Travel::Bytes)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Travel {
    Integer,
    Real,
    Bytes,
}

pub(super) fn read(value: mysql::Value, column: &Column) -> Value {
    match value {
        mysql::Value::NULL => Value::Null,
        mysql::Value::Int(number) => integer(number, column),
        mysql::Value::UInt(number) => match i64::try_from(number) {
            Ok(number) => integer(number, column),
            Err(_) => Value::Numeric(number.to_string()),
        },
        // By its shortest spelling, so that 0.1 stays 0.1.
        mysql::Value::Float(number) => Value::Real(number.to_string().parse().unwrap_or(f64::from(number))),
        mysql::Value::Double(number) => Value::Real(number),
        mysql::Value::Date(year, month, day, hour, minute, second, micros) => {
            let date = format!("{year:04}-{month:02}-{day:02}");
            Value::Text(match column.column_type() {
                ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => date,
                _ => format!("{date} {hour:02}:{minute:02}:{second:02}{}", fraction(micros)),
            })
        }
        mysql::Value::Time(negative, days, hours, minutes, seconds, micros) => {
            let sign = if negative { "-" } else { "" };
            let hours = days * 24 + u32::from(hours);
            Value::Text(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{}", fraction(micros)))
        }
        mysql::Value::Bytes(bytes) => of_bytes(bytes, column),
    }
}

fn fraction(micros: u32) -> String {
    if micros == 0 { String::new() } else { format!(".{micros:06}") }
}

fn integer(number: i64, column: &Column) -> Value {
    // What MySQL calls BOOLEAN is a TINYINT that shows one digit.
    let is_boolean = column.column_type() == ColumnType::MYSQL_TYPE_TINY && column.column_length() == 1;
    if is_boolean && matches!(number, 0 | 1) { Value::Boolean(number == 1) } else { Value::Integer(number) }
}

fn of_bytes(bytes: Vec<u8>, column: &Column) -> Value {
    use ColumnType as Type;
    let text = |bytes: Vec<u8>| match String::from_utf8(bytes) {
        Ok(text) => Value::Text(text),
        Err(error) => Value::Bytes(error.into_bytes()),
    };
    match column.column_type() {
        Type::MYSQL_TYPE_DECIMAL | Type::MYSQL_TYPE_NEWDECIMAL => match text(bytes) {
            Value::Text(text) => Value::Numeric(text),
            other => other,
        },
        Type::MYSQL_TYPE_JSON => match text(bytes) {
            Value::Text(text) => Value::Json(text),
            other => other,
        },
        // Of the protocol that answers in text.
        Type::MYSQL_TYPE_TINY
        | Type::MYSQL_TYPE_SHORT
        | Type::MYSQL_TYPE_INT24
        | Type::MYSQL_TYPE_LONG
        | Type::MYSQL_TYPE_LONGLONG
        | Type::MYSQL_TYPE_YEAR => match text(bytes) {
            Value::Text(text) => match text.parse() {
                Ok(number) => integer(number, column),
                Err(_) => Value::Numeric(text),
            },
            other => other,
        },
        Type::MYSQL_TYPE_FLOAT | Type::MYSQL_TYPE_DOUBLE => match text(bytes) {
            Value::Text(text) => text.parse().map_or(Value::Text(text), Value::Real),
            other => other,
        },
        Type::MYSQL_TYPE_BIT if column.column_length() == 1 => Value::Boolean(bytes.last() == Some(&1)),
        Type::MYSQL_TYPE_BIT | Type::MYSQL_TYPE_GEOMETRY => Value::Bytes(bytes),
        Type::MYSQL_TYPE_DATE
        | Type::MYSQL_TYPE_DATETIME
        | Type::MYSQL_TYPE_TIMESTAMP
        | Type::MYSQL_TYPE_TIME
        | Type::MYSQL_TYPE_ENUM
        | Type::MYSQL_TYPE_SET => text(bytes),
        _ if column.character_set() == BINARY => Value::Bytes(bytes),
        _ => text(bytes),
    }
}

/// The column's type in MySQL's words.
pub(super) fn type_name(column: &Column) -> String {
    use ColumnType as Type;
    let is_binary = column.character_set() == BINARY;
    let flags = column.flags();
    let name = match column.column_type() {
        Type::MYSQL_TYPE_TINY if column.column_length() == 1 => "tinyint(1)",
        Type::MYSQL_TYPE_TINY => "tinyint",
        Type::MYSQL_TYPE_SHORT => "smallint",
        Type::MYSQL_TYPE_INT24 => "mediumint",
        Type::MYSQL_TYPE_LONG => "int",
        Type::MYSQL_TYPE_LONGLONG => "bigint",
        Type::MYSQL_TYPE_YEAR => "year",
        Type::MYSQL_TYPE_FLOAT => "float",
        Type::MYSQL_TYPE_DOUBLE => "double",
        Type::MYSQL_TYPE_DECIMAL | Type::MYSQL_TYPE_NEWDECIMAL => "decimal",
        Type::MYSQL_TYPE_BIT => "bit",
        Type::MYSQL_TYPE_DATE | Type::MYSQL_TYPE_NEWDATE => "date",
        Type::MYSQL_TYPE_DATETIME | Type::MYSQL_TYPE_DATETIME2 => "datetime",
        Type::MYSQL_TYPE_TIMESTAMP | Type::MYSQL_TYPE_TIMESTAMP2 => "timestamp",
        Type::MYSQL_TYPE_TIME | Type::MYSQL_TYPE_TIME2 => "time",
        Type::MYSQL_TYPE_JSON => "json",
        Type::MYSQL_TYPE_GEOMETRY => "geometry",
        _ if flags.contains(ColumnFlags::ENUM_FLAG) => "enum",
        _ if flags.contains(ColumnFlags::SET_FLAG) => "set",
        Type::MYSQL_TYPE_STRING => {
            if is_binary {
                "binary"
            } else {
                "char"
            }
        }
        Type::MYSQL_TYPE_VAR_STRING | Type::MYSQL_TYPE_VARCHAR => {
            if is_binary {
                "varbinary"
            } else {
                "varchar"
            }
        }
        _ => {
            if is_binary {
                "blob"
            } else {
                "text"
            }
        }
    };
    let is_number = matches!(name, "tinyint" | "smallint" | "mediumint" | "int" | "bigint");
    if is_number && flags.contains(ColumnFlags::UNSIGNED_FLAG) {
        format!("{name} unsigned")
    } else {
        name.to_owned()
    }
}
