use std::fmt;
use std::sync::Arc;

use crate::engine::{Rows, View};
use crate::{Error, Order, Slice, Space};

/// The store as it was at one moment, every update wholly in or wholly out, and every one durable
/// (but for relaxed writes, which are durable within about a second).
///
/// Cloning is cheap. A snapshot keeps what it can see from being reclaimed: do not hoard them.
#[derive(Clone)]
pub struct Snapshot(pub(crate) Arc<Published>);

pub(crate) struct Published {
    pub(crate) view: Box<dyn View>,
    pub(crate) sequence: u64,
}

impl Snapshot {
    pub fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, Error> {
        self.0.view.get(space, key)
    }

    /// The rows of `from <= key < to`, read as they are asked for.
    pub fn range(&self, space: Space, from: &[u8], to: &[u8], order: Order) -> Range {
        let from = from.max(first_key(space));
        // An engine may refuse a range that runs backwards; here it is empty.
        let rows: Rows =
            if from < to { self.0.view.range(space, from, to, order) } else { Box::new(std::iter::empty()) };
        Range { rows, _alive: self.clone() }
    }

    /// The value of a counter that [`Batch::count`](crate::Batch::count) keeps.
    pub fn counter(&self, key: &[u8]) -> Result<i64, Error> {
        crate::committer::read_counter(&*self.0.view, key)
    }

    /// The highest sequence number that a record in this snapshot can have: the durable watermark.
    pub fn sequence(&self) -> u64 {
        self.0.sequence
    }
}

/// What the store keeps for itself lies before every key that others can write.
pub(crate) fn first_key(space: Space) -> &'static [u8] {
    match space {
        Space::Meta => &[1],
        Space::Items | Space::Log | Space::Text => &[0, 0],
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({})", self.0.sequence)
    }
}

/// The rows of a range; owns its snapshot.
pub struct Range {
    rows: Rows,
    _alive: Snapshot,
}

impl Iterator for Range {
    type Item = Result<(Slice, Slice), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}
