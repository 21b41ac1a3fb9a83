//! Values in SQLite: numbers stay exact, whatever the column.

use crate::{Cell, Value};
use rusqlite::types::{Null, ToSql, ToSqlOutput, ValueRef};

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(given(self.cell()))
    }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(given(*self))
    }
}

fn given(cell: Cell<'_>) -> ToSqlOutput<'_> {
    match cell {
        Cell::Null => Null.into(),
        Cell::Boolean(yes) => yes.into(),
        Cell::Integer(number) => number.into(),
        Cell::Real(number) => number.into(),
        Cell::Numeric(text) => number(text),
        Cell::Text(text) | Cell::Json(text) => text.into(),
        Cell::Bytes(bytes) => bytes.into(),
        Cell::List(_) => cell.json().into(),
    }
}

/// A number is kept as one, so that it sorts and adds, wherever nothing is lost by it; as text otherwise.
fn number(text: &str) -> ToSqlOutput<'_> {
    if let Ok(whole) = text.parse::<i64>() {
        return whole.into();
    }
    match text.parse::<f64>() {
        Ok(real) if real.is_finite() && digits(&format!("{real:e}")) == digits(text) => real.into(),
        _ => text.into(),
    }
}

/// Sign, digits without zeros at the ends, and the power of ten of the last: equal when the numbers are.
fn digits(text: &str) -> Option<(bool, String, i64)> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let mut exponent = exponent.parse::<i64>().ok()?;
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent -= part.len() as i64;
    let all = format!("{whole}{part}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = all.trim_end_matches('0');
    exponent += (all.len() - kept.len()) as i64;
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() {
        return Some((false, String::new(), 0));
    }
    Some((negative, kept.to_owned(), exponent))
}

pub(super) fn read(value: ValueRef<'_>, type_name: &str) -> Value {
    let is_numeric = type_name.starts_with("numeric") || type_name.starts_with("decimal");
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) if type_name.starts_with("bool") && matches!(number, 0 | 1) => {
            Value::Boolean(number == 1)
        }
        ValueRef::Integer(number) if is_numeric => Value::Numeric(number.to_string()),
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) if is_numeric => Value::Numeric(number.to_string()),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text).into_owned();
            if is_numeric {
                Value::Numeric(text)
            } else if type_name.starts_with("json") {
                Value::Json(text)
            } else {
                Value::Text(text)
            }
        }
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kept_as: &str) {
        let kept = match number(text) {
            ToSqlOutput::Owned(kept) => format!("{kept:?}"),
            _ => "text".to_owned(),
        };
        assert_eq!(kept, kept_as, "{text}");
    }

    #[test]
    fn a_number_is_one_where_nothing_is_lost() {
        check("12", "Integer(12)");
        check("-9223372036854775808", "Integer(-9223372036854775808)");
        check("0.10", "Real(0.1)");
        check("1.5e3", "Real(1500.0)");
        check("1E125", "Real(1e125)");
        check("0.1000000000000000055511151231257827", "text");
        check("12345678901234567890123456789012345678", "text");
        check("9223372036854775808", "text");
    }
}
