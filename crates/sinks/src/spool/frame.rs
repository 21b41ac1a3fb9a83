//! Frames of a spool's file: a length, a checksum, and what they cover. What a crash tore is told from what is whole.

use crate::join::Sequence;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// More than any page of records becomes.
const FRAME_BYTES_MAX: usize = 64 << 20;
const CHECK_BYTES: usize = 8;

/// What a file holds, in this order: one head, then pages, and the end where the shard has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The record before the file's first; none: the shard's beginning.
    Head { shard: Box<str>, parent: Option<Box<str>>, after: Option<Sequence> },
    /// Records up to this one, as GetRecords tells them.
    Page { last: Sequence, body: Vec<u8> },
    /// The shard has no more.
    End,
}

impl Frame {
    /// As it stands in the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut inner = Vec::new();
        match self {
            Frame::Head { shard, parent, after } => {
                inner.push(b'H');
                let after = after.as_ref().map(Sequence::to_string);
                inner.extend_from_slice(json!([1, shard, parent, after]).to_string().as_bytes());
            }
            Frame::Page { last, body } => {
                inner.push(b'P');
                // A sequence number has 64 digits at most.
                let last = last.to_string();
                inner.push(last.len() as u8);
                inner.extend_from_slice(last.as_bytes());
                inner.extend_from_slice(body);
            }
            Frame::End => inner.push(b'E'),
        }
        let mut bytes = (inner.len() as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(&Sha256::digest(&inner)[..CHECK_BYTES]);
        bytes.extend_from_slice(&inner);
        bytes
    }

    /// The next frame and its length in the file; none: the file ends here, or what follows is torn.
    pub fn read(file: &mut impl Read) -> io::Result<Option<(Frame, u64)>> {
        let mut start = [0; 4 + CHECK_BYTES];
        if !filled(file, &mut start)? {
            return Ok(None);
        }
        let (length, check) = start.split_at(4);
        let length = u32::from_le_bytes(length.try_into().unwrap_or_default()) as usize;
        if length == 0 || length > FRAME_BYTES_MAX {
            return Ok(None);
        }
        let mut inner = vec![0; length];
        if !filled(file, &mut inner)? || Sha256::digest(&inner)[..CHECK_BYTES] != *check {
            return Ok(None);
        }
        let size = (start.len() + length) as u64;
        Ok(Frame::parse(inner).map(|frame| (frame, size)))
    }

    fn parse(inner: Vec<u8>) -> Option<Frame> {
        let (kind, rest) = inner.split_first()?;
        match kind {
            b'H' => {
                let head: Value = serde_json::from_slice(rest).ok()?;
                (head[0] == 1).then_some(())?;
                let after = match head[3].as_str() {
                    Some(digits) => Some(Sequence::parse(digits)?),
                    None => None,
                };
                Some(Frame::Head {
                    shard: head[1].as_str()?.into(),
                    parent: head[2].as_str().map(Into::into),
                    after,
                })
            }
            b'P' => {
                let (length, rest) = rest.split_first()?;
                let (last, body) = rest.split_at_checked(*length as usize)?;
                let last = Sequence::parse(std::str::from_utf8(last).ok()?)?;
                Some(Frame::Page { last, body: body.to_vec() })
            }
            b'E' => Some(Frame::End),
            _ => None,
        }
    }
}

/// False: there was less.
fn filled(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
