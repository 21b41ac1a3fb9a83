//! Dates and times in PostgreSQL's spelling (ISO), from its numbers: days and microseconds since the year 2000.

const DAY: i64 = 86_400_000_000;

pub(super) fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".to_owned(),
        i32::MIN => "-infinity".to_owned(),
        days => {
            let (date, is_before) = civil(i64::from(days));
            format!("{date}{}", if is_before { " BC" } else { "" })
        }
    }
}

pub(super) fn time(micros: i64) -> String {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 {
        return clock;
    }
    let digits = format!("{fraction:06}");
    format!("{clock}.{}", digits.trim_end_matches('0'))
}

pub(super) fn timestamp(micros: i64, zone: &str) -> String {
    match micros {
        i64::MAX => "infinity".to_owned(),
        i64::MIN => "-infinity".to_owned(),
        micros => {
            let (date, is_before) = civil(micros.div_euclid(DAY));
            let era = if is_before { " BC" } else { "" };
            format!("{date} {}{zone}{era}", time(micros.rem_euclid(DAY)))
        }
    }
}

/// Microseconds, then seconds west of Greenwich.
pub(super) fn time_with_zone(bytes: &[u8]) -> Option<String> {
    let (micros, west) = bytes.split_first_chunk::<8>()?;
    let east = -i32::from_be_bytes(west.try_into().ok()?);
    let sign = if east < 0 { '-' } else { '+' };
    let (hours, minutes) = (east.abs() / 3600, east.abs() / 60 % 60);
    let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
    Some(format!("{}{sign}{hours:02}{minutes}", time(i64::from_be_bytes(*micros))))
}

/// Microseconds, days and months, each with its own sign.
pub(super) fn interval(bytes: &[u8]) -> Option<String> {
    let (micros, rest) = bytes.split_first_chunk::<8>()?;
    let (days, months) = rest.split_first_chunk::<4>()?;
    let (micros, days) = (i64::from_be_bytes(*micros), i32::from_be_bytes(*days));
    let months = i32::from_be_bytes(months.try_into().ok()?);
    let mut parts = Vec::new();
    for (count, one) in [(months / 12, "year"), (months % 12, "mon"), (days, "day")] {
        if count != 0 {
            parts.push(format!("{count} {one}{}", if count == 1 { "" } else { "s" }));
        }
    }
    if micros != 0 || parts.is_empty() {
        parts.push(format!("{}{}", if micros < 0 { "-" } else { "" }, time(micros.abs())));
    }
    Some(parts.join(" "))
}

/// The date so many days after 2000-01-01, and whether it is before year 1.
fn civil(days: i64) -> (String, bool) {
    // Counted in eras of 400 years that begin on the first of March.
    let days = days + 730_425;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (shown, is_before) = if year > 0 { (year, false) } else { (1 - year, true) };
    (format!("{shown:04}-{month:02}-{day:02}"), is_before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_spelt_as_the_server_spells_them() {
        assert_eq!(date(0), "2000-01-01");
        assert_eq!(date(59), "2000-02-29");
        assert_eq!(date(-10_958), "1969-12-31");
        assert_eq!(date(-730_119), "0001-01-01");
        assert_eq!(date(-730_120), "0001-12-31 BC");
        assert_eq!(date(i32::MAX), "infinity");
        assert_eq!(timestamp(-1, "+00"), "1999-12-31 23:59:59.999999+00");
        assert_eq!(timestamp(3_723_100_000, ""), "2000-01-01 01:02:03.1");
        let with_zone: Vec<u8> =
            [1_000_000_i64.to_be_bytes().as_slice(), &(-19_800_i32).to_be_bytes()].concat();
        assert_eq!(time_with_zone(&with_zone).unwrap(), "00:00:01+05:30");
        let apart: Vec<u8> =
            [(-1_000_000_i64).to_be_bytes().as_slice(), &1_i32.to_be_bytes(), &14_i32.to_be_bytes()].concat();
        assert_eq!(interval(&apart).unwrap(), "1 year 2 mons 1 day -00:00:01");
    }
}
