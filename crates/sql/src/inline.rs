//! Statements with their values in them, for those that travel with BEGIN or COMMIT: what is sent together is text.

use crate::bulk::Bulk;
use crate::{Cell, Cells, Dialect, OnConflict, Upsert, Value};

/// The statement with its values written in the places of its parameters. None: it wants parameters.
pub(crate) fn statement(dialect: Dialect, sql: &str, values: &[Value]) -> Option<String> {
    if sql.contains(['\'', '"', '`', ';']) {
        return None;
    }
    let mut written = String::with_capacity(sql.len() + 64);
    let mut rest = sql;
    for (at, value) in values.iter().enumerate() {
        let (before, after) = rest.split_once(&dialect.parameter(at + 1))?;
        // `$1` is the beginning of `$10`, too.
        if after.starts_with(|next: char| next.is_ascii_digit()) {
            return None;
        }
        written.push_str(before);
        literal(value.cell(), &mut written)?;
        rest = after;
    }
    written.push_str(rest);
    Some(written)
}

/// `(1, 'a'), (2, 'b')`, of an upsert's rows.
pub(crate) fn rows(upsert: &Bulk<'_>) -> Option<String> {
    let mut written = String::new();
    for row in upsert.rows {
        written.push_str(if written.is_empty() { "(" } else { ", (" });
        for at in 0..row.width() {
            if at > 0 {
                written.push_str(", ");
            }
            literal(row.cell(at), &mut written)?;
        }
        written.push(')');
    }
    Some(written)
}

/// Only what every server reads alike, whatever its settings.
fn literal(value: Cell<'_>, out: &mut String) -> Option<()> {
    match value {
        Cell::Null => out.push_str("NULL"),
        Cell::Integer(number) => out.push_str(&number.to_string()),
        Cell::Text(text) if !text.contains(['\'', '\\', '\0']) => {
            out.push('\'');
            out.push_str(text);
            out.push('\'');
        }
        _ => return None,
    }
    Some(())
}

impl<R> Upsert<'_, R> {
    /// `INSERT … ON CONFLICT …` around what gives the rows, as PostgreSQL and SQLite spell it.
    pub(crate) fn around(&self, dialect: Dialect, rows: &str) -> String {
        let (table, columns) = (dialect.quoted(self.table), dialect.list(self.columns));
        let updates: Vec<String> = match self.on_conflict {
            OnConflict::Refuse => return format!("INSERT INTO {table} ({columns}) {rows}"),
            OnConflict::Keep => Vec::new(),
            OnConflict::Replace => {
                let anew = |name: &String| format!("{0} = excluded.{0}", dialect.quoted(name));
                self.columns.iter().filter(|column| !self.key.contains(column)).map(anew).collect()
            }
        };
        let then = match updates.is_empty() {
            true => "NOTHING".to_owned(),
            false => format!("UPDATE SET {}", updates.join(", ")),
        };
        let key = dialect.list(self.key);
        format!("INSERT INTO {table} ({columns}) {rows} ON CONFLICT ({key}) DO {then}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(dialect: Dialect, sql: &str, values: &[Value], expected: Option<&str>) {
        assert_eq!(statement(dialect, sql, values).as_deref(), expected);
    }

    #[test]
    fn values_are_written_where_every_server_reads_them_alike() {
        let values = [Value::from("a"), Value::from(-1)];
        check(Dialect::Postgres, "x = $1 AND y = $2", &values, Some("x = 'a' AND y = -1"));
        check(Dialect::Mysql, "x = ? AND y = ?", &values, Some("x = 'a' AND y = -1"));
        check(Dialect::Postgres, "x = $1", &[Value::Null], Some("x = NULL"));
        for text in ["it's", "back\\slash", "\0"] {
            check(Dialect::Postgres, "x = $1", &[text.into()], None);
        }
        check(Dialect::Postgres, "x = $10", &values[..1], None);
        check(Dialect::Postgres, "x = $1 AND y = '$2'", &values, None);
        check(Dialect::Mysql, "x = 1", &values, None);
        check(Dialect::Mysql, "x = ?", &[Value::Bytes(vec![1])], None);
    }
}
