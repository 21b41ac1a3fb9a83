use crate::stream::Sequence;
use model::View;
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
#[derive(Debug)]
pub struct Record {
    pub sequence: Sequence,
    pub created: Timestamp,
    pub event: Event,
    pub view: ViewType,
    /// The service deleted it, nobody asked.
    pub service_delete: bool,
    /// What clients are told as the record's size.
    pub size_bytes: u64,
}

impl Record {
    pub fn keys(&self) -> View<'_> {
        unimplemented!()
    }

    /// The item before; absent for an insert, or where the stream's view type leaves it out.
    pub fn before(&self) -> Option<View<'_>> {
        unimplemented!()
    }

    /// The item after; absent for a removal, or where the stream's view type leaves it out.
    pub fn after(&self) -> Option<View<'_>> {
        unimplemented!()
    }

    /// Encoded bytes of the record: what reads are bounded by.
    pub fn bytes(&self) -> usize {
        unimplemented!()
    }

    /// 32 hexadecimal digits, different for every record.
    pub fn event_id(&self) -> String {
        unimplemented!()
    }
}

impl ViewType {
    pub const fn as_str(self) -> &'static str {
        match self {
            ViewType::KeysOnly => "KEYS_ONLY",
            ViewType::New => "NEW_IMAGE",
            ViewType::Old => "OLD_IMAGE",
            ViewType::NewAndOld => "NEW_AND_OLD_IMAGES",
        }
    }

    pub fn parse(text: &str) -> Option<ViewType> {
        [ViewType::KeysOnly, ViewType::New, ViewType::Old, ViewType::NewAndOld]
            .into_iter()
            .find(|view| view.as_str() == text)
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
