//! Keys as bytes.

use crate::random::Random;
use model::key::{self, CorruptKey, KeyType, partition_hash};
use model::{Number, Value};

fn random_key(random: &mut Random, kind: KeyType) -> Value {
    match kind {
        KeyType::S => Value::S(random.text()),
        KeyType::N => Value::N(random.number()),
        KeyType::B => Value::B(random.bytes()),
    }
}

fn encoded(values: &[&Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for value in values {
        key::encode(value, &mut bytes).unwrap();
    }
    bytes
}

const KINDS: [KeyType; 3] = [KeyType::S, KeyType::N, KeyType::B];

#[test]
fn the_order_of_bytes_is_the_order_of_keys() {
    let mut random = Random::new(7);
    for _ in 0..20_000 {
        let (hash_kind, range_kind) = (random.pick(&KINDS), random.pick(&KINDS));
        let mut draw = || (random_key(&mut random, hash_kind), random_key(&mut random, range_kind));
        let (a, b) = (draw(), draw());
        let order = a.0.compare(&b.0).unwrap().then(a.1.compare(&b.1).unwrap());
        let (a_bytes, b_bytes) = (encoded(&[&a.0, &a.1]), encoded(&[&b.0, &b.1]));
        assert_eq!(a_bytes.cmp(&b_bytes), order, "{a:?} {b:?}");

        let (hash, rest) = key::decode(hash_kind, &a_bytes).unwrap();
        let (range, rest) = key::decode(range_kind, rest).unwrap();
        assert_eq!((hash, range, rest), (a.0.clone(), a.1, &[][..]));
        assert_eq!(key::encoded_len(hash_kind, &a_bytes), Ok(encoded(&[&a.0]).len()));
    }
}

#[test]
fn a_prefix_is_the_beginning_of_the_keys_that_have_it() {
    let mut random = Random::new(8);
    for _ in 0..20_000 {
        let (whole, part) = (random.bytes(), random.bytes());
        let mut prefix = Vec::new();
        key::encode_prefix(&Value::B(part.clone()), &mut prefix).unwrap();
        let starts = encoded(&[&Value::B(whole.clone())]).starts_with(&prefix);
        assert_eq!(starts, whole.starts_with(&part), "{whole:?} {part:?}");
    }
}

#[test]
fn any_bytes_are_a_key_or_refused() {
    let mut random = Random::new(9);
    for _ in 0..100_000 {
        let len = random.below(26);
        let bytes: Vec<u8> =
            (0..len).map(|_| random.pick(&[0, 0, 2, 62, 102, 128, 193, 255, b'a'])).collect();
        for kind in KINDS {
            if let Ok((value, rest)) = key::decode(kind, &bytes) {
                let mut again = encoded(&[&value]);
                again.extend_from_slice(rest);
                assert_eq!(again, bytes);
            }
        }
    }
    assert_eq!(key::decode(KeyType::S, &[0xff, 0, 0]), Err(CorruptKey));
}

/// Stored data is laid out by these.
#[test]
fn layouts() {
    let text = Value::from("a\0b");
    let number = |text: &str| Value::N(Number::parse(text).unwrap());
    assert_eq!(encoded(&[&text]), [b'a', 0, 255, b'b', 0, 0]);
    assert_eq!(encoded(&[&number("0")]), [128, 0]);
    assert_eq!(encoded(&[&number("1")]), [193, 2, 0]);
    assert_eq!(encoded(&[&number("-1")]), [62, 100, 102]);
    for (key, expect) in HASHES {
        assert_eq!(partition_hash(key), expect, "{key:?}");
    }
}

const HASHES: [(&[u8], u32); 5] = [
    (b"", 0),
    (b"a", 1_852_541_965),
    (b"12345678", 1_163_126_222),
    (b"123456789", 3_653_242_435),
    (b"a partition key of some length", 343_370_288),
];

#[test]
fn hashes_are_even() {
    // Keys that differ little must spread over few shards as well as over many.
    for shards in [2usize, 7, 64, 1024] {
        let mut counts = vec![0u32; shards];
        let keys = 200 * shards as u32;
        for at in 0..keys {
            let hash = partition_hash(format!("user#{at}").as_bytes());
            counts[((u64::from(hash) * shards as u64) >> 32) as usize] += 1;
        }
        let (low, high) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(*low > 120 && *high < 300, "{shards}: {low} to {high}");
    }
}

#[test]
fn only_scalars_are_keys() {
    for value in [Value::Null, Value::Bool(true), Value::L(vec![])] {
        assert!(key::encode(&value, &mut Vec::new()).is_err());
    }
    assert!(key::encode_prefix(&Value::N(Number::ZERO), &mut Vec::new()).is_err());
}
