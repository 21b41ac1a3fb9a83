//! How long a target is waited for; and work that somebody else's transaction was in the way of: pipelines of one database begin
//! at the same moment, and one of two that wait for each other is sent away.

use crate::Error;
use std::time::Duration;
use world::World;

const TRIES: u64 = 10;
const PAUSE: Duration = Duration::from_millis(20);

/// However much statements have needed, a server that says nothing is not waited for longer.
const PATIENCE_MOST: Duration = Duration::from_secs(3600);

/// The time that a statement is given which took longer than this.
pub(super) fn longer(patience: Duration) -> Duration {
    patience.max((patience * 2).min(PATIENCE_MOST))
}

/// Does the work again, which may be done again, as often as is worth it.
pub(super) fn patiently<T>(world: &World, mut work: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    for tried in 1..TRIES {
        match work() {
            Err(error) if error.is_conflict() => {
                // With jitter, so that two do not come back together.
                let most_ms = PAUSE.as_millis() as u64 * tried;
                std::thread::sleep(Duration::from_millis(world.below(most_ms + 1)));
            }
            done => return done,
        }
    }
    work()
}
