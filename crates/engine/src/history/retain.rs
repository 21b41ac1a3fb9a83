//! Changes that are older than their table's period of recovery go.

use super::{first_after, whole};
use crate::{Engine, Error};
use std::time::Duration;

/// Looked at no more often: what goes a little later does not matter.
const EVERY: Duration = Duration::from_secs(600);

impl Engine {
    /// Removes what is too old to be undone. Says when to look again, if there is anything to look at.
    pub(crate) fn retain_histories(&self) -> Result<Option<Duration>, Error> {
        let now = self.world().now();
        let mut is_any = false;
        for table in self.all_tables() {
            let Some(history) = table.load().history else { continue };
            is_any = true;
            if self.check_not_recovered(table.id).is_err() {
                continue;
            }
            let horizon = history.horizon(now);
            if horizon <= history.since {
                continue;
            }
            let snapshot = self.store().snapshot();
            let (space, from, to) = whole(&history);
            let to = first_after(&snapshot, &history, horizon)?.map_or(to, |key| key.to_vec());
            if snapshot.range(space, &from, &to, store::Order::Forward).next().is_none() {
                continue;
            }
            let mut ddl = self.lock();
            let trims = self.new_trims(&mut ddl, vec![(space, from, to)]);
            let commit = self.change(|batch| {
                ddl.fill(batch);
                trims.fill(batch);
            })?;
            commit.wait()?;
            drop(ddl);
            self.start_trims(trims);
        }
        Ok(is_any.then_some(EVERY))
    }
}
