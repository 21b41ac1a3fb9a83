//! A number's bytes, and the digits in them.

use super::{Decimal, Number, POWERS};

pub(super) const ZERO_BYTE: u8 = 0x80;
/// The first byte of a positive number is this plus its base-100 exponent, -65 ..= 62.
const POSITIVE_BYTE: i32 = 193;
/// The first byte of a negative number is this minus its base-100 exponent.
const NEGATIVE_BYTE: i32 = 62;
/// Closes a negative number: above every complemented digit pair, so that -1.5 sorts before -1.
const NEGATIVE_END: u8 = 102;
const PAIRS_MAX: usize = Number::BYTES_MAX - 1;

impl Number {
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

    pub(super) fn pack(Decimal { negative, coefficient, exponent }: Decimal) -> Number {
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

    pub(super) fn pack_whole(negative: bool, whole: u64) -> Number {
        // Trailing zeros are dropped pair by pair when packing: an even exponent needs no more.
        Number::pack(Decimal { negative, coefficient: u128::from(whole), exponent: 0 })
    }

    pub(super) fn unpack(&self) -> Decimal {
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
    pub(super) fn pairs(&self) -> &[u8] {
        match self.as_bytes() {
            [_, pairs @ .., NEGATIVE_END] if self.is_negative() => pairs,
            [_, pairs @ ..] => pairs,
            [] => &[],
        }
    }

    pub(super) fn pair(&self, byte: u8) -> u8 {
        if self.is_negative() { 101 - byte } else { byte - 1 }
    }

    /// The power of 100 of the first pair.
    pub(super) fn pairs_exponent(&self) -> i32 {
        let first = i32::from(self.bytes[0]);
        if self.is_negative() { NEGATIVE_BYTE - first } else { first - POSITIVE_BYTE }
    }
}
