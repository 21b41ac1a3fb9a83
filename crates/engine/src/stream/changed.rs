//! A number that rises, and futures that wait for it to: nobody polls.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// A number that only rises.
#[derive(Default)]
pub(crate) struct Signal(Mutex<State>);

#[derive(Default)]
struct State {
    value: u64,
    /// It will not rise any more: nobody need wait.
    over: bool,
    waiters: Vec<(u64, Waker)>,
    next_ticket: u64,
}

/// Ready when what it was made for has changed. Needs no runtime.
#[must_use = "futures do nothing unless awaited"]
pub struct Changed {
    signal: Arc<Signal>,
    after: u64,
    ticket: Option<u64>,
}

impl Signal {
    pub fn at(value: u64) -> Signal {
        Signal(Mutex::new(State { value, ..State::default() }))
    }

    pub fn value(&self) -> u64 {
        self.lock().value
    }

    /// Raises it to `value`, if it is not there already.
    pub fn raise(&self, value: u64) {
        self.change(|state| state.value = state.value.max(value));
    }

    pub fn bump(&self) {
        self.change(|state| state.value += 1);
    }

    pub fn finish(&self) {
        self.change(|state| state.over = true);
    }

    pub fn after(self: &Arc<Self>, after: u64) -> Changed {
        Changed { signal: self.clone(), after, ticket: None }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waiters = mem::take(&mut state.waiters);
        drop(state);
        for (_, waker) in waiters {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changed {
    /// Blocks this thread until then.
    pub fn wait(mut self) {
        struct Unpark(Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        while Pin::new(&mut self).poll(&mut context).is_pending() {
            std::thread::park();
        }
    }
}

impl Future for Changed {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let Changed { signal, after, ticket } = &mut *self;
        let mut state = signal.lock();
        if state.value > *after || state.over {
            return Poll::Ready(());
        }
        let known = ticket.and_then(|ticket| state.waiters.iter_mut().find(|(known, _)| *known == ticket));
        match known {
            Some((_, waker)) => waker.clone_from(context.waker()),
            None => {
                state.next_ticket += 1;
                *ticket = Some(state.next_ticket);
                let waiter = (state.next_ticket, context.waker().clone());
                state.waiters.push(waiter);
            }
        }
        Poll::Pending
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.signal.lock().waiters.retain(|(known, _)| *known != ticket);
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signal({})", self.value())
    }
}

impl fmt::Debug for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Changed(after {})", self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ready(changed: &mut Changed) -> bool {
        Pin::new(changed).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn ready_when_the_value_is_above() {
        let signal = Arc::new(Signal::at(4));
        let mut changed = signal.after(4);
        assert!(!is_ready(&mut changed));
        signal.raise(3);
        assert!(!is_ready(&mut changed));
        signal.raise(5);
        assert!(is_ready(&mut changed));
        assert!(is_ready(&mut signal.after(4)));
    }

    #[test]
    fn what_is_over_keeps_nobody_waiting() {
        let signal = Arc::new(Signal::default());
        let mut changed = signal.after(9);
        assert!(!is_ready(&mut changed));
        signal.finish();
        assert!(is_ready(&mut changed));
    }

    #[test]
    fn a_waiter_that_goes_leaves_nothing_behind() {
        let signal = Arc::new(Signal::default());
        let mut changed = signal.after(0);
        assert!(!is_ready(&mut changed));
        assert!(!is_ready(&mut changed));
        assert_eq!(signal.lock().waiters.len(), 1);
        drop(changed);
        assert!(signal.lock().waiters.is_empty());
    }

    #[test]
    fn a_thread_waits_without_a_runtime() {
        let signal = Arc::new(Signal::default());
        let waiter = std::thread::spawn({
            let changed = signal.after(0);
            move || changed.wait()
        });
        signal.bump();
        waiter.join().unwrap();
    }
}
