use super::plan::{Prepared, plan};
use super::{Refused, Write, Written};
use crate::{Engine, Error, Side, Table};
use store::{Commit, Space, UpdateError};

impl Engine {
    /// Puts, updates or deletes one item.
    pub fn write(&self, table: &Table, write: Write) -> Result<Written, Refused> {
        let prepared = Prepared::new(table, write)?;
        let keys = [(Space::Items, prepared.place.stored.clone())];
        // From here until the write is queued, what the table is stays as it is.
        let _gate = table.enter();
        let state = table.load();
        state.check_exists()?;
        let planned = self.store().update(&keys, |before, batch| {
            let mut plan = plan(table, &state, &prepared, before.slice(0), self.world().now())?;
            self.take(table, &state, &plan.consumed, Side::Write)?;
            plan.fill(&prepared.place, batch);
            Ok::<_, Error>(plan)
        });
        let (plan, commit) = planned.map_err(refused)?;
        Ok(written(plan, commit))
    }
}

pub(super) fn written(plan: super::plan::Plan, commit: Commit) -> Written {
    let super::plan::Plan { old, new, changed, consumed, .. } = plan;
    Written { old, new, changed, consumed, commit }
}

fn refused(error: UpdateError<Error>) -> Refused {
    match error {
        UpdateError::Plan { error, after } => Refused { error, after, reasons: Vec::new() },
        UpdateError::Store(error) => error.into(),
    }
}
