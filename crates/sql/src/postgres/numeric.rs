//! PostgreSQL's numbers of any length: groups of four decimal digits.

use crate::{Error, Kind};

const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITE: u16 = 0xD000;
const MINUS_INFINITE: u16 = 0xF000;
/// So many fit a machine's number.
const DIGITS_SHORT: usize = 18;
/// More powers of ten than PostgreSQL has digits for.
const EXPONENT_MAX: i64 = 100_000;

/// The bytes of a number given as text: `-12.50`, `1E+125`.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    match whole(text) {
        Some((negative, number)) => encode_whole(negative, number, out),
        None => return encode_any(text, out),
    }
    Ok(())
}

/// A whole number of few digits, and whether it is negative: what most numbers are.
fn whole(text: &str) -> Option<(bool, u64)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_short = (1..=DIGITS_SHORT).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    Some((digits.len() < text.len(), digits.parse().ok().filter(|_| is_short)?))
}

fn encode_whole(negative: bool, number: u64, out: &mut Vec<u8>) {
    let (mut groups, mut count, mut rest) = ([0u16; DIGITS_SHORT.div_ceil(4)], 0, number);
    while rest > 0 {
        groups[count] = (rest % 10_000) as u16;
        rest /= 10_000;
        count += 1;
    }
    let zeros = groups[..count].iter().take_while(|group| **group == 0).count();
    let sign = if negative && count > 0 { NEGATIVE } else { 0 };
    header(out, (count - zeros) as u16, count.saturating_sub(1) as i16, sign, 0);
    groups[zeros..count].iter().rev().for_each(|group| out.extend_from_slice(&group.to_be_bytes()));
}

fn encode_any(text: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    let wrong = || Error::new(Kind::Data, format!("'{text}' is not a number that PostgreSQL can hold"));
    if text.eq_ignore_ascii_case("nan") {
        header(out, 0, 0, NOT_A_NUMBER, 0);
        return Ok(());
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().map_err(|_| wrong())?;
    let negative = mantissa.starts_with('-');
    let mantissa = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(part.bytes());
    if digits().next().is_none()
        || !digits().all(|digit| digit.is_ascii_digit())
        || exponent.abs() > EXPONENT_MAX
    {
        return Err(wrong());
    }
    // The number is the digits times ten to this; it is moved to a multiple of four.
    let power = exponent - part.len() as i64;
    let scale = power.min(0).unsigned_abs();
    let zeros = power.rem_euclid(4);
    let power = power - zeros;
    let mut all: Vec<u8> = digits().map(|digit| digit - b'0').collect();
    all.extend(std::iter::repeat_n(0, zeros as usize));
    let lead = (4 - all.len() % 4) % 4;
    all.splice(0..0, std::iter::repeat_n(0, lead));
    let mut groups: Vec<u16> = all
        .chunks_exact(4)
        .map(|four| four.iter().fold(0, |sum, digit| sum * 10 + u16::from(*digit)))
        .collect();
    let mut weight = groups.len() as i64 - 1 + power / 4;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= leading as i64;
    if groups.is_empty() {
        weight = 0;
    }
    let weight = i16::try_from(weight).map_err(|_| wrong())?;
    let scale = u16::try_from(scale).ok().filter(|scale| *scale <= 16_383).ok_or_else(wrong)?;
    let sign = if negative && !groups.is_empty() { NEGATIVE } else { 0 };
    header(out, groups.len() as u16, weight, sign, scale);
    groups.iter().for_each(|group| out.extend(group.to_be_bytes()));
    Ok(())
}

fn header(out: &mut Vec<u8>, groups: u16, weight: i16, sign: u16, scale: u16) {
    out.extend_from_slice(&groups.to_be_bytes());
    out.extend_from_slice(&weight.to_be_bytes());
    out.extend_from_slice(&sign.to_be_bytes());
    out.extend_from_slice(&scale.to_be_bytes());
}

/// The number in PostgreSQL's own spelling.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let word = |at: usize| Some(u16::from_be_bytes(bytes.get(at * 2..at * 2 + 2)?.try_into().ok()?));
    let (count, weight, sign, scale) = (word(0)?, word(1)? as i16, word(2)?, word(3)?);
    match sign {
        NOT_A_NUMBER => return Some("NaN".to_owned()),
        INFINITE => return Some("Infinity".to_owned()),
        MINUS_INFINITE => return Some("-Infinity".to_owned()),
        _ => {}
    }
    // A group that is not there is zero.
    let group = |at: i32| match at {
        at if at < 0 || at >= i32::from(count) => Some(0),
        at => word(4 + at as usize),
    };
    let mut out = String::new();
    if sign == NEGATIVE {
        out.push('-');
    }
    let weight = i32::from(weight);
    if weight < 0 {
        out.push('0');
    }
    for at in 0..=weight {
        let four = group(at)?;
        out.push_str(&if at == 0 { four.to_string() } else { format!("{four:04}") });
    }
    if scale > 0 {
        out.push('.');
        let start = out.len();
        let mut at = weight + 1;
        while out.len() - start < usize::from(scale) {
            out.push_str(&format!("{:04}", group(at)?));
            at += 1;
        }
        out.truncate(start + usize::from(scale));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, back: &str) {
        let mut bytes = Vec::new();
        encode(text, &mut bytes).unwrap();
        assert_eq!(decode(&bytes).unwrap(), back, "{text}");
    }

    #[test]
    fn a_number_comes_back_whole() {
        check("0", "0");
        check("-0.00", "0.00");
        check("12", "12");
        check("-12.50", "-12.50");
        check("10000", "10000");
        check("0.0001", "0.0001");
        check("0.00001", "0.00001");
        check("1.2345E3", "1234.5");
        check("1E+5", "100000");
        check("5e-7", "0.0000005");
        check("12345678901234567890123456789012345678", "12345678901234567890123456789012345678");
        check("NaN", "NaN");
        let tiny = format!("0.{}1", "0".repeat(129));
        check("1E-130", &tiny);
        check("9.99E+125", &format!("999{}", "0".repeat(123)));
    }

    #[test]
    fn short_numbers_are_written_as_long_ones() {
        for text in
            ["0", "-0", "7", "007", "-12", "9999", "10000", "-120000", "100000001", "999999999999999999"]
        {
            let (mut short, mut long) = (Vec::new(), Vec::new());
            let (negative, number) = whole(text).expect("a short number");
            encode_whole(negative, number, &mut short);
            encode_any(text, &mut long).unwrap();
            assert_eq!(short, long, "{text}");
        }
        for text in ["", "-", "+1", "1.0", "1e3", "1234567890123456789", "--1"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "1.2.3", "abc", "1e", "1e999999", "--1", "0x1"] {
            assert_eq!(encode(text, &mut Vec::new()).unwrap_err().kind, Kind::Data, "{text}");
        }
        assert_eq!(decode(&[0, 1]), None);
    }
}
