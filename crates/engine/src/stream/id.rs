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

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", SEQUENCE_BASE + u128::from(self.0))
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
