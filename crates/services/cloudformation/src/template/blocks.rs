//! `Fn::Cidr`: blocks of addresses. Pure.

use super::evaluate::text;
use serde_json::Value;

/// So many blocks of a size out of a larger one.
pub(super) fn cidr(block: &str, count: &Value, bits: Option<&Value>) -> Result<Value, String> {
    let invalid = || {
        "Template error: Fn::Cidr needs an IPv4 block, a count from 1 to 256 and the bits of a block"
            .to_owned()
    };
    let (address, prefix) = block.split_once('/').ok_or_else(invalid)?;
    let address: std::net::Ipv4Addr = address.parse().map_err(|_| invalid())?;
    let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= 32).ok_or_else(invalid)?;
    let number = |value: &Value| text(value).and_then(|text| text.parse::<u32>().ok());
    let count = number(count).filter(|count| (1..=256).contains(count)).ok_or_else(invalid)?;
    let bits =
        bits.map_or(Some(8), number).filter(|bits| (1..=32 - prefix).contains(bits)).ok_or_else(invalid)?;
    let size = 1u64 << bits;
    if u64::from(count) * size > 1u64 << (32 - prefix) {
        return Err(invalid());
    }
    let blocks = (0..u64::from(count)).map(|index| {
        let base = std::net::Ipv4Addr::from((u64::from(u32::from(address)) + index * size) as u32);
        Value::from(format!("{base}/{}", 32 - bits))
    });
    Ok(blocks.collect())
}
