//! What a mapping has done and what lies before it, told by its shards as they go.

use crate::lane::{Blockage, Totals};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use world::Timestamp;

/// A mapping's records. `read` is the sum of the others, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    pub totals: Totals,
    /// Read, and not finished.
    pub pending: u64,
    /// When the oldest pending record was written.
    pub oldest: Option<Timestamp>,
}

impl Flow {
    pub fn read(&self) -> u64 {
        self.totals.finished() + self.pending
    }
}

/// A lane that cannot go on, and what was said when it last tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    pub blockage: Blockage,
    pub error: Option<String>,
}

/// One shard of a mapping's stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShardFlow {
    pub flow: Flow,
    pub stuck: Vec<Stuck>,
}

#[derive(Debug, Default)]
pub(crate) struct Gauges {
    shards: Mutex<BTreeMap<String, ShardFlow>>,
    result: Mutex<Option<String>>,
    burial_failures: AtomicU64,
}

impl Gauges {
    pub fn tell(&self, shard: &str, flow: Flow, stuck: Vec<Stuck>) {
        let mut shards = lock(&self.shards);
        let told = ShardFlow { flow, stuck };
        match shards.get_mut(shard) {
            Some(known) => *known = told,
            None => drop(shards.insert(shard.to_owned(), told)),
        }
    }

    pub fn flow(&self) -> Flow {
        lock(&self.shards).values().fold(Flow::default(), |sum, ShardFlow { flow, .. }| Flow {
            totals: sum.totals + flow.totals,
            pending: sum.pending + flow.pending,
            oldest: sum.oldest.into_iter().chain(flow.oldest).min(),
        })
    }

    /// Each shard, by name.
    pub fn shards(&self) -> Vec<(String, ShardFlow)> {
        lock(&self.shards).iter().map(|(name, shard)| (name.clone(), shard.clone())).collect()
    }

    /// Nothing is in flight and nothing is tried any more: what is pending will be read again.
    pub fn rest(&self) {
        for shard in lock(&self.shards).values_mut() {
            *shard = ShardFlow { flow: Flow { totals: shard.flow.totals, ..Flow::default() }, stuck: vec![] };
        }
    }

    pub fn tell_burial_failure(&self) {
        self.burial_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub fn burial_failures(&self) -> u64 {
        self.burial_failures.load(Ordering::Relaxed)
    }

    /// What the last batch came to; the common case allocates nothing.
    pub fn tell_result(&self, problem: Option<&str>) {
        let mut result = lock(&self.result);
        match problem {
            None if result.as_deref() == Some("OK") => {}
            None => *result = Some("OK".to_owned()),
            Some(problem) => *result = Some(format!("PROBLEM: {problem}")),
        }
    }

    pub fn result(&self) -> String {
        lock(&self.result).clone().unwrap_or_else(|| "No records processed".to_owned())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
