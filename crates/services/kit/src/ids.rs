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
