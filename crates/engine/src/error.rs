use crate::Throttled;
use std::fmt;
use store::Slice;

/// What the caller should do about an [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    TableNotFound,
    /// The table exists already.
    TableExists,
    /// The table or index is being created, changed or deleted.
    TableInUse,
    IndexNotFound,
    BackupNotFound,
    /// The backup is being made, or read.
    BackupInUse,
    /// The table's changes are not kept.
    NotRecoverable,
    /// What the table was then is not known.
    NotThen,
    StreamNotFound,
    ShardNotFound,
    /// The request is wrong; the message says how, in the service's words where they are known.
    Validation,
    /// The condition was false. `item` is the item as it is, if there is one.
    ConditionFailed {
        item: Option<Slice>,
    },
    /// The item would be larger than an item may be.
    ItemTooLarge,
    LimitExceeded,
    /// More throughput was asked for than there is.
    Throttled(Box<Throttled>),
    /// A transaction did not happen; its reasons stand beside the error.
    TransactionCancelled,
    /// A transaction's token was taken for another one, not long ago.
    TokenReused,
    /// What is asked for has left the stream.
    Trimmed,
    /// Damaged data, or a store that refuses: not the caller's fault. The message is for the operator.
    Internal,
}

/// A refusal: what to do about it, what happened, and what caused it.
#[derive(Clone, Debug)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
    source: Option<Box<store::Error>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), source: None }
    }

    pub fn validation(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Validation, message)
    }

    /// A validation error in the envelope that most of them share.
    pub(crate) fn parameter(message: impl fmt::Display) -> Error {
        Error::validation(format!("One or more parameter values were invalid: {message}"))
    }

    pub(crate) fn internal(message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

impl From<store::Error> for Error {
    fn from(source: store::Error) -> Error {
        Error { kind: ErrorKind::Internal, message: source.to_string(), source: Some(Box::new(source)) }
    }
}

impl From<model::key::CorruptKey> for Error {
    fn from(source: model::key::CorruptKey) -> Error {
        Error::internal(source.to_string())
    }
}

impl From<model::CorruptImage> for Error {
    fn from(source: model::CorruptImage) -> Error {
        Error::internal(source.to_string())
    }
}

impl From<model::expression::ExpressionError> for Error {
    fn from(error: model::expression::ExpressionError) -> Error {
        match error.kind {
            model::expression::ErrorKind::Invalid => Error::validation(error.message),
            model::expression::ErrorKind::Corrupt => Error::internal(error.message),
        }
    }
}
