//! The target: rows, and beside them what the pipeline remembers, in the same place and the same transactions.

mod claims;
pub mod database;
mod decide;
mod lane;
mod ledger;
pub mod look;
mod marks;
mod place;
mod retry;
pub mod table;

pub use lane::{Applied, Lane};
pub use ledger::{Kept, Ledger, Quarantined};
pub use marks::{Marks, spread};
pub use place::Place;
pub use retry::{Retried, retry};

use crate::join::Sequence;
use crate::mapping::{ItemName, KeySchema, Mapping};
use model::Item;
use sql::Value;
use std::sync::{Arc, RwLock};

/// One change of one item; of the snapshot: the item as it was found.
#[derive(Clone, Debug)]
pub struct Change {
    pub name: ItemName,
    pub keys: Item,
    pub old: Option<Item>,
    pub new: Option<Image>,
    pub created_s: u64,
    /// Time to live took it away.
    pub expired: bool,
    /// The record's number in its shard; none: of the snapshot, or for a target that goes by marks.
    pub sequence: Option<Sequence>,
}

/// An item as it is now.
#[derive(Clone, Debug)]
pub enum Image {
    Item(Item),
    /// What the mapping makes of it, where whoever read it has made that.
    Row(Vec<Value>),
}

impl Change {
    /// The item as it is now, for those whose readers make no rows.
    pub fn item(&self) -> Option<&Item> {
        match &self.new {
            None => None,
            Some(Image::Item(item)) => Some(item),
            Some(Image::Row(_)) => panic!("rows are made for lanes of databases alone"),
        }
    }

    /// What it weighs in memory, about.
    pub fn size_bytes(&self) -> usize {
        let old = self.old.as_ref().map_or(0, Item::size_bytes);
        old + match &self.new {
            None => 0,
            Some(Image::Item(item)) => item.size_bytes(),
            Some(Image::Row(row)) => row.iter().map(Value::size).sum(),
        }
    }
}

/// What the lanes of a pipeline share.
#[derive(Clone)]
pub struct Shared {
    pub pipeline: String,
    pub epoch: i64,
    /// Rows are told apart from those of an earlier copy, until the snapshot has ended.
    pub recopy: bool,
    pub schema: KeySchema,
    pub mapping: Arc<RwLock<Arc<Mapping>>>,
    pub now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Shared {
    pub fn mapping(&self) -> Arc<Mapping> {
        self.mapping.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
