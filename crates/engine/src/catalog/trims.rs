//! Ranges of the store that nothing refers to any more. They are noted before they are removed, so that a crash in
//! between leaves no rubbish.

use crate::catalog::{Ddl, stored};
use crate::layout::Meta;
use crate::{Engine, Error};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use store::{Batch, Commit, Space};

pub(crate) type Range = (Space, Vec<u8>, Vec<u8>);

/// Ranges to be removed, by the ids of their notes.
#[derive(Debug, Default)]
pub(crate) struct Trims(pub Vec<(u64, Range)>);

/// A removal that has begun.
#[derive(Debug)]
pub(crate) struct Trimming {
    id: u64,
    commit: Commit,
}

impl Trims {
    /// Notes them, in the update that makes them superfluous.
    pub fn fill(&self, batch: &mut Batch) {
        for (id, range) in &self.0 {
            batch.put(Space::Meta, Meta::trim(*id), stored::trim(range));
        }
    }
}

impl Engine {
    pub(crate) fn new_trims(&self, ddl: &mut Ddl, ranges: Vec<Range>) -> Trims {
        Trims(ranges.into_iter().map(|range| (ddl.fresh_id(), range)).collect())
    }

    /// Lets maintenance remove what the catalog no longer refers to, durably.
    pub(crate) fn start_trims(&self, trims: Trims) {
        self.steward().trims_waiting().extend(trims.0);
        self.steward().poke();
    }

    /// Begins removals, and forgets the notes of those that are done. With a waker, it is woken when another is done;
    /// without, this waits for all.
    pub(crate) fn trim(&self, waker: Option<&Waker>) -> Result<(), Error> {
        let mut running = std::mem::take(&mut *self.steward().trims_running());
        loop {
            let next = self.steward().trims_waiting().pop();
            let Some((id, (space, from, to))) = next else { break };
            match self.store().trim(space, &from, &to) {
                Ok(commit) => running.push(Trimming { id, commit }),
                Err(error) => {
                    // Too many wait already: there is a next time.
                    self.steward().trims_waiting().push((id, (space, from, to)));
                    if error.kind() == store::ErrorKind::Busy {
                        break;
                    }
                    return Err(error.into());
                }
            }
        }
        let mut done = Vec::new();
        for mut trimming in running {
            let outcome = match waker {
                None => Poll::Ready(trimming.commit.wait()),
                Some(waker) => match Pin::new(&mut trimming.commit).poll(&mut Context::from_waker(waker)) {
                    Poll::Pending => {
                        self.steward().trims_running().push(trimming);
                        continue;
                    }
                    ready => ready,
                },
            };
            if let Poll::Ready(outcome) = outcome {
                outcome?;
                done.push(trimming.id);
            }
        }
        if !done.is_empty() {
            let commit = self.change(|batch| {
                for id in &done {
                    batch.remove(Space::Meta, Meta::trim(*id));
                }
            })?;
            commit.wait()?;
        }
        Ok(())
    }
}
