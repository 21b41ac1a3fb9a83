//! Compiled expressions by their text.

use crate::Error;
use model::expression::{Condition, ExpressionError, KeyCondition, Projection, Update};
use std::collections::HashMap;
use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

/// How many expressions of a kind are kept at least; twice as many at most.
const KEPT: usize = 1024;

/// Bounded caches of compiled expressions.
#[derive(Debug, Default)]
pub struct Programs {
    conditions: Cache<Condition>,
    filters: Cache<Condition>,
    projections: Cache<Projection>,
    updates: Cache<Update>,
    key_conditions: Cache<KeyCondition>,
}

/// Two generations: what is used moves to the young one, and when that is full the old one is forgotten.
struct Cache<P>(Mutex<Generations<P>>);

struct Generations<P> {
    young: HashMap<Box<str>, Arc<P>>,
    old: HashMap<Box<str>, Arc<P>>,
}

impl Programs {
    pub fn condition(&self, text: &str) -> Result<Arc<Condition>, Error> {
        self.conditions.get(text, Condition::compile)
    }

    pub fn filter(&self, text: &str) -> Result<Arc<Condition>, Error> {
        self.filters.get(text, Condition::compile_filter)
    }

    pub fn projection(&self, text: &str) -> Result<Arc<Projection>, Error> {
        self.projections.get(text, Projection::compile)
    }

    pub fn update(&self, text: &str) -> Result<Arc<Update>, Error> {
        self.updates.get(text, Update::compile)
    }

    pub fn key_condition(&self, text: &str) -> Result<Arc<KeyCondition>, Error> {
        self.key_conditions.get(text, KeyCondition::compile)
    }
}

impl<P> Cache<P> {
    fn get(
        &self,
        text: &str,
        compile: impl FnOnce(&str) -> Result<P, ExpressionError>,
    ) -> Result<Arc<P>, Error> {
        {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(program) = known.young.get(text) {
                return Ok(program.clone());
            }
            if let Some((text, program)) = known.old.remove_entry(text) {
                known.keep(text, program.clone());
                return Ok(program);
            }
        }
        // Compiled without the lock: two may do it at once, and one of them in vain.
        let program = Arc::new(compile(text)?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(text.into(), program.clone());
        Ok(program)
    }
}

impl<P> Generations<P> {
    fn keep(&mut self, text: Box<str>, program: Arc<P>) {
        if self.young.len() >= KEPT {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(text, program);
    }
}

impl<P> Default for Cache<P> {
    fn default() -> Cache<P> {
        Cache(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }
}

impl<P> fmt::Debug for Cache<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_kept_and_what_is_not_is_forgotten() {
        let programs = Programs::default();
        let first = programs.condition("a = :a").unwrap();
        for round in 0..3 * KEPT {
            programs.condition(&format!("a{round} = :a")).unwrap();
            assert!(Arc::ptr_eq(&first, &programs.condition("a = :a").unwrap()));
        }
        let known = programs.conditions.0.lock().unwrap();
        assert!(known.young.len() + known.old.len() <= 2 * KEPT);
        assert!(!known.old.contains_key("a0 = :a") && !known.young.contains_key("a0 = :a"));
    }

    #[test]
    fn what_does_not_compile_is_told() {
        let error = Programs::default().condition("a =").unwrap_err();
        assert!(error.message.starts_with("Invalid ConditionExpression:"), "{error}");
    }
}
