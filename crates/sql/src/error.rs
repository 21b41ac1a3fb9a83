//! What a database said, and what it asks of the caller.

use std::fmt;

/// What the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not there, or gone in the middle. Whether a commit under way took effect is unknown. Connect again, later.
    Unreachable,
    /// Credentials or privileges: somebody has to change them.
    Refused,
    /// This value will never fit this column: too long, out of range, not of its type, a NUL in text.
    Data,
    /// A unique, foreign key, not-null or check constraint stands against it.
    Constraint,
    /// Somebody else's transaction was in the way: the same transaction again may pass.
    Conflict,
    /// It took longer than it may.
    Timeout,
    /// No such table, column, schema or database.
    Missing,
    /// The rows are more than was asked for.
    TooLarge,
    /// The statement is wrong.
    Syntax,
    Other,
}

impl Kind {
    /// Whether the same work may succeed later without anybody doing anything.
    pub fn is_retryable(self) -> bool {
        matches!(self, Kind::Unreachable | Kind::Conflict | Kind::Timeout)
    }

    /// From the five letters that the SQL standard and its dialects give to a condition.
    pub(crate) fn of_sqlstate(code: &str) -> Kind {
        match code {
            // Of PostgreSQL: an index entry, a row or a value is larger than it may be.
            "54000" | "54001" | "54011" | "54023" => Kind::Data,
            // The server is stopping, starting, or has too many connections.
            "57P01" | "57P02" | "57P03" | "57P05" | "53300" => Kind::Unreachable,
            // A lock is held; a snapshot is too old; the object is being used.
            "55P03" | "55006" => Kind::Conflict,
            "57014" | "25P03" => Kind::Timeout,
            "42501" => Kind::Refused,
            "42P01" | "42703" | "42883" | "42704" | "42S02" | "42S22" | "3D000" | "3F000" => Kind::Missing,
            "42804" | "42846" => Kind::Data,
            // A prepared statement no longer fits its table: prepared anew, it will.
            "0A000" => Kind::Conflict,
            _ => match code.get(..2) {
                Some("08") => Kind::Unreachable,
                Some("22") => Kind::Data,
                Some("23") => Kind::Constraint,
                Some("28") => Kind::Refused,
                Some("40") => Kind::Conflict,
                Some("42") | Some("26") => Kind::Syntax,
                _ => Kind::Other,
            },
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    pub kind: Kind,
    /// SQLSTATE where the database has one; SQLite's extended result code in figures.
    pub code: Option<String>,
    /// MySQL's own number of the error.
    pub number: Option<u32>,
    /// Where in the statement, in characters from 1.
    pub position: Option<u32>,
    /// The database's own words.
    pub message: String,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, code: None, number: None, position: None, message: message.into() }
    }

    pub(crate) fn with_code(kind: Kind, code: &str, message: impl Into<String>) -> Error {
        Error { code: Some(code.to_owned()), ..Error::new(kind, message) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, self.number) {
            (Some(code), Some(number)) => write!(f, "{} (error {number}, SQLSTATE {code})", self.message),
            (Some(code), None) => write!(f, "{} ({code})", self.message),
            (None, _) => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Error {}
