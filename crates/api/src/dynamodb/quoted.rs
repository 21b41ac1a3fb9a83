//! Texts as JSON strings: copied a word at a time where they are of plain ASCII, as nearly all are.

use model::CorruptImage;
use std::io::Write as _;

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

/// Appends a text with its quotes.
pub fn string(text: &str, out: &mut Vec<u8>) {
    if !plain(text.as_bytes(), out) {
        escaped(text, out);
    }
}

/// The same, of what ought to be a text.
pub fn bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    if !plain(bytes, out) {
        escaped(std::str::from_utf8(bytes).map_err(|_| CorruptImage)?, out);
    }
    Ok(())
}

/// Longer texts are looked at first, and copied by the system's own routine.
const MIDDLE_MAX: usize = 64;

/// Appends it if it is of plain ASCII, or does nothing. What is no whole word is covered by words that overlap.
fn plain(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let (start, len) = (out.len(), bytes.len());
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) if len <= 16 => {
            if odd(*first) | odd(*last) != 0 {
                return false;
            }
            out.extend_from_slice(&[b'"'; 18]);
            let room = &mut out[start + 1..];
            room[..8].copy_from_slice(first);
            room[len - 8..len].copy_from_slice(last);
        }
        (Some(_), Some(last)) if len <= MIDDLE_MAX => {
            let mut all = odd(*last);
            out.extend_from_slice(&[b'"'; MIDDLE_MAX + 2]);
            let room = &mut out[start + 1..];
            for (word, room) in bytes.as_chunks().0.iter().zip(room.as_chunks_mut().0) {
                *room = *word;
                all |= odd(*word);
            }
            room[len - 8..len].copy_from_slice(last);
            if all != 0 {
                out.truncate(start);
                return false;
            }
        }
        (Some(_), Some(last)) => {
            if bytes.as_chunks().0.iter().fold(odd(*last), |all, word| all | odd(*word)) != 0 {
                return false;
            }
            out.reserve(len + 2);
            out.push(b'"');
            out.extend_from_slice(bytes);
            out.push(b'"');
        }
        _ => {
            let word = below_eight(bytes);
            if odd((word | SPACES << (8 * len)).to_le_bytes()) != 0 {
                return false;
            }
            out.push(b'"');
            out.extend_from_slice(&(word | QUOTES << (8 * len)).to_le_bytes());
        }
    }
    out.truncate(start + len + 2);
    true
}

const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);

/// Fewer than eight bytes, the first of them in the lowest.
fn below_eight(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>(), bytes) {
        (Some(first), Some(last), _) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4))
        }
        (_, _, [first, .., last]) => {
            u64::from(*first)
                | u64::from(bytes[len / 2]) << (8 * (len / 2))
                | u64::from(*last) << (8 * (len - 1))
        }
        (_, _, [one]) => u64::from(*one),
        _ => 0,
    }
}

/// Not zero where one of eight bytes is a control character, a quotation mark, a backslash, or no ASCII.
fn odd(bytes: [u8; 8]) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let word = u64::from_ne_bytes(bytes);
    // The high bit of a byte is set where it lies below the bound. A borrow from a neighbour may set it too, but only
    // above a byte that is itself below: the answer for all eight stays right.
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound);
    let equals = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equals(b'"') | equals(b'\\') | word) & HIGH
}

#[cold]
fn escaped(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 10);
    out.push(b'"');
    let mut plain_from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let escape = ESCAPES[*byte as usize];
        if escape != 0 {
            out.extend_from_slice(&bytes[plain_from..at]);
            plain_from = at + 1;
            out.extend_from_slice(&[b'\\', escape]);
            if escape == b'u' {
                // Writing to a Vec cannot fail.
                let _ = write!(out, "{byte:04x}");
            }
        }
    }
    out.extend_from_slice(&bytes[plain_from..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = b"before".to_vec();
        string(text, &mut out);
        String::from_utf8(out).expect("texts stay texts").split_off(6)
    }

    #[test]
    fn texts_of_every_length_are_what_json_says() {
        let letters: String =
            ('!'..='~').filter(|letter| !"\"\\".contains(*letter)).cycle().take(200).collect();
        for len in 0..=200 {
            assert_eq!(quoted(&letters[..len]), format!("\"{}\"", &letters[..len]));
        }
    }

    #[test]
    fn what_must_be_escaped_is_wherever_it_stands() {
        for odd in ["\"", "\\", "\n", "\u{1}", "\u{1f}", "\0", "ä", "\u{7f}", "\u{2028}", "🌊"] {
            for len in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 38, 63, 64, 65, 100] {
                for at in 0..=len {
                    let text = format!("{}{odd}{}", "a".repeat(at), "b".repeat(len - at));
                    assert_eq!(quoted(&text), serde_json::to_string(&text).expect("JSON"), "{text:?}");
                }
            }
        }
    }
}
