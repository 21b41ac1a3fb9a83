//! What lies beneath the committer: something that applies a group atomically, syncs, and shows a view.

pub(crate) mod faulty;

use crate::{Error, Order, Slice, Space};

pub(crate) type Rows = Box<dyn Iterator<Item = Result<(Slice, Slice), Error>> + Send>;

/// An immutable view of everything applied before it was taken.
pub(crate) trait View: Send + Sync {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, Error>;
    fn range(&self, space: Space, from: &[u8], to: &[u8], order: Order) -> Rows;
}
