//! What ends a pipeline's run, or its moment.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The file, or what it names, does not fit. Nothing was written.
    Config,
    /// The source refused.
    Source,
    /// The source has no such table.
    NoTable,
    /// The source or the target does not answer: the same again may work.
    Unreachable,
    /// Records were lost, or the stream is another one: only a new snapshot helps.
    Gap,
    /// Another runner has taken the pipeline over.
    Fenced,
    /// The target refused.
    Target,
    /// Two source items claim one key of the target, and the rule is to stop.
    Claimed,
    /// A record cannot be written as it is, and the rule is to stop.
    Record,
}

impl Kind {
    /// The page that explains it.
    pub fn code(self) -> &'static str {
        match self {
            Kind::Config => "E0020",
            Kind::Source | Kind::NoTable | Kind::Unreachable => "E0021",
            Kind::Gap => "E0022",
            Kind::Fenced => "E0023",
            Kind::Target => "E0024",
            Kind::Claimed | Kind::Record => "E0025",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    /// What the database said, where it was the database.
    pub data: Option<sql::Error>,
    /// The credentials are not accepted: others may be.
    pub refused: bool,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), data: None, refused: false }
    }

    pub fn config(message: impl Into<String>) -> Error {
        Error::new(Kind::Config, message)
    }

    pub fn is_retryable(&self) -> bool {
        self.kind == Kind::Unreachable
    }

    /// It took longer than it may: the same, given more time, may pass.
    pub fn is_timeout(&self) -> bool {
        self.data.as_ref().is_some_and(|error| error.kind == sql::Kind::Timeout)
    }

    /// Somebody else's transaction was in the way: the same at once may pass.
    pub fn is_conflict(&self) -> bool {
        self.data.as_ref().is_some_and(|error| error.kind == sql::Kind::Conflict)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.kind.code())
    }
}

impl std::error::Error for Error {}

impl From<sql::Error> for Error {
    fn from(error: sql::Error) -> Error {
        let kind = if error.kind.is_retryable() { Kind::Unreachable } else { Kind::Target };
        let refused = error.kind == sql::Kind::Refused;
        Error { data: Some(error.clone()), refused, ..Error::new(kind, format!("target: {error}")) }
    }
}
