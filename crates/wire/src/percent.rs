//! Percent-encoding of paths, queries and forms.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Encodes everything but RFC 3986's unreserved characters, as signatures require.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    encode_into(text.as_bytes(), b"", &mut out);
    out
}

/// As `encode`, leaving the bytes in `keep` as they are.
pub fn encode_into(bytes: &[u8], keep: &[u8], out: &mut String) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) || keep.contains(byte) {
            out.push(*byte as char);
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)] as char);
            out.push(HEX[usize::from(byte & 15)] as char);
        }
    }
}

/// Decodes `%XX`; a `%` without two digits stands for itself.
pub fn decode(text: &str) -> Vec<u8> {
    decode_with(text, false)
}

/// Decodes a form's or query's text, where `+` is a space.
pub fn decode_form(text: &str) -> Vec<u8> {
    decode_with(text, true)
}

fn decode_with(text: &str, plus_is_space: bool) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = match bytes[at] {
            b'%' => bytes.get(at + 1).zip(bytes.get(at + 2)),
            _ => None,
        };
        match pair.and_then(|(high, low)| Some((digit(*high)?, digit(*low)?))) {
            Some((high, low)) => {
                out.push(high << 4 | low);
                at += 3;
            }
            None => {
                out.push(if plus_is_space && bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    out
}

fn digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

/// The pairs of a query or form body, in order, still encoded.
pub fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_leniently() {
        for (text, bytes) in [
            ("a%20b", &b"a b"[..]),
            ("a+b", b"a+b"),
            ("%", b"%"),
            ("%4", b"%4"),
            ("%zz", b"%zz"),
            ("%41%", b"A%"),
        ] {
            assert_eq!(decode(text), bytes);
        }
        assert_eq!(decode_form("a+b%2B"), b"a b+");
    }

    #[test]
    fn encodes_what_signatures_need() {
        assert_eq!(encode("a b/c~_.-é:"), "a%20b%2Fc~_.-%C3%A9%3A");
    }

    #[test]
    fn splits_pairs() {
        assert_eq!(pairs("a=1&b&&c=").collect::<Vec<_>>(), [("a", "1"), ("b", ""), ("c", "")]);
    }
}
