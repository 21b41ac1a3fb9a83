//! The source's tables where they are in this process: pages of images, with no JSON and no socket between.

use super::table::Part;
use crate::join::Sequence;
use model::{Item, View};

/// The two operations that move the bulk. What is not told so (none) is asked of the endpoint, which says why.
pub trait InProcess: Send + Sync {
    /// A page of a scan.
    fn scan(&self, table: &str, part: &Part<'_>, visit: &mut dyn FnMut(View<'_>)) -> Option<Scanned>;
    /// The records behind an iterator of the endpoint's, in order; and the next iterator, if there is one.
    fn records(
        &self,
        iterator: &str,
        limit: usize,
        visit: &mut dyn FnMut(Changed<'_>),
    ) -> Option<Option<String>>;
}

/// How a page of a scan ended.
pub struct Scanned {
    /// The key to go on behind.
    pub last: Option<Item>,
    pub read_units: f64,
}

/// One change of one item.
pub struct Changed<'a> {
    pub sequence: Sequence,
    pub keys: View<'a>,
    pub old: Option<View<'a>>,
    pub new: Option<View<'a>>,
    pub created_s: u64,
    /// Time to live took it away.
    pub expired: bool,
}
