//! Invocations in succession: the next one lies ready behind the one that runs, and begins the moment that one is
//! answered well, in the same environment, before anybody else hears of the answer.

use crate::config::FunctionConfig;
use crate::functions::{Invocation, Outcome};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Stands behind one invocation and holds the one that is to follow it. Cheap to clone.
#[derive(Clone)]
pub struct Relay(Arc<Inner>);

struct Inner {
    accepts: Accepts,
    slot: Mutex<Slot>,
}

type Accepts = Box<dyn Fn(&[u8]) -> bool + Send + Sync>;

enum Slot {
    Open(Option<Box<Follower>>),
    /// The invocation has ended, or was never begun.
    Closed,
}

pub(crate) struct Follower {
    pub config: Arc<FunctionConfig>,
    pub invocation: Invocation,
    /// What stands behind it.
    pub relay: Relay,
    pub reply: oneshot::Sender<Outcome>,
}

impl Relay {
    /// `accepts` says of the invocation's answer whether another may follow it.
    pub fn new(accepts: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Relay {
        Relay(Arc::new(Inner { accepts: Box::new(accepts), slot: Mutex::new(Slot::Open(None)) }))
    }

    /// Lays an invocation ready. `None` when it is too late, or one lies there already; what is given comes to nothing
    /// when the invocation does not begin.
    pub fn follow(
        &self,
        config: Arc<FunctionConfig>,
        invocation: Invocation,
        relay: Relay,
    ) -> Option<oneshot::Receiver<Outcome>> {
        let mut slot = self.slot();
        let Slot::Open(free @ None) = &mut *slot else { return None };
        let (reply, outcome) = oneshot::channel();
        *free = Some(Box::new(Follower { config, invocation, relay, reply }));
        Some(outcome)
    }

    /// Takes back what has not begun.
    pub fn withdraw(&self) {
        self.close();
    }

    pub(crate) fn accepts(&self, answer: &[u8]) -> bool {
        (self.0.accepts)(answer)
    }

    pub(crate) fn close(&self) -> Option<Box<Follower>> {
        match std::mem::replace(&mut *self.slot(), Slot::Closed) {
            Slot::Open(follower) => follower,
            Slot::Closed => None,
        }
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
