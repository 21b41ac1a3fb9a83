//! A clock that moves only when it is told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Timestamp;

/// Where every simulated clock starts: 2026-01-01T00:00:00Z.
const EPOCH_MS: u64 = 1_767_225_600_000;

#[derive(Debug, Default)]
pub(crate) struct Clock {
    elapsed_ns: AtomicU64,
}

impl Clock {
    pub(crate) fn advance(&self, by: Duration) {
        let ns = u64::try_from(by.as_nanos()).expect("a simulation does not last centuries");
        self.elapsed_ns.fetch_add(ns, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(EPOCH_MS + self.elapsed_ns.load(Ordering::SeqCst) / 1_000_000)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns.load(Ordering::SeqCst))
    }
}
