//! Decimal numbers of up to 38 significant digits, exact.

use std::fmt;

/// A number, held as its own order-preserving bytes.
///
/// The bytes are an exponent in base 100, then two decimal digits a byte; those of negative numbers are complemented
/// and closed by a byte above any digit. Comparing numbers is comparing bytes, encoding one is copying it, and the
/// count of bytes is the size that an item's size counts for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
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

impl Number {
    /// The longest a number's bytes can be.
    pub const BYTES_MAX: usize = 21;
    pub const DIGITS_MAX: usize = 38;
    pub const ZERO: Number = Number { bytes: [0; Number::BYTES_MAX], len: 1 };

    pub fn parse(_text: &str) -> Result<Number, NumberError> {
        unimplemented!()
    }

    pub fn checked_add(self, _other: Number) -> Result<Number, NumberError> {
        unimplemented!()
    }

    pub fn checked_sub(self, _other: Number) -> Result<Number, NumberError> {
        unimplemented!()
    }

    /// Bytes whose order is the numbers' order.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len as usize]
    }

    /// The number whose bytes these are; `None` if no number has them.
    pub fn from_bytes(_bytes: &[u8]) -> Option<Number> {
        unimplemented!()
    }

    pub fn size_bytes(&self) -> usize {
        self.len as usize
    }

    pub fn to_u64(self) -> Option<u64> {
        unimplemented!()
    }
}

impl NumberError {
    /// What the service tells the client; `text` is what the client wrote.
    pub fn message(self, _text: &str) -> String {
        unimplemented!()
    }
}

impl From<u64> for Number {
    fn from(_value: u64) -> Number {
        unimplemented!()
    }
}

impl From<i64> for Number {
    fn from(_value: i64) -> Number {
        unimplemented!()
    }
}

impl std::str::FromStr for Number {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Number, NumberError> {
        Number::parse(text)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        unimplemented!()
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
