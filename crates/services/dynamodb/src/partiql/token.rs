//! Where a statement goes on: opaque to clients, and good for the statement it was given for.

use crate::fault::{Fault, validation};
use model::{Image, Item, Value, View};
use sha2::{Digest, Sha256};
use wire::base64;

#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// Of the partitions that the statement names, which one.
    pub partition: u32,
    /// The key that was read last.
    pub after: Option<Item>,
}

const DIGEST_BYTES: usize = 16;

/// What a token is good for: a statement with its parameters, of one caller.
pub(super) fn digest(parts: &[&str], parameters: &[Value]) -> [u8; DIGEST_BYTES] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    for parameter in parameters {
        let image = Image::of(&Item::from_iter([("", parameter.clone())]));
        hash.update((image.as_bytes().len() as u64).to_be_bytes());
        hash.update(image.as_bytes());
    }
    let mut digest = [0; DIGEST_BYTES];
    digest.copy_from_slice(&hash.finalize()[..DIGEST_BYTES]);
    digest
}

impl Place {
    pub fn token(&self, digest: &[u8; DIGEST_BYTES]) -> String {
        let mut bytes = digest.to_vec();
        bytes.extend_from_slice(&self.partition.to_be_bytes());
        if let Some(after) = &self.after {
            after.encode(&mut bytes);
        }
        base64::encode(&bytes)
    }

    pub fn parse(token: &str, digest: &[u8; DIGEST_BYTES]) -> Result<Place, Fault> {
        let read = || -> Option<Place> {
            let bytes = base64::decode(token).ok()?;
            let bytes = bytes.strip_prefix(digest)?;
            let (partition, image) = bytes.split_first_chunk::<4>()?;
            let after = match image {
                [] => None,
                image => Some(View::new(image).ok()?.to_item().ok()?),
            };
            Some(Place { partition: u32::from_be_bytes(*partition), after })
        };
        read().ok_or_else(|| validation("NextToken does not match request"))
    }
}
