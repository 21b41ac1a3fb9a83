//! A number's text: what clients write, and what they are given back.

use super::{Decimal, MAGNITUDE_MAX, MAGNITUDE_MIN, Number, NumberError, POWERS};
use std::fmt;

impl Number {
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
}

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
