//! One change of one item; of the snapshot: the item as it was found.

use crate::join::Sequence;
use crate::mapping::{ItemName, SheetRow};
use model::Item;
use std::borrow::Cow;

#[derive(Clone, Debug)]
pub enum Change {
    Item(Box<ItemChange>),
    /// What the mapping makes of it, where whoever read it has made that.
    Row(SheetRow),
}

/// A change as the source tells it.
#[derive(Clone, Debug)]
pub struct ItemChange {
    /// The item's key, as `Item::encode` writes it.
    pub key: Box<[u8]>,
    pub keys: Item,
    pub old: Option<Item>,
    pub new: Option<Item>,
    pub created_s: u64,
    /// Time to live took it away.
    pub expired: bool,
    /// The record's number in its shard; none: of the snapshot, or for a target that goes by marks.
    pub sequence: Option<Sequence>,
}

impl ItemChange {
    pub fn name(&self) -> ItemName {
        ItemName::of(&self.key)
    }
}

impl Change {
    /// For those whose readers make no rows.
    pub fn item_change(&self) -> &ItemChange {
        match self {
            Change::Item(change) => change,
            Change::Row(_) => panic!("rows are made for lanes of databases alone"),
        }
    }

    /// As the source tells it, where it makes no row: a row need not be told.
    pub fn told(&self) -> Cow<'_, ItemChange> {
        match self {
            Change::Item(change) => Cow::Borrowed(change),
            Change::Row(row) => Cow::Owned(ItemChange {
                key: row.key().into(),
                // It was written by whoever read it.
                keys: Item::decode(row.key()).unwrap_or_default(),
                old: None,
                new: None,
                created_s: row.created_s(),
                expired: row.expired(),
                sequence: None,
            }),
        }
    }

    pub fn name(&self) -> ItemName {
        ItemName::of(self.key())
    }

    /// The item's key, as `Item::encode` writes it.
    pub fn key(&self) -> &[u8] {
        match self {
            Change::Item(change) => &change.key,
            Change::Row(row) => row.key(),
        }
    }

    /// The item as it is now, where it was read as one.
    pub fn item(&self) -> Option<&Item> {
        match self {
            Change::Item(change) => change.new.as_ref(),
            Change::Row(_) => None,
        }
    }

    pub fn created_s(&self) -> u64 {
        match self {
            Change::Item(change) => change.created_s,
            Change::Row(row) => row.created_s(),
        }
    }

    /// What it weighs in memory, about.
    pub fn size_bytes(&self) -> usize {
        match self {
            Change::Item(change) => {
                [&change.old, &change.new].into_iter().flatten().map(Item::size_bytes).sum()
            }
            Change::Row(row) => row.size_bytes(),
        }
    }
}
