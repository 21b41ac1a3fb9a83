//! Key values as bytes: their order is the keys' order, and each tells where it ends, so that a hash key's bytes
//! followed by a range key's sort by hash key first.
//!
//! A string or binary is its bytes with every 0 written as `0 255`, closed by `0 0`. A number is its ordered bytes,
//! closed by a byte below (or, when negative, above) every digit. Stored data is laid out by this: it never changes.

use crate::{Number, Value, ValueView};
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

const ESCAPE: u8 = 0;
const ESCAPED_ZERO: u8 = 255;
const END: u8 = 0;
const NEGATIVE_END: u8 = 102;

/// Appends the bytes of a key value.
pub fn encode(value: &Value, out: &mut Vec<u8>) -> Result<(), NotAKey> {
    encode_view(value.view(), out)
}

/// Appends the bytes of a key value.
pub fn encode_view(value: ValueView<'_>, out: &mut Vec<u8>) -> Result<(), NotAKey> {
    match value {
        ValueView::S(text) => encode_bytes(text.as_bytes(), out),
        ValueView::B(bytes) => encode_bytes(bytes, out),
        ValueView::N(number) => encode_number(&number, out),
        _ => return Err(NotAKey),
    }
    Ok(())
}

/// Appends the bytes that exactly the keys starting with `prefix`, an S or a B, have first.
pub fn encode_prefix(prefix: &Value, out: &mut Vec<u8>) -> Result<(), NotAKey> {
    match prefix {
        Value::S(text) => escape(text.as_bytes(), out),
        Value::B(bytes) => escape(bytes, out),
        _ => return Err(NotAKey),
    }
    Ok(())
}

/// Reads the first key value of `bytes` and gives back what follows it.
pub fn decode(kind: KeyType, bytes: &[u8]) -> Result<(Value, &[u8]), CorruptKey> {
    let (encoded, rest) = bytes.split_at(encoded_len(kind, bytes)?);
    let value = match kind {
        KeyType::S => Value::S(String::from_utf8(unescape(encoded)).map_err(|_| CorruptKey)?),
        KeyType::B => Value::B(unescape(encoded)),
        KeyType::N => Value::N(decode_number(encoded)?),
    };
    Ok((value, rest))
}

/// How many bytes the first key value of `bytes` takes.
pub fn encoded_len(kind: KeyType, bytes: &[u8]) -> Result<usize, CorruptKey> {
    match kind {
        KeyType::N => {
            let end = if *bytes.first().ok_or(CorruptKey)? < 0x80 { NEGATIVE_END } else { END };
            let tail =
                bytes[1..].iter().take(Number::BYTES_MAX).position(|byte| *byte == end).ok_or(CorruptKey)?;
            Ok(tail + 2)
        }
        KeyType::S | KeyType::B => {
            let mut at = 0;
            loop {
                at += bytes[at..].iter().position(|byte| *byte == ESCAPE).ok_or(CorruptKey)?;
                match bytes.get(at + 1) {
                    Some(&END) => return Ok(at + 2),
                    Some(&ESCAPED_ZERO) => at += 2,
                    _ => return Err(CorruptKey),
                }
            }
        }
    }
}

/// Spreads partition keys evenly over 32 bits. Tables that were made before the service's own order was known are laid out by
/// it: it never changes.
pub fn partition_hash(key: &[u8]) -> u32 {
    const PRIME: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(23) ^ word).wrapping_mul(PRIME);
    let (words, tail) = key.as_chunks::<8>();
    let mut hash = words.iter().fold(key.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    if !tail.is_empty() {
        let mut word = [0; 8];
        word[..tail.len()].copy_from_slice(tail);
        hash = mix(hash, u64::from_le_bytes(word));
    }
    // Two rounds of folding and multiplying make every bit of the key reach every bit of the result.
    for _ in 0..2 {
        hash = (hash ^ (hash >> 32)).wrapping_mul(PRIME);
    }
    (hash >> 32) as u32
}

impl KeyType {
    pub const fn as_str(self) -> &'static str {
        match self {
            KeyType::S => "S",
            KeyType::N => "N",
            KeyType::B => "B",
        }
    }

    pub fn parse(descriptor: &str) -> Option<KeyType> {
        match descriptor {
            "S" => Some(KeyType::S),
            "N" => Some(KeyType::N),
            "B" => Some(KeyType::B),
            _ => None,
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

fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    escape(bytes, out);
    out.extend_from_slice(&[ESCAPE, END]);
}

fn encode_number(number: &Number, out: &mut Vec<u8>) {
    let bytes = number.as_bytes();
    out.extend_from_slice(bytes);
    match number.is_negative() {
        false => out.push(END),
        true if bytes.last() != Some(&NEGATIVE_END) => out.push(NEGATIVE_END),
        true => {}
    }
}

fn decode_number(encoded: &[u8]) -> Result<Number, CorruptKey> {
    let (end, open) = encoded.split_last().ok_or(CorruptKey)?;
    // Of a negative number, the end belongs to its own bytes unless they are as many as can be.
    let bytes = if *end == NEGATIVE_END && encoded.len() <= Number::BYTES_MAX { encoded } else { open };
    Number::from_bytes(bytes).ok_or(CorruptKey)
}

fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    let mut parts = bytes.split(|byte| *byte == ESCAPE);
    out.extend_from_slice(parts.next().unwrap_or_default());
    for part in parts {
        out.extend_from_slice(&[ESCAPE, ESCAPED_ZERO]);
        out.extend_from_slice(part);
    }
}

/// Undoes `encode_bytes` on what `encoded_len` has measured.
fn unescape(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = &encoded[..encoded.len() - 2];
    while let Some(at) = rest.iter().position(|byte| *byte == ESCAPE) {
        bytes.extend_from_slice(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    bytes.extend_from_slice(rest);
    bytes
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for NotAKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only strings, numbers and binaries are keys")
    }
}

impl fmt::Display for CorruptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored key is corrupt")
    }
}

impl std::error::Error for NotAKey {}
impl std::error::Error for CorruptKey {}
