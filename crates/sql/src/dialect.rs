//! How each database spells what they share.

use crate::table::ColumnKind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

impl Dialect {
    /// A name, so written that it is never taken for anything else.
    pub fn quoted(self, name: &str) -> String {
        match self {
            Dialect::Mysql => format!("`{}`", name.replace('`', "``")),
            Dialect::Sqlite | Dialect::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// Names, quoted and separated.
    pub fn list(self, names: &[String]) -> String {
        names.iter().map(|name| self.quoted(name)).collect::<Vec<_>>().join(", ")
    }

    /// The parameter with this number, from 1. MySQL has no numbers: there, write them in order.
    pub fn parameter(self, number: usize) -> String {
        match self {
            Dialect::Postgres => format!("${number}"),
            Dialect::Sqlite => format!("?{number}"),
            Dialect::Mysql => "?".to_owned(),
        }
    }

    /// A text, so written that it is never taken for anything else; for places where no parameter may stand.
    pub fn literal(self, text: &str) -> String {
        match self {
            Dialect::Mysql => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
            Dialect::Sqlite | Dialect::Postgres => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// What a column is declared as. Columns of keys are compared byte by byte, whatever the server's default is.
    pub(crate) fn column_type(self, kind: ColumnKind) -> String {
        match self {
            Dialect::Sqlite => crate::sqlite::column_type(kind),
            Dialect::Postgres => postgres_type(kind),
            Dialect::Mysql => mysql_type(kind),
        }
    }
}

fn postgres_type(kind: ColumnKind) -> String {
    match kind {
        ColumnKind::Text => "text".to_owned(),
        ColumnKind::Varchar(letters) => format!("varchar({letters})"),
        ColumnKind::Numeric => "numeric".to_owned(),
        ColumnKind::Bigint => "bigint".to_owned(),
        ColumnKind::Double => "double precision".to_owned(),
        ColumnKind::Bytes => "bytea".to_owned(),
        ColumnKind::Boolean => "boolean".to_owned(),
        ColumnKind::Json => "jsonb".to_owned(),
        ColumnKind::Timestamp => "timestamptz".to_owned(),
    }
}

fn mysql_type(kind: ColumnKind) -> String {
    match kind {
        ColumnKind::Text => "longtext CHARACTER SET utf8mb4".to_owned(),
        ColumnKind::Varchar(letters) => format!("varchar({letters}) CHARACTER SET utf8mb4"),
        // 65 digits are all that MySQL has: 35 before the point, 30 after it.
        ColumnKind::Numeric => "decimal(65,30)".to_owned(),
        ColumnKind::Bigint => "bigint".to_owned(),
        ColumnKind::Double => "double".to_owned(),
        ColumnKind::Bytes => "longblob".to_owned(),
        ColumnKind::Boolean => "tinyint(1)".to_owned(),
        ColumnKind::Json => "json".to_owned(),
        ColumnKind::Timestamp => "datetime(6)".to_owned(),
    }
}
