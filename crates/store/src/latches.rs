//! Short locks on keys, by which updates that share a key take turns to read, plan and queue.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Space;

/// Two keys that fall on one stripe take turns for nothing; with this many, few do.
const STRIPES: usize = 1024;

pub(crate) struct Latches {
    stripes: Box<[Mutex<()>]>,
}

#[expect(dead_code, reason = "held for what dropping them does")]
pub(crate) enum Held<'a> {
    One(MutexGuard<'a, ()>),
    Many(Vec<MutexGuard<'a, ()>>),
}

impl Latches {
    pub(crate) fn new() -> Latches {
        Latches { stripes: (0..STRIPES).map(|_| Mutex::new(())).collect() }
    }

    /// Takes the latches of all keys, always in the same order, so that nobody waits in a circle.
    pub(crate) fn take(&self, keys: &[(Space, Vec<u8>)]) -> Held<'_> {
        if let [key] = keys {
            return Held::One(self.lock(stripe(key)));
        }
        let mut stripes: Vec<usize> = keys.iter().map(stripe).collect();
        stripes.sort_unstable();
        stripes.dedup();
        Held::Many(stripes.into_iter().map(|stripe| self.lock(stripe)).collect())
    }

    fn lock(&self, stripe: usize) -> MutexGuard<'_, ()> {
        // A plan that panicked has queued nothing, so there is nothing to be wary of.
        self.stripes[stripe].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stripe((space, key): &(Space, Vec<u8>)) -> usize {
    let mut hasher = DefaultHasher::new();
    space.hash(&mut hasher);
    hasher.write(key);
    hasher.finish() as usize % STRIPES
}
