//! What lies beneath the committer: something that applies a group atomically, syncs, and shows views.

mod dead;
pub(crate) mod embedded;
pub(crate) mod faulty;
mod journal;
pub(crate) mod memory;

use crate::{Error, Order, Slice, Space};

/// Called by the committer alone, one call at a time, except where a method says otherwise.
pub(crate) trait Engine: Send + Sync {
    /// Applies the changes together or not at all; when `durable`, they and everything before them
    /// have reached the disk on return. No key occurs twice.
    fn apply(&self, changes: &[Change], durable: bool) -> Result<(), Error>;

    /// Brings everything applied to the disk.
    fn sync(&self) -> Result<(), Error>;

    /// A view of everything applied.
    fn view(&self) -> Box<dyn View>;

    /// Gives back what can be given back at once of a range that is about to be removed key by key.
    /// Called from any thread.
    fn reclaim(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(), Error>;
}

#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) space: Space,
    pub(crate) key: Slice,
    pub(crate) value: Option<Slice>,
}

pub(crate) type Rows = Box<dyn Iterator<Item = Result<(Slice, Slice), Error>> + Send>;

/// An immutable view of everything applied before it was taken.
pub(crate) trait View: Send + Sync {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, Error>;

    /// The rows of `from <= key < to`, where `from < to`.
    fn range(&self, space: Space, from: &[u8], to: &[u8], order: Order) -> Rows;
}
