//! The names that items have wherever a target remembers them.

use super::{KeySchema, hex};
use model::Item;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A hash of an item's key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ItemName([u8; 20]);

impl ItemName {
    /// By a key as `Item::encode` writes it: a number to choose lanes by, and the name.
    pub fn of(key: &[u8]) -> (u64, ItemName) {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let (mut lane, mut name) = ([0; 8], [0; 20]);
        lane.copy_from_slice(&digest[..8]);
        name.copy_from_slice(&digest[..20]);
        (u64::from_be_bytes(lane), ItemName(name))
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

impl KeySchema {
    /// A number to choose lanes by, and the item's name. `keys`: the item's key, alone.
    pub fn name(&self, keys: &Item) -> (u64, ItemName) {
        let mut bytes = Vec::with_capacity(64);
        match keys.len() == self.attributes.len() {
            true => keys.encode(&mut bytes),
            false => self.key_of(keys).encode(&mut bytes),
        }
        ItemName::of(&bytes)
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

/// It is a hash already. What lanes are chosen by is alike for all items of one.
impl Hash for ItemName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut part = [0; 8];
        part.copy_from_slice(&self.0[8..16]);
        state.write_u64(u64::from_ne_bytes(part));
    }
}

#[derive(Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }
}

pub type Names = HashSet<ItemName, BuildHasherDefault<AsItIs>>;
pub type ByName<V> = HashMap<ItemName, V, BuildHasherDefault<AsItIs>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        let (_, name) = ItemName::of(b"a key");
        assert_eq!(ItemName::parse(&name.to_string()), Some(name));
        let (lane, other) = ItemName::of(b"another");
        assert_ne!(name, other);
        assert!(other.to_string().starts_with(&format!("{lane:016x}")));
        for text in ["", "é", &"z".repeat(40), &"a".repeat(39), &"é".repeat(20)] {
            assert_eq!(ItemName::parse(text), None, "{text}");
        }
    }
}
