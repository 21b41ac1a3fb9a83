//! What a mapping has done and what lies before it, told by its shards as they go.

use crate::lane::Totals;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use world::Timestamp;

/// A mapping's records. `read` is the sum of the others, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    pub totals: Totals,
    /// Read, and neither delivered, filtered nor dropped.
    pub pending: u64,
    /// When the oldest pending record was written.
    pub oldest: Option<Timestamp>,
}

impl Flow {
    pub fn read(&self) -> u64 {
        self.totals.delivered + self.totals.filtered + self.totals.dropped + self.pending
    }
}

#[derive(Debug, Default)]
pub(crate) struct Gauges {
    shards: Mutex<BTreeMap<String, Flow>>,
    result: Mutex<Option<String>>,
}

impl Gauges {
    pub fn tell(&self, shard: &str, flow: Flow) {
        let mut shards = lock(&self.shards);
        match shards.get_mut(shard) {
            Some(known) => *known = flow,
            None => drop(shards.insert(shard.to_owned(), flow)),
        }
    }

    pub fn flow(&self) -> Flow {
        lock(&self.shards).values().fold(Flow::default(), |sum, flow| Flow {
            totals: Totals {
                delivered: sum.totals.delivered + flow.totals.delivered,
                filtered: sum.totals.filtered + flow.totals.filtered,
                dropped: sum.totals.dropped + flow.totals.dropped,
            },
            pending: sum.pending + flow.pending,
            oldest: sum.oldest.into_iter().chain(flow.oldest).min(),
        })
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
