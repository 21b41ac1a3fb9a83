//! Base64 with padding, as AWS reads and writes it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const INVALID: u8 = 255;

const VALUES: [u8; 256] = {
    let mut values = [INVALID; 256];
    let mut at = 0;
    while at < 64 {
        values[ALPHABET[at] as usize] = at as u8;
        at += 1;
    }
    values
};

/// Why a text is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its length is not a multiple of four.
    Length(usize),
    /// A character that is not of the alphabet.
    Character(char),
    /// The last character before the padding carries bits that belong nowhere.
    LastCharacter,
}

impl std::fmt::Display for Fault {
    // The spelling of the last one is AWS's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Length(length) => {
                write!(f, "Base64 encoded length is expected a multiple of 4 bytes but found: {length}")
            }
            Fault::Character(character) => write!(f, "Invalid Base64 character: '{character}'"),
            Fault::LastCharacter => write!(f, "Invalid last non-pad Base64 character dectected"),
        }
    }
}

/// Appends the encoding of `bytes`.
pub fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len().div_ceil(3) * 4);
    let mut chunks = bytes.chunks_exact(3);
    for chunk in &mut chunks {
        let bits = u32::from(chunk[0]) << 16 | u32::from(chunk[1]) << 8 | u32::from(chunk[2]);
        out.extend_from_slice(&[
            ALPHABET[(bits >> 18) as usize & 63],
            ALPHABET[(bits >> 12) as usize & 63],
            ALPHABET[(bits >> 6) as usize & 63],
            ALPHABET[bits as usize & 63],
        ]);
    }
    match *chunks.remainder() {
        [a] => {
            let bits = u32::from(a) << 16;
            out.extend_from_slice(&[
                ALPHABET[(bits >> 18) as usize & 63],
                ALPHABET[(bits >> 12) as usize & 63],
                b'=',
                b'=',
            ]);
        }
        [a, b] => {
            let bits = u32::from(a) << 16 | u32::from(b) << 8;
            out.extend_from_slice(&[
                ALPHABET[(bits >> 18) as usize & 63],
                ALPHABET[(bits >> 12) as usize & 63],
                ALPHABET[(bits >> 6) as usize & 63],
                b'=',
            ]);
        }
        _ => {}
    }
}

pub fn encode(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    encode_into(bytes, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Decodes strictly: full quadruples, canonical padding, no other characters.
pub fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(4) {
        return Err(Fault::Length(bytes.len()));
    }
    let Some((body, last)) = bytes.split_last_chunk::<4>() else {
        return Ok(Vec::new());
    };
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3);
    for quad in body.chunks_exact(4) {
        let [a, b, c, d] = [quad[0], quad[1], quad[2], quad[3]].map(|byte| VALUES[byte as usize]);
        if (a | b | c | d) > 63 {
            return Err(stray(text));
        }
        let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    let pads = last.iter().rev().take_while(|byte| **byte == b'=').count();
    let kept = 4 - pads;
    let mut bits = 0u32;
    for byte in &last[..kept] {
        let value = VALUES[*byte as usize];
        if value == INVALID {
            return Err(stray(text));
        }
        bits = bits << 6 | u32::from(value);
    }
    match kept {
        4 => out.extend_from_slice(&bits.to_be_bytes()[1..]),
        3 if bits & 3 == 0 => out.extend_from_slice(&((bits >> 2) as u16).to_be_bytes()),
        2 if bits & 15 == 0 => out.push((bits >> 4) as u8),
        _ => return Err(Fault::LastCharacter),
    }
    Ok(out)
}

fn stray(text: &str) -> Fault {
    let body = text.trim_end_matches('=');
    let stray = body.chars().find(|c| !c.is_ascii() || VALUES[*c as usize & 255] == INVALID);
    // What the last character carries too much is told before padding in the wrong place.
    let last = body.bytes().last().map_or(INVALID, |byte| VALUES[byte as usize]);
    let spare = match text.len() - body.len() {
        1 => 3,
        2 => 15,
        _ => 0,
    };
    match stray {
        None => Fault::LastCharacter,
        Some('=') if last != INVALID && last & spare != 0 => Fault::LastCharacter,
        Some(stray) => Fault::Character(stray),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_and_decodes() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"foob", "Zm9vYg=="),
            (&[0xff, 0xfe, 0xfd, 0x00], "//79AA=="),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Ok(bytes));
        }
    }

    #[test]
    fn refuses_what_is_not_base64() {
        for (text, fault) in [
            ("a", Fault::Length(1)),
            ("abcde", Fault::Length(5)),
            ("ab\u{e9}", Fault::Character('\u{e9}')),
            ("a b=", Fault::Character(' ')),
            ("AA=A", Fault::Character('=')),
            ("AAA=BBBB", Fault::Character('=')),
            ("A===", Fault::LastCharacter),
            ("====", Fault::LastCharacter),
            ("AB==", Fault::LastCharacter),
            ("AAB=", Fault::LastCharacter),
            ("=+/=", Fault::LastCharacter),
        ] {
            assert_eq!(decode(text), Err(fault), "{text}");
        }
    }
}
