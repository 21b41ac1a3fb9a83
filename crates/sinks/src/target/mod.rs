//! The target: rows, and beside them what the pipeline remembers, in the same database and the same transactions.

mod apply;
mod fold;
mod lane;
mod retry;
mod schema;
mod shared;
mod state;

pub use lane::{Applied, Lane};
pub use retry::{Retried, retry};
pub use schema::{check_table, grow, make_table};
pub use state::{Kept, Quarantined, State};

use crate::mapping::{ItemName, KeySchema, Mapping};
use model::Item;
use std::sync::{Arc, RwLock};

/// One change of one item; of the snapshot: the item as it was found.
#[derive(Clone, Debug)]
pub struct Change {
    pub name: ItemName,
    pub keys: Item,
    pub old: Option<Item>,
    pub new: Option<Item>,
    pub created_s: u64,
    /// Time to live took it away.
    pub expired: bool,
}

/// What the lanes of a pipeline share.
#[derive(Clone)]
pub struct Shared {
    pub pipeline: String,
    pub epoch: i64,
    pub schema: KeySchema,
    pub mapping: Arc<RwLock<Arc<Mapping>>>,
    pub now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Shared {
    pub fn mapping(&self) -> Arc<Mapping> {
        self.mapping.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}
