//! Where a key's partition lies among the others: what scans, segments and shards follow.
//!
//! The service's own order is known from outside: suites that were recorded from it list scans of known keys, and items
//! of equal index keys. [suites: dynalite, moto test_import_table_multiple_files]

use md5::{Digest, Md5};
use model::ValueView;

/// What the service hashes before every key.
const SALT: &[u8] = b"Outliers";

/// The service's hash of key values, of which the first 32 bits are enough to order by.
pub(crate) fn service_hash<'v>(values: impl Iterator<Item = ValueView<'v>>) -> u32 {
    let mut hash = Md5::new();
    hash.update(SALT);
    for value in values {
        match value {
            ValueView::S(text) => hash.update(text.as_bytes()),
            ValueView::B(bytes) => hash.update(bytes),
            // Numbers are held in the bytes that the service holds them in.
            ValueView::N(number) => hash.update(number.as_bytes()),
            _ => {}
        }
    }
    let [a, b, c, d, ..] = <[u8; 16]>::from(hash.finalize());
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Number, Value};

    fn sorted(mut keys: Vec<Value>) -> Vec<Value> {
        keys.sort_by_key(|key| service_hash([key.view()].into_iter()));
        keys
    }

    #[test]
    fn strings_lie_in_the_services_order() {
        let order = ["2", "8", "9", "1", "6", "hello", "0", "5", "4", "äáöü", "aardman", "7", "3", "zapf"];
        let keys: Vec<Value> = order.into_iter().map(Value::from).collect();
        let mut shuffled = keys.clone();
        shuffled.sort_by_key(|key| key.view().size_bytes().unwrap_or_default());
        assert_eq!(sorted(shuffled), keys);
    }

    #[test]
    fn numbers_lie_in_the_services_order() {
        let order =
            ["7", "999.9", "8", "3", "2", "-999.9", "9", "4", "-0.09", "6", "1", "0", "0.012345", "5"];
        let keys: Vec<Value> =
            order.into_iter().map(|text| Value::N(Number::parse(text).expect("a number"))).collect();
        let mut shuffled = keys.clone();
        shuffled.reverse();
        assert_eq!(sorted(shuffled), keys);
    }
}
