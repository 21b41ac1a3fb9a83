//! OnDemandThroughput and WarmThroughput, of tables and of global indexes.

use super::fault::{Fault, parameter};
use super::tree::Tree;
use engine::{Billing, OnDemandLimits, Reserve, Throughput};
use serde_json::{Value as Json, json};

/// What is billed on demand is ready for this without being asked.
const READY: Throughput = Throughput { read_units: 12_000, write_units: 4_000 };
/// Takes a limit away.
const NO_LIMIT: i64 = -1;

/// What `tree` asks for, over what was there before. `of` names the table or index in errors.
pub(super) fn reserve(
    tree: Tree<'_>,
    billing: &Billing,
    before: Reserve,
    of: &str,
) -> Result<Reserve, Fault> {
    let mut reserve = before;
    if let Some(limits) = tree.structure("OnDemandThroughput") {
        reserve = limited(limits, billing, reserve, of)?;
    }
    if let Some(warm) = tree.structure("WarmThroughput") {
        let ready = ready(billing, before);
        let read_units = warmer(warm, "ReadUnitsPerSecond", ready.read_units, of)?;
        let write_units = warmer(warm, "WriteUnitsPerSecond", ready.write_units, of)?;
        reserve.warm = Some(Throughput { read_units, write_units });
    }
    Ok(reserve)
}

/// What is left to take with these limits, which `tree` holds itself.
pub(super) fn limited(
    tree: Tree<'_>,
    billing: &Billing,
    before: Reserve,
    of: &str,
) -> Result<Reserve, Fault> {
    if matches!(billing, Billing::Provisioned(_)) {
        return Err(parameter(format!(
            "OnDemandThroughput cannot be specified for {of} when BillingMode is PROVISIONED"
        )));
    }
    let mut limits = before.on_demand.unwrap_or_default();
    limit(tree, "MaxReadRequestUnits", &mut limits.read_units_max)?;
    limit(tree, "MaxWriteRequestUnits", &mut limits.write_units_max)?;
    Ok(Reserve { on_demand: (limits != OnDemandLimits::default()).then_some(limits), ..before })
}

fn limit(tree: Tree<'_>, member: &str, limit: &mut Option<u64>) -> Result<(), Fault> {
    match tree.number(member) {
        None => {}
        Some(NO_LIMIT) => *limit = None,
        Some(units) => match u64::try_from(units) {
            Ok(units) if units > 0 => *limit = Some(units),
            _ => {
                return Err(parameter(format!(
                    "{member} must be at least 1, or {NO_LIMIT} for no limit, but is {units}"
                )));
            }
        },
    }
    Ok(())
}

fn warmer(tree: Tree<'_>, member: &str, ready: u64, of: &str) -> Result<u64, Fault> {
    let wanted = tree.number(member).map_or(Ok(ready), u64::try_from).unwrap_or_default();
    if wanted < ready {
        return Err(parameter(format!(
            "Requested {member} for WarmThroughput for {of} is lower than current WarmThroughput, decreasing WarmThroughput is not supported"
        )));
    }
    Ok(wanted)
}

/// What something that is billed so is ready for.
fn ready(billing: &Billing, reserve: Reserve) -> Throughput {
    let own = match billing {
        Billing::OnDemand { .. } => READY,
        Billing::Provisioned(units) => *units,
    };
    let warm = reserve.warm.unwrap_or(own);
    Throughput {
        read_units: own.read_units.max(warm.read_units),
        write_units: own.write_units.max(warm.write_units),
    }
}

/// Whether throughput that is ready stands already, or comes with what is being made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Warmth {
    Coming,
    Ready,
}

/// Tells both as part of a description.
pub(super) fn describe(
    billing: &Billing,
    reserve: Reserve,
    warmth: Warmth,
    mut tell: impl FnMut(&'static str, Json),
) {
    if let (Billing::OnDemand { .. }, Some(limits)) = (billing, reserve.on_demand) {
        let shown = |limit: Option<u64>| limit.map_or(json!(NO_LIMIT), |units| json!(units));
        tell(
            "OnDemandThroughput",
            json!({
                "MaxReadRequestUnits": shown(limits.read_units_max),
                "MaxWriteRequestUnits": shown(limits.write_units_max),
            }),
        );
    }
    // What comes of itself is told once it is there, what was asked for from the beginning. [suite: recorded answers]
    if warmth == Warmth::Ready || reserve.warm.is_some() {
        let Throughput { read_units, write_units } = ready(billing, reserve);
        tell(
            "WarmThroughput",
            json!({
                "ReadUnitsPerSecond": read_units,
                "WriteUnitsPerSecond": write_units,
                "Status": if warmth == Warmth::Ready { "ACTIVE" } else { "UPDATING" },
            }),
        );
    }
}
