//! Tumbling windows: spans of time whose records are handed over with what the target remembers of them.

use bytes::Bytes;
use std::time::Duration;
use world::Timestamp;

/// What a target may remember; a window whose state is larger ends at once.
pub const STATE_BYTES_MAX: usize = 1 << 20;
/// A window ends this much later by the clock: its last records may still be on their way.
pub const CLOCK_GRACE: Duration = Duration::from_millis(200);

/// A window that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Seconds since the epoch.
    pub start_s: u64,
    /// What the target remembers: JSON, an object.
    pub state: Bytes,
    /// The state has become too large.
    pub is_early: bool,
}

/// What a batch is told of its window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub start_s: u64,
    pub end_s: u64,
    pub state: Bytes,
    pub is_final: bool,
    /// It ends because its state is too large.
    pub is_early: bool,
}

impl Window {
    /// When the window begins in which something was written.
    pub fn start_of(created: Timestamp, size: Duration) -> u64 {
        let size_s = size.as_secs().max(1);
        created.seconds() / size_s * size_s
    }

    /// When it ends, since the epoch.
    pub fn end(&self, size: Duration) -> Duration {
        Duration::from_secs(self.start_s) + size
    }
}

impl Frame {
    /// What it adds to an event, generously.
    pub fn bytes(&self) -> usize {
        self.state.len() + 600
    }
}
