//! A moment, and its spellings.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

const DAY_MS: u64 = 86_400_000;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    millis: u64,
}

impl Timestamp {
    pub const fn from_millis(millis: u64) -> Timestamp {
        Timestamp { millis }
    }

    pub const fn from_seconds(seconds: u64) -> Timestamp {
        Timestamp { millis: seconds * 1000 }
    }

    pub const fn millis(self) -> u64 {
        self.millis
    }

    pub const fn seconds(self) -> u64 {
        self.millis / 1000
    }

    pub fn seconds_f64(self) -> f64 {
        self.millis as f64 / 1000.0
    }

    /// How long ago `earlier` was; zero when it was not earlier.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(self.millis.saturating_sub(earlier.millis))
    }

    /// `2026-11-21T01:02:03.004`
    pub fn iso_millis(self) -> String {
        format!("{}.{:03}", self.iso_seconds(), self.millis % 1000)
    }

    /// `2026-11-21T01:02:03`
    pub fn iso_seconds(self) -> String {
        let Civil { year, month, day, hour, minute, second } = Civil::from(self);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }

    /// `20261121T010203Z`, the spelling of signatures.
    pub fn basic(self) -> String {
        let Civil { year, month, day, hour, minute, second } = Civil::from(self);
        format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }

    /// Reads `YYYY-MM-DD[THH:MM[:SS[.fraction]]][Z|±HH[:]MM]` and the basic form of signatures; no zone is UTC.
    pub fn parse_iso(text: &str) -> Option<Timestamp> {
        let mut rest = Rest(text.as_bytes());
        let year = rest.digits(4)?;
        let extended = rest.skip(b'-');
        let month = rest.digits(2)?;
        if extended && !rest.skip(b'-') {
            return None;
        }
        let day = rest.digits(2)?;
        let (mut hour, mut minute, mut second, mut millis) = (0, 0, 0, 0);
        if rest.skip(b'T') || rest.skip(b't') || rest.skip(b' ') {
            hour = rest.digits(2)?;
            if extended && !rest.skip(b':') {
                return None;
            }
            minute = rest.digits(2)?;
            if if extended { rest.skip(b':') } else { rest.0.first().is_some_and(u8::is_ascii_digit) } {
                second = rest.digits(2)?;
                if rest.skip(b'.') {
                    millis = rest.fraction_millis()?;
                }
            }
        }
        let offset_minutes = rest.zone()?;
        let in_range = (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !rest.0.is_empty() || !in_range {
            return None;
        }
        let days = days_from_civil(year as i64, month as i64, day as i64);
        let minutes = days * 1440 + (hour * 60 + minute) as i64 - offset_minutes;
        let millis = minutes * 60_000 + (second * 1000 + millis) as i64;
        u64::try_from(millis).ok().map(Timestamp::from_millis)
    }
}

/// `2026-11-21T01:02:03.004Z`
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", self.iso_millis())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, by: Duration) -> Timestamp {
        Timestamp::from_millis(self.millis.saturating_add(by.as_millis() as u64))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, by: Duration) -> Timestamp {
        Timestamp::from_millis(self.millis.saturating_sub(by.as_millis() as u64))
    }
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl From<Timestamp> for Civil {
    fn from(timestamp: Timestamp) -> Civil {
        let (year, month, day) = civil_from_days((timestamp.millis / DAY_MS) as i64);
        let second_of_day = timestamp.millis % DAY_MS / 1000;
        let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
        Civil { year, month, day, hour, minute, second }
    }
}

// The two conversions count in eras of 400 years that begin in March, so that the leap day comes last.

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn skip(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        self.0 = &self.0[usize::from(found)..];
        found
    }

    fn digits(&mut self, count: usize) -> Option<u64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits
            .iter()
            .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0')))
    }

    fn fraction_millis(&mut self) -> Option<u64> {
        let count = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        let millis =
            (0..3).fold(0, |millis, i| millis * 10 + digits.get(i).map_or(0, |byte| u64::from(byte - b'0')));
        (count > 0).then_some(millis)
    }

    /// Minutes east of Greenwich.
    fn zone(&mut self) -> Option<i64> {
        if self.0.is_empty() || self.skip(b'Z') || self.skip(b'z') {
            return Some(0);
        }
        let east = self.skip(b'+');
        if !east && !self.skip(b'-') {
            return None;
        }
        let hours = self.digits(2)?;
        self.skip(b':');
        let minutes = self.digits(2)?;
        let offset = (hours * 60 + minutes) as i64;
        (hours < 24 && minutes < 60).then_some(if east { offset } else { -offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        let moment = Timestamp::parse_iso("2026-11-21T01:02:03.004Z").expect("valid");
        assert_eq!(moment.iso_millis(), "2026-11-21T01:02:03.004");
        assert_eq!(moment.iso_seconds(), "2026-11-21T01:02:03");
        assert_eq!(moment.basic(), "20261121T010203Z");
        assert_eq!(moment.to_string(), "2026-11-21T01:02:03.004Z");
        assert_eq!(moment.millis(), 1_795_222_923_004);
        assert_eq!(moment.seconds(), 1_795_222_923);
        assert!((moment.seconds_f64() - 1_795_222_923.004).abs() < 1e-6);
    }

    #[test]
    fn parsing() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(Timestamp::parse_iso(text).map(Timestamp::millis), millis, "{text}");
        };
        check("1970-01-01T00:00:00Z", Some(0));
        check("1970-01-01", Some(0));
        check("1970-01-01T00:01", Some(60_000));
        check("1970-01-01 00:00:01.5", Some(1500));
        check("1970-01-01T00:00:00.123456Z", Some(123));
        check("1970-01-01T01:00:00+01:00", Some(0));
        check("1969-12-31T23:00:00-0100", Some(0));
        check("20261121T010203Z", Some(1_795_222_923_000));
        check("2000-02-29T00:00:00Z", Some(951_782_400_000));
        check("2100-02-28T00:00:00Z", Some(4_107_456_000_000));
        for wrong in [
            "",
            "x",
            "2026",
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "2100-02-29",
            "2026-04-31",
            "2026-01-01T24:00:00",
            "2026-01-01T00:60:00",
            "2026-01-01T00:00:60",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00ZZ",
            "2026-01-01T00:00:00+1",
            "1969-12-31T23:59:59Z",
            "2026-0101",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn every_day_of_nine_centuries_survives_the_round_trip() {
        let mut before = None;
        for day in 0..330_000u64 {
            let moment = Timestamp::from_millis(day * DAY_MS + day % DAY_MS);
            let text = moment.iso_millis();
            assert_eq!(Timestamp::parse_iso(&text), Some(moment), "{text}");
            assert!(before < Some(text.clone()));
            before = Some(text);
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let moment = Timestamp::from_seconds(10);
        assert_eq!(moment + Duration::from_secs(1), Timestamp::from_seconds(11));
        assert_eq!(moment - Duration::from_secs(11), Timestamp::from_seconds(0));
        assert_eq!(moment.since(Timestamp::from_seconds(4)), Duration::from_secs(6));
        assert_eq!(moment.since(Timestamp::from_seconds(40)), Duration::ZERO);
    }
}
