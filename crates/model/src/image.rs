//! The encoded form of an item: what is stored, logged and passed on.

use crate::{Item, View};
use std::fmt;

/// An encoded item. Items are equal exactly when their images are equal bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image(Vec<u8>);

/// Stored bytes are not an image of any item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorruptImage;

impl Image {
    pub fn of(item: &Item) -> Image {
        let mut bytes = Vec::new();
        item.encode(&mut bytes);
        Image(bytes)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The item by reference; an image made by `of` is never corrupt.
    pub fn view(&self) -> View<'_> {
        View::new(&self.0).unwrap_or_default()
    }
}

impl Item {
    /// Appends the item's image to `out`.
    pub fn encode(&self, _out: &mut Vec<u8>) {
        unimplemented!()
    }

    pub fn decode(_image: &[u8]) -> Result<Item, CorruptImage> {
        unimplemented!()
    }
}

impl fmt::Display for CorruptImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored item is corrupt")
    }
}

impl std::error::Error for CorruptImage {}
