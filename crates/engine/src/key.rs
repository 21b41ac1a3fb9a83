use model::Item;

/// The primary key of an item: checked against its table's schema, and encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key attributes, no others.
    pub(crate) item: Item,
    /// Where the item lies in [`store::Space::Items`].
    pub(crate) stored: Vec<u8>,
    pub(crate) partition: u32,
}

impl Key {
    pub fn item(&self) -> &Item {
        &self.item
    }
}
