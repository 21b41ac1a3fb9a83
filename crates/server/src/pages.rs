//! Pages that somebody above the server tells, under `/_millstream/`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

type Page = Arc<dyn Fn() -> String + Send + Sync>;

#[derive(Clone, Default)]
pub struct Pages(Arc<Mutex<BTreeMap<&'static str, Page>>>);

impl Pages {
    pub fn show(&self, name: &'static str, page: impl Fn() -> String + Send + Sync + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(page));
    }

    /// JSON; none: there is no such page.
    pub fn page(&self, name: &str) -> Option<String> {
        let page = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        page.map(|page| page())
    }
}
