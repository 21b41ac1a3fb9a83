//! Where things lie in the store. Stored data is laid out by this: it never changes.
//!
//! ```text
//! Items   table id:8  partition hash:4  hash key  range key                          an item's image
//!         index id:8  partition hash:4  hash keys  range keys  tie:4  item's keys    what the index projects of it
//! Log     ffffffff  history id:8  sequence:8                                      what was there before a change
//!         epoch:4  stream id:8  shard number:8  sequence:8                        a record
//! Meta    engine/…                                                                see `Meta`
//! ```
//!
//! Ids of tables and indexes are drawn from one counter and never used twice. The epoch of a shard is the hour in which it
//! was opened, so that what expires together lies together.
//!
//! Tables and indexes whose ids have a mark lie in the order of the service itself; see [`crate::partition`]. Those without it were
//! made before that order was known: they keep a hash of our own, and their indexes have no ties.

use crate::partition::service_hash;
use model::key::{self, KeyType, NotAKey};
use model::{Value, ValueView};
use store::{LogPrefix, Slice};

/// Id and partition hash.
pub(crate) const HEAD_LEN: usize = 12;
/// The hash of an item's own key, by which entries of equal index keys are ordered.
pub(crate) const TIE_LEN: usize = 4;
const EPOCH_MS: u64 = 3_600_000;
const SERVICE_ORDER: u64 = 1 << 56;

/// Keys of [`store::Space::Meta`].
pub(crate) struct Meta;

impl Meta {
    pub const NEXT_ID: &'static [u8] = b"engine/next-id";
    pub const TABLES: &'static [u8] = b"engine/table/";
    pub const STREAMS: &'static [u8] = b"engine/stream/";
    pub const BACKUPS: &'static [u8] = b"engine/backup/";
    pub const TRIMS: &'static [u8] = b"engine/trim/";

    const TOKENS: &'static [u8] = b"engine/token/";

    pub fn token(name: &[u8]) -> Vec<u8> {
        [Meta::TOKENS, name].concat()
    }

    /// Where all tokens lie.
    pub fn tokens() -> (Vec<u8>, Vec<u8>) {
        (Meta::TOKENS.to_vec(), b"engine/token0".to_vec())
    }

    pub fn table(id: u64) -> Vec<u8> {
        with_id(Meta::TABLES, id)
    }

    pub fn backup(id: u64) -> Vec<u8> {
        with_id(Meta::BACKUPS, id)
    }

    pub fn stream(id: u64) -> Vec<u8> {
        with_id(Meta::STREAMS, id)
    }

    pub fn trim(id: u64) -> Vec<u8> {
        with_id(Meta::TRIMS, id)
    }

    /// Counts the items of a table or index.
    pub fn items(id: u64) -> Slice {
        Meta::counter(b'n', id)
    }

    /// Counts the bytes of the items of a table or index.
    pub fn bytes(id: u64) -> Slice {
        Meta::counter(b'b', id)
    }

    fn counter(what: u8, id: u64) -> Slice {
        // Short enough to need no memory of its own.
        let mut key = *b"engine/#?????????";
        key[8] = what;
        key[9..].copy_from_slice(&id.to_be_bytes());
        Slice::from(key)
    }
}

/// The id of a table or index that is to lie in the service's order.
pub(crate) fn marked(id: u64) -> u64 {
    id | SERVICE_ORDER
}

/// The id of what is to lie in the order of something else, whose keys it takes over.
pub(crate) fn marked_like(id: u64, other: u64) -> u64 {
    id | (other & SERVICE_ORDER)
}

pub(crate) fn is_marked(id: u64) -> bool {
    id & SERVICE_ORDER != 0
}

/// Starts the key of an item or entry whose hash keys have these values, and these bytes.
pub(crate) fn head<'v>(
    id: u64,
    hash: &[u8],
    values: impl Iterator<Item = ValueView<'v>>,
    out: &mut Vec<u8>,
) -> u32 {
    let partition = if is_marked(id) { service_hash(values) } else { key::partition_hash(hash) };
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&partition.to_be_bytes());
    out.extend_from_slice(hash);
    partition
}

/// The range of all that belongs to a table or index.
pub(crate) fn whole(id: u64) -> (Vec<u8>, Vec<u8>) {
    (id.to_be_bytes().to_vec(), (id + 1).to_be_bytes().to_vec())
}

/// The range of the partitions from `first` up to, not including, `end`.
pub(crate) fn partitions(id: u64, first: u64, end: u64) -> (Vec<u8>, Vec<u8>) {
    let bound = |partition: u64| match u32::try_from(partition) {
        Ok(partition) => [&id.to_be_bytes()[..], &partition.to_be_bytes()].concat(),
        Err(_) => (id + 1).to_be_bytes().to_vec(),
    };
    (bound(first), bound(end))
}

/// The first key behind all that begin with `prefix`.
pub(crate) fn behind(mut prefix: Vec<u8>) -> Vec<u8> {
    while prefix.pop_if(|byte| *byte == u8::MAX).is_some() {}
    match prefix.last_mut() {
        Some(last) => *last += 1,
        None => unreachable!("every key begins with an id, and no id is all ones"),
    }
    prefix
}

/// Appends a key value if it has the type it must have.
pub(crate) fn part(kind: KeyType, value: ValueView<'_>, out: &mut Vec<u8>) -> Result<(), NotAKey> {
    match (kind, value) {
        (KeyType::S, ValueView::S(_)) | (KeyType::N, ValueView::N(_)) | (KeyType::B, ValueView::B(_)) => {
            key::encode_view(value, out)
        }
        _ => Err(NotAKey),
    }
}

/// Whether it is a key value of no bytes, which no key may be.
pub(crate) fn is_empty(value: ValueView<'_>) -> bool {
    matches!(value, ValueView::S("") | ValueView::B([]))
}

pub(crate) fn is_kind(kind: KeyType, value: &Value) -> bool {
    KeyType::of(value) == Some(kind)
}

pub(crate) fn shard(opened_ms: u64, stream: u64, shard: u64) -> LogPrefix {
    let mut prefix = [0; 20];
    prefix[..4].copy_from_slice(&((opened_ms / EPOCH_MS) as u32).to_be_bytes());
    prefix[4..12].copy_from_slice(&stream.to_be_bytes());
    prefix[12..].copy_from_slice(&shard.to_be_bytes());
    LogPrefix::new(&prefix)
}

/// Behind all epochs.
const HISTORIES: [u8; 4] = [0xff; 4];

/// Where the changes of a table lie that can be undone.
pub(crate) fn history(id: u64) -> LogPrefix {
    let mut prefix = [0; 12];
    prefix[..4].copy_from_slice(&HISTORIES);
    prefix[4..].copy_from_slice(&id.to_be_bytes());
    LogPrefix::new(&prefix)
}

/// The number of the shard that a log prefix of ours belongs to.
pub(crate) fn shard_number(prefix: &LogPrefix) -> Option<u64> {
    let bytes: &[u8; 20] = prefix.as_bytes().try_into().ok()?;
    Some(u64::from_be_bytes(bytes[12..].try_into().ok()?))
}

fn with_id(prefix: &[u8], id: u64) -> Vec<u8> {
    [prefix, &id.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_is_the_least_upper_bound_of_a_prefix() {
        assert_eq!(behind(vec![1, 2]), [1, 3]);
        assert_eq!(behind(vec![1, 255, 255]), [2]);
    }

    #[test]
    fn partitions_cover_a_table_without_gap_or_overlap() {
        let cut = |at: u64, of: u64| (at << 32) / of;
        for total in [1u64, 2, 3, 7, 1_000_000] {
            let (first, _) = partitions(9, 0, cut(1, total));
            assert_eq!(first, [0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0]);
            let (_, last) = partitions(9, cut(total - 1, total), cut(total, total));
            assert_eq!(last, whole(9).1);
        }
    }

    #[test]
    fn a_shard_is_known_by_its_prefix() {
        assert_eq!(shard_number(&shard(7_200_000, 5, 6)), Some(6));
        assert!(shard(7_200_000, 5, 6) < shard(10_800_000, 1, 1));
        assert_eq!(shard_number(&history(6)), None);
    }
}
