//! Ranges of IP addresses: `10.0.0.0/24`, `2001:db8::/32`.

use std::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AddressRange {
    address: IpAddr,
    bits: u32,
}

impl AddressRange {
    pub fn parse(text: &str) -> Option<AddressRange> {
        let (address, bits) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let is_plain = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = bits.parse().ok().filter(|bits| is_plain && *bits <= bits_max)?;
        Some(AddressRange { address, bits })
    }

    pub fn holds(&self, text: &str) -> bool {
        match (self.address, text.parse()) {
            (IpAddr::V4(range), Ok(IpAddr::V4(one))) => {
                alike(u128::from(u32::from(range)), u128::from(u32::from(one)), 32 - self.bits)
            }
            (IpAddr::V6(range), Ok(IpAddr::V6(one))) => {
                alike(u128::from(range), u128::from(one), 128 - self.bits)
            }
            _ => false,
        }
    }
}

fn alike(a: u128, b: u128, ignored_bits: u32) -> bool {
    (a ^ b).checked_shr(ignored_bits).unwrap_or(0) == 0
}
