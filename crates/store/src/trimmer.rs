//! The thread that removes ranges: it reads ahead and queues small batches of removals, like any writer.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::batch::OWN_KEY;
use crate::line::Completion;
use crate::store::Shared;
use crate::{Batch, Commit, Committed, Error, ErrorKind, Order, Slice, Space};

/// Keys removed by one batch.
const CHUNK_KEYS: usize = 256;

/// Ranges that may wait.
const TRIMS_MAX: usize = 4096;

#[derive(Default)]
pub(crate) struct Trimmer {
    queue: Mutex<Queue>,
    work: Condvar,
}

#[derive(Default)]
struct Queue {
    trims: VecDeque<Trim>,
    started: bool,
    closing: bool,
    /// Readers of snapshots that are to stay whole.
    holds: usize,
}

struct Trim {
    space: Space,
    from: Slice,
    to: Slice,
    completion: Completion,
}

impl Trimmer {
    /// Queues a trim. The second value says that nobody runs this trimmer yet: the caller starts it.
    pub(crate) fn queue(&self, space: Space, from: &[u8], to: &[u8]) -> Result<(Commit, bool), Error> {
        let (commit, completion) = Completion::new();
        let mut queue = self.lock();
        if queue.closing {
            return Err(Error::new(ErrorKind::Closed, "the store is closed"));
        }
        if queue.trims.len() >= TRIMS_MAX {
            return Err(Error::new(ErrorKind::Busy, format!("{TRIMS_MAX} ranges are waiting to be trimmed")));
        }
        queue.trims.push_back(Trim { space, from: Slice::from(from), to: Slice::from(to), completion });
        let start = !std::mem::replace(&mut queue.started, true);
        drop(queue);
        self.work.notify_one();
        Ok((commit, start))
    }

    pub(crate) fn run(&self, shared: &Arc<Shared>) {
        while let Some(trim) = self.next() {
            let Trim { space, from, to, completion } = trim;
            let result = self.remove(shared, space, &from, &to);
            completion.tell(result.map(|()| Committed::default()));
        }
    }

    pub(crate) fn hold(&self) {
        self.lock().holds += 1;
    }

    pub(crate) fn release(&self) {
        self.lock().holds -= 1;
        self.work.notify_all();
    }

    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closing = true;
        for trim in queue.trims.drain(..) {
            trim.completion.tell(Err(Error::new(
                ErrorKind::Closed,
                "the store was closed before the range was trimmed",
            )));
        }
        drop(queue);
        self.work.notify_all();
    }

    fn next(&self) -> Option<Trim> {
        let mut queue = self.lock();
        loop {
            if queue.closing {
                return None;
            }
            if queue.holds == 0
                && let Some(trim) = queue.trims.pop_front()
            {
                return Some(trim);
            }
            queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn remove(&self, shared: &Shared, space: Space, from: &[u8], to: &[u8]) -> Result<(), Error> {
        // What goes as a whole may have held removals of older rows that do not: so the rows are looked for after it.
        shared.engine.reclaim(space, from, to)?;
        // The engine keeps a journal until the spaces it tells of have tables at least as new. A space that has just lost
        // its newest table, and is not written again, would hold on to one; a row of our own frees it.
        let mut batch = Batch::default();
        batch.set_unchecked(space, Slice::from(OWN_KEY), Some(Slice::from(&[1])));
        shared.line.admit()?;
        shared.line.enqueue(batch, true)?.wait()?;
        let mut rows = shared.snapshot().range(space, from, to, Order::Forward);
        loop {
            let mut batch = Batch::default();
            for row in rows.by_ref().take(CHUNK_KEYS) {
                batch.set_unchecked(space, row?.0, None);
            }
            if batch.is_empty() {
                return Ok(());
            }
            if self.lock().closing {
                return Err(Error::new(
                    ErrorKind::Closed,
                    "the store was closed while the range was being trimmed",
                ));
            }
            // One chunk is in line at a time, and rides with the groups of others: writers do not notice it.
            shared.line.admit()?;
            shared.line.enqueue(batch, true)?.wait()?;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
