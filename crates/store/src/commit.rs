use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use crate::Error;

/// The sequence numbers that an update's own appends were given; both zero when it appended nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    pub first_sequence: u64,
    pub last_sequence: u64,
}

/// Ready once an update, and every pending value that its plan read, is durable.
///
/// Dropping it changes nothing about the update. It needs no runtime: await it, or [`wait`](Commit::wait).
#[must_use = "an update is only durable once its commit is ready"]
pub struct Commit(State);

impl std::fmt::Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Commit")
    }
}

enum State {
    Ready(Result<Committed, Error>),
    Waiting(Arc<Slot>),
}

impl Commit {
    /// Blocks this thread until the update is durable.
    pub fn wait(self) -> Result<Committed, Error> {
        if let State::Ready(result) = self.0 {
            return result;
        }
        let mut commit = pin!(self);
        WAKER.with(|waker| {
            let mut context = Context::from_waker(waker);
            loop {
                match commit.as_mut().poll(&mut context) {
                    Poll::Ready(result) => return result,
                    Poll::Pending => std::thread::park(),
                }
            }
        })
    }

    /// A commit with nothing to wait for.
    pub fn ready() -> Commit {
        Commit(State::Ready(Ok(Committed::default())))
    }

    pub(crate) fn failed(error: Error) -> Commit {
        Commit(State::Ready(Err(error)))
    }

    pub(crate) fn waiting() -> (Commit, Arc<Slot>) {
        let slot = Arc::<Slot>::default();
        (Commit(State::Waiting(slot.clone())), slot)
    }
}

impl Future for Commit {
    type Output = Result<Committed, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.0 {
            State::Ready(result) => Poll::Ready(result.clone()),
            State::Waiting(slot) => slot.poll(context.waker()),
        }
    }
}

/// Where the committer leaves the outcome and the commit leaves its waker.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Outcome>);

#[derive(Default)]
enum Outcome {
    #[default]
    Unknown,
    Awaited(Waker),
    Known(Result<Committed, Error>),
}

impl Slot {
    pub(crate) fn complete(&self, result: Result<Committed, Error>) {
        let before = mem::replace(&mut *self.lock(), Outcome::Known(result));
        if let Outcome::Awaited(waker) = before {
            waker.wake();
        }
    }

    fn poll(&self, waker: &Waker) -> Poll<Result<Committed, Error>> {
        let mut outcome = self.lock();
        match &mut *outcome {
            Outcome::Known(result) => return Poll::Ready(result.clone()),
            Outcome::Awaited(before) => before.clone_from(waker),
            Outcome::Unknown => *outcome = Outcome::Awaited(waker.clone()),
        }
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, Outcome> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

thread_local! {
    static WAKER: Waker = Waker::from(Arc::new(Unpark(std::thread::current())));
}
