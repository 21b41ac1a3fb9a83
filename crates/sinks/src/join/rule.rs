//! The rule by which a snapshot and a stream meet: the stream decides, the snapshot only fills what is missing.

/// What the target knows of a source item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Neither scan nor stream has brought it.
    Nothing,
    /// It has a row, of this copy where there was an earlier one.
    Row,
    /// The stream took its row away; remembered until the snapshot has ended.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    Snapshot,
    Stream,
}

/// Whether what came is applied. A scanned item may be older than what a record has decided already, deletion
/// included, and nothing in it says so; a record always has its successors behind it.
pub fn applies(known: Known, origin: Origin) -> bool {
    origin == Origin::Stream || known == Known::Nothing
}
