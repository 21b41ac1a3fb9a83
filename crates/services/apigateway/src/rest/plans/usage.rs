//! What was used of quotas, and what is left of them.

use super::member::place;
use super::period::{Quota, Used, day, days, first_moment};
use super::{Plan, Plans};
use crate::fault::bad;
use crate::rest::patch;
use serde_json::{Map, Value, json};
use servicekit::call::{Answer, Call};
use servicekit::documents::Edit;
use servicekit::fields::{required, text};
use world::Timestamp;

/// How many days may be asked for at once.
const DAYS_MAX: usize = 90;

impl Plan {
    pub(super) fn quota(&self) -> Option<Quota> {
        Quota::of(self.told.get("quota")?)
    }
}

impl Plans {
    pub(super) fn get_usage(&self, call: &Call, input: &Value) -> Answer {
        let id = required(input, "usagePlanId");
        let plan = self.plan(&call.caller, id)?;
        let moment = |member: &str| {
            let words = || bad(format!("Invalid {member}: use YYYY-MM-DD"));
            first_moment(required(input, member)).ok_or_else(words)
        };
        let (from, to) = (moment("startDate")?, moment("endDate")?);
        if to < from {
            return Err(bad("The end date is before the start date"));
        }
        if days(from, to).nth(DAYS_MAX).is_some() {
            return Err(bad(format!("Usage is told of {DAYS_MAX} days at most")));
        }
        let wanted = text(input, "keyId");
        let mut values = Map::new();
        for key in plan.keys.iter().filter(|key| wanted.is_none_or(|wanted| wanted == *key)) {
            let used = self.counted(&format!("{id}/{key}"))?;
            if wanted.is_some() || !used.days.is_empty() {
                values.insert(key.clone(), shown(&plan, &used, from, to));
            }
        }
        Ok(json!({
            "usagePlanId": id,
            "startDate": required(input, "startDate"),
            "endDate": required(input, "endDate"),
            "items": values,
        }))
    }

    /// Lets more, or fewer, calls be left in this period.
    pub(super) async fn update_usage(&self, call: &Call, input: &Value) -> Answer {
        let (id, key) = place(input);
        let plan = self.plan(&call.caller, id)?;
        self.member(&plan, key)?;
        let quota = plan.quota().ok_or_else(|| bad("The usage plan has no quota"))?;
        let now = self.world.now();
        for patch in patch::all(input) {
            if patch.removes() || patch.path != ["remaining"] {
                return Err(patch.refused(&["remaining"]));
            }
            let left = patch.number()?.as_i64().filter(|left| *left >= 0);
            let left = left.ok_or_else(|| bad("The remaining number of calls must not be negative"))?;
            self.used
                .edit(&format!("{id}/{key}"), |used| {
                    let mut used = used.unwrap_or_default();
                    used.leave(quota, left, now);
                    Ok((Edit::Put(used), ()))
                })
                .await?;
        }
        let used = self.used.get(&format!("{id}/{key}"))?.unwrap_or_default();
        let today = day(now);
        let items = json!({ key: shown(&plan, &used, now, now) });
        Ok(json!({"usagePlanId": id, "startDate": today, "endDate": today, "items": items}))
    }
}

/// `[used, left]` of each day; -1 is left of what has no end.
fn shown(plan: &Plan, used: &Used, from: Timestamp, to: Timestamp) -> Value {
    let of = |moment| {
        let count = used.days.get(&day(moment)).copied().unwrap_or(0);
        json!([count, plan.quota().map_or(-1, |quota| used.left(quota, moment).max(0))])
    };
    days(from, to).map(of).collect()
}
