//! Capacity units, counted as the service counts them.

use crate::IndexKind;
use std::sync::Arc;

/// What an operation on one table consumed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consumed {
    /// Units of the table itself.
    pub table: f64,
    pub indexes: Vec<IndexUnits>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IndexUnits {
    pub name: Arc<str>,
    pub kind: IndexKind,
    pub units: f64,
}

impl Consumed {
    pub fn total(&self) -> f64 {
        self.table + self.indexes.iter().map(|index| index.units).sum::<f64>()
    }
}
