//! Blocks of IPv4 addresses: `10.0.0.0/16`.

use std::net::Ipv4Addr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cidr {
    base: u32,
    bits: u8,
}

impl Cidr {
    /// Bits beyond the prefix count for nothing, as on AWS.
    pub fn parse(text: &str) -> Option<Cidr> {
        let (address, bits) = text.split_once('/')?;
        let address: Ipv4Addr = address.parse().ok()?;
        let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        Some(Cidr { base: u32::from(address) & mask(bits), bits })
    }

    pub fn bits(self) -> u8 {
        self.bits
    }

    /// How many addresses it has.
    pub fn addresses(self) -> u64 {
        1 << (32 - u32::from(self.bits))
    }

    pub fn contains(self, other: Cidr) -> bool {
        self.bits <= other.bits && other.base & mask(self.bits) == self.base
    }

    pub fn overlaps(self, other: Cidr) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The address with this number, counted from the block's first.
    pub fn address(self, number: u32) -> Ipv4Addr {
        Ipv4Addr::from(self.base.wrapping_add(number))
    }
}

fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::Cidr;

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn blocks_are_read_and_compared() {
        assert_eq!(cidr("10.0.3.7/16").to_string(), "10.0.0.0/16");
        assert_eq!(cidr("0.0.0.0/0").addresses(), 1 << 32);
        assert_eq!(cidr("10.0.0.0/32").address(0).to_string(), "10.0.0.0");
        for wrong in ["", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/x", "::/0"] {
            assert_eq!(Cidr::parse(wrong), None, "{wrong}");
        }
        let vpc = cidr("10.0.0.0/16");
        assert!(vpc.contains(cidr("10.0.255.0/24")) && !vpc.contains(cidr("10.1.0.0/24")));
        assert!(!cidr("10.0.0.0/24").contains(vpc) && cidr("10.0.0.0/24").overlaps(vpc));
        assert!(!cidr("10.0.0.0/24").overlaps(cidr("10.0.1.0/24")));
    }
}
