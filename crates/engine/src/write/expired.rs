//! Deletes of items whose time is over.

use super::plan::{Expired, Plan, plan_expired};
use crate::key::Place;
use crate::{Engine, Error, Table};
use store::{Commit, Space, UpdateError};
use world::Timestamp;

impl Engine {
    /// Deletes those that are still over, each with its record, in one commit.
    pub(crate) fn delete_expired(
        &self,
        table: &Table,
        expired: Vec<Expired>,
        now: Timestamp,
    ) -> Result<Commit, Error> {
        let keys: Vec<_> = expired.iter().map(|one| (Space::Items, one.stored.clone())).collect();
        let _gate = table.enter();
        let state = table.load();
        state.check_exists()?;
        let planned = self.store().update(&keys, |before, batch| {
            for (at, one) in expired.iter().enumerate() {
                let partition = one.stored.get(8..12).and_then(|hash| hash.try_into().ok());
                let partition = u32::from_be_bytes(partition.unwrap_or_default());
                let place = Place { stored: one.stored.clone(), partition };
                let plan = plan_expired(table, &state, &place, before.slice(at), &one.entry, now)?;
                match plan {
                    Some(mut plan) => Plan::fill(&mut plan, &place, batch),
                    // The item has another time by now, and another entry.
                    None => batch.remove(Space::Items, one.entry.clone()),
                }
            }
            Ok::<_, Error>(())
        });
        match planned {
            Ok(((), commit)) => Ok(commit),
            Err(UpdateError::Plan { error, .. }) => Err(error),
            Err(UpdateError::Store(error)) => Err(error.into()),
        }
    }
}
