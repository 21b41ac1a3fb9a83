use std::fmt;
use std::sync::Arc;

/// What the caller should do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A sync, a write or the committer failed earlier: nothing more is written; restart the process.
    Poisoned,
    /// The store was closed by its owner.
    Closed,
    /// What lies on disk is not what was written: restore a backup.
    Corrupt,
    /// Another process has the directory open.
    Locked,
    /// The directory was written by a newer version of this program.
    Newer,
    /// The operating system refused: permissions, space, hardware.
    Io,
    /// A bound was reached; try again later.
    Busy,
}

/// A failure of the store; its message is for the operator.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    message: Arc<str>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: Arc::from(message.into()), source: None }
    }

    pub(crate) fn because(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Error {
        self.source = Some(Arc::new(source));
        self
    }

    /// The same failure as those see it who come after it.
    pub(crate) fn poisoned(self) -> Error {
        match self.kind {
            ErrorKind::Poisoned | ErrorKind::Closed => self,
            _ => Error {
                kind: ErrorKind::Poisoned,
                message: format!(
                    "the store refuses writes since one failed, restart the process: {}",
                    self.message
                )
                .into(),
                source: self.source,
            },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, " ({source})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}
