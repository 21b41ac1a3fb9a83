//! `cron(minutes hours day-of-month month day-of-week year)`, in UTC: the moments at which a rotation's window opens.

use world::Timestamp;

const DAY_S: u64 = 86_400;
/// How far ahead is looked: the 29th of February may be eight years away.
const DAYS_AHEAD: u64 = 9 * 366;
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

#[derive(Debug, PartialEq)]
pub(super) struct Cron {
    /// A bit for each hour.
    hours: u64,
    days: Days,
    /// A bit for each month, from 1 on.
    months: u64,
}

#[derive(Debug, PartialEq)]
enum Days {
    /// A bit for each day of the month.
    OfMonth(u64),
    LastOfMonth,
    /// A bit for each day of the week, Sunday's is 1.
    OfWeek(u64),
    /// The nth of a weekday, Sunday is 1.
    Nth(u64, u64),
    LastWeekday(u64),
}

impl Cron {
    /// None of what is no such expression. Windows open at full hours, in every year.
    pub fn parse(text: &str) -> Option<Cron> {
        let inner = text.strip_prefix("cron(")?.strip_suffix(')')?;
        let fields: Vec<&str> = inner.split_whitespace().collect();
        let [minutes, hours, day, month, weekday, year] = fields.as_slice() else { return None };
        if *minutes != "0" || *year != "*" {
            return None;
        }
        let days = match (*day, *weekday) {
            ("?", "?") => return None,
            ("L", "?") => Days::LastOfMonth,
            (day, "?") => Days::OfMonth(set(day, 1, 31, &[])?),
            ("?", weekday) => match (weekday.split_once('#'), weekday.strip_suffix('L')) {
                (Some((name, nth)), _) => {
                    let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth))?;
                    Days::Nth(number(name, 1, 7, &WEEKDAYS)?, nth)
                }
                (None, Some(name)) if !name.is_empty() => Days::LastWeekday(number(name, 1, 7, &WEEKDAYS)?),
                _ => Days::OfWeek(set(weekday, 1, 7, &WEEKDAYS)?),
            },
            _ => return None,
        };
        Some(Cron { hours: set(hours, 0, 23, &[])?, days, months: set(month, 1, 12, &MONTHS)? })
    }

    /// The first moment after this one.
    pub fn after(&self, now_s: u64) -> Option<u64> {
        let today = now_s / DAY_S;
        (today..today + DAYS_AHEAD).filter(|day| self.is_on(*day)).find_map(|day| {
            let moments = (0..24).filter(|hour| self.hours & (1 << hour) != 0);
            moments.map(|hour| day * DAY_S + hour * 3_600).find(|moment| *moment > now_s)
        })
    }

    fn is_on(&self, day: u64) -> bool {
        let (month, date) = month_and_date(day);
        if self.months & (1 << month) == 0 {
            return false;
        }
        let is_in_last = |days: u64| month_and_date(day + days).0 != month;
        // The first day of all was a Thursday.
        let weekday = (day + 4) % 7 + 1;
        match self.days {
            Days::OfMonth(set) => set & (1 << date) != 0,
            Days::LastOfMonth => is_in_last(1),
            Days::OfWeek(set) => set & (1 << weekday) != 0,
            Days::Nth(own, nth) => weekday == own && date.div_ceil(7) == nth,
            Days::LastWeekday(own) => weekday == own && is_in_last(7),
        }
    }
}

fn month_and_date(day: u64) -> (u64, u64) {
    let text = Timestamp::from_millis(day * DAY_S * 1_000).iso_seconds();
    (text[5..7].parse().unwrap_or(1), text[8..10].parse().unwrap_or(1))
}

/// `*`, numbers or names, ranges, steps, and lists of these, as bits.
fn set(text: &str, least: u64, most: u64, names: &[&str]) -> Option<u64> {
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u64>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from, least, most, names)?, number(to, least, most, names)?),
            None if range == "*" || range.is_empty() && step.is_some() => (least, most),
            None => {
                let one = number(range, least, most, names)?;
                (one, if step.is_some() { most } else { one })
            }
        };
        if from > to {
            return None;
        }
        (from..=to).step_by(step.unwrap_or(1) as usize).for_each(|one| bits |= 1 << one);
    }
    Some(bits)
}

fn number(text: &str, least: u64, most: u64, names: &[&str]) -> Option<u64> {
    let named = names.iter().position(|name| name.eq_ignore_ascii_case(text)).map(|at| at as u64 + least);
    named.or_else(|| text.parse().ok()).filter(|number| (least..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::Cron;
    use world::Timestamp;

    fn after(expression: &str, now: &str, times: usize) -> Vec<String> {
        let cron = Cron::parse(expression).unwrap_or_else(|| panic!("{expression}"));
        let mut at = Timestamp::parse_iso(now).expect("a moment").seconds();
        let mut next = || {
            at = cron.after(at)?;
            Some(Timestamp::from_millis(at * 1_000).iso_seconds()[..13].to_owned())
        };
        (0..times).map_while(|_| next()).collect()
    }

    #[test]
    fn expressions_name_hours_of_days() {
        for (expression, expected) in [
            ("cron(0 8 * * ? *)", ["2026-11-21T08", "2026-11-22T08"]),
            ("cron(0 /8 * * ? *)", ["2026-11-21T08", "2026-11-21T16"]),
            ("cron(0 4/10,23 * * ? *)", ["2026-11-21T04", "2026-11-21T14"]),
            ("cron(0 0 1 * ? *)", ["2026-12-01T00", "2027-01-01T00"]),
            ("cron(0 1 L * ? *)", ["2026-11-30T01", "2026-12-31T01"]),
            ("cron(0 1 ? * SUN#1 *)", ["2026-12-06T01", "2027-01-03T01"]),
            ("cron(0 1 ? * FRIL *)", ["2026-11-27T01", "2026-12-25T01"]),
            ("cron(0 1 ? JAN,6 MON-TUE *)", ["2027-01-04T01", "2027-01-05T01"]),
            ("cron(0 1 29 FEB ? *)", ["2028-02-29T01", "2032-02-29T01"]),
        ] {
            assert_eq!(after(expression, "2026-11-21T03:00:00Z", 2), expected, "{expression}");
        }
        assert_eq!(after("cron(0 3 * * ? *)", "2026-11-21T03:00:00Z", 1), ["2026-11-22T03"]);
        assert_eq!(after("cron(0 1 31 2 ? *)", "2026-11-21", 1), Vec::<String>::new());
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "cron(5 8 * * ? *)",
            "cron(0 8 * * ? 2027)",
            "cron(0 8 * * * *)",
            "cron(0 8 ? * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 8 W * ? *)",
            "cron(0 9-8 * * ? *)",
            "cron(0 8 * * ?)",
            "cron(0 8 ? * MON#6 *)",
            "cron(0 /0 * * ? *)",
        ] {
            assert_eq!(Cron::parse(text), None, "{text}");
        }
    }
}
