//! Bytes are those of the key that is read from them, or refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::key::{self, KeyType};

fuzz_target!(|bytes: &[u8]| {
    for kind in [KeyType::S, KeyType::N, KeyType::B] {
        if let Ok((value, rest)) = key::decode(kind, bytes) {
            let mut again = Vec::new();
            key::encode(&value, &mut again).expect("a key");
            again.extend_from_slice(rest);
            assert_eq!(again, bytes);
        }
    }
});
