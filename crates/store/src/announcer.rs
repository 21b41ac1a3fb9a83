//! Tells observers and writers what has become durable, in commit order.
//!
//! Waking many writers takes as long as a sync; so when the next group is waiting, a second thread does it.

use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

use crate::committer::panicked;
use crate::line::{Completion, Line};
use crate::{Appended, Committed, Error};

/// Groups that may be durable and untold; then the committer helps out.
const GROUPS_MAX: usize = 64;

type Observer = Arc<dyn Fn(&[Appended]) + Send + Sync>;

#[derive(Default)]
pub(crate) struct Announcer {
    queue: Mutex<Queue>,
    work: Condvar,
    /// Held by whoever tells: one at a time, so that the order is kept.
    turn: Mutex<()>,
    observers: RwLock<Vec<Observer>>,
}

#[derive(Default)]
struct Queue {
    news: VecDeque<News>,
    closing: bool,
    /// Since an observer panicked.
    broken: Option<Error>,
}

/// What there is to tell of one group.
pub(crate) struct News {
    pub(crate) appended: Vec<Appended>,
    pub(crate) completions: Vec<(Completion, Committed)>,
}

impl Announcer {
    pub(crate) fn watch(&self, observer: Observer) {
        self.observers.write().unwrap_or_else(PoisonError::into_inner).push(observer);
    }

    /// Tells the news now, or lets the other thread do it when this one is `busy`.
    pub(crate) fn announce(&self, news: News, busy: bool, line: &Line) {
        let backlog = {
            let mut queue = self.lock();
            queue.news.push_back(news);
            queue.news.len()
        };
        let turn = if backlog > GROUPS_MAX {
            Some(self.turn.lock().unwrap_or_else(PoisonError::into_inner))
        } else if busy {
            None
        } else {
            match self.turn.try_lock() {
                Ok(turn) => Some(turn),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
        };
        match turn {
            Some(_turn) => self.tell_all(line),
            None => self.work.notify_one(),
        }
    }

    /// The second thread's life.
    pub(crate) fn run(&self, line: &Line) {
        loop {
            {
                let mut queue = self.lock();
                while queue.news.is_empty() {
                    if queue.closing {
                        return;
                    }
                    queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
            }
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.tell_all(line);
        }
    }

    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_all();
    }

    fn tell_all(&self, line: &Line) {
        let observers = self.observers.read().unwrap_or_else(PoisonError::into_inner);
        loop {
            let (news, mut failure) = {
                let mut queue = self.lock();
                (queue.news.pop_front(), queue.broken.clone())
            };
            let Some(News { appended, completions }) = news else { return };
            // One failure is enough: observers that missed a record hear nothing further.
            if failure.is_none() && !appended.is_empty() {
                let told = AssertUnwindSafe(|| observers.iter().for_each(|observer| observer(&appended)));
                if let Err(panic) = panic::catch_unwind(told) {
                    let error = panicked("an observer", &*panic).poisoned();
                    // Shut first: who learns of the failure must not find the store open.
                    line.fail(error.clone());
                    self.lock().broken = Some(error.clone());
                    failure = Some(error);
                }
            }
            for (completion, committed) in completions {
                completion.tell(failure.clone().map_or(Ok(committed), Err));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
