//! Key values as bytes: their order is the keys' order, and each tells where it ends, so that a hash key's bytes
//! followed by a range key's sort by hash key first.

use crate::{Value, ValueView};
use std::fmt;

/// The types a key attribute may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    S,
    N,
    B,
}

/// The value is of a type that no key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAKey;

/// Stored bytes are not those of a key of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorruptKey;

/// Appends the bytes of a key value.
pub fn encode(_value: &Value, _out: &mut Vec<u8>) -> Result<(), NotAKey> {
    unimplemented!()
}

/// Appends the bytes of a key value.
pub fn encode_view(_value: ValueView<'_>, _out: &mut Vec<u8>) -> Result<(), NotAKey> {
    unimplemented!()
}

/// Appends the bytes that every key starting with `prefix` (an S or a B) has first.
pub fn encode_prefix(_prefix: &Value, _out: &mut Vec<u8>) -> Result<(), NotAKey> {
    unimplemented!()
}

/// Reads the first key value of `bytes` and gives back what follows it.
pub fn decode(_kind: KeyType, _bytes: &[u8]) -> Result<(Value, &[u8]), CorruptKey> {
    unimplemented!()
}

/// How many bytes the first key value of `bytes` takes.
pub fn encoded_len(_kind: KeyType, _bytes: &[u8]) -> Result<usize, CorruptKey> {
    unimplemented!()
}

/// Spreads partition keys evenly. Stored data is laid out by it: it never changes.
pub fn partition_hash(_key: &[u8]) -> u32 {
    unimplemented!()
}

impl KeyType {
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyType::S => "S",
            KeyType::N => "N",
            KeyType::B => "B",
        }
    }

    /// The key type of a value, if its type is one.
    pub fn of(value: &Value) -> Option<KeyType> {
        match value {
            Value::S(_) => Some(KeyType::S),
            Value::N(_) => Some(KeyType::N),
            Value::B(_) => Some(KeyType::B),
            _ => None,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
