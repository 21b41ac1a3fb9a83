//! Values by reference, alike for trees and for images: whoever reads a [`View`] need not know which it is.

use crate::{CorruptImage, Item, Number, Type, Value};

/// An item, or a map, by reference: a tree's or an image's. Reading an image decodes only what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    item: Option<&'a Item>,
    _image: &'a [u8],
}

/// A value by reference.
#[derive(Clone, Copy, Debug)]
pub enum ValueView<'a> {
    S(&'a str),
    N(Number),
    B(&'a [u8]),
    Bool(bool),
    Null,
    L(ListView<'a>),
    M(View<'a>),
    Ss(SetView<'a>),
    Ns(SetView<'a>),
    Bs(SetView<'a>),
}

#[derive(Clone, Copy, Debug)]
pub struct ListView<'a>(&'a [Value]);

/// Elements of a set; each comes as a scalar [`ValueView`].
#[derive(Clone, Copy, Debug)]
pub struct SetView<'a>(&'a Value);

impl<'a> View<'a> {
    /// Borrows an encoded image. Only the header is read here; damage further on shows when it is reached.
    pub fn new(_image: &'a [u8]) -> Result<View<'a>, CorruptImage> {
        unimplemented!()
    }

    pub fn len(&self) -> usize {
        unimplemented!()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, _name: &str) -> Result<Option<ValueView<'a>>, CorruptImage> {
        unimplemented!()
    }

    /// Attributes in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = Result<(&'a str, ValueView<'a>), CorruptImage>> + use<'a> {
        std::iter::empty()
    }

    /// The size that limits, capacity and stream records count. Free for an image: it carries it.
    pub fn size_bytes(&self) -> usize {
        unimplemented!()
    }

    pub fn to_item(&self) -> Result<Item, CorruptImage> {
        unimplemented!()
    }
}

impl Default for View<'_> {
    fn default() -> Self {
        View { item: None, _image: &[] }
    }
}

impl<'a> From<&'a Item> for View<'a> {
    fn from(item: &'a Item) -> View<'a> {
        View { item: Some(item), _image: &[] }
    }
}

impl<'a> ValueView<'a> {
    pub fn kind(&self) -> Type {
        unimplemented!()
    }

    pub fn size_bytes(&self) -> Result<usize, CorruptImage> {
        unimplemented!()
    }

    pub fn to_value(&self) -> Result<Value, CorruptImage> {
        unimplemented!()
    }
}

impl<'a> From<&'a Value> for ValueView<'a> {
    fn from(_value: &'a Value) -> ValueView<'a> {
        unimplemented!()
    }
}

impl<'a> ListView<'a> {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, _index: usize) -> Result<Option<ValueView<'a>>, CorruptImage> {
        unimplemented!()
    }

    pub fn iter(&self) -> impl Iterator<Item = Result<ValueView<'a>, CorruptImage>> + use<'a> {
        std::iter::empty()
    }
}

impl<'a> SetView<'a> {
    pub fn len(&self) -> usize {
        let _ = self.0;
        unimplemented!()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Elements in order, as `S`, `N` or `B`.
    pub fn iter(&self) -> impl Iterator<Item = Result<ValueView<'a>, CorruptImage>> + use<'a> {
        std::iter::empty()
    }
}
