//! What an item is told apart by: its key as bytes, the lane that follows from it, and the name that targets remember.

use super::KeySchema;
use super::hex;
use model::Item;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A hash of an item's key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ItemName([u8; 20]);

impl ItemName {
    /// By a key as `Item::encode` writes it.
    pub fn of(key: &[u8]) -> ItemName {
        let mut name = [0; 20];
        name.copy_from_slice(&Sha256::digest(key)[..20]);
        ItemName(name)
    }

    /// As it is written down.
    pub fn parse(text: &str) -> Option<ItemName> {
        let mut name = [0; 20];
        if text.len() != 2 * name.len() || !text.is_ascii() {
            return None;
        }
        for (at, byte) in name.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(ItemName(name))
    }
}

/// A number to choose an item's lane by, which never changes as long as its pipeline lives. `by_keys`: pipelines of before
/// went by names.
pub fn lane_hash(key: &[u8], by_keys: bool) -> u64 {
    if by_keys {
        return spread(FIRST, key);
    }
    let mut part = [0; 8];
    part.copy_from_slice(&ItemName::of(key).0[..8]);
    u64::from_be_bytes(part)
}

const FIRST: u64 = 0x9E37_79B9_7F4A_7C15;
const SECOND: u64 = 0xBF58_476D_1CE4_E5B9;

/// Kept pipelines depend on it.
fn spread(seed: u64, bytes: &[u8]) -> u64 {
    let mut sum = seed ^ bytes.len() as u64;
    for part in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..part.len()].copy_from_slice(part);
        sum = (sum ^ u64::from_le_bytes(word)).wrapping_mul(FIRST);
        sum ^= sum >> 32;
    }
    sum = sum.wrapping_mul(SECOND);
    sum ^ (sum >> 29)
}

impl KeySchema {
    /// The key as bytes. `keys`: the item's key, alone.
    pub fn bytes(&self, keys: &Item) -> Box<[u8]> {
        let mut bytes = Vec::with_capacity(64);
        match keys.len() == self.attributes.len() {
            true => keys.encode(&mut bytes),
            false => self.key_of(keys).encode(&mut bytes),
        }
        bytes.into()
    }
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// It is a hash already.
impl Hash for ItemName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0[8..16]);
    }
}

/// Of keys and names, in memory.
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = spread(self.0, bytes);
    }

    /// How many there are is in what they say.
    fn write_usize(&mut self, _: usize) {}
}

pub type Names = HashSet<ItemName, BuildHasherDefault<Spread>>;
pub type ByKey<'k, V> = HashMap<&'k [u8], V, BuildHasherDefault<Spread>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let name = ItemName::of(b"a key");
        assert_eq!(ItemName::parse(&name.to_string()), Some(name));
        let other = ItemName::of(b"another");
        assert_ne!(name, other);
        assert!(other.to_string().starts_with(&format!("{:016x}", lane_hash(b"another", false))));
        for text in ["", "é", &"z".repeat(40), &"a".repeat(39), &"é".repeat(20)] {
            assert_eq!(ItemName::parse(text), None, "{text}");
        }
    }

    /// Pipelines are kept with it, and their lanes are few.
    #[test]
    fn lanes_are_chosen_evenly_and_forever() {
        assert_eq!(lane_hash(b"a key", true), 0xBEF8_024E_DFCB_6D50);
        let mut lanes = [0; 4];
        for number in 0..4000 {
            lanes[(lane_hash(format!("item-{number:08}").as_bytes(), true) % 4) as usize] += 1;
        }
        assert!(lanes.iter().all(|count| (850..1150).contains(count)), "{lanes:?}");
    }
}
