//! Looks at the engine's journals before the engine does, because it shortens what it cannot read.
//!
//! A power failure may leave the last groups, which nobody was told of, in pieces: those are cut off here.
//! Damage to what had been synced is told instead, and nothing is touched. The two are told apart by the
//! [`Header`] in every group, which says what was on disk for certain when it was written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use crate::header::{self, Header};

const TRAILER: [u8; 4] = *b"FJL\x03";

/// How far beyond the blocks that a sparse file has on disk is looked for data.
const SLACK_BYTES: u64 = 1 << 20;

/// What is known to be kept so far.
#[derive(Default)]
struct Kept {
    group: Option<u64>,
}

/// The inner error describes the damage.
pub(crate) fn check(tables: &Path) -> io::Result<Result<(), String>> {
    let mut journals: Vec<(u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(tables)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jnl")?.parse().ok());
        journals.extend(number.map(|number| (number, path)));
    }
    journals.sort_unstable();
    let mut kept = Kept::default();
    let mut torn = Vec::new();
    for (_, path) in journals {
        let bytes = read(&path)?;
        let end = match walk(&bytes, &mut kept) {
            Ok(end) => end,
            Err(damage) => return Ok(Err(format!("{damage} in the journal {}", path.display()))),
        };
        if let Err(damage) = look_behind(&bytes[end..], &kept) {
            return Ok(Err(format!("{damage} in the journal {} at byte {end}", path.display())));
        }
        if bytes[end..].iter().any(|byte| *byte != 0) {
            torn.push((path, end as u64));
        }
    }
    // Only now, when nothing is damaged.
    for (path, end) in torn {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(end)?;
        file.sync_all()?;
    }
    Ok(Ok(()))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    // A new journal is 64 MB of holes: not worth reading.
    let within = metadata.len().min(metadata.blocks() * 512 + SLACK_BYTES);
    let mut bytes = Vec::with_capacity(within as usize);
    file.take(within).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads batch after batch; returns where the last whole one ends.
fn walk(bytes: &[u8], kept: &mut Kept) -> Result<usize, String> {
    let mut end = 0;
    while let Some((length, header)) = batch(&bytes[end..]) {
        if let (Some(header), Some(group)) = (header, kept.group)
            && header.group != group + 1
            && header.synced > group
        {
            return Err(format!("groups {} to {} are missing", group + 1, header.group - 1));
        }
        kept.group = header.map(|header| header.group).or(kept.group);
        end += length;
    }
    Ok(end)
}

/// Whether any group behind the last readable one proves that what was lost had been synced.
fn look_behind(bytes: &[u8], kept: &Kept) -> Result<(), String> {
    let mut rest = bytes;
    while let Some(at) = find(rest, &header::MAGIC) {
        if let Some(header) = rest[at..].get(..header::BYTES).and_then(Header::decode) {
            // Without a group before it, the lost one is the one before this one at the latest.
            let lost = kept.group.map_or(header.group.saturating_sub(1), |group| group + 1);
            if header.synced >= lost && header.synced > 0 {
                return Err(format!(
                    "group {lost} cannot be read, though it had been synced before group {}",
                    header.group
                ));
            }
        }
        rest = &rest[at + 1..];
    }
    Ok(())
}

fn find(bytes: &[u8], what: &[u8; 8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = bytes.get(at..)?.iter().position(|byte| *byte == what[0]) {
        at += found;
        if bytes[at..].starts_with(what) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// The length of a whole, sound batch at the start of `bytes`, and the header among its items.
fn batch(bytes: &[u8]) -> Option<(usize, Option<Header>)> {
    let mut reader = Reader { bytes, at: 0 };
    let mut header = None;
    let mut checksum = Xxh3::new();
    let [1] = reader.take()? else { return None };
    let items = u32::from_le_bytes(reader.take()?);
    let _seqno: [u8; 8] = reader.take()?;
    for _ in 0..items {
        let start = reader.at;
        match reader.take()? {
            [2] => {
                let [_value_type, 0] = reader.take()? else { return None };
                let _keyspace: [u8; 8] = reader.take()?;
                let key = u16::from_le_bytes(reader.take()?);
                let value = u32::from_le_bytes(reader.take()?);
                let stored: [u8; 4] = reader.take()?;
                if stored != value.to_le_bytes() {
                    return None;
                }
                let key = reader.slice(usize::from(key))?;
                let value = reader.slice(value as usize)?;
                if key == header::KEY {
                    header = Header::decode(value);
                }
            }
            [4] => drop(reader.take::<8>()?),
            _ => return None,
        }
        checksum.update(&bytes[start..reader.at]);
    }
    let [3] = reader.take()? else { return None };
    let expected = u64::from_le_bytes(reader.take()?);
    (reader.take()? == TRAILER && checksum.digest() == expected).then_some((reader.at, header))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let slice = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(slice)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.slice(N)?.try_into().ok()
    }
}
