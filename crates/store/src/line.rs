//! Where updates stand in line for the committer, and what they will have written when their turn has passed.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::batch::Op;
use crate::commit::Slot;
use crate::engine::Change;
use crate::{Batch, Commit, Committed, Error, ErrorKind, Slice, Space};

/// What one group takes at most: beyond, a sync no longer dominates, and its updates would wait for each other.
const GROUP_UPDATES_MAX: usize = 1024;
const GROUP_BYTES_MAX: usize = 8 << 20;

pub(crate) struct Line {
    state: Mutex<State>,
    work: Condvar,
    room: Condvar,
    updates_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Update>,
    bytes: usize,
    last_ticket: u64,
    /// The values that updates in line, or in the group being committed, give to keys.
    pending: [HashMap<Slice, Pending>; Space::ALL.len()],
    idle: bool,
    closing: bool,
    failed: Option<Error>,
}

#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) value: Option<Slice>,
    ticket: u64,
}

/// An update in line; its ticket is its place in the order of all updates.
pub(crate) struct Update {
    pub(crate) ticket: u64,
    pub(crate) ops: Vec<Op>,
    pub(crate) relaxed: bool,
    pub(crate) completion: Completion,
    bytes: usize,
}

/// The duty to tell an update's outcome. Dropped untold, it tells of the committer's end, so that no commit waits for ever.
pub(crate) struct Completion(Option<Arc<Slot>>);

pub(crate) enum Work {
    Group(Vec<Update>),
    /// Nothing came in time.
    Timeout,
    /// Closed, and everything in line has been handed out.
    Closed,
}

impl Line {
    pub(crate) fn new(updates_max: usize, bytes_max: usize) -> Line {
        let (state, work, room) = Default::default();
        Line { state, work, room, updates_max, bytes_max }
    }

    /// Waits until there is room. Asked before latches are taken, because the committer must never wait for a
    /// writer that waits for it; so the bounds are exceeded by what each writing thread may then add.
    pub(crate) fn admit(&self) -> Result<(), Error> {
        let mut state = self.lock();
        loop {
            state.check()?;
            if state.queue.len() < self.updates_max && state.bytes < self.bytes_max {
                return Ok(());
            }
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What each key will be once everything in line is committed; none where nothing in line writes it.
    pub(crate) fn pending(&self, keys: &[(Space, Vec<u8>)]) -> Vec<Option<Pending>> {
        let state = self.lock();
        keys.iter().map(|(space, key)| state.pending[*space as usize].get(&key[..]).cloned()).collect()
    }

    pub(crate) fn enqueue(&self, batch: Batch, relaxed: bool) -> Result<Commit, Error> {
        let (commit, completion) = Completion::new();
        let mut state = self.lock();
        state.check()?;
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        for op in &batch.ops {
            if let Op::Set { space, key, value } = op {
                let value = value.clone();
                state.pending[*space as usize].insert(key.clone(), Pending { value, ticket });
            }
        }
        state.bytes += batch.bytes;
        state.queue.push_back(Update { ticket, ops: batch.ops, relaxed, completion, bytes: batch.bytes });
        let idle = state.idle;
        drop(state);
        if idle {
            self.work.notify_one();
        }
        Ok(commit)
    }

    /// The next group, in order. Waits for work, but no longer than `timeout`.
    pub(crate) fn next(&self, timeout: Option<Duration>) -> Work {
        let mut state = self.lock();
        while state.queue.is_empty() {
            if state.closing || state.failed.is_some() {
                return Work::Closed;
            }
            state.idle = true;
            state = match timeout {
                None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(timeout) => {
                    let waited =
                        self.work.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner);
                    if waited.1.timed_out() && waited.0.queue.is_empty() {
                        let mut state = waited.0;
                        state.idle = false;
                        return Work::Timeout;
                    }
                    waited.0
                }
            };
            state.idle = false;
        }
        let mut bytes = 0;
        let count = state.queue.iter().take(GROUP_UPDATES_MAX).take_while(|update| {
            // The bytes before it count: a single update is never too large for a group.
            let fits = bytes < GROUP_BYTES_MAX;
            bytes += update.bytes;
            fits
        });
        let count = count.count();
        let was_full = state.queue.len() >= self.updates_max || state.bytes >= self.bytes_max;
        let group: Vec<Update> = state.queue.drain(..count).collect();
        state.bytes -= group.iter().map(|update| update.bytes).sum::<usize>();
        drop(state);
        if was_full {
            self.room.notify_all();
        }
        Work::Group(group)
    }

    /// Whether somebody is in line behind the group handed out last.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.lock().queue.is_empty()
    }

    /// Forgets the pending values of a group that readers now find in the snapshot.
    pub(crate) fn settle(&self, last_ticket: u64, changes: &[Change]) {
        let mut state = self.lock();
        for change in changes {
            let pending = &mut state.pending[change.space as usize];
            if pending.get(&change.key).is_some_and(|pending| pending.ticket <= last_ticket) {
                pending.remove(&change.key);
            }
        }
    }

    /// Refuses everything from now on, and tells everybody in line.
    pub(crate) fn fail(&self, error: Error) {
        let mut state = self.lock();
        let error = state.failed.get_or_insert(error).clone();
        let queue = std::mem::take(&mut state.queue);
        state.bytes = 0;
        state.pending = Default::default();
        drop(state);
        for update in queue {
            update.completion.tell(Err(error.clone()));
        }
        self.work.notify_all();
        self.room.notify_all();
    }

    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_all();
        self.room.notify_all();
    }

    pub(crate) fn failure(&self) -> Option<Error> {
        self.lock().failed.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check(&self) -> Result<(), Error> {
        match &self.failed {
            Some(error) => Err(error.clone()),
            None if self.closing => Err(Error::new(ErrorKind::Closed, "the store is closed")),
            None => Ok(()),
        }
    }
}

impl Completion {
    pub(crate) fn new() -> (Commit, Completion) {
        let (commit, slot) = Commit::waiting();
        (commit, Completion(Some(slot)))
    }

    pub(crate) fn tell(mut self, result: Result<Committed, Error>) {
        if let Some(slot) = self.0.take() {
            slot.complete(result);
        }
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.complete(Err(Error::new(ErrorKind::Poisoned, "the committer stopped; restart the process")));
        }
    }
}
