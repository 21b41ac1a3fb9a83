//! Records, and how they lie in the log.
//!
//! ```text
//! record  = version:1  kind:1  flags:1  created:8  keys:4  before:4  after:4  keys' image  old image  new image
//! ```
//!
//! The lowest bit of the flags says that the service deleted the item, the next two are the view type. Integers are little-endian; the three lengths are those of the images, 0 where there is none. A shard's first record
//! is a mark that it begins, its last one that it ends: their sequence numbers are the shard's bounds.

use crate::stream::{Digits, Sequence};
use crate::{Error, key};
use model::{CorruptImage, View};
use std::fmt;
use store::Slice;
use world::Timestamp;

/// What happened to the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    Insert,
    Modify,
    Remove,
}

/// Which images a stream's records hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewType {
    KeysOnly,
    New,
    Old,
    NewAndOld,
}

/// One change of one item. Shared by all who read it.
pub struct Record {
    pub sequence: Sequence,
    pub created: Timestamp,
    pub event: Event,
    pub view: ViewType,
    /// The service deleted it, nobody asked.
    pub service_delete: bool,
    /// What clients are told as the record's size.
    pub size_bytes: u64,
    value: Slice,
    keys_end: usize,
    before_end: usize,
}

/// What is to be recorded.
pub(crate) struct Change<'a> {
    pub event: Event,
    pub view: ViewType,
    pub created: Timestamp,
    pub service_delete: bool,
    pub before: Option<&'a [u8]>,
    pub after: Option<&'a [u8]>,
}

/// What stands in the log.
#[derive(Debug)]
pub(crate) enum Logged {
    Begin,
    End { at: Timestamp },
    Record(Record),
}

const VERSION: u8 = 1;
const HEADER_LEN: usize = 23;
const BEGIN: u8 = 0;
const INSERT: u8 = 1;
const MODIFY: u8 = 2;
const REMOVE: u8 = 3;
const END: u8 = 4;

/// The record of a change, as it is logged. `names` are those of the key attributes, sorted.
pub(crate) fn encode<'n>(
    change: &Change<'_>,
    names: impl Iterator<Item = &'n str>,
) -> Result<Vec<u8>, Error> {
    let item =
        change.after.or(change.before).ok_or_else(|| Error::internal("a change of nothing is no change"))?;
    let before = change.before.filter(|_| matches!(change.view, ViewType::Old | ViewType::NewAndOld));
    let after = change.after.filter(|_| matches!(change.view, ViewType::New | ViewType::NewAndOld));
    let len = |image: Option<&[u8]>| image.map_or(0, <[u8]>::len);
    let mut out = Vec::with_capacity(HEADER_LEN + 64 + len(before) + len(after));
    let kind = match change.event {
        Event::Insert => INSERT,
        Event::Modify => MODIFY,
        Event::Remove => REMOVE,
    };
    header(kind, (change.view.code() << 1) | u8::from(change.service_delete), change.created, &mut out);
    key::subset(View::new(item)?, names, &mut out)?;
    let lengths = [out.len() - HEADER_LEN, len(before), len(after)];
    for (at, length) in lengths.into_iter().enumerate() {
        let at = HEADER_LEN - 12 + 4 * at;
        out[at..at + 4].copy_from_slice(&(length as u32).to_le_bytes());
    }
    out.extend_from_slice(before.unwrap_or_default());
    out.extend_from_slice(after.unwrap_or_default());
    Ok(out)
}

/// The mark that a shard begins.
pub(crate) fn begin(at: Timestamp) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN);
    header(BEGIN, 0, at, &mut out);
    out
}

/// The mark that a shard ends.
pub(crate) fn end(at: Timestamp) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN);
    header(END, 0, at, &mut out);
    out
}

fn header(kind: u8, flags: u8, at: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(&[VERSION, kind, flags]);
    out.extend_from_slice(&at.millis().to_le_bytes());
    out.extend_from_slice(&[0; 12]);
}

/// Whether it is a shard's begin or end.
pub(crate) fn is_mark(value: &[u8]) -> bool {
    matches!(value.get(1), Some(&(BEGIN | END)) | None)
}

/// When what stands in the log was written.
pub(crate) fn created(value: &[u8]) -> Result<Timestamp, CorruptImage> {
    match value.first_chunk::<HEADER_LEN>() {
        Some([VERSION, _, _, created @ .., _, _, _, _, _, _, _, _, _, _, _, _]) => {
            Ok(Timestamp::from_millis(u64::from_le_bytes(*created)))
        }
        _ => Err(CorruptImage),
    }
}

pub(crate) fn decode(sequence: Sequence, value: &Slice) -> Result<Logged, CorruptImage> {
    let created = created(value)?;
    let event = match value[1] {
        BEGIN => return Ok(Logged::Begin),
        END => return Ok(Logged::End { at: created }),
        INSERT => Event::Insert,
        MODIFY => Event::Modify,
        REMOVE => Event::Remove,
        _ => return Err(CorruptImage),
    };
    let view = ViewType::of_code(value[2] >> 1).ok_or(CorruptImage)?;
    let length = |at: usize| {
        let bytes: [u8; 4] =
            value[HEADER_LEN - 12 + 4 * at..][..4].try_into().expect("four bytes are four bytes");
        u32::from_le_bytes(bytes) as usize
    };
    let keys_end = HEADER_LEN + length(0);
    let before_end = keys_end + length(1);
    if before_end + length(2) != value.len() {
        return Err(CorruptImage);
    }
    let service_delete = value[2] & 1 != 0;
    let value = value.clone();
    let mut record =
        Record { sequence, created, event, view, service_delete, size_bytes: 0, value, keys_end, before_end };
    // The heads are read here, so that readers need not doubt them.
    let mut size_bytes = View::new(record.keys_image())?.size_bytes();
    for image in [record.before_image(), record.after_image()].into_iter().flatten() {
        size_bytes += View::new(image)?.size_bytes();
    }
    record.size_bytes = size_bytes as u64;
    Ok(Logged::Record(record))
}

impl Record {
    /// The item's key attributes.
    pub fn keys(&self) -> View<'_> {
        View::new(self.keys_image()).unwrap_or_default()
    }

    /// The item before; absent for an insert, or where the stream's view type leaves it out.
    pub fn before(&self) -> Option<View<'_>> {
        self.before_image().map(|image| View::new(image).unwrap_or_default())
    }

    /// The item after; absent for a removal, or where the stream's view type leaves it out.
    pub fn after(&self) -> Option<View<'_>> {
        self.after_image().map(|image| View::new(image).unwrap_or_default())
    }

    /// What the record takes in memory and in the log: what reads are bounded by.
    pub fn bytes(&self) -> usize {
        self.value.len()
    }

    /// 32 hexadecimal digits, different for every record of a store.
    pub fn event_id(&self) -> Digits<32> {
        // A bijection of the sequence number, in two halves, so that no two are alike.
        let low = scramble(self.sequence.0);
        let high = scramble(low ^ self.created.millis());
        Digits::hexadecimal(u128::from(high) << 64 | u128::from(low))
    }

    fn keys_image(&self) -> &[u8] {
        &self.value[HEADER_LEN..self.keys_end]
    }

    fn before_image(&self) -> Option<&[u8]> {
        Some(&self.value[self.keys_end..self.before_end]).filter(|image| !image.is_empty())
    }

    fn after_image(&self) -> Option<&[u8]> {
        Some(&self.value[self.before_end..]).filter(|image| !image.is_empty())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} {:?} of {} bytes)", self.sequence, self.event, self.value.len())
    }
}

fn scramble(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

impl ViewType {
    const ALL: [ViewType; 4] = [ViewType::KeysOnly, ViewType::New, ViewType::Old, ViewType::NewAndOld];

    pub const fn as_str(self) -> &'static str {
        match self {
            ViewType::KeysOnly => "KEYS_ONLY",
            ViewType::New => "NEW_IMAGE",
            ViewType::Old => "OLD_IMAGE",
            ViewType::NewAndOld => "NEW_AND_OLD_IMAGES",
        }
    }

    pub fn parse(text: &str) -> Option<ViewType> {
        ViewType::ALL.into_iter().find(|view| view.as_str() == text)
    }

    fn code(self) -> u8 {
        match self {
            ViewType::KeysOnly => 0,
            ViewType::New => 1,
            ViewType::Old => 2,
            ViewType::NewAndOld => 3,
        }
    }

    fn of_code(code: u8) -> Option<ViewType> {
        ViewType::ALL.into_iter().find(|view| view.code() == code)
    }
}

impl Event {
    pub const fn as_str(self) -> &'static str {
        match self {
            Event::Insert => "INSERT",
            Event::Modify => "MODIFY",
            Event::Remove => "REMOVE",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Item, Value};
    use world::World;

    fn stored() -> Vec<u8> {
        let item = |name: &str| {
            let mut item = Item::new();
            item.insert("id", Value::S("1".into()));
            item.insert("name", Value::S(name.into()));
            let mut image = Vec::new();
            item.encode(&mut image);
            image
        };
        let (before, after) = (item("Tung"), item("Tung Nguyen"));
        let change = Change {
            event: Event::Modify,
            view: ViewType::NewAndOld,
            created: Timestamp::from_millis(1_550_272_599_000),
            service_delete: false,
            before: Some(&before),
            after: Some(&after),
        };
        encode(&change, ["id"].into_iter()).expect("a record")
    }

    /// Reads everything a consumer would.
    fn read(bytes: Vec<u8>) -> Result<u64, CorruptImage> {
        let Logged::Record(record) = decode(Sequence(7), &Slice::from(bytes))? else { return Ok(0) };
        for view in [Some(record.keys()), record.before(), record.after()].into_iter().flatten() {
            view.to_item()?;
        }
        Ok(record.size_bytes)
    }

    #[test]
    fn damaged_records_are_errors_and_never_panics() {
        let good = stored();
        assert_eq!(read(good.clone()), Ok(32));
        for len in 0..good.len() {
            assert!(read(good[..len].to_vec()).is_err(), "cut to {len} bytes");
        }
        let world = World::simulated(20_261_121);
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..=world.below(3) {
                let at = world.below(bytes.len() as u64) as usize;
                bytes[at] = world.random_u64() as u8;
            }
            // Either is well, as long as it comes back.
            let _ = read(bytes);
        }
    }
}
