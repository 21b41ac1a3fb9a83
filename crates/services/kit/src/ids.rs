//! Ids in AWS's manner.

use world::World;

/// Upper-case letters and digits, as the ids of roles and access keys are made of.
pub fn token(world: &World, length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    (0..length).map(|_| char::from(ALPHABET[world.below(32) as usize])).collect()
}

/// Lower-case letters and digits, as the ids of APIs and their parts are made of.
pub fn small(world: &World, length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    (0..length).map(|_| char::from(ALPHABET[world.below(36) as usize])).collect()
}

/// Capitals and digits, as the ids of requests to DynamoDB are made of.
pub fn request(world: &World) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    let mut bytes = [0; 52];
    world.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// The id of the key that AWS keeps for one of its services: the same whoever asks, so that it can be named before it is made.
pub fn managed_key(account: &str, region: &str, service: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut digits = String::with_capacity(32);
    for round in 0..2_u8 {
        for byte in [account, region, service].join("/").bytes().chain([round]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        digits.push_str(&format!("{hash:016x}"));
    }
    let [a, b, c, d, e] = [0..8, 8..12, 13..16, 17..20, 20..32].map(|range| &digits[range]);
    format!("{a}-{b}-4{c}-8{d}-{e}")
}
