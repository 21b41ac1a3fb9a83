//! Dates as HTTP headers write them; the other forms are `world`'s.

use world::Timestamp;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Sat, 21 Nov 2026 01:02:03 GMT`.
pub(crate) fn rfc822(time: Timestamp) -> String {
    let iso = time.iso_seconds();
    let part = |from: usize, to: usize| iso.get(from..to).unwrap_or_default();
    let day = DAYS[(time.seconds() / 86_400 % 7) as usize];
    let month =
        part(5, 7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).unwrap_or(&"");
    format!("{day}, {} {month} {} {} GMT", part(8, 10), part(0, 4), part(11, 19))
}

/// Epoch seconds of `Sat, 21 Nov 2026 01:02:03 GMT`.
pub(crate) fn parse_rfc822(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year, clock) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    Timestamp::parse_iso(&format!("{year}-{month:02}-{day:0>2}T{clock}Z")).map(Timestamp::seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_go_both_ways() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_795_222_923, "Sat, 21 Nov 2026 01:02:03 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        ] {
            assert_eq!(rfc822(Timestamp::from_seconds(seconds)), text);
            assert_eq!(parse_rfc822(text), Some(seconds));
        }
        for text in ["", "Sat", "Sat, 21 Nov", "x, 99 Foo 2000 00:00:00 GMT"] {
            assert_eq!(parse_rfc822(text), None);
        }
    }
}
