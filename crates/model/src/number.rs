//! Decimal numbers of up to 38 significant digits, exact.

use std::fmt;

/// A number, held as its own order-preserving bytes.
///
/// The first byte is the exponent in base 100; then come two decimal digits a byte, each plus one. Those of a negative
/// number are complemented and, unless there are twenty of them, closed by a byte above any digit. Comparing numbers
/// is comparing bytes, encoding one is copying it, and the count of bytes is what an item's size counts for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    // Padded with zeros, which no number's bytes contain past the first: arrays compare as the bytes do.
    bytes: [u8; Number::BYTES_MAX],
    len: u8,
}

/// Why a text is not a number, or a sum has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    Malformed,
    Overflow,
    Underflow,
    Precision,
}

/// Sign, digits and power of ten: `±coefficient × 10^exponent`, for arithmetic.
struct Decimal {
    negative: bool,
    /// Below 10^38, and no multiple of ten unless it is zero.
    coefficient: u128,
    exponent: i32,
}

const ZERO_BYTE: u8 = 0x80;
/// The first byte of a positive number is this plus its base-100 exponent, -65 ..= 62.
const POSITIVE_BYTE: i32 = 193;
/// The first byte of a negative number is this minus its base-100 exponent.
const NEGATIVE_BYTE: i32 = 62;
/// Closes a negative number: above every complemented digit pair, so that -1.5 sorts before -1.
const NEGATIVE_END: u8 = 102;
const PAIRS_MAX: usize = Number::BYTES_MAX - 1;
const MAGNITUDE_MAX: i32 = 125;
const MAGNITUDE_MIN: i32 = -130;

impl Number {
    /// The longest a number's bytes can be.
    pub const BYTES_MAX: usize = 21;
    /// The most significant digits a number can have.
    pub const DIGITS_MAX: usize = 38;
    /// The longest a number's text can be: a sign, `0.`, and digits down to 10^-167.
    pub const TEXT_MAX: usize = 176;
    pub const ZERO: Number = {
        let mut bytes = [0; Number::BYTES_MAX];
        bytes[0] = ZERO_BYTE;
        Number { bytes, len: 1 }
    };

    /// Reads `-12.50`, `+.5`, `1E3`. No spaces, no separators, no words.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        let (negative, unsigned) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mantissa_len =
            unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(unsigned.len());
        let (mantissa, power) = unsigned.split_at(mantissa_len);
        let power = if power.is_empty() { 0 } else { parse_power(&power[1..])? };

        // `integral` counts the digits before the point, from the first that is not a leading zero.
        let (mut coefficient, mut digits, mut zeros) = (0u128, 0usize, 0usize);
        let (mut integral, mut point, mut any) = (0i64, false, false);
        let mut precise = true;
        for byte in mantissa {
            match byte {
                b'0'..=b'9' => {
                    any = true;
                    let significant = digits > 0 || *byte != b'0';
                    // Before the first significant digit, a zero after the point moves the magnitude down.
                    integral += match (point, significant) {
                        (false, true) => 1,
                        (true, false) => -1,
                        _ => 0,
                    };
                    if *byte == b'0' {
                        // Held back: trailing zeros are not significant.
                        zeros += usize::from(significant);
                        digits += usize::from(significant);
                        continue;
                    }
                    digits += 1;
                    if digits > Number::DIGITS_MAX {
                        precise = false;
                        continue;
                    }
                    coefficient = coefficient * POWERS[zeros + 1] + u128::from(byte - b'0');
                    zeros = 0;
                }
                b'.' if !point => point = true,
                _ => return Err(NumberError::Malformed),
            }
        }
        if !any {
            return Err(NumberError::Malformed);
        }
        if digits == 0 {
            return Ok(Number::ZERO);
        }
        let magnitude = integral + power - 1;
        if magnitude > i64::from(MAGNITUDE_MAX) {
            return Err(NumberError::Overflow);
        }
        if magnitude < i64::from(MAGNITUDE_MIN) {
            return Err(NumberError::Underflow);
        }
        if !precise {
            return Err(NumberError::Precision);
        }
        let exponent = magnitude as i32 + 1 - (digits - zeros) as i32;
        Ok(Number::pack(Decimal { negative, coefficient, exponent }))
    }

    /// The sum, if it can be told exactly in 38 digits.
    pub fn checked_add(self, other: Number) -> Result<Number, NumberError> {
        sum(self.unpack(), other.unpack())
    }

    /// The difference, if it can be told exactly in 38 digits.
    pub fn checked_sub(self, other: Number) -> Result<Number, NumberError> {
        let mut other = other.unpack();
        other.negative = !other.negative;
        sum(self.unpack(), other)
    }

    /// Bytes whose order is the numbers' order.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    /// The number whose bytes these are; `None` if no number has them.
    pub fn from_bytes(bytes: &[u8]) -> Option<Number> {
        let (first, rest) = bytes.split_first()?;
        let pairs = match *first {
            ZERO_BYTE if rest.is_empty() => return Some(Number::ZERO),
            ZERO_BYTE.. => rest,
            _ => match rest.split_last()? {
                (&NEGATIVE_END, pairs) if pairs.len() < PAIRS_MAX => pairs,
                _ if rest.len() == PAIRS_MAX => rest,
                _ => return None,
            },
        };
        let (Some(head), Some(tail)) = (pairs.first(), pairs.last()) else { return None };
        // The bytes that pairs can be, and the one that is a zero pair: none at either end.
        let (all, zero) = if *first < ZERO_BYTE { (2..=101, 101) } else { (1..=100, 1) };
        let whole = pairs.len() <= PAIRS_MAX && *head != zero && *tail != zero;
        if !whole || !pairs.iter().all(|byte| all.contains(byte)) {
            return None;
        }
        // Only at full length can there be a digit too many.
        let digit = |byte: u8| byte.abs_diff(zero);
        if pairs.len() == PAIRS_MAX && (digit(*head) >= 10 || digit(*tail) % 10 != 0) {
            return None;
        }
        let mut number = Number { bytes: [0; Number::BYTES_MAX], len: bytes.len() as u8 };
        number.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(number)
    }

    /// The size that an item's size counts for the number.
    pub fn size_bytes(&self) -> usize {
        self.len as usize
    }

    pub fn is_negative(&self) -> bool {
        self.bytes[0] < ZERO_BYTE
    }

    /// The number as a whole one, if it is whole and fits.
    pub fn to_u64(self) -> Option<u64> {
        let Decimal { negative, coefficient, exponent } = self.unpack();
        if coefficient == 0 {
            return Some(0);
        }
        if negative || !(0..=19).contains(&exponent) {
            return None;
        }
        coefficient.checked_mul(POWERS[exponent as usize]).and_then(|value| u64::try_from(value).ok())
    }

    /// The number as it displays, written into `buffer`: for writers that do not go through `fmt`.
    pub fn text<'b>(&self, buffer: &'b mut [u8; Number::TEXT_MAX]) -> &'b str {
        let pairs = self.pairs();
        if pairs.is_empty() {
            return "0";
        }
        let mut len = 0;
        let mut push = |byte: u8| {
            buffer[len] = byte;
            len += 1;
        };
        if self.is_negative() {
            push(b'-');
        }
        // Walk the digits by their power of a hundred, from the first to the last or to the units.
        let top = self.pairs_exponent();
        let bottom = top - (pairs.len() as i32 - 1);
        if top < 0 {
            push(b'0');
        }
        for power in (bottom.min(0)..=top.max(-1)).rev() {
            let pair = match power <= top && power >= bottom {
                true => self.pair(pairs[(top - power) as usize]),
                false => 0,
            };
            let (tens, units) = (pair / 10, pair % 10);
            if power == -1 {
                push(b'.');
            }
            // No leading zero before the point, no trailing zero after it.
            if power < 0 || power != top || tens != 0 {
                push(b'0' + tens);
            }
            if power >= 0 || power != bottom || units != 0 {
                push(b'0' + units);
            }
        }
        std::str::from_utf8(&buffer[..len]).unwrap_or_default()
    }

    fn pack(Decimal { negative, coefficient, exponent }: Decimal) -> Number {
        if coefficient == 0 {
            return Number::ZERO;
        }
        let mut pairs = [0u8; PAIRS_MAX];
        let mut pairs_exponent = exponent >> 1;
        // Line the digits up with base-100 pairs: at an odd power of ten the last digit is the tens of its pair.
        let (coefficient, end) = match exponent & 1 {
            0 => (coefficient, PAIRS_MAX),
            _ => {
                pairs[PAIRS_MAX - 1] = (coefficient % 10) as u8 * 10;
                (coefficient / 10, PAIRS_MAX - 1)
            }
        };
        // Parts that fit a machine word are much cheaper to take apart than one that does not.
        let mut spread = |mut part: u64, end: usize| {
            let mut at = end;
            while part != 0 {
                at -= 1;
                pairs[at] = (part % 100) as u8;
                part /= 100;
            }
        };
        match u64::try_from(coefficient) {
            Ok(coefficient) => spread(coefficient, end),
            Err(_) => {
                let high = coefficient / POWERS[18];
                spread((coefficient % POWERS[18]) as u64, end);
                spread((high % POWERS[18]) as u64, end - 9);
                spread((high / POWERS[18]) as u64, end - 18);
            }
        }
        let first = pairs.iter().position(|pair| *pair != 0).unwrap_or(0);
        let last = pairs.iter().rposition(|pair| *pair != 0).unwrap_or(0);
        pairs_exponent += (PAIRS_MAX - 1 - first) as i32;

        let mut number = Number { bytes: [0; Number::BYTES_MAX], len: 1 };
        number.bytes[0] = match negative {
            false => (POSITIVE_BYTE + pairs_exponent) as u8,
            true => (NEGATIVE_BYTE - pairs_exponent) as u8,
        };
        for pair in &pairs[first..=last] {
            number.bytes[number.len as usize] = if negative { 101 - pair } else { pair + 1 };
            number.len += 1;
        }
        if negative && (number.len as usize) < Number::BYTES_MAX {
            number.bytes[number.len as usize] = NEGATIVE_END;
            number.len += 1;
        }
        number
    }

    fn pack_whole(negative: bool, whole: u64) -> Number {
        // Trailing zeros are dropped pair by pair when packing: an even exponent needs no more.
        Number::pack(Decimal { negative, coefficient: u128::from(whole), exponent: 0 })
    }

    fn unpack(&self) -> Decimal {
        let (negative, pairs) = (self.is_negative(), self.pairs());
        if pairs.is_empty() {
            return Decimal { negative: false, coefficient: 0, exponent: 0 };
        }
        let mut exponent = (self.pairs_exponent() - (pairs.len() as i32 - 1)) * 2;
        let mut coefficient = 0u128;
        let (last, init) = (self.pair(pairs[pairs.len() - 1]), &pairs[..pairs.len() - 1]);
        for byte in init {
            coefficient = coefficient * 100 + u128::from(self.pair(*byte));
        }
        // Twenty pairs are forty digits, which may be one too many to hold unless the last zero is left out.
        if last % 10 == 0 {
            coefficient = coefficient * 10 + u128::from(last / 10);
            exponent += 1;
        } else {
            coefficient = coefficient * 100 + u128::from(last);
        }
        Decimal { negative, coefficient, exponent }
    }

    /// The encoded digit pairs, without exponent and end.
    fn pairs(&self) -> &[u8] {
        match self.as_bytes() {
            [_, pairs @ .., NEGATIVE_END] if self.is_negative() => pairs,
            [_, pairs @ ..] => pairs,
            [] => &[],
        }
    }

    fn pair(&self, byte: u8) -> u8 {
        if self.is_negative() { 101 - byte } else { byte - 1 }
    }

    /// The power of 100 of the first pair.
    fn pairs_exponent(&self) -> i32 {
        let first = i32::from(self.bytes[0]);
        if self.is_negative() { NEGATIVE_BYTE - first } else { first - POSITIVE_BYTE }
    }
}

impl NumberError {
    /// What the service tells the client; `text` is what the client wrote.
    pub fn message(self, text: &str) -> String {
        match self {
            NumberError::Malformed if text.is_empty() => {
                "The parameter cannot be converted to a numeric value".to_owned()
            }
            NumberError::Malformed => format!("The parameter cannot be converted to a numeric value: {text}"),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NumberError::Malformed => "The parameter cannot be converted to a numeric value",
            NumberError::Overflow => {
                "Number overflow. Attempting to store a number with magnitude larger than supported range"
            }
            NumberError::Underflow => {
                "Number underflow. Attempting to store a number with magnitude smaller than supported range"
            }
            NumberError::Precision => "Attempting to store more than 38 significant digits in a Number",
        })
    }
}

impl std::error::Error for NumberError {}

impl From<u64> for Number {
    fn from(value: u64) -> Number {
        Number::pack_whole(false, value)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number::pack_whole(value < 0, value.unsigned_abs())
    }
}

impl std::str::FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Number, NumberError> {
        Number::parse(text)
    }
}

/// Plain digits, never an exponent: the form in which the service gives numbers back.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; Number::TEXT_MAX]))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const POWERS: [u128; 39] = {
    let mut powers = [1u128; 39];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// Reads the digits of an exponent. One too long to matter becomes one that is out of range.
fn parse_power(text: &[u8]) -> Result<i64, NumberError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::Malformed);
    }
    let power = digits.iter().fold(0i64, |power, digit| (power * 10 + i64::from(digit - b'0')).min(1 << 48));
    Ok(if negative { -power } else { power })
}

/// Without trailing zeros.
fn reduced(negative: bool, mut coefficient: u128, mut exponent: i32) -> Decimal {
    while coefficient != 0 && coefficient.is_multiple_of(10) {
        coefficient /= 10;
        exponent += 1;
    }
    Decimal { negative, coefficient, exponent }
}

fn sum(a: Decimal, b: Decimal) -> Result<Number, NumberError> {
    if a.coefficient == 0 {
        return Ok(Number::pack(b));
    }
    if b.coefficient == 0 {
        return Ok(Number::pack(a));
    }
    let (high, low) = if a.exponent >= b.exponent { (a, b) } else { (b, a) };
    // The lowest digit of the sum is `low`'s last, which is not zero: what does not fit here has no exact sum of
    // 38 digits either. The service calls that an overflow.
    let shift = (high.exponent - low.exponent) as usize;
    let aligned = POWERS.get(shift).and_then(|power| high.coefficient.checked_mul(*power));
    let aligned = aligned.ok_or(NumberError::Overflow)?;
    let (negative, coefficient) = match (high.negative == low.negative, aligned >= low.coefficient) {
        (true, _) => (high.negative, aligned.checked_add(low.coefficient).ok_or(NumberError::Overflow)?),
        (false, true) => (high.negative, aligned - low.coefficient),
        (false, false) => (low.negative, low.coefficient - aligned),
    };
    let result = reduced(negative, coefficient, low.exponent);
    if result.coefficient == 0 {
        return Ok(Number::ZERO);
    }
    if result.coefficient >= POWERS[Number::DIGITS_MAX] {
        return Err(NumberError::Overflow);
    }
    match result.coefficient.ilog10() as i32 + result.exponent {
        MAGNITUDE_MIN..=MAGNITUDE_MAX => Ok(Number::pack(result)),
        magnitude if magnitude > MAGNITUDE_MAX => Err(NumberError::Overflow),
        _ => Err(NumberError::Underflow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, NumberError>) {
        let number = Number::parse(text);
        assert_eq!(number.map(|number| number.to_string()).as_deref(), expect.as_deref(), "{text}");
        if let Ok(number) = number {
            assert_eq!(Number::from_bytes(number.as_bytes()), Some(number), "{text}");
            assert_eq!(Number::parse(&number.to_string()), Ok(number), "{text}");
        }
    }

    #[test]
    fn texts() {
        use NumberError::*;
        for (text, expect) in [
            ("0", "0"),
            ("-0", "0"),
            ("+0.000", "0"),
            ("0e999999999999999999999", "0"),
            ("1.0", "1"),
            ("1E2", "100"),
            ("+3", "3"),
            (".123", "0.123"),
            ("1.", "1"),
            ("0001.23", "1.23"),
            ("00042", "42"),
            ("1e+5", "100000"),
            ("-17.4E37", "-174000000000000000000000000000000000000"),
            ("0.05", "0.05"),
            ("0.5", "0.5"),
            ("10.010", "10.01"),
            ("100.001", "100.001"),
            ("-7.1234", "-7.1234"),
            ("99", "99"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("1.2345678901234567890123456789012345678", "1.2345678901234567890123456789012345678"),
            ("12.345678901234567890123456789012345678", "12.345678901234567890123456789012345678"),
            ("100000000000000000000000000000000000000000", "100000000000000000000000000000000000000000"),
            ("0.1e126", &format!("1{}", "0".repeat(125))),
            ("1E125", &format!("1{}", "0".repeat(125))),
            (
                "9.9999999999999999999999999999999999999E+125",
                &format!("{}{}", "9".repeat(38), "0".repeat(88)),
            ),
            ("1E-130", &format!("0.{}1", "0".repeat(129))),
            ("-1E-130", &format!("-0.{}1", "0".repeat(129))),
            (
                "1.2345678901234567890123456789012345678E-130",
                &format!("0.{}{}", "0".repeat(129), "12345678901234567890123456789012345678"),
            ),
        ] {
            check(text, Ok(expect));
        }
        for (text, expect) in [
            ("", Malformed),
            ("+", Malformed),
            (".", Malformed),
            ("e5", Malformed),
            ("1e", Malformed),
            ("1e+", Malformed),
            ("1e1.5", Malformed),
            ("1.2.3", Malformed),
            ("--1", Malformed),
            (" 1", Malformed),
            ("1 ", Malformed),
            ("NaN", Malformed),
            ("Infinity", Malformed),
            ("1_000", Malformed),
            ("٣", Malformed),
            ("1E126", Overflow),
            ("-1E126", Overflow),
            ("11e125", Overflow),
            ("1.0e100000000000000000000000", Overflow),
            ("1E-131", Underflow),
            ("0.9e-130", Underflow),
            ("1e-99999999999999999999999", Underflow),
            ("123456789012345678901234567890123456789", Precision),
            ("3.14159265358979323846264338327950288419", Precision),
            ("1000000000000000000000000000000000000000000000001", Precision),
        ] {
            check(text, Err(expect));
        }
    }

    /// What a number adds to an item: a byte for the exponent, one for two digits, one for the end of a negative.
    #[test]
    fn sizes() {
        for (text, expect) in [
            ("0", 1),
            ("1", 2),
            ("99", 2),
            ("100", 2),
            ("101", 3),
            ("10", 2),
            ("123", 3),
            ("1234", 3),
            ("-1", 3),
            ("-1234", 4),
            ("0.1", 2),
            ("1.1", 3),
            ("12345678901234567890123456789012345678", 20),
            ("1.2345678901234567890123456789012345678", 21),
            ("-1.2345678901234567890123456789012345678", 21),
        ] {
            assert_eq!(Number::parse(text).unwrap().size_bytes(), expect, "{text}");
        }
    }

    #[test]
    fn sums() {
        let n = |text: &str| Number::parse(text).unwrap();
        for (a, b, expect) in [
            ("1", "2", Ok("3")),
            ("0.1", "0.2", Ok("0.3")),
            ("5", "-5", Ok("0")),
            ("1", "10000000000000000000000", Ok("10000000000000000000001")),
            ("99999999999999999999999999999999999999", "1", Ok("100000000000000000000000000000000000000")),
            ("100000000000000000000000000000000000000", "-1", Ok("99999999999999999999999999999999999999")),
            ("1e50", "1", Err(NumberError::Overflow)),
            ("1e50", "-1", Err(NumberError::Overflow)),
            ("9e125", "9e125", Err(NumberError::Overflow)),
            ("99999999999999999999999999999999999999", "0.1", Err(NumberError::Overflow)),
            ("1.1e-130", "-1e-130", Err(NumberError::Underflow)),
        ] {
            let sum = n(a).checked_add(n(b));
            assert_eq!(sum, expect.map(n), "{a} + {b}");
            assert_eq!(n(b).checked_add(n(a)), sum, "{b} + {a}");
        }
        assert_eq!(n("9e125").checked_add(n("9e124")), Ok(n("9.9e125")));
        assert_eq!(n("7").checked_sub(n("10")), Ok(n("-3")));
    }

    #[test]
    fn impossible_bytes() {
        for bytes in [
            &[][..],
            &[128, 0],
            &[193],
            &[193, 1],
            &[193, 102],
            &[193, 2, 1],
            &[62],
            &[62, 102],
            &[62, 100],
            &[62, 0, 102],
            &[62, 101, 102],
            &[
                193, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100,
                100, 100, 100,
            ],
            &[1; 40],
            &[255; 40],
        ] {
            assert_eq!(Number::from_bytes(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(Number::from(u64::MAX).to_u64(), Some(u64::MAX));
        assert_eq!(Number::from(u64::MAX).to_string(), u64::MAX.to_string());
        assert_eq!(Number::from(i64::MIN).to_string(), i64::MIN.to_string());
        assert_eq!(Number::parse("18446744073709551616").unwrap().to_u64(), None);
        assert_eq!(Number::parse("1e19").unwrap().to_u64(), Some(10_000_000_000_000_000_000));
        assert_eq!(Number::parse("1.5").unwrap().to_u64(), None);
        assert_eq!(Number::from(0u64).to_u64(), Some(0));
    }
}
