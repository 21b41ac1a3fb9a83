//! The target: rows, and beside them what the pipeline remembers, in the same place and the same transactions.

mod change;
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

pub use change::{Change, ItemChange};
pub use lane::{Applied, Lane};
pub use ledger::{Kept, Ledger, Quarantined};
pub use marks::{Marks, spread};
pub use place::Place;
pub use retry::{Retried, retry};

use crate::mapping::{KeySchema, Mapping};
use std::sync::{Arc, RwLock};

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
