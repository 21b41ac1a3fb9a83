//! Tables: what is asked for, what is there, and the statements that make one from the other.

use crate::{Dialect, Rows, Value};

/// The longest entry of an index of InnoDB.
const INDEX_BYTES_MAX: u32 = 3072;
/// The largest number or time in one.
const NUMBER_BYTES_MAX: u32 = 32;

/// What a column is for; each dialect has its own type for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    /// At most so many characters.
    Varchar(u32),
    /// Decimal and exact. PostgreSQL and SQLite hold any; MySQL 35 digits before the point and 30 after it, and a
    /// number beyond is refused as `Kind::Data`, never rounded.
    Numeric,
    Bigint,
    Double,
    Bytes,
    Boolean,
    Json,
    Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    pub nullable: bool,
    /// What a row has that does not name this column: a literal in the dialect's own spelling.
    pub default: Option<String>,
}

impl Column {
    pub fn new(name: &str, kind: ColumnKind) -> Column {
        Column { name: name.to_owned(), kind, nullable: true, default: None }
    }

    pub fn not_null(self) -> Column {
        Column { nullable: false, ..self }
    }
}

/// A table that is to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTable {
    pub name: String,
    pub columns: Vec<Column>,
    /// The primary key, in order.
    pub key: Vec<String>,
}

/// A column that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnShape {
    pub name: String,
    /// The type in the database's own words, in small letters: `character varying(20)`, `decimal(65,30)`.
    pub type_name: String,
    pub nullable: bool,
    /// How its texts are compared, where the catalogue says it.
    pub collation: Option<String>,
}

/// A table that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct TableShape {
    pub columns: Vec<ColumnShape>,
    /// The primary key, in order; empty when there is none.
    pub key: Vec<String>,
}

impl TableShape {
    /// From a catalogue's rows: name, type, whether it may be null, the column's place in the key, its collation. None
    /// without rows.
    pub(crate) fn told(rows: &Rows) -> Option<TableShape> {
        let mut columns = Vec::new();
        let mut key = Vec::new();
        for row in &rows.rows {
            let text = |at: usize| match &row[at] {
                Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                value => value.as_text().unwrap_or_default().to_owned(),
            };
            let nullable = matches!(row[2], Value::Boolean(true) | Value::Integer(1));
            let collation = Some(text(4)).filter(|collation| !collation.is_empty());
            columns.push(ColumnShape { name: text(0), type_name: text(1), nullable, collation });
            key.extend(row[3].as_integer().filter(|place| *place > 0).map(|place| (place, text(0))));
        }
        key.sort();
        let key = key.into_iter().map(|(_, name)| name).collect();
        (!columns.is_empty()).then_some(TableShape { columns, key })
    }

    pub fn column(&self, name: &str) -> Option<&ColumnShape> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl NewTable {
    /// The statement that makes it, unless it is there.
    ///
    /// On MySQL an index entry ends at 3,072 bytes: the key's texts and bytes share them, a `Text` becomes a VARCHAR of
    /// 768 characters at most, compared byte by byte with trailing spaces counting, and `Bytes` a VARBINARY. A longer
    /// key is `Kind::Data`. PostgreSQL's entries end at 2,704 bytes after compression; a longer key is `Kind::Data` too.
    pub fn statement(&self, dialect: Dialect, key_collation: &str) -> String {
        let mut parts: Vec<String> = Vec::with_capacity(self.columns.len() + 1);
        let share = self.share();
        for column in &self.columns {
            let in_key = self.key.contains(&column.name);
            let mut column = column.clone();
            column.nullable &= !in_key;
            let type_name = match column.kind {
                kind if !in_key || dialect != Dialect::Mysql => dialect.column_type(kind),
                ColumnKind::Text => {
                    format!("{} COLLATE {key_collation}", dialect.column_type(ColumnKind::Varchar(share / 4)))
                }
                kind @ ColumnKind::Varchar(_) => {
                    format!("{} COLLATE {key_collation}", dialect.column_type(kind))
                }
                ColumnKind::Bytes => format!("varbinary({share})"),
                kind => dialect.column_type(kind),
            };
            parts.push(column.clause(dialect, &type_name));
        }
        if !self.key.is_empty() {
            parts.push(format!("PRIMARY KEY ({})", dialect.list(&self.key)));
        }
        let end = if dialect == Dialect::Mysql { " DEFAULT CHARSET = utf8mb4" } else { "" };
        format!("CREATE TABLE IF NOT EXISTS {} ({}){end}", dialect.quoted(&self.name), parts.join(", "))
    }

    pub(crate) fn has_text_in_key(&self) -> bool {
        let is_text = |column: &&Column| matches!(column.kind, ColumnKind::Text | ColumnKind::Varchar(_));
        self.columns.iter().filter(is_text).any(|column| self.key.contains(&column.name))
    }

    /// The bytes of an index entry of MySQL that each of the key's texts without a length can have.
    fn share(&self) -> u32 {
        let key = self.columns.iter().filter(|column| self.key.contains(&column.name));
        let (mut left, mut sharers) = (INDEX_BYTES_MAX, 0);
        for column in key {
            match column.kind {
                ColumnKind::Text | ColumnKind::Bytes => sharers += 1,
                ColumnKind::Varchar(letters) => left = left.saturating_sub(letters.saturating_mul(4)),
                _ => left = left.saturating_sub(NUMBER_BYTES_MAX),
            }
        }
        (left / sharers.max(1)).max(4)
    }
}

impl Column {
    fn clause(&self, dialect: Dialect, type_name: &str) -> String {
        let mut clause = format!("{} {type_name}", dialect.quoted(&self.name));
        if !self.nullable {
            clause.push_str(" NOT NULL");
        }
        if let Some(default) = &self.default {
            clause.push_str(" DEFAULT ");
            clause.push_str(default);
        }
        // SQLite measures nothing by itself.
        if let (Dialect::Sqlite, ColumnKind::Varchar(letters)) = (dialect, self.kind) {
            clause.push_str(&format!(" CHECK (length({}) <= {letters})", dialect.quoted(&self.name)));
        }
        clause
    }

    /// The statement that adds it to a table.
    pub fn statement(&self, dialect: Dialect, table: &str) -> String {
        format!(
            "ALTER TABLE {} ADD COLUMN {}",
            dialect.quoted(table),
            self.clause(dialect, &dialect.column_type(self.kind))
        )
    }
}
