//! Cyclic redundancy checks of 32 and 64 bits, mirrored, with ones before and after, as all of S3's are.

use std::sync::OnceLock;

pub(super) static CRC32: Crc = Crc::new(32, 0xedb8_8320);
pub(super) static CRC32C: Crc = Crc::new(32, 0x82f6_3b78);
pub(super) static CRC64NVME: Crc = Crc::new(64, 0x9a6c_9329_ac4b_c9b5);

type Tables = [[u64; 256]; 8];

pub(super) struct Crc {
    width: u32,
    polynomial: u64,
    tables: OnceLock<Box<Tables>>,
}

impl Crc {
    const fn new(width: u32, polynomial: u64) -> Crc {
        Crc { width, polynomial, tables: OnceLock::new() }
    }

    fn ones(&self) -> u64 {
        u64::MAX >> (64 - self.width)
    }

    fn tables(&self) -> &Tables {
        self.tables.get_or_init(|| {
            let mut tables = Box::new([[0; 256]; 8]);
            for byte in 0..256 {
                let mut sum = byte as u64;
                for _ in 0..8 {
                    sum = if sum & 1 == 1 { sum >> 1 ^ self.polynomial } else { sum >> 1 };
                }
                tables[0][byte] = sum;
            }
            for at in 1..8 {
                for byte in 0..256 {
                    let sum = tables[at - 1][byte];
                    tables[at][byte] = sum >> 8 ^ tables[0][(sum & 0xff) as usize];
                }
            }
            tables
        })
    }

    /// The sum of what came before and these bytes.
    pub fn update(&self, sum: u64, bytes: &[u8]) -> u64 {
        let tables = self.tables();
        let mut sum = sum ^ self.ones();
        let (blocks, rest) = bytes.as_chunks::<8>();
        for block in blocks {
            let mixed = (sum ^ u64::from_le_bytes(*block)).to_le_bytes();
            sum = 0;
            for (at, byte) in mixed.into_iter().enumerate() {
                sum ^= tables[7 - at][usize::from(byte)];
            }
        }
        for byte in rest {
            sum = sum >> 8 ^ tables[0][((sum ^ u64::from(*byte)) & 0xff) as usize];
        }
        sum ^ self.ones()
    }

    /// The sum of two texts one behind the other, from their sums and the second one's length.
    pub fn combine(&self, first: u64, second: u64, second_bytes: u64) -> u64 {
        // A zero bit's effect on a sum is linear: as a matrix, squared again and again.
        let width = self.width as usize;
        let mut power: Vec<u64> =
            (0..width).map(|bit| if bit == 0 { self.polynomial } else { 1 << (bit - 1) }).collect();
        let mut sum = first;
        let mut bits = second_bytes * 8;
        while bits > 0 {
            if bits & 1 == 1 {
                sum = times(&power, sum);
            }
            bits >>= 1;
            power = power.iter().map(|column| times(&power, *column)).collect();
        }
        sum ^ second
    }
}

fn times(matrix: &[u64], vector: u64) -> u64 {
    let set = matrix.iter().enumerate().filter(|(bit, _)| vector >> bit & 1 == 1);
    set.fold(0, |sum, (_, column)| sum ^ column)
}
