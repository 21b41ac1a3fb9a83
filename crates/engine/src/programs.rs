//! Compiled expressions by their text.

use crate::Error;
use model::expression::{Condition, KeyCondition, Projection, Update};
use std::sync::Arc;

/// Bounded caches of compiled expressions.
#[derive(Debug, Default)]
pub struct Programs {}

impl Programs {
    pub fn condition(&self, _text: &str) -> Result<Arc<Condition>, Error> {
        unimplemented!()
    }

    pub fn filter(&self, _text: &str) -> Result<Arc<Condition>, Error> {
        unimplemented!()
    }

    pub fn projection(&self, _text: &str) -> Result<Arc<Projection>, Error> {
        unimplemented!()
    }

    pub fn update(&self, _text: &str) -> Result<Arc<Update>, Error> {
        unimplemented!()
    }

    pub fn key_condition(&self, _text: &str) -> Result<Arc<KeyCondition>, Error> {
        unimplemented!()
    }
}
