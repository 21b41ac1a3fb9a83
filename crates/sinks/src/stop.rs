//! The word that ends work, heard by whoever runs, reads or waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells a run to end: what is on its way is finished first.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    is_set: Arc<AtomicBool>,
    within: Option<Arc<Stop>>,
}

impl Stop {
    /// Another, which this one sets too.
    pub fn inner(&self) -> Stop {
        Stop { is_set: Arc::default(), within: Some(Arc::new(self.clone())) }
    }

    pub fn stop(&self) {
        self.is_set.store(true, Ordering::Relaxed);
    }

    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Relaxed) || self.within.as_ref().is_some_and(|outer| outer.is_set())
    }
}
