//! Which names a database takes for tables and columns, and which of them it takes for one.

use crate::Dialect;

/// Of every table of PostgreSQL.
const POSTGRES_SYSTEM: [&str; 6] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"];
/// Other names of a row's number: SQLite takes them from who makes a table, not from who adds to it.
const SQLITE_ROWID: [&str; 3] = ["rowid", "oid", "_rowid_"];

impl Dialect {
    /// Why no table has this name; none: one may.
    pub fn refuses_table(self, name: &str) -> Option<String> {
        let (database, most, length) = match self {
            Dialect::Postgres => ("PostgreSQL", 63, name.len()),
            Dialect::Mysql => ("MySQL", 64, name.chars().count()),
            Dialect::Sqlite => ("SQLite", 1024, name.len()),
        };
        let unit = if self == Dialect::Mysql { "characters" } else { "bytes" };
        if name.is_empty() {
            return Some("a name is not empty".to_owned());
        }
        if length > most {
            return Some(format!("it is longer than the {most} {unit} of {database}'s names"));
        }
        if name.contains('\0') {
            return Some(format!("{database}'s names hold no NUL"));
        }
        if self == Dialect::Mysql && name.ends_with(char::is_whitespace) {
            return Some("MySQL's names do not end with a space".to_owned());
        }
        if self == Dialect::Mysql && name.chars().any(|letter| letter > '\u{FFFF}') {
            return Some("MySQL's names hold no characters beyond U+FFFF".to_owned());
        }
        None
    }

    /// Why no column has this name; none: one may.
    pub fn refuses_column(self, name: &str) -> Option<String> {
        match self {
            Dialect::Postgres if POSTGRES_SYSTEM.contains(&name) => {
                Some("PostgreSQL has a column of this name in every table".to_owned())
            }
            _ => self.refuses_table(name),
        }
    }

    /// Why no column of this name is added to a table that is there.
    pub fn refuses_to_add(self, name: &str) -> Option<String> {
        match self {
            Dialect::Sqlite if SQLITE_ROWID.contains(&name.to_ascii_lowercase().as_str()) => {
                Some("SQLite calls a row's number so".to_owned())
            }
            _ => self.refuses_column(name),
        }
    }

    /// Whether columns of these names are one.
    pub fn is_same_column(self, one: &str, other: &str) -> bool {
        match self {
            Dialect::Postgres => one == other,
            Dialect::Sqlite => one.eq_ignore_ascii_case(other),
            Dialect::Mysql => one.to_lowercase() == other.to_lowercase(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect::{Mysql, Postgres, Sqlite};

    #[test]
    fn each_database_refuses_names_of_its_own() {
        let by = |name: &str| [Postgres, Mysql, Sqlite].map(|dialect| dialect.refuses_column(name).is_some());
        assert_eq!(by("a \"name\" with `all` of it; café"), [false; 3]);
        assert_eq!(by(""), [true; 3]);
        assert_eq!(by("a\0b"), [true; 3]);
        assert_eq!(by(&"é".repeat(32)), [true, false, false]);
        assert_eq!(by(&"a".repeat(65)), [true, true, false]);
        assert_eq!(by("ends "), [false, true, false]);
        assert_eq!(by("😀"), [false, true, false]);
        assert_eq!(by("ctid"), [true, false, false]);
        assert_eq!(Postgres.refuses_table("ctid"), None);
        assert!(Sqlite.refuses_column("oid").is_none() && Sqlite.refuses_to_add("OID").is_some());
    }

    #[test]
    fn each_database_tells_names_apart_in_its_own_way() {
        let by = |one: &str, other: &str| {
            [Postgres, Mysql, Sqlite].map(|dialect| dialect.is_same_column(one, other))
        };
        assert_eq!(by("Case", "case"), [false, true, true]);
        assert_eq!(by("É", "é"), [false, true, false]);
        assert_eq!(by("a", "a "), [false; 3]);
    }
}
