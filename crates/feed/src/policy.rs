//! What governs a lane: how batches are cut, and what happens to one that its target refuses.

use std::time::Duration;

/// The largest event a function may be handed.
pub const BATCH_BYTES_MAX: usize = 6_291_556;

/// How batches are cut and retried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub batch_records_max: usize,
    pub batch_bytes_max: usize,
    /// How long a batch may wait for more records. Zero hands over whatever is there.
    pub batch_window: Duration,
    /// Whether a refused batch is halved before it is retried.
    pub bisect: bool,
    /// Whether a target may name the first record it failed on.
    pub partial: bool,
    /// Attempts after the first; `None` retries for as long as the record lives.
    pub retries_max: Option<u32>,
    /// Records older than this are dropped before an attempt.
    pub age_max: Option<Duration>,
    /// Whether records that are given up go to a destination of the mapping's.
    pub dead_letter: bool,
    /// The length of the windows whose records are handed over together with a state, in whole seconds.
    pub tumbling: Option<Duration>,
    pub backoff: Backoff,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            batch_records_max: 100,
            batch_bytes_max: BATCH_BYTES_MAX,
            batch_window: Duration::ZERO,
            bisect: false,
            partial: false,
            retries_max: None,
            age_max: None,
            dead_letter: false,
            tumbling: None,
            backoff: Backoff::default(),
        }
    }
}

/// Delays between attempts: doubling from the first, never above the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub last: Duration,
}

impl Default for Backoff {
    /// 0.4, 0.8, 1.6, … 60 s: eight attempts within a minute, as recorded from AWS.
    fn default() -> Backoff {
        Backoff { first: Duration::from_millis(400), last: Duration::from_secs(60) }
    }
}

impl Backoff {
    /// The pause after the `failures`th failure in a row, counted from one.
    pub fn delay(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(30);
        self.first.saturating_mul(1 << doublings).min(self.last)
    }
}
