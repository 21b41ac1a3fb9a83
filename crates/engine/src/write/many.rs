//! Several items in one update.

use super::one::written;
use super::plan::{Plan, Prepared, plan};
use super::{BatchWritten, Refused, Write};
use crate::{Engine, Error, ErrorKind, Table};
use std::sync::Arc;
use store::{Commit, Space, UpdateError};

/// Errors of the writes, each in its place.
struct Reasons(Vec<Option<Error>>);

impl Engine {
    /// Several writes to different items, with one commit. They do not depend on one another, yet either all
    /// happen or none.
    pub fn write_batch(&self, writes: Vec<(Arc<Table>, Write)>) -> Result<BatchWritten, Refused> {
        let done = self.write_many(writes, "Provided list of item keys contains duplicates");
        done.map_err(|mut refused| {
            // There is nothing to cancel here: the first reason is the error.
            if let Some(reason) = refused.reasons.drain(..).flatten().next() {
                refused.error = reason;
            }
            refused
        })
    }

    /// Several writes to different items, all or nothing: if a condition fails, none happens.
    pub fn transact_write(&self, writes: Vec<(Arc<Table>, Write)>) -> Result<BatchWritten, Refused> {
        let mut done =
            self.write_many(writes, "Transaction request cannot include multiple operations on one item")?;
        for written in &mut done.writes {
            written.consumed.double();
        }
        Ok(done)
    }

    fn write_many(
        &self,
        writes: Vec<(Arc<Table>, Write)>,
        duplicates: &str,
    ) -> Result<BatchWritten, Refused> {
        let mut tables = Vec::with_capacity(writes.len());
        let mut prepared = Vec::with_capacity(writes.len());
        for (table, write) in writes {
            prepared.push(Prepared::new(&table, write)?);
            tables.push(table);
        }
        let keys: Vec<_> = prepared.iter().map(|write| (Space::Items, write.place.stored.clone())).collect();
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
        let planned = self.store().update(&keys, |before, batch| {
            let now = self.world().now();
            let mut plans: Vec<Plan> = Vec::with_capacity(prepared.len());
            let mut reasons = Vec::new();
            for (at, write) in prepared.iter().enumerate() {
                match plan(&tables[at], &states[at], write, before.slice(at), now) {
                    Ok(plan) => plans.push(plan),
                    Err(error) => {
                        reasons.resize_with(prepared.len(), || None);
                        reasons[at] = Some(error);
                    }
                }
            }
            if !reasons.is_empty() {
                return Err(Reasons(reasons));
            }
            for (plan, write) in plans.iter_mut().zip(&prepared) {
                plan.fill(&write.place, batch);
            }
            Ok(plans)
        });
        match planned {
            Ok((plans, commit)) => {
                let writes = plans.into_iter().map(|plan| written(plan, Commit::ready())).collect();
                Ok(BatchWritten { writes, commit })
            }
            Err(UpdateError::Plan { error: Reasons(reasons), after }) => {
                let error = Error::new(ErrorKind::TransactionCancelled, "Transaction cancelled");
                Err(Refused { error, after, reasons })
            }
            Err(UpdateError::Store(error)) => Err(error.into()),
        }
    }
}
