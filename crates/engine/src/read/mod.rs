//! Reads: get, query, scan.

mod bounds;
mod get;
mod page;
mod page_size;
mod query;
mod scan;

use crate::Consumed;
use model::expression::{Bound, Condition, KeyQuery, RangeCondition};
use model::{Item, Value};
use store::{Order, Slice};

/// What a read counts: data is always read as of the last acknowledged write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    #[default]
    Eventual,
    Strong,
    /// As part of a transaction.
    Transactional,
}

#[derive(Clone, Debug)]
pub struct Got {
    /// The item's image; see [`model::View::new`].
    pub image: Option<Slice>,
    pub consumed: Consumed,
}

/// The keys a query reads. Of an index with several key attributes, `hash` has one value for each, `range` one for
/// each of the leading ones that are equal to something.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyCondition {
    pub hash: Vec<Value>,
    pub range_equal: Vec<Value>,
    pub range: Option<RangeCondition>,
}

/// Which attributes the caller is going to look at.
#[derive(Clone, Copy, Debug, Default)]
pub enum Attributes<'a> {
    /// All that the table or index holds.
    #[default]
    Projected,
    /// All of the item: a local index fetches them from the table, a global one refuses if it does not hold them.
    All,
    /// These top-level ones, to the same rules.
    Named(&'a [&'a str]),
}

#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    pub index: Option<&'a str>,
    pub key: &'a KeyCondition,
    pub filter: Option<&'a Bound<Condition>>,
    pub attributes: Attributes<'a>,
    pub order: Order,
    /// Items read, not items that pass the filter.
    pub limit: Option<usize>,
    /// The exclusive start key.
    pub start: Option<&'a Item>,
    pub consistency: Consistency,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Scan<'a> {
    pub index: Option<&'a str>,
    pub filter: Option<&'a Bound<Condition>>,
    pub attributes: Attributes<'a>,
    pub limit: Option<usize>,
    pub start: Option<&'a Item>,
    pub segment: Option<Segment>,
    pub consistency: Consistency,
}

/// The part of a parallel scan: `number` of `total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub number: u32,
    pub total: u32,
}

/// How far a query or scan came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Items visited.
    pub count: usize,
    /// Items read, those that the filter held back included.
    pub scanned: usize,
    /// Where to go on, if there may be more.
    pub last: Option<Item>,
    pub consumed: Consumed,
}

impl From<KeyQuery> for KeyCondition {
    fn from(query: KeyQuery) -> KeyCondition {
        KeyCondition { hash: query.hash, range_equal: query.range_equal, range: query.range }
    }
}
