//! Decimal numbers of up to 38 significant digits, exact.

mod bytes;
mod sum;
#[cfg(test)]
mod tests;
mod text;

use bytes::ZERO_BYTE;
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

const MAGNITUDE_MAX: i32 = 125;
const MAGNITUDE_MIN: i32 = -130;

const POWERS: [u128; 39] = {
    let mut powers = [1u128; 39];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

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
