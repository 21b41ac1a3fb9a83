//! Where the bytes of a runtime's answer go: kept until it is whole, or passed on as they come.

use super::RESPONSE_BYTES_MAX;
use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;

/// The largest answer that is streamed.
pub(crate) const STREAM_BYTES_MAX: usize = 200 << 20;

/// A part of an answer that is passed on while it is made.
#[derive(Debug)]
pub(crate) enum Piece {
    /// It begins, and this is what it holds.
    Begun {
        content_type: String,
    },
    Bytes(Bytes),
}

pub(super) enum Body {
    Kept {
        first: Bytes,
        rest: BytesMut,
    },
    /// Nobody reads any more when there is no sender; the function is not told.
    Passed {
        to: Option<mpsc::Sender<Piece>>,
        bytes: usize,
    },
}

impl Body {
    pub fn kept() -> Body {
        Body::Kept { first: Bytes::new(), rest: BytesMut::new() }
    }

    /// What lies beyond the limit is dropped, so that the answer can say so.
    pub async fn take(&mut self, piece: Bytes) {
        match self {
            // Most bodies come in one piece, which is not copied.
            Body::Kept { first, rest } if first.is_empty() && rest.is_empty() => *first = piece,
            Body::Kept { first, rest } => {
                if rest.is_empty() {
                    rest.extend_from_slice(&std::mem::take(first));
                }
                let room = (RESPONSE_BYTES_MAX + 1).saturating_sub(rest.len());
                rest.extend_from_slice(&piece[..piece.len().min(room)]);
            }
            Body::Passed { to, bytes } => {
                *bytes += piece.len();
                if *bytes > STREAM_BYTES_MAX || piece.is_empty() {
                    return;
                }
                if let Some(sender) = to
                    && sender.send(Piece::Bytes(piece)).await.is_err()
                {
                    *to = None;
                }
            }
        }
    }

    /// The limit that it is beyond.
    pub fn beyond(&self) -> Option<usize> {
        match self {
            Body::Kept { first, rest } if first.len() + rest.len() > RESPONSE_BYTES_MAX => {
                Some(RESPONSE_BYTES_MAX)
            }
            Body::Passed { bytes, .. } if *bytes > STREAM_BYTES_MAX => Some(STREAM_BYTES_MAX),
            _ => None,
        }
    }

    /// What was kept.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Body::Kept { first, rest } if rest.is_empty() => first,
            Body::Kept { rest, .. } => rest.freeze(),
            Body::Passed { .. } => Bytes::new(),
        }
    }
}

/// Base64, of which this crate needs nothing else.
pub(super) fn base64(text: &str) -> Option<Bytes> {
    let (mut bytes, mut held, mut bits) = (Vec::with_capacity(text.len()), 0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = (held << 6 | u32::from(six)) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    Some(bytes.into())
}
