//! Columns of a table that is there: whether what is written into them comes back as it was.

use crate::words::Words;
use crate::{Cell, ColumnKind, ColumnShape, Dialect};
use std::fmt;

/// What becomes of the values of a kind in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Each comes back as it was, or is refused by the database.
    All,
    /// Those within the bound; others would be changed without a word.
    Within(Bound),
    /// Values would be changed without a word, or none is taken.
    Not,
}

/// Which values come back as they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Spaces at the end of a longer text are cut off, where the rest fits.
    Letters(u32),
    Bytes(usize),
    /// Digits after the point: more are rounded.
    Decimals(usize),
    /// Digits in all: SQLite makes a double of more.
    Digits(usize),
    /// Capital letters become small ones.
    Uuid,
    /// SQLite makes numbers of texts that look so.
    NoNumber,
    /// For a padding collation spaces at a key's end are none.
    NoSpaceAtEnd,
    /// MySQL takes others for these.
    Words(Words),
}

impl ColumnShape {
    /// What becomes of values of this kind here.
    pub fn holds(&self, kind: ColumnKind, dialect: Dialect) -> Holds {
        let (name, numbers) = parts(&self.type_name);
        match dialect {
            Dialect::Sqlite => sqlite(&self.type_name, kind),
            Dialect::Postgres => postgres(&name, &numbers, kind),
            Dialect::Mysql => match (Words::of(&self.type_name), kind) {
                (Some(words), ColumnKind::Text | ColumnKind::Varchar(_)) => {
                    Holds::Within(Bound::Words(words))
                }
                _ => mysql(&name, &numbers, kind),
            },
        }
    }
}

/// `decimal(10,2) unsigned`: the name without what is in brackets, and that.
fn parts(type_name: &str) -> (String, Vec<i64>) {
    let (before, rest) = type_name.split_once('(').unwrap_or((type_name, ""));
    let (inside, after) = rest.split_once(')').unwrap_or(("", ""));
    let numbers = inside.split(',').map_while(|part| part.trim().parse().ok()).collect();
    (format!("{before}{after}").trim().to_owned(), numbers)
}

fn letters(most: Option<&i64>, kind: ColumnKind) -> Holds {
    let Some(most) = most.and_then(|most| u32::try_from(*most).ok()) else { return Holds::All };
    match kind {
        ColumnKind::Varchar(letters) if letters <= most => Holds::All,
        ColumnKind::Text | ColumnKind::Varchar(_) => Holds::Within(Bound::Letters(most)),
        // Neither numbers nor documents end with spaces.
        _ => Holds::All,
    }
}

fn decimals(numbers: &[i64], usual: usize) -> Holds {
    match numbers {
        [_, digits] => {
            usize::try_from(*digits).map_or(Holds::Not, |most| Holds::Within(Bound::Decimals(most)))
        }
        _ => Holds::Within(Bound::Decimals(usual)),
    }
}

fn postgres(name: &str, numbers: &[i64], kind: ColumnKind) -> Holds {
    use ColumnKind::{Bigint, Boolean, Bytes, Double, Json, Numeric, Text, Varchar};
    match (name, kind) {
        ("text" | "citext" | "character varying", Text | Varchar(_) | Numeric | Bigint | Json) => {
            letters(numbers.first(), kind)
        }
        ("json" | "xml", Text | Varchar(_)) | ("json" | "jsonb", Json) => Holds::All,
        ("uuid", Text | Varchar(_)) => Holds::Within(Bound::Uuid),
        ("numeric", Numeric) if !numbers.is_empty() => decimals(numbers, 0),
        ("numeric", Numeric | Bigint) => Holds::All,
        ("numeric", Double) if numbers.is_empty() => Holds::All,
        ("bigint" | "integer" | "smallint", Numeric | Bigint | Boolean) => Holds::All,
        ("double precision", Double) | ("boolean", Boolean) | ("bytea", Bytes) => Holds::All,
        ("timestamp with time zone", ColumnKind::Timestamp) => Holds::All,
        (name, _) if is_of_postgres(name) => Holds::Not,
        // Somebody's own type: a list of words, mostly, which takes those and no others.
        _ => Holds::All,
    }
}

fn is_of_postgres(name: &str) -> bool {
    const NAMES: [&str; 41] = [
        "text",
        "citext",
        "character varying",
        "character",
        "\"char\"",
        "name",
        "json",
        "jsonb",
        "xml",
        "uuid",
        "numeric",
        "bigint",
        "integer",
        "smallint",
        "double precision",
        "real",
        "money",
        "boolean",
        "bytea",
        "bit",
        "bit varying",
        "date",
        "interval",
        "inet",
        "cidr",
        "macaddr",
        "macaddr8",
        "tsvector",
        "tsquery",
        "point",
        "line",
        "lseg",
        "box",
        "path",
        "polygon",
        "circle",
        "oid",
        "int4range",
        "int8range",
        "numrange",
        "daterange",
    ];
    NAMES.contains(&name) || name.starts_with("time") || name.starts_with("interval") || name.ends_with(']')
}

fn mysql(name: &str, numbers: &[i64], kind: ColumnKind) -> Holds {
    use ColumnKind::{Bigint, Boolean, Bytes, Double, Json, Numeric, Text, Varchar};
    let name = name.trim_end_matches(" zerofill").trim_end_matches(" unsigned");
    let is_long = |most: usize| match kind {
        Text => Holds::Within(Bound::Bytes(most)),
        // The largest characters have four bytes.
        Varchar(letters) if letters as usize > most / 4 => Holds::Within(Bound::Bytes(most)),
        _ => Holds::All,
    };
    match (name, kind) {
        ("varchar", Text | Varchar(_) | Numeric | Bigint | Json) => letters(numbers.first(), kind),
        ("varbinary", Text | Varchar(_)) => Holds::All,
        ("char", Numeric | Bigint) => Holds::All,
        ("tinytext", Text | Varchar(_) | Numeric | Bigint | Json) => is_long(255),
        ("text", Text | Varchar(_) | Numeric | Bigint | Json) => is_long(65_535),
        ("mediumtext" | "longtext", Text | Varchar(_) | Numeric | Bigint | Json) => Holds::All,
        ("json", Json) => Holds::All,
        ("uuid", Text | Varchar(_)) => Holds::Within(Bound::Uuid),
        // As large as it can be, and asked for what is larger before.
        ("decimal", Numeric) if numbers == [65, 30] => Holds::All,
        ("decimal", Numeric) => decimals(numbers, 0),
        ("decimal", Bigint) => Holds::All,
        ("tinyint" | "smallint" | "mediumint" | "int" | "bigint", Numeric) => decimals(&[], 0),
        ("tinyint" | "smallint" | "mediumint" | "int" | "bigint", Bigint | Boolean) | ("bit", Boolean) => {
            Holds::All
        }
        ("double", Double) if numbers.is_empty() => Holds::All,
        ("tinyblob" | "blob" | "mediumblob" | "longblob" | "varbinary", Bytes) => Holds::All,
        ("datetime", ColumnKind::Timestamp) if numbers == [6] => Holds::All,
        _ => Holds::Not,
    }
}

/// What a double holds of any decimal number.
const DOUBLE_DIGITS: usize = 15;

/// By its rules of affinity, in their order.
fn sqlite(type_name: &str, kind: ColumnKind) -> Holds {
    use ColumnKind::{Bigint, Boolean, Bytes, Double, Json, Numeric, Text, Timestamp, Varchar};
    let has = |parts: &[&str]| parts.iter().any(|part| type_name.contains(part));
    if kind == Bytes {
        return Holds::All;
    }
    if has(&["int"]) {
        return match kind {
            Bigint | Boolean => Holds::All,
            Numeric => Holds::Within(Bound::Digits(DOUBLE_DIGITS)),
            _ => Holds::Not,
        };
    }
    if has(&["char", "clob", "text"]) {
        return if matches!(kind, Text | Varchar(_) | Json | Timestamp | Bigint) {
            Holds::All
        } else {
            Holds::Not
        };
    }
    if type_name.is_empty() || has(&["blob"]) {
        return Holds::All;
    }
    if has(&["real", "floa", "doub"]) {
        return match kind {
            Double => Holds::All,
            Numeric => Holds::Within(Bound::Digits(DOUBLE_DIGITS)),
            _ => Holds::Not,
        };
    }
    match kind {
        Bigint | Boolean | Double | Json => Holds::All,
        Numeric => Holds::Within(Bound::Digits(DOUBLE_DIGITS)),
        // Dates, times, documents; numbers want no text.
        Text | Varchar(_) if !has(&["num", "dec", "bool"]) => Holds::Within(Bound::NoNumber),
        Text | Varchar(_) | Timestamp | Bytes => Holds::Not,
    }
}

impl Bound {
    pub fn takes(&self, cell: Cell<'_>) -> bool {
        let Some(text) = cell.as_text() else { return true };
        match self {
            Bound::Letters(most) => text.chars().count() <= *most as usize,
            Bound::Bytes(most) => text.len() <= *most,
            Bound::Decimals(most) => text.split_once('.').is_none_or(|(_, part)| part.len() <= *most),
            Bound::Digits(most) => digits(text) <= *most,
            Bound::NoSpaceAtEnd => !text.ends_with(' '),
            Bound::Words(words) => words.take(text),
            Bound::Uuid => is_uuid(text),
            Bound::NoNumber => !looks_like_a_number(text),
        }
    }
}

/// From the first that counts to the last.
fn digits(number: &str) -> usize {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.trim_matches('0').len()
}

fn is_uuid(text: &str) -> bool {
    let mut at = 0..;
    text.len() == 36
        && text.bytes().all(|letter| match at.next() {
            Some(8 | 13 | 18 | 23) => letter == b'-',
            _ => matches!(letter, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn looks_like_a_number(text: &str) -> bool {
    let text = text.trim();
    let is_of_numbers = |letter: u8| letter.is_ascii_digit() || b"+-.eE".contains(&letter);
    text.bytes().all(is_of_numbers) && text.parse::<f64>().is_ok()
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Letters(most) => write!(f, "texts of at most {most} characters"),
            Bound::Bytes(most) => write!(f, "texts of at most {most} bytes"),
            Bound::Decimals(0) => f.write_str("whole numbers"),
            Bound::Decimals(most) => write!(f, "numbers with at most {most} digits after the point"),
            Bound::Digits(most) => write!(f, "numbers of at most {most} digits"),
            Bound::Uuid => f.write_str("UUIDs in small letters"),
            Bound::NoSpaceAtEnd => f.write_str("texts that do not end with a space"),
            Bound::Words(words) => words.fmt(f),
            Bound::NoNumber => f.write_str("texts that do not look like numbers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ColumnKind::{Bigint, Boolean, Bytes, Double, Json, Numeric, Text, Varchar};

    fn by(dialect: Dialect, kind: ColumnKind, type_name: &str) -> Holds {
        let (name, type_name) = ("c".to_owned(), type_name.to_owned());
        ColumnShape { name, type_name, nullable: true, collation: None }.holds(kind, dialect)
    }

    /// What a pipeline makes itself holds all that it was made for.
    #[test]
    fn own_columns_hold_their_kinds() {
        for kind in [Text, Varchar(9), Numeric, Bigint, Double, Boolean, Bytes, Json, ColumnKind::Timestamp] {
            for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
                let told = match (
                    dialect.column_type(kind).to_lowercase().replace(" character set utf8mb4", ""),
                    dialect,
                ) {
                    (name, Dialect::Postgres) if name.starts_with("varchar") => {
                        name.replace("varchar", "character varying")
                    }
                    (name, Dialect::Postgres) => name.replace("timestamptz", "timestamp with time zone"),
                    (name, _) => name,
                };
                assert_eq!(by(dialect, kind, &told), Holds::All, "{dialect:?} {kind:?} {told}");
            }
        }
    }

    #[test]
    fn what_a_column_would_change_is_known() {
        use Dialect::{Mysql, Postgres, Sqlite};
        for (dialect, kind, type_name) in [
            (Postgres, Text, "timestamp without time zone"),
            (Postgres, Text, "integer"),
            (Postgres, Text, "character(9)"),
            (Postgres, Numeric, "double precision"),
            (Postgres, Numeric, "numeric(3,-2)"),
            (Postgres, Json, "text[]"),
            (Mysql, Text, "char(9)"),
            (Mysql, Numeric, "enum('1','2')"),
            (Mysql, Double, "float"),
            (Mysql, Double, "double(10,2)"),
            (Mysql, Text, "datetime(6)"),
            (Sqlite, Numeric, "text"),
            (Sqlite, Text, "integer"),
        ] {
            assert_eq!(by(dialect, kind, type_name), Holds::Not, "{dialect:?} {kind:?} {type_name}");
        }
        for (dialect, kind, type_name, bound) in [
            (Postgres, Text, "character varying(9)", Bound::Letters(9)),
            (Postgres, Varchar(10), "character varying(9)", Bound::Letters(9)),
            (Postgres, Numeric, "numeric(10,2)", Bound::Decimals(2)),
            (Postgres, Text, "uuid", Bound::Uuid),
            (Mysql, Text, "text", Bound::Bytes(65_535)),
            (Mysql, Numeric, "decimal(10,2) unsigned", Bound::Decimals(2)),
            (Mysql, Numeric, "int(11)", Bound::Decimals(0)),
            (Sqlite, Text, "datetime", Bound::NoNumber),
            (Sqlite, Numeric, "decimal(10,2)", Bound::Digits(15)),
        ] {
            assert_eq!(
                by(dialect, kind, type_name),
                Holds::Within(bound),
                "{dialect:?} {kind:?} {type_name}"
            );
        }
        assert_eq!(by(Postgres, Text, "mood"), Holds::All);
        assert_eq!(by(Postgres, Varchar(9), "character varying(9)"), Holds::All);
        assert_eq!(by(Mysql, Json, "longtext"), Holds::All);
    }

    #[test]
    fn bounds_take_what_comes_back() {
        let takes = |bound: Bound, text: &str| bound.takes(Cell::Text(text));
        assert!(takes(Bound::Letters(2), "éé") && !takes(Bound::Letters(2), "a  "));
        assert!(takes(Bound::Bytes(4), "éé") && !takes(Bound::Bytes(3), "éé"));
        assert!(takes(Bound::Decimals(2), "-1.25") && !takes(Bound::Decimals(2), "0.125"));
        assert!(takes(Bound::Digits(3), "-0.0123000") && !takes(Bound::Digits(3), "10.02"));
        assert!(takes(Bound::Uuid, "123e4567-e89b-12d3-a456-426614174000"));
        assert!(!takes(Bound::Uuid, "123E4567-e89b-12d3-a456-426614174000") && !takes(Bound::Uuid, "1"));
        assert!(takes(Bound::NoNumber, "2024-01-01") && takes(Bound::NoNumber, "nan"));
        assert!(!takes(Bound::NoNumber, " 007 ") && !takes(Bound::NoNumber, "-1.5e3"));
        assert!(Bound::Letters(1).takes(Cell::Null));
    }
}
