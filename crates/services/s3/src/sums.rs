//! The checksums that S3's clients send and ask for, over a body as it comes by.

mod crc;

use crc::Crc;
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub const ALL: [Algorithm; 5] =
        [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

    pub fn parse(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }

    pub fn of_header(header: &str) -> Option<Algorithm> {
        let name = header.strip_prefix("x-amz-checksum-")?;
        Algorithm::parse(name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "CRC32",
            Algorithm::Crc32c => "CRC32C",
            Algorithm::Crc64Nvme => "CRC64NVME",
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
        }
    }

    pub fn header(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "x-amz-checksum-crc32",
            Algorithm::Crc32c => "x-amz-checksum-crc32c",
            Algorithm::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Algorithm::Sha1 => "x-amz-checksum-sha1",
            Algorithm::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The member of inputs and outputs that carries it.
    pub fn member(self) -> &'static str {
        match self {
            Algorithm::Crc32 => "ChecksumCRC32",
            Algorithm::Crc32c => "ChecksumCRC32C",
            Algorithm::Crc64Nvme => "ChecksumCRC64NVME",
            Algorithm::Sha1 => "ChecksumSHA1",
            Algorithm::Sha256 => "ChecksumSHA256",
        }
    }

    pub fn bytes(self) -> usize {
        match self {
            Algorithm::Crc32 | Algorithm::Crc32c => 4,
            Algorithm::Crc64Nvme => 8,
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
        }
    }

    /// The sum of a whole from the sums of its parts; none for sums that cannot be joined.
    pub fn join(self, parts: &[(Vec<u8>, u64)]) -> Option<Vec<u8>> {
        let kind = self.crc()?;
        let number = |bytes: &[u8]| bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
        let joined = parts.iter().fold(0, |sum, (part, bytes)| kind.combine(sum, number(part), *bytes));
        Some(joined.to_be_bytes()[8 - self.bytes()..].to_vec())
    }

    fn crc(self) -> Option<&'static Crc> {
        match self {
            Algorithm::Crc32 => Some(&crc::CRC32),
            Algorithm::Crc32c => Some(&crc::CRC32C),
            Algorithm::Crc64Nvme => Some(&crc::CRC64NVME),
            Algorithm::Sha1 | Algorithm::Sha256 => None,
        }
    }
}

/// One checksum in the making.
enum Running {
    Crc32(crc32fast::Hasher),
    Crc(&'static Crc, u64, usize),
    Sha1(Sha1),
    Sha256(Sha256),
}

pub(super) struct Sum(Running);

impl Sum {
    pub fn new(algorithm: Algorithm) -> Sum {
        Sum(match algorithm {
            Algorithm::Crc32 => Running::Crc32(crc32fast::Hasher::new()),
            Algorithm::Crc32c => Running::Crc(&crc::CRC32C, 0, 4),
            Algorithm::Crc64Nvme => Running::Crc(&crc::CRC64NVME, 0, 8),
            Algorithm::Sha1 => Running::Sha1(Sha1::new()),
            Algorithm::Sha256 => Running::Sha256(Sha256::new()),
        })
    }

    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
        let mut sum = Sum::new(algorithm);
        sum.update(bytes);
        sum.finish()
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            Running::Crc32(sum) => sum.update(bytes),
            Running::Crc(kind, sum, _) => *sum = kind.update(*sum, bytes),
            Running::Sha1(sum) => sum.update(bytes),
            Running::Sha256(sum) => sum.update(bytes),
        }
    }

    pub fn finish(self) -> Vec<u8> {
        match self.0 {
            Running::Crc32(sum) => sum.finalize().to_be_bytes().to_vec(),
            Running::Crc(_, sum, bytes) => sum.to_be_bytes()[8 - bytes..].to_vec(),
            Running::Sha1(sum) => sum.finalize().to_vec(),
            Running::Sha256(sum) => sum.finalize().to_vec(),
        }
    }
}

pub(super) fn md5_of(bytes: &[u8]) -> Vec<u8> {
    Md5::digest(bytes).to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_the_known_ones() {
        for (algorithm, sum) in [
            (Algorithm::Crc32, "cbf43926"),
            (Algorithm::Crc32c, "e3069283"),
            (Algorithm::Crc64Nvme, "ae8b14860a799888"),
            (Algorithm::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (Algorithm::Sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        ] {
            assert_eq!(hex(&Sum::of(algorithm, b"123456789")), sum);
            let mut pieces = Sum::new(algorithm);
            for piece in b"123456789".chunks(2) {
                pieces.update(piece);
            }
            assert_eq!(hex(&pieces.finish()), sum);
        }
    }

    #[test]
    fn sums_of_parts_join_to_the_sum_of_the_whole() {
        let text: Vec<u8> = (0..5000u32).map(|at| (at * 31 % 251) as u8).collect();
        for algorithm in [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme] {
            let parts: Vec<_> =
                text.chunks(777).map(|part| (Sum::of(algorithm, part), part.len() as u64)).collect();
            assert_eq!(algorithm.join(&parts), Some(Sum::of(algorithm, &text)), "{algorithm:?}");
        }
        assert_eq!(Algorithm::Sha1.join(&[]), None);
    }
}
