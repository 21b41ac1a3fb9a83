//! Sums and differences, exact or not at all.

use super::{Decimal, MAGNITUDE_MAX, MAGNITUDE_MIN, Number, NumberError, POWERS};

impl Number {
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
