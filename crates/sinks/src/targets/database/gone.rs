//! What the stream has taken away while the snapshot runs, as a lane knows it. An item has one lane and a pipeline one
//! runner, so that what was there when the lane opened, and what the lane has written since, is all there is.

use crate::mapping::{ItemName, Names};

/// More names than these are not kept: the database is asked.
pub const NAMES_MAX: usize = 50_000;

#[derive(Debug)]
pub struct Gone {
    /// None: there are too many.
    names: Option<Names>,
    /// Of the transaction that is under way.
    fresh: Vec<ItemName>,
}

impl Gone {
    /// What the database has: one more than is kept is enough to know that there are too many.
    pub fn of(names: Vec<ItemName>) -> Gone {
        let few = names.len() <= NAMES_MAX;
        Gone { names: few.then(|| names.into_iter().collect()), fresh: Vec::new() }
    }

    /// None: the database must be asked.
    pub fn has(&self, name: ItemName) -> Option<bool> {
        self.names.as_ref().map(|names| names.contains(&name))
    }

    pub fn is_empty(&self) -> bool {
        self.names.as_ref().is_some_and(Names::is_empty)
    }

    /// These are written down by the transaction that is under way.
    pub fn add(&mut self, added: &[ItemName]) {
        let Some(names) = &mut self.names else { return };
        self.fresh.extend(added.iter().filter(|name| names.insert(**name)));
        if names.len() > NAMES_MAX {
            *self = Gone { names: None, fresh: Vec::new() };
        }
    }

    pub fn committed(&mut self) {
        self.fresh.clear();
    }

    /// The transaction did nothing.
    pub fn undone(&mut self) {
        for name in self.fresh.drain(..) {
            self.names.as_mut().map(|names| names.remove(&name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ItemName {
        ItemName::of(text.as_bytes())
    }

    fn names(names: &[&str]) -> Vec<ItemName> {
        names.iter().map(|text| name(text)).collect()
    }

    /// What a transaction that failed wrote down is not there; what was there before it is.
    #[test]
    fn a_transaction_counts_when_it_commits() {
        let mut gone = Gone::of(names(&["a"]));
        gone.add(&names(&["a", "b"]));
        assert_eq!((gone.has(name("a")), gone.has(name("b"))), (Some(true), Some(true)));
        gone.undone();
        assert_eq!((gone.has(name("a")), gone.has(name("b"))), (Some(true), Some(false)));
        gone.add(&names(&["b"]));
        gone.committed();
        gone.undone();
        assert_eq!(gone.has(name("b")), Some(true));
    }

    /// Past the bound nothing is known, and nothing is said to be absent.
    #[test]
    fn too_many_are_asked_for() {
        let many: Vec<ItemName> = (0..=NAMES_MAX).map(|number| name(&number.to_string())).collect();
        assert_eq!(Gone::of(many.clone()).has(name("0")), None);
        let mut gone = Gone::of(many[..NAMES_MAX].to_vec());
        assert_eq!(gone.has(name("x")), Some(false));
        gone.add(&names(&["x"]));
        assert_eq!((gone.has(name("0")), gone.has(name("y")), gone.is_empty()), (None, None, false));
    }
}
