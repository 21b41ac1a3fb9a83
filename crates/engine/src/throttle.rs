//! Throughput that tables and indexes were given, held to where the settings want it: a bucket of units for each table and global
//! index, one for reads and one for writes. It fills with time, up to what five minutes bring.

use crate::{
    Billing, Consumed, Error, ErrorKind, IndexKind, OnDemandLimits, Reserve, Table, TableState, Throughput,
};
use std::sync::{Mutex, PoisonError};
use world::Timestamp;

/// What is not taken is kept for so long.
const BURST_S: f64 = 300.0;
/// A limit on demand is a limit: it saves up no more than a second's worth.
const BURST_ON_DEMAND_S: f64 = 1.0;

/// What is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Read,
    Write,
}

/// Whose throughput was exceeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttled {
    pub side: Side,
    /// A limit of what is billed on demand, not what was provisioned.
    pub on_demand: bool,
    pub is_index: bool,
    pub arn: String,
}

/// The buckets of one table and its indexes. They begin full.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Vec<Bucket>>);

#[derive(Debug)]
struct Bucket {
    /// Of the table or index.
    id: u64,
    side: Side,
    left: f64,
    at: Timestamp,
}

/// What is to be taken from one bucket.
struct Draft<'a> {
    id: u64,
    index: Option<&'a str>,
    units: f64,
    limit: Limit,
}

#[derive(Clone, Copy)]
struct Limit {
    per_second: f64,
    on_demand: bool,
}

impl Limit {
    fn of(billing: &Billing, own: Option<Throughput>, reserve: Reserve, side: Side) -> Option<Limit> {
        let of = |units: Throughput| match side {
            Side::Read => units.read_units,
            Side::Write => units.write_units,
        };
        let (units, on_demand) = match billing {
            Billing::Provisioned(units) => (of(own.unwrap_or(*units)), false),
            Billing::OnDemand { .. } => {
                let OnDemandLimits { read_units_max, write_units_max } = reserve.on_demand?;
                let max = if side == Side::Read { read_units_max } else { write_units_max };
                (max?, true)
            }
        };
        Some(Limit { per_second: units as f64, on_demand })
    }

    fn burst(self) -> f64 {
        self.per_second * if self.on_demand { BURST_ON_DEMAND_S } else { BURST_S }
    }
}

impl Meter {
    /// Takes what an operation consumes, or none of it.
    pub fn take(
        &self,
        table: &Table,
        state: &TableState,
        consumed: &Consumed,
        side: Side,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut drafts = Vec::with_capacity(1 + consumed.indexes.len());
        // Local indexes live on their table's throughput.
        let local = consumed.indexes.iter().filter(|index| index.kind == IndexKind::Local);
        let own = consumed.table + local.map(|index| index.units).sum::<f64>();
        if let Some(limit) = Limit::of(&state.billing, None, state.reserve, side).filter(|_| own > 0.0) {
            drafts.push(Draft { id: table.id, index: None, units: own, limit });
        }
        for used in consumed.indexes.iter().filter(|index| index.kind == IndexKind::Global) {
            let Some(index) = state.indexes.iter().find(|index| index.name == used.name) else { continue };
            let limit = Limit::of(&state.billing, index.throughput, index.reserve, side);
            if let Some(limit) = limit {
                drafts.push(Draft { id: index.id, index: Some(&index.name), units: used.units, limit });
            }
        }
        if drafts.is_empty() {
            return Ok(());
        }
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for draft in &drafts {
            let bucket = filled(&mut buckets, draft, side, now);
            // Who asks for more than there can ever be waits for a full bucket, and leaves a debt.
            if bucket.left < draft.units.min(draft.limit.burst()) || draft.limit.per_second == 0.0 {
                return Err(exceeded(table, draft, side));
            }
        }
        for draft in &drafts {
            filled(&mut buckets, draft, side, now).left -= draft.units;
        }
        Ok(())
    }
}

/// The draft's bucket, as it is now.
fn filled<'b>(buckets: &'b mut Vec<Bucket>, draft: &Draft<'_>, side: Side, now: Timestamp) -> &'b mut Bucket {
    let burst = draft.limit.burst();
    let known = buckets.iter().position(|bucket| bucket.id == draft.id && bucket.side == side);
    let at = known.unwrap_or_else(|| {
        buckets.push(Bucket { id: draft.id, side, left: burst, at: now });
        buckets.len() - 1
    });
    let bucket = &mut buckets[at];
    let seconds = now.millis().saturating_sub(bucket.at.millis()) as f64 / 1000.0;
    bucket.left = (bucket.left + seconds * draft.limit.per_second).min(burst);
    bucket.at = now;
    bucket
}

fn exceeded(table: &Table, draft: &Draft<'_>, side: Side) -> Error {
    let is_index = draft.index.is_some();
    let message = match (draft.limit.on_demand, is_index) {
        (true, _) => "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
        (false, false) => {
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
        }
        (false, true) => {
            "The level of configured provisioned throughput for one or more global secondary indexes of the table was exceeded. Consider increasing your provisioning level for the under-provisioned global secondary indexes with the UpdateTable API"
        }
    };
    let arn = match draft.index {
        None => table.arn(),
        Some(index) => format!("{}/index/{index}", table.arn()),
    };
    let throttled = Throttled { side, on_demand: draft.limit.on_demand, is_index, arn };
    Error::new(ErrorKind::Throttled(Box::new(throttled)), message)
}
