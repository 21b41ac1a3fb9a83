//! What serves requests, made ready once and kept until its API changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use wire::ServiceError;

/// How many APIs are kept ready.
const KEPT_MAX: usize = 256;

pub(super) struct Cache<T> {
    kept: Mutex<Kept<T>>,
}

struct Kept<T> {
    /// Rises with every change: what was read before a change is not kept after it.
    changes: u64,
    by_id: HashMap<String, Arc<T>>,
}

impl<T> Cache<T> {
    pub fn new() -> Cache<T> {
        Cache { kept: Mutex::new(Kept { changes: 0, by_id: HashMap::new() }) }
    }

    pub fn get(
        &self,
        id: &str,
        make: impl FnOnce() -> Result<Option<T>, ServiceError>,
    ) -> Result<Option<Arc<T>>, ServiceError> {
        let before = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = kept.by_id.get(id) {
                return Ok(Some(found.clone()));
            }
            kept.changes
        };
        let Some(made) = make()?.map(Arc::new) else { return Ok(None) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.changes == before {
            if kept.by_id.len() >= KEPT_MAX {
                kept.by_id.clear();
            }
            kept.by_id.insert(id.to_owned(), made.clone());
        }
        Ok(Some(made))
    }

    /// The API has changed, durably.
    pub fn forget(&self, id: &str) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.changes += 1;
        kept.by_id.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;

    #[test]
    fn nothing_old_is_kept_after_a_change() {
        let cache = Cache::new();
        let read = |value: u32| cache.get("a", || Ok(Some(value))).map(|found| found.map(|one| *one));
        assert_eq!((read(1), read(2)), (Ok(Some(1)), Ok(Some(1))));
        cache.forget("a");
        assert_eq!(read(3), Ok(Some(3)));
        cache.forget("a");
        // A change comes while what was before it is being made ready.
        let slow = cache.get("a", || {
            cache.forget("a");
            Ok(Some(3))
        });
        assert_eq!(slow.map(|found| found.map(|one| *one)), Ok(Some(3)));
        assert_eq!(read(4), Ok(Some(4)));
        assert_eq!(cache.get("none", || Ok(None)), Ok(None));
    }
}
