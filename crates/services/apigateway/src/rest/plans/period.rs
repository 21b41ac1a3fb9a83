//! Days and the periods of quotas; how often a key was used on each of them. Days are written `YYYY-MM-DD`, and sorted so.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use world::Timestamp;

const DAY_MS: u64 = 86_400_000;
/// How many days of use are remembered.
const DAYS_KEPT: usize = 92;

/// What a plan allows in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    pub limit: i64,
    period: Period,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
}

/// How often a key of a plan was used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Used {
    pub days: BTreeMap<String, i64>,
    /// More, or fewer, calls that were granted for the period that begins on this day.
    granted: Option<(String, i64)>,
}

pub(super) fn day(now: Timestamp) -> String {
    now.iso_seconds()[..10].to_owned()
}

/// Reads a day: its first moment.
pub(super) fn first_moment(day: &str) -> Option<Timestamp> {
    if day.len() == 10 { Timestamp::parse_iso(day) } else { None }
}

/// The days from one to another, both among them.
pub(super) fn days(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    (from.millis() / DAY_MS..=to.millis() / DAY_MS).map(|day| Timestamp::from_millis(day * DAY_MS))
}

impl Quota {
    pub fn of(told: &Value) -> Option<Quota> {
        let period = match told.get("period")?.as_str()? {
            "DAY" => Period::Day,
            "WEEK" => Period::Week,
            "MONTH" => Period::Month,
            _ => return None,
        };
        Some(Quota { limit: told.get("limit")?.as_i64()?, period })
    }

    /// The first day of the period that a moment is in. Weeks begin on Sundays.
    fn start(self, now: Timestamp) -> String {
        match self.period {
            Period::Day => day(now),
            // The first day of all was a Thursday.
            Period::Week => {
                let since_sunday = (now.millis() / DAY_MS + 4) % 7;
                day(Timestamp::from_millis(now.millis().saturating_sub(since_sunday * DAY_MS)))
            }
            Period::Month => format!("{}01", &day(now)[..8]),
        }
    }
}

impl Used {
    /// What is left on the day of a moment, when it ends or so far.
    pub fn left(&self, quota: Quota, now: Timestamp) -> i64 {
        let start = quota.start(now);
        let used: i64 = self.days.range(start.clone()..=day(now)).map(|(_, count)| count).sum();
        let granted = self.granted.as_ref().filter(|(of, _)| *of == start).map_or(0, |(_, more)| *more);
        quota.limit.saturating_add(granted).saturating_sub(used)
    }

    /// Counts a call.
    pub fn count(&mut self, now: Timestamp) {
        *self.days.entry(day(now)).or_default() += 1;
        while self.days.len() > DAYS_KEPT {
            self.days.pop_first();
        }
    }

    /// Lets so many calls be left in the period.
    pub fn leave(&mut self, quota: Quota, left: i64, now: Timestamp) {
        self.granted = None;
        let more = left.saturating_sub(self.left(quota, now));
        self.granted = Some((quota.start(now), more));
    }
}

#[cfg(test)]
mod tests {
    use super::{Quota, Used, day, days, first_moment};
    use serde_json::json;

    fn at(text: &str) -> world::Timestamp {
        world::Timestamp::parse_iso(text).expect("a date")
    }

    fn quota(limit: i64, period: &str) -> Quota {
        Quota::of(&json!({"limit": limit, "period": period})).expect("a quota")
    }

    #[test]
    fn periods_begin_on_days_sundays_and_firsts() {
        for (period, start) in [("DAY", "2026-11-21"), ("WEEK", "2026-11-15"), ("MONTH", "2026-11-01")] {
            assert_eq!(quota(1, period).start(at("2026-11-21T23:59:59Z")), start, "{period}");
        }
        assert_eq!(quota(1, "WEEK").start(at("2026-11-22T00:00:00Z")), "2026-11-22");
        assert_eq!(Quota::of(&json!({"limit": 1, "period": "YEAR"})), None);
        assert_eq!(first_moment("2026-11"), None);
        let three: Vec<String> = days(at("2026-02-28"), at("2026-03-02T10:00:00Z")).map(day).collect();
        assert_eq!(three, ["2026-02-28", "2026-03-01", "2026-03-02"]);
    }

    #[test]
    fn what_is_used_in_a_period_is_not_left() {
        let (mut used, week) = (Used::default(), quota(3, "WEEK"));
        for moment in ["2026-11-14T12:00:00Z", "2026-11-16T12:00:00Z", "2026-11-21T12:00:00Z"] {
            used.count(at(moment));
        }
        let left = |used: &Used, moment: &str| used.left(week, at(moment));
        assert_eq!(
            [left(&used, "2026-11-16"), left(&used, "2026-11-21"), left(&used, "2026-11-22")],
            [2, 1, 3]
        );
        used.leave(week, 10, at("2026-11-21"));
        assert_eq!([left(&used, "2026-11-21"), left(&used, "2026-11-22")], [10, 3]);
        used.leave(week, 0, at("2026-11-21"));
        assert_eq!(left(&used, "2026-11-21"), 0);
        (0..200).for_each(|days: u64| used.count(world::Timestamp::from_millis(days * super::DAY_MS)));
        assert_eq!(used.days.len(), super::DAYS_KEPT);
    }
}
