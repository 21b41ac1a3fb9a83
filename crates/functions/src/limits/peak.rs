//! The most memory seen, not looked at too often.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A peak that was read so lately is not read again: it takes longer than many handlers.
const LOOK_PAUSE_MS: u64 = 20;

#[derive(Debug, Default)]
pub(crate) struct Peak {
    bytes: AtomicU64,
    /// When it was last looked at, in the world's elapsed time; zero for never.
    looked_ms: AtomicU64,
}

impl Peak {
    pub fn saw(&self, bytes: u64) {
        self.bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    /// The most so far; looks again unless that was just done.
    pub fn at(&self, now: Duration, look: impl FnOnce() -> u64) -> u64 {
        let now_ms = now.as_millis() as u64 + 1;
        let looked_ms = self.looked_ms.load(Ordering::Relaxed);
        if looked_ms == 0 || now_ms.saturating_sub(looked_ms) >= LOOK_PAUSE_MS {
            self.looked_ms.store(now_ms, Ordering::Relaxed);
            self.saw(look());
        }
        self.bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::Peak;
    use std::time::Duration;

    #[test]
    fn the_most_is_kept_and_seldom_looked_for() {
        let peak = Peak::default();
        let at = |ms, bytes| peak.at(Duration::from_millis(ms), || bytes);
        assert_eq!(at(0, 5), 5);
        assert_eq!(at(19, 9), 5, "looked at just before");
        assert_eq!(at(20, 7), 7);
        assert_eq!(at(90, 3), 7);
        peak.saw(8);
        assert_eq!(at(91, 0), 8);
    }
}
