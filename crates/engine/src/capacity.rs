//! Capacity units, counted as the service counts them.

use crate::{Consistency, IndexKind};
use std::sync::Arc;

const READ_BYTES: usize = 4096;
const WRITE_BYTES: usize = 1024;

/// What an operation on one table consumed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Consumed {
    /// Units of the table itself.
    pub table: f64,
    /// Units of its indexes, of those that were touched.
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

    /// What another operation consumed, too.
    pub fn add(&mut self, other: &Consumed) {
        self.table += other.table;
        for index in &other.indexes {
            match self.indexes.iter_mut().find(|known| known.name == index.name) {
                Some(known) => known.units += index.units,
                None => self.indexes.push(index.clone()),
            }
        }
    }

    /// What a transaction consumes: it prepares and then commits.
    pub(crate) fn double(&mut self) {
        self.table *= 2.0;
        for index in &mut self.indexes {
            index.units *= 2.0;
        }
    }
}

/// Units of reading this many bytes; reading nothing costs as much as reading little.
pub(crate) fn read_units(bytes: usize, consistency: Consistency) -> f64 {
    let blocks = bytes.div_ceil(READ_BYTES).max(1) as f64;
    match consistency {
        Consistency::Eventual => blocks / 2.0,
        Consistency::Strong => blocks,
        Consistency::Transactional => blocks * 2.0,
    }
}

/// Units of writing an item, or of deleting it: the larger of what was and what is counts.
pub(crate) fn write_units(before: usize, after: usize) -> f64 {
    before.max(after).div_ceil(WRITE_BYTES).max(1) as f64
}
