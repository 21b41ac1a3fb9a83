//! Hashes, and the derived keys that sign.

use super::Scope;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::RwLock;

/// Keys remembered at most; a day's change or many regions empty the store, which fills again.
const KEYS_MAX: usize = 256;

/// Derived signing keys, each good for one secret, day, region and service.
#[derive(Default)]
pub struct SigningKeys {
    known: RwLock<HashMap<[u8; 32], [u8; 32]>>,
}

impl SigningKeys {
    /// The hex signature of a text.
    pub fn signature(&self, secret: &str, scope: &Scope<'_>, text: &str) -> String {
        hex(&hmac(&self.key(secret, scope), text.as_bytes()))
    }

    fn key(&self, secret: &str, scope: &Scope<'_>) -> [u8; 32] {
        // The secret itself is not kept, only what it is found by.
        let mut name = Sha256::new();
        for part in [secret, &scope.date, &scope.region, &scope.service] {
            name.update((part.len() as u64).to_be_bytes());
            name.update(part.as_bytes());
        }
        let name: [u8; 32] = name.finalize().into();
        let known = self.known.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&name).copied();
        if let Some(key) = known {
            return key;
        }
        let day = hmac(format!("AWS4{secret}").as_bytes(), scope.date.as_bytes());
        let region = hmac(&day, scope.region.as_bytes());
        let service = hmac(&region, scope.service.as_bytes());
        let key = hmac(&service, b"aws4_request");
        let mut known = self.known.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if known.len() >= KEYS_MAX {
            known.clear();
        }
        known.insert(name, key);
        key
    }
}

/// Whether two byte strings are equal, in a time that does not tell where they differ.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |difference, (a, b)| difference | (a ^ b));
    a.len() == b.len() && std::hint::black_box(difference) == 0
}

pub(super) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn hmac(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    // Any length of key is a key.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("a key of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = b"0123456789abcdef";
    let pairs =
        bytes.iter().flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]);
    pairs.map(char::from).collect()
}
