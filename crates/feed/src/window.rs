//! Tumbling windows: spans of time whose records are handed over with what the target remembers of them.

use bytes::Bytes;
use std::time::Duration;
use world::Timestamp;

/// What a target may remember; a window whose state is larger ends at once.
pub const STATE_BYTES_MAX: usize = 1 << 20;
/// A window ends this much later by the clock: its last records may still be on their way.
pub const CLOCK_GRACE: Duration = Duration::from_millis(200);

/// What a window begins with.
pub const STATE_EMPTY: Bytes = Bytes::from_static(b"{}");

/// A window that is open. It keeps its own length: the mapping's may change while it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Seconds since the epoch.
    pub start_s: u64,
    pub size_s: u64,
    /// What the target remembers: JSON, an object.
    pub state: Bytes,
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

/// When the window begins in which something was written.
pub fn start_of(created: Timestamp, size: Duration) -> u64 {
    let size_s = size.as_secs().max(1);
    created.seconds() / size_s * size_s
}

impl Window {
    /// When the clock ends it, since the epoch.
    pub fn end(&self) -> Duration {
        Duration::from_secs(self.start_s + self.size_s) + CLOCK_GRACE
    }

    /// The state has become too large.
    pub fn is_early(&self) -> bool {
        self.state.len() > STATE_BYTES_MAX
    }

    /// What its end is handed.
    pub fn last_frame(&self) -> Frame {
        Frame {
            start_s: self.start_s,
            end_s: self.start_s + self.size_s,
            state: self.state.clone(),
            is_final: true,
            is_early: self.is_early(),
        }
    }
}

impl Frame {
    /// What it adds to an event, generously.
    pub fn bytes(&self) -> usize {
        self.state.len() + 600
    }
}
