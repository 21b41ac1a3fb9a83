//! The memory engine with a test's hand on it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::memory::Memory;
use super::{Change, Engine, Rows, View};
use crate::{Error, ErrorKind, Order, Slice, Space};

/// Where a faulty store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Writing a group fails before anything of it is applied.
    Write,
    /// A group is applied, and its sync fails.
    Sync,
    /// The committer panics in the middle of a group.
    Panic,
    /// Reading from a view fails.
    Read,
}

/// The handle by which a test lets a store fail or wait.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: Vec<Fault>,
    held: bool,
    waiting: bool,
}

impl Faults {
    /// Lets the next operation of this kind fail, once.
    pub fn inject(&self, fault: Fault) {
        self.lock().next.push(fault);
    }

    /// Lets groups wait before they are written until [`release`](Faults::release): what is
    /// written meanwhile stays pending.
    pub fn hold(&self) {
        self.lock().held = true;
    }

    pub fn release(&self) {
        self.lock().held = false;
        self.shared.changed.notify_all();
    }

    /// Returns once a group waits at the gate that [`hold`](Faults::hold) closed.
    pub fn wait_until_held(&self) {
        let mut state = self.lock();
        while !state.waiting {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn pass(&self) {
        let mut state = self.lock();
        while state.held {
            state.waiting = true;
            self.shared.changed.notify_all();
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting = false;
    }

    fn take(&self, fault: Fault) -> bool {
        let mut state = self.lock();
        let found = state.next.iter().position(|next| *next == fault);
        found.map(|index| state.next.remove(index)).is_some()
    }

    fn check(&self, fault: Fault) -> Result<(), Error> {
        if self.take(fault) { Err(Error::new(ErrorKind::Io, format!("injected: {fault:?}"))) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Default)]
pub(crate) struct Faulty {
    memory: Memory,
    pub(crate) faults: Faults,
}

impl Engine for Faulty {
    fn apply(&self, changes: &[Change], durable: bool) -> Result<(), Error> {
        self.faults.pass();
        assert!(!self.faults.take(Fault::Panic), "injected: Panic");
        self.faults.check(Fault::Write)?;
        self.memory.apply(changes, durable)?;
        if durable { self.faults.check(Fault::Sync) } else { Ok(()) }
    }

    fn sync(&self) -> Result<(), Error> {
        self.faults.check(Fault::Sync)
    }

    fn view(&self) -> Box<dyn View> {
        Box::new(FaultyView { view: self.memory.view(), faults: self.faults.clone() })
    }

    fn reclaim(&self, _space: Space, _from: &[u8], _to: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

struct FaultyView {
    view: Box<dyn View>,
    faults: Faults,
}

impl View for FaultyView {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, Error> {
        self.faults.check(Fault::Read)?;
        self.view.get(space, key)
    }

    fn range(&self, space: Space, from: &[u8], to: &[u8], order: Order) -> Rows {
        let rows = self.view.range(space, from, to, order);
        let faults = self.faults.clone();
        Box::new(rows.map(move |row| faults.check(Fault::Read).and(row)))
    }
}
