/// One of the store's ordered maps; an update may span them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// The catalog, counters and services' records. Keys that begin with a zero byte are the store's own.
    Meta,
    /// Items and index entries.
    Items,
    /// Stream records, written by [`Batch::append`](crate::Batch::append) alone.
    Log,
    /// Functions' log events.
    Text,
}

impl Space {
    pub(crate) const ALL: [Space; 4] = [Space::Meta, Space::Items, Space::Log, Space::Text];
}

/// The direction of a range read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Forward,
    Backward,
}
