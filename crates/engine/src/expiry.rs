//! Time to live: items that go by themselves when the second in one of their attributes is over.
//!
//! Every item that has one has an entry in a range of its own, ordered by that second, kept by the write's own commit. So
//! the sweep reads only what is over, and never looks through a table. It deletes with the plan of an ordinary delete,
//! and only what is still over when its turn comes.

use crate::catalog::{Backfill, stored};
use crate::layout;
use crate::write::Expired;
use crate::{Engine, Error, ErrorKind, Scope, Table, TableState};
use model::{CorruptImage, ValueView, View};
use std::sync::Arc;
use std::time::Duration;
use store::{Order, Slice, Space};
use world::Timestamp;

/// How often the sweep looks, while any table has times to live.
const EVERY: Duration = Duration::from_secs(1);
/// Items deleted in one update, and the most updates of one table in one round.
const CHUNK_ITEMS: usize = 128;
const CHUNKS_MAX: usize = 64;
/// What is over for longer is taken for a mistake, and stays, as on AWS.
const OVER_MAX_S: u64 = 5 * 365 * 86_400;

/// A table's time to live.
#[derive(Clone, Debug)]
pub struct Expiry {
    pub(crate) id: u64,
    pub(crate) attribute: Arc<str>,
    /// Not all items have their entries yet.
    pub(crate) backfilling: bool,
}

impl Expiry {
    /// The attribute that says when an item is over, in seconds since 1970.
    pub fn attribute(&self) -> &Arc<str> {
        &self.attribute
    }

    /// The key of an item's entry; `None` if it lives for ever. `stored` is the item's own key.
    pub(crate) fn place(&self, item: View<'_>, stored: &[u8]) -> Result<Option<Vec<u8>>, CorruptImage> {
        let Some(ValueView::N(number)) = item.get(&self.attribute)? else { return Ok(None) };
        let Some(second) = number.to_u64() else { return Ok(None) };
        // The id, no partition, the second, and the item's key without its table.
        Ok(Some([&self.bound(second)[..], &stored[8..]].concat()))
    }

    fn bound(&self, second: u64) -> Vec<u8> {
        [&self.id.to_be_bytes()[..], &[0; 4], &second.to_be_bytes()].concat()
    }

    /// The key of the item that an entry is of.
    fn item(&self, table: u64, entry: &[u8]) -> Vec<u8> {
        [&table.to_be_bytes()[..], entry.get(20..).unwrap_or_default()].concat()
    }
}

impl Engine {
    /// Lets a table's items go when the second in this attribute is over.
    pub fn enable_time_to_live(&self, scope: &Scope, name: &str, attribute: &str) -> Result<(), Error> {
        let mut ddl = self.lock();
        let table = self.table(scope, name)?;
        let mut state = TableState::clone(&table.load());
        state.check_settled(&table)?;
        match &state.expiry {
            Some(expiry) if *expiry.attribute == *attribute => {
                return Err(Error::validation("TimeToLive is already enabled"));
            }
            Some(expiry) => {
                return Err(Error::validation(format!(
                    "TimeToLive is active on a different AttributeName: current AttributeName is {}",
                    expiry.attribute
                )));
            }
            None => {}
        }
        let expiry = Expiry { id: ddl.fresh_id(), attribute: attribute.into(), backfilling: true };
        let id = expiry.id;
        state.expiry = Some(Arc::new(expiry));
        let shut = table.shut();
        let commit = self.change(|batch| {
            ddl.fill(batch);
            batch.put(Space::Meta, layout::Meta::table(table.id), stored::table(&table, &state));
        })?;
        // Writes wait for this one sync: what the snapshot holds is what they have not noted.
        commit.wait()?;
        let snapshot = self.store().snapshot();
        table.set(state, &shut);
        drop(shut);
        self.start_backfills(vec![Backfill::new(&table, id, snapshot)]);
        drop(ddl);
        Ok(())
    }

    /// Lets all items of a table live.
    pub fn disable_time_to_live(&self, scope: &Scope, name: &str, attribute: &str) -> Result<(), Error> {
        let mut ddl = self.lock();
        let table = self.table(scope, name)?;
        let mut state = TableState::clone(&table.load());
        let Some(expiry) = state.expiry.take() else {
            return Err(Error::validation("TimeToLive is already disabled"));
        };
        if *expiry.attribute != *attribute {
            return Err(Error::validation(format!(
                "TimeToLive is active on a different AttributeName: current AttributeName is {}",
                expiry.attribute
            )));
        }
        let (from, to) = layout::whole(expiry.id);
        let trims = self.new_trims(&mut ddl, vec![(Space::Items, from, to)]);
        let shut = table.shut();
        let commit = self.change(|batch| {
            ddl.fill(batch);
            trims.fill(batch);
            batch.put(Space::Meta, layout::Meta::table(table.id), stored::table(&table, &state));
        })?;
        table.set(state, &shut);
        drop(shut);
        commit.wait()?;
        drop(ddl);
        self.start_trims(trims);
        Ok(())
    }

    /// Deletes what is over. Says when to look again, if any table has times to live.
    pub(crate) fn expire(&self) -> Result<Option<Duration>, Error> {
        let mut due = None;
        let tables = self.tables().load_full();
        for table in tables.values().flat_map(|tables| tables.values()) {
            let Some(expiry) = table.state().expiry.clone() else { continue };
            let more = match self.expire_table(table, &expiry) {
                // It went meanwhile.
                Err(error) if error.kind == ErrorKind::TableNotFound => continue,
                more => more?,
            };
            let again = if more { Duration::ZERO } else { EVERY };
            due = Some(due.map_or(again, |due: Duration| due.min(again)));
        }
        Ok(due)
    }

    /// Deletes what is over in one table. Whether more is left than one round takes.
    fn expire_table(&self, table: &Table, expiry: &Expiry) -> Result<bool, Error> {
        let now = self.world().now();
        // A second that is over: the present one is not.
        let (from, to) =
            (expiry.bound(now.seconds().saturating_sub(OVER_MAX_S)), expiry.bound(now.seconds()));
        let snapshot = self.store().snapshot();
        let mut entries = snapshot.range(Space::Items, &from, &to, Order::Forward);
        for _ in 0..CHUNKS_MAX {
            let chunk = entries.by_ref().take(CHUNK_ITEMS).collect::<Result<Vec<(Slice, Slice)>, _>>()?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let expired = chunk
                .into_iter()
                .map(|(entry, _)| Expired { stored: expiry.item(table.id, &entry), entry: entry.to_vec() });
            // One chunk is on its way at a time: writers come first.
            self.delete_expired(table, expired.collect(), now)?.wait()?;
        }
        Ok(true)
    }
}

/// Whether an item's entry says that it is over.
pub(crate) fn is_over(entry: &[u8], now: Timestamp) -> bool {
    let second = entry.get(12..20).and_then(|second| second.try_into().ok()).map(u64::from_be_bytes);
    second.is_some_and(|second| second < now.seconds() && second + OVER_MAX_S >= now.seconds())
}
