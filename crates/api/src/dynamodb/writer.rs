//! Items as DynamoDB JSON, appended to bytes without a tree between.

use model::{CorruptImage, ValueView, View};
use std::io::Write as _;

/// Appends `{"name":{"S":"…"}, …}`.
pub fn item(item: View<'_>, out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    out.push(b'{');
    let mut first = true;
    for attribute in item.iter() {
        let (name, attribute) = attribute?;
        if !first {
            out.push(b',');
        }
        first = false;
        string(name, out);
        out.push(b':');
        value(attribute, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Appends one attribute value: `{"S":"…"}`.
pub fn value(value: ValueView<'_>, out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    let start = |out: &mut Vec<u8>, tag: &str| out.extend_from_slice(tag.as_bytes());
    match value {
        ValueView::S(text) => {
            start(out, "{\"S\":");
            string(text, out);
        }
        ValueView::N(_) | ValueView::B(_) => {
            start(out, if matches!(value, ValueView::N(_)) { "{\"N\":" } else { "{\"B\":" });
            scalar(value, out);
        }
        ValueView::Bool(true) => start(out, "{\"BOOL\":true"),
        ValueView::Bool(false) => start(out, "{\"BOOL\":false"),
        ValueView::Null => start(out, "{\"NULL\":true"),
        ValueView::L(list) => {
            start(out, "{\"L\":[");
            for (at, element) in list.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                self::value(element?, out)?;
            }
            out.push(b']');
        }
        ValueView::M(map) => {
            start(out, "{\"M\":");
            item(map, out)?;
        }
        ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set) => {
            start(
                out,
                match value {
                    ValueView::Ss(_) => "{\"SS\":[",
                    ValueView::Ns(_) => "{\"NS\":[",
                    _ => "{\"BS\":[",
                },
            );
            for (at, element) in set.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                scalar(element?, out);
            }
            out.push(b']');
        }
    }
    out.push(b'}');
    Ok(())
}

/// A string, number or binary without its descriptor.
fn scalar(value: ValueView<'_>, out: &mut Vec<u8>) {
    match value {
        ValueView::S(text) => string(text, out),
        ValueView::N(number) => {
            // Writing to a Vec cannot fail.
            let _ = write!(out, "\"{number}\"");
        }
        ValueView::B(bytes) => {
            out.push(b'"');
            wire::base64::encode_into(bytes, out);
            out.push(b'"');
        }
        _ => out.extend_from_slice(b"null"),
    }
}

/// What stands after a backslash for a byte that must be escaped: 0 for none, `u` for a numbered one.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut at = 0;
    while at < 0x20 {
        escapes[at] = b'u';
        at += 1;
    }
    escapes[b'\n' as usize] = b'n';
    escapes[b'\r' as usize] = b'r';
    escapes[b'\t' as usize] = b't';
    escapes[0x08] = b'b';
    escapes[0x0c] = b'f';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes
};

/// Appends a JSON string with its quotes.
pub fn string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut plain_from = 0;
    let mut at = 0;
    while at < bytes.len() {
        // Eight bytes at a time as long as they are plain, which nearly all are.
        if let Some(eight) = bytes[at..].first_chunk::<8>()
            && is_plain(*eight)
        {
            at += 8;
            continue;
        }
        let escape = ESCAPES[bytes[at] as usize];
        if escape != 0 {
            out.extend_from_slice(&bytes[plain_from..at]);
            plain_from = at + 1;
            out.extend_from_slice(&[b'\\', escape]);
            if escape == b'u' {
                let _ = write!(out, "{:04x}", bytes[at]);
            }
        }
        at += 1;
    }
    out.extend_from_slice(&bytes[plain_from..]);
    out.push(b'"');
}

/// Whether none of eight bytes is a control character, a quotation mark or a backslash.
fn is_plain(bytes: [u8; 8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let word = u64::from_ne_bytes(bytes);
    // The high bit of a byte is set where it lies below the bound. A borrow from a neighbour may set it too, but only
    // above a byte that is itself below: the answer for all eight stays right.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word & HIGH;
    let equals = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    below(word, 0x20) | equals(b'"') | equals(b'\\') == 0
}

/// A JSON object being appended member by member.
pub struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object { out, first: true }
    }

    /// Starts a member; its value is for the caller to append.
    pub fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        string(name, self.out);
        self.out.push(b':');
        self.out
    }

    pub fn item(&mut self, name: &str, view: View<'_>) -> Result<(), CorruptImage> {
        item(view, self.member(name))
    }

    pub fn string(&mut self, name: &str, text: &str) {
        string(text, self.member(name));
    }

    pub fn number(&mut self, name: &str, number: impl std::fmt::Display) {
        let _ = write!(self.member(name), "{number}");
    }

    pub fn json(&mut self, name: &str, tree: &serde_json::Value) {
        let _ = serde_json::to_writer(self.member(name), tree);
    }

    pub fn end(self) {
        self.out.push(b'}');
    }
}
