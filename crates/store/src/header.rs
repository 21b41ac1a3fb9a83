//! What every group writes about itself, beside what its updates write.

use crate::engine::View;
use crate::{Error, ErrorKind, Slice, Space};

pub(crate) const KEY: &[u8] = b"\0header";

/// Begins every header, so that one can be found in a journal that can no longer be read in order.
pub(crate) const MAGIC: [u8; 8] = *b"\x01mstGRP\x1a";

pub(crate) const BYTES: usize = MAGIC.len() + 4 * 8;

/// Groups are numbered; each header says which one it is, which ones were on disk for certain when it was
/// written, and the last sequence number given out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) group: u64,
    pub(crate) synced: u64,
    pub(crate) sequence: u64,
}

impl Header {
    pub(crate) fn read(view: &dyn View) -> Result<Header, Error> {
        let Some(bytes) = view.get(Space::Meta, KEY)? else { return Ok(Header::default()) };
        Header::decode(&bytes).ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                "the store's own header cannot be read: restore the directory from a backup",
            )
        })
    }

    pub(crate) fn encode(&self) -> Slice {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        let words = [self.group, self.synced, self.sequence, self.checksum()];
        for (into, word) in bytes[8..].chunks_exact_mut(8).zip(words) {
            into.copy_from_slice(&word.to_be_bytes());
        }
        Slice::from(bytes)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Header> {
        let words = bytes.strip_prefix(&MAGIC)?.as_chunks::<8>().0;
        let [group, synced, sequence, checksum] = *words else { return None };
        let header = Header {
            group: u64::from_be_bytes(group),
            synced: u64::from_be_bytes(synced),
            sequence: u64::from_be_bytes(sequence),
        };
        (header.checksum() == u64::from_be_bytes(checksum)).then_some(header)
    }

    /// Tells a header from bytes that happen to look like one.
    fn checksum(&self) -> u64 {
        [self.group, self.synced, self.sequence].into_iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, word| {
            (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_survives_and_a_damaged_one_does_not() {
        let header = Header { group: 7, synced: 5, sequence: 1 << 40 };
        let bytes = header.encode().to_vec();
        assert_eq!(Header::decode(&bytes), Some(header));
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 0x10;
            assert_eq!(Header::decode(&damaged), None, "byte {index}");
        }
        assert_eq!(Header::decode(&bytes[..BYTES - 1]), None);
    }
}
