//! Several items in one update.

use super::one::written;
use super::plan::{Plan, Prepared, plan};
use super::{BatchWritten, Refused, Token, Transacted, Write};
use crate::layout::Meta;
use crate::{Engine, Error, ErrorKind, Side, Table, TableState};
use std::sync::Arc;
use store::{Commit, Order, Space, UpdateError};
use world::Timestamp;

/// How long a transaction's token is remembered.
const TOKEN_MS: u64 = 600_000;
/// Forgotten tokens are removed so many at a time.
const TOKENS_AT_ONCE: usize = 500;

/// What several writes are parts of.
#[derive(Clone, Copy)]
enum Of<'t> {
    Batch,
    Transaction(Option<&'t Token>),
}

impl Of<'_> {
    /// Whether a write that meets this error is left to be asked for again.
    fn leaves(self, error: &Error) -> bool {
        matches!((self, &error.kind), (Of::Batch, ErrorKind::Throttled(_)))
    }
}

/// What a plan decided.
enum Decided {
    Plans(Vec<Plan>, Vec<usize>),
    /// The token is known: all of it was done before.
    Before,
}

/// What stands in the way of several writes.
enum Against {
    Reasons(Reasons),
    /// The token was another transaction's.
    Token,
}

/// Errors of the writes, each in its place.
struct Reasons(Vec<Option<Error>>);

impl Engine {
    /// Several writes to different items, with one commit. They do not depend on one another: those for which there is no
    /// throughput are left, and the others either all happen or none.
    pub fn write_batch(&self, writes: Vec<(Arc<Table>, Write)>) -> Result<BatchWritten, Refused> {
        let done = self.write_many(writes, "Provided list of item keys contains duplicates", Of::Batch);
        let done = done.map(|done| match done {
            Transacted::Now(done) => done,
            Transacted::Before(commit) => BatchWritten { writes: Vec::new(), left: Vec::new(), commit },
        });
        done.map_err(|mut refused| {
            // There is nothing to cancel here: the first reason is the error.
            if let Some(reason) = refused.reasons.drain(..).flatten().next() {
                refused.error = reason;
            }
            refused
        })
    }

    /// Several writes to different items, all or nothing: if a condition fails, none happens. With a token that is
    /// remembered nothing happens again.
    pub fn transact_write(
        &self,
        writes: Vec<(Arc<Table>, Write)>,
        token: Option<&Token>,
    ) -> Result<Transacted, Refused> {
        let words = "Transaction request cannot include multiple operations on one item";
        let mut done = self.write_many(writes, words, Of::Transaction(token))?;
        if let Transacted::Now(done) = &mut done {
            for written in &mut done.writes {
                written.consumed.double();
            }
        }
        Ok(done)
    }

    fn write_many(
        &self,
        writes: Vec<(Arc<Table>, Write)>,
        duplicates: &str,
        of: Of<'_>,
    ) -> Result<Transacted, Refused> {
        let token = match of {
            Of::Batch => None,
            Of::Transaction(token) => token,
        };
        let mut tables = Vec::with_capacity(writes.len());
        let mut prepared = Vec::with_capacity(writes.len());
        let mut reasons = Vec::with_capacity(writes.len());
        for (table, write) in writes {
            match Prepared::new(&table, write) {
                Ok(write) => {
                    prepared.push(write);
                    reasons.push(None);
                }
                Err(error) if error.kind == ErrorKind::TableNotFound => return Err(error.into()),
                Err(error) => reasons.push(Some(error)),
            }
            tables.push(table);
        }
        if reasons.iter().any(Option::is_some) {
            return Err(cancelled(reasons, Commit::ready()));
        }
        let mut keys: Vec<_> =
            prepared.iter().map(|write| (Space::Items, write.place.stored.clone())).collect();
        let mut sorted: Vec<&[u8]> = keys.iter().map(|(_, key)| &key[..]).collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Error::validation(duplicates).into());
        }
        // Every table once, and always in the same order, so that nobody waits in a circle.
        let mut distinct: Vec<&Arc<Table>> = tables.iter().collect();
        distinct.sort_unstable_by_key(|table| table.id);
        distinct.dedup_by_key(|table| table.id);
        let _gates: Vec<_> = distinct.iter().map(|table| table.enter()).collect();
        let states: Vec<_> = tables.iter().map(|table| table.load()).collect();
        for state in &states {
            state.check_exists()?;
        }
        if let Some(token) = token {
            keys.push((Space::Meta, Meta::token(&token.name)));
        }
        let planned = self.store().update(&keys, |before, batch| {
            let now = self.world().now();
            if let Some(token) = token {
                match before.get(prepared.len()).and_then(Remembered::read) {
                    Some(known) if known.is_over(now) => {}
                    Some(known) if known.digest == token.digest => return Ok(Decided::Before),
                    Some(_) => return Err(Against::Token),
                    None => {}
                }
            }
            let mut plans: Vec<Plan> = Vec::with_capacity(prepared.len());
            let mut reasons = Vec::new();
            let mut left = Vec::new();
            for (at, write) in prepared.iter().enumerate() {
                let planned = plan(&tables[at], &states[at], write, before.slice(at), now)
                    .and_then(|plan| self.paid(&tables[at], &states[at], plan, of));
                match planned {
                    Ok(plan) => plans.push(plan),
                    // A plan that does nothing stands in its place.
                    Err(error) if of.leaves(&error) && left.len() + 1 < prepared.len() => {
                        left.push(at);
                        plans.push(Plan::default());
                    }
                    Err(error) => {
                        reasons.resize_with(prepared.len(), || None);
                        reasons[at] = Some(error);
                    }
                }
            }
            if !reasons.is_empty() {
                return Err(Against::Reasons(Reasons(reasons)));
            }
            for (plan, write) in plans.iter_mut().zip(&prepared) {
                plan.fill(&write.place, batch);
            }
            if let Some(token) = token {
                let remembered = Remembered { at: now, digest: token.digest };
                batch.put(Space::Meta, Meta::token(&token.name), remembered.bytes());
            }
            Ok(Decided::Plans(plans, left))
        });
        match planned {
            Ok((Decided::Plans(plans, left), commit)) => {
                let writes = plans.into_iter().map(|plan| written(plan, Commit::ready())).collect();
                Ok(Transacted::Now(BatchWritten { writes, left, commit }))
            }
            Ok((Decided::Before, commit)) => Ok(Transacted::Before(commit)),
            Err(UpdateError::Plan { error: Against::Reasons(Reasons(reasons)), after }) => {
                Err(cancelled(reasons, after))
            }
            Err(UpdateError::Plan { error: Against::Token, after }) => {
                let error = Error::new(ErrorKind::TokenReused, "The token was another transaction's");
                Err(Refused { error, after, reasons: Vec::new() })
            }
            Err(UpdateError::Store(error)) => Err(error.into()),
        }
    }

    /// The plan, once the throughput that it needs has been taken.
    fn paid(&self, table: &Table, state: &TableState, plan: Plan, of: Of<'_>) -> Result<Plan, Error> {
        match of {
            Of::Batch => self.take(table, state, &plan.consumed, Side::Write)?,
            Of::Transaction(_) => {
                let mut consumed = plan.consumed.clone();
                consumed.double();
                self.take(table, state, &consumed, Side::Write)?;
            }
        }
        Ok(plan)
    }

    /// Removes tokens whose time is over, once in a while.
    pub(crate) fn forget_tokens(&self) -> Result<(), Error> {
        let now = self.world().now();
        let snapshot = self.store().snapshot();
        let (from, to) = Meta::tokens();
        let mut over = Vec::new();
        for row in snapshot.range(Space::Meta, &from, &to, Order::Forward) {
            let (key, value) = row?;
            if Remembered::read(&value).is_none_or(|known| known.is_over(now)) {
                over.push((Space::Meta, key.to_vec()));
            }
        }
        for keys in over.chunks(TOKENS_AT_ONCE) {
            // A token may have been taken anew since it was looked at.
            let removed = self.store().update(keys, |before, batch| {
                for (at, (_, key)) in keys.iter().enumerate() {
                    if before.get(at).and_then(Remembered::read).is_none_or(|known| known.is_over(now)) {
                        batch.remove(Space::Meta, key.clone());
                    }
                }
                Ok::<(), Error>(())
            });
            match removed {
                Ok(_) => {}
                Err(UpdateError::Plan { error, .. }) => return Err(error),
                Err(UpdateError::Store(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn cancelled(reasons: Vec<Option<Error>>, after: Commit) -> Refused {
    Refused { error: Error::new(ErrorKind::TransactionCancelled, "Transaction cancelled"), after, reasons }
}

/// What is stored of a token: a version byte, when it was taken, and what for.
struct Remembered {
    at: Timestamp,
    digest: [u8; 32],
}

impl Remembered {
    const VERSION: u8 = 1;

    fn read(bytes: &[u8]) -> Option<Remembered> {
        let (version, rest) = bytes.split_first()?;
        let (at, digest) = rest.split_first_chunk::<8>().filter(|_| *version == Remembered::VERSION)?;
        let at = Timestamp::from_millis(u64::from_be_bytes(*at));
        Some(Remembered { at, digest: digest.try_into().ok()? })
    }

    fn bytes(&self) -> Vec<u8> {
        [&[Remembered::VERSION][..], &self.at.millis().to_be_bytes(), &self.digest].concat()
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now.millis() >= self.at.millis() + TOKEN_MS
    }
}
