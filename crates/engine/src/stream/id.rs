use std::fmt;
use std::str::FromStr;

/// The number of a record: rising in commit order, never used twice. Zero is before every record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(pub u64);

/// The text is not a sequence number of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotASequence;

/// `shardId-<creation, 20 digits of milliseconds>-<8 hexadecimal digits>`; sorts by creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
    pub(crate) created_ms: u64,
    pub(crate) number: u32,
}

/// The text is not a shard id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAShardId;

/// One digit more than a `u64` can have, so that all have the same width and none begins with a zero.
const SEQUENCE_BASE: u128 = 100_000_000_000_000_000_000;

impl Sequence {
    /// The number as it is told.
    pub fn digits(self) -> Digits<21> {
        let (mut digits, mut rest) = ([b'0'; 21], self.0);
        digits[0] = b'1';
        for digit in digits.iter_mut().rev() {
            if rest == 0 {
                break;
            }
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Digits(digits)
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.digits())
    }
}

/// So many digits, without memory of their own: they are written for every record that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digits<const N: usize>([u8; N]);

impl<const N: usize> Digits<N> {
    /// The lowest hexadecimal digits of a number.
    pub(crate) fn hexadecimal(number: u128) -> Digits<N> {
        let mut digits = [0; N];
        for (at, digit) in digits.iter_mut().rev().enumerate() {
            *digit = b"0123456789abcdef"[(number >> (4 * at)) as usize & 15];
        }
        Digits(digits)
    }
}

impl<const N: usize> std::ops::Deref for Digits<N> {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Sequence {
    type Err = NotASequence;

    fn from_str(text: &str) -> Result<Sequence, NotASequence> {
        if text.is_empty() || text.len() > 40 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotASequence);
        }
        let number: u128 = text.parse().map_err(|_| NotASequence)?;
        let number = number.checked_sub(SEQUENCE_BASE).ok_or(NotASequence)?;
        u64::try_from(number).map(Sequence).map_err(|_| NotASequence)
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shardId-{:020}-{:08x}", self.created_ms, self.number)
    }
}

impl FromStr for ShardId {
    type Err = NotAShardId;

    fn from_str(text: &str) -> Result<ShardId, NotAShardId> {
        let (created, number) =
            text.strip_prefix("shardId-").and_then(|rest| rest.split_once('-')).ok_or(NotAShardId)?;
        if created.len() != 20 || number.len() != 8 || !created.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotAShardId);
        }
        let created_ms = created.parse().map_err(|_| NotAShardId)?;
        let number = u32::from_str_radix(number, 16).map_err(|_| NotAShardId)?;
        Ok(ShardId { created_ms, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_number() {
        for number in [0, 1, 9, 10, 1_234_567_890, u64::MAX] {
            let told = Sequence(number).to_string();
            assert_eq!(told, (SEQUENCE_BASE + u128::from(number)).to_string());
            assert_eq!(told.parse(), Ok(Sequence(number)));
            assert_eq!(&*Digits::<16>::hexadecimal(number.into()), format!("{number:016x}"));
        }
    }
}
