//! Tracks, marks on them, and the work that carries both to a lane.

use super::Origin;
use std::cmp::Ordering;
use std::fmt;

/// A record's number in its shard: decimal digits, compared as a number however many there are.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sequence(Digits);

/// What is long is greater than what is short.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Digits {
    Short(u128),
    Long(Long),
}

/// More digits than a machine's number has.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Long(Box<str>);

impl Sequence {
    /// None for what is no number.
    pub fn parse(text: &str) -> Option<Sequence> {
        let digits = text.trim_start_matches('0');
        let digits = if digits.is_empty() && !text.is_empty() { "0" } else { digits };
        let is_number =
            !digits.is_empty() && digits.len() <= 64 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| {
            Sequence(digits.parse().map_or_else(|_| Digits::Long(Long(digits.into())), Digits::Short))
        })
    }
}

impl Ord for Long {
    fn cmp(&self, other: &Long) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Long {
    fn partial_cmp(&self, other: &Long) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Digits::Short(number) => write!(f, "{number}"),
            Digits::Long(Long(digits)) => f.write_str(digits),
        }
    }
}

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

pub type ShardId = Box<str>;

/// A shard as the stream lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    pub id: ShardId,
    pub parent: Option<ShardId>,
    /// No record will be added.
    pub closed: bool,
}

/// What is followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Track {
    Segment(u32),
    Shard(ShardId),
}

impl Track {
    pub fn origin(&self) -> Origin {
        match self {
            Track::Segment(_) => Origin::Snapshot,
            Track::Shard(_) => Origin::Stream,
        }
    }
}

/// How far a track has been followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Up to this record, which is included.
    Record(Sequence),
    /// This many pages of the scan, and the key at which the next one begins, as text.
    Page { pages: u64, next: Option<Box<str>> },
}

impl Mark {
    /// Marks of different kinds never meet on one track.
    pub fn is_before(&self, other: &Mark) -> bool {
        match (self, other) {
            (Mark::Record(one), Mark::Record(two)) => one < two,
            (Mark::Page { pages: one, .. }, Mark::Page { pages: two, .. }) => one < two,
            _ => false,
        }
    }
}

/// One thing to write, and the hash of its source item's key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Row<R> {
    pub hash: u64,
    pub row: R,
}

/// What a lane commits in one transaction at the latest: rows of one track, in order, and the mark that they reach.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Work<R> {
    pub track: Track,
    pub rows: Vec<R>,
    /// None: nothing of the track has been read yet, which is worth writing only at its end.
    pub mark: Option<Mark>,
    /// Nothing follows on this track.
    pub end: bool,
    /// Deletions must be remembered: rows of the snapshot may still come.
    pub remember: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_such() {
        let most = u128::MAX.to_string();
        let texts =
            ["0", "9", "10", "99999999999999999999", &most, "340282366920938463463374607431768211456"];
        let longest = "9".repeat(64);
        let all: Vec<Sequence> =
            texts.into_iter().chain([&*longest]).map(|text| Sequence::parse(text).expect(text)).collect();
        assert!(all.is_sorted_by(|one, two| one < two), "{all:?}");
        assert!(texts.iter().zip(&all).all(|(text, number)| number.to_string() == *text));
        assert_eq!(Sequence::parse("000"), Sequence::parse("0"));
        assert_eq!(Sequence::parse("007"), Sequence::parse("7"));
        for wrong in ["", "-1", "+1", "1a", &"9".repeat(65)] {
            assert_eq!(Sequence::parse(wrong), None, "{wrong}");
        }
    }
}
