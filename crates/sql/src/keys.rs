//! Columns of a table that is there, as keys: whether different keys stay different in them.

use crate::{Bound, ColumnKind, ColumnShape, Dialect};

impl ColumnShape {
    /// Why this column takes different keys for one, or gives them back otherwise; none: it keeps them apart.
    pub fn mixes_keys(&self, kind: ColumnKind, dialect: Dialect) -> Option<String> {
        let is_number = is_number(&self.type_name, dialect);
        match kind {
            ColumnKind::Text | ColumnKind::Varchar(_) if is_number => {
                Some(format!("is of type {}, for which '7' and '007' are one", self.type_name))
            }
            ColumnKind::Text | ColumnKind::Varchar(_) => self.mixes_texts(dialect),
            ColumnKind::Numeric if is_double(&self.type_name) => {
                Some(format!("is of type {}, which rounds numbers", self.type_name))
            }
            _ => None,
        }
    }

    /// Which texts are told apart from all others as keys, where not all are.
    pub fn tells_apart(&self, kind: ColumnKind, dialect: Dialect) -> Option<Bound> {
        let is_text = matches!(kind, ColumnKind::Text | ColumnKind::Varchar(_));
        let collation = self.collation.as_deref().filter(|_| is_text && dialect == Dialect::Mysql)?;
        let pads = collation != "binary" && !collation.contains("_nopad_") && !collation.contains("_0900_");
        pads.then_some(Bound::NoSpaceAtEnd)
    }

    fn mixes_texts(&self, dialect: Dialect) -> Option<String> {
        let folds = |collation: &String| match dialect {
            Dialect::Mysql => !collation.ends_with("_bin") && collation != "binary",
            Dialect::Sqlite => !collation.eq_ignore_ascii_case("BINARY"),
            Dialect::Postgres => false,
        };
        if let Some(collation) = self.collation.as_ref().filter(|collation| folds(collation)) {
            return Some(format!("has the collation {collation}, which takes different texts for one"));
        }
        let folds = dialect == Dialect::Postgres
            && (self.type_name == "citext" || self.type_name.starts_with("character("));
        folds.then(|| format!("is of type {}, which takes different texts for one", self.type_name))
    }
}

fn is_double(type_name: &str) -> bool {
    ["double", "float", "real"].iter().any(|part| type_name.contains(part))
}

fn is_number(type_name: &str, dialect: Dialect) -> bool {
    let has = |parts: &[&str]| parts.iter().any(|part| type_name.contains(part));
    match dialect {
        // Its rules of affinity, in their order.
        Dialect::Sqlite => has(&["int"]) || !(type_name.is_empty() || has(&["char", "clob", "text", "blob"])),
        Dialect::Postgres | Dialect::Mysql => {
            let begins = |parts: &[&str]| parts.iter().any(|part| type_name.starts_with(part));
            is_double(type_name)
                || begins(&["int", "bigint", "smallint", "tinyint", "mediumint", "numeric", "decimal"])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padding_collation_takes_no_spaces_at_the_end() {
        let by = |dialect, kind, collation: Option<&str>| {
            let (name, type_name) = ("id".to_owned(), "varchar(100)".to_owned());
            let collation = collation.map(str::to_owned);
            ColumnShape { name, type_name, nullable: false, collation }.tells_apart(kind, dialect)
        };
        use ColumnKind::{Numeric, Text};
        assert_eq!(by(Dialect::Mysql, Text, Some("utf8mb4_bin")), Some(Bound::NoSpaceAtEnd));
        for keeps in ["utf8mb4_nopad_bin", "utf8mb4_0900_bin", "binary"] {
            assert_eq!(by(Dialect::Mysql, Text, Some(keeps)), None, "{keeps}");
        }
        assert_eq!(by(Dialect::Mysql, Numeric, Some("utf8mb4_bin")), None);
        assert_eq!(by(Dialect::Mysql, Text, None), None);
    }

    #[test]
    fn what_would_make_two_keys_one_is_known() {
        let by = |dialect, kind, type_name: &str, collation: Option<&str>| {
            let (name, type_name, collation) =
                ("id".to_owned(), type_name.to_owned(), collation.map(str::to_owned));
            ColumnShape { name, type_name, nullable: false, collation }.mixes_keys(kind, dialect).is_some()
        };
        use ColumnKind::{Numeric, Text};
        use Dialect::{Mysql, Postgres, Sqlite};
        assert!(by(Mysql, Text, "varchar(100)", Some("utf8mb4_general_ci")));
        assert!(!by(Mysql, Text, "varchar(100)", Some("utf8mb4_nopad_bin")));
        assert!(!by(Mysql, Text, "varbinary(100)", None));
        assert!(by(Mysql, Text, "int(11)", None) && !by(Mysql, Numeric, "int(11)", None));
        assert!(by(Postgres, Text, "citext", None) && by(Postgres, Text, "character(10)", None));
        assert!(!by(Postgres, Text, "character varying(10)", None) && !by(Postgres, Text, "uuid", None));
        assert!(by(Postgres, Text, "bigint", None) && by(Postgres, Numeric, "double precision", None));
        assert!(by(Sqlite, Text, "integer", None) && by(Sqlite, Text, "numeric", None));
        assert!(!by(Sqlite, Text, "varchar(9)", Some("BINARY")) && !by(Sqlite, Text, "", None));
        assert!(by(Sqlite, Text, "text", Some("NOCASE")));
    }
}
