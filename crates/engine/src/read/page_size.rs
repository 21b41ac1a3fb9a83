//! What an item takes of a page: not the size that its capacity is counted by, but about that of its stored form, in which
//! names are short and blocks have heads. [suite: dynalite, "just under limit" and "just over limit"]

use crate::Table;
use model::{CorruptImage, Scalar, Type, View, Visitor};

/// An item is stored in blocks of so many bytes.
const BLOCK_BYTES: usize = 3072;
/// What each block has besides; the sort key is in each.
const BLOCK_HEAD_BYTES: usize = 18;

/// A page ends with the item that makes it this large.
const PAGE_BYTES_MAX: usize = 1 << 20;
/// And with the one that makes it this large as items are told: names that are long there are short as they are stored.
const TOLD_BYTES_MAX: usize = 8 << 20;

/// What the items of a page take.
pub(super) struct Room<'a> {
    range: Option<&'a str>,
    told: usize,
    taken: usize,
}

impl<'a> Room<'a> {
    pub fn new(table: &'a Table) -> Room<'a> {
        Room { range: table.key.range.first().map(|part| &*part.name), told: 0, taken: 0 }
    }

    /// Whether the page is full with this item.
    pub fn fills(&mut self, item: View<'_>) -> Result<bool, CorruptImage> {
        self.told += item.size_bytes();
        self.taken += page_bytes(item, self.range)?;
        Ok(self.told >= TOLD_BYTES_MAX || self.taken >= PAGE_BYTES_MAX)
    }
}

/// `range` names the table's sort key, whichever index is read.
fn page_bytes(item: View<'_>, range: Option<&str>) -> Result<usize, CorruptImage> {
    let mut stored = Stored { range: range.map(str::as_bytes), ..Stored::default() };
    item.visit(&mut stored)?;
    let blocks = 1 + (1 + stored.size) / BLOCK_BYTES;
    Ok(2 + stored.size + blocks * (BLOCK_HEAD_BYTES + stored.range_size))
}

/// Adds up what the attributes take.
#[derive(Default)]
struct Stored<'a> {
    range: Option<&'a [u8]>,
    range_size: usize,
    size: usize,
    /// How many lists and maps are open.
    depth: usize,
    is_range: bool,
}

impl Visitor for Stored<'_> {
    fn name(&mut self, name: &[u8], _: bool) -> Result<(), CorruptImage> {
        self.is_range = self.depth == 0 && self.range == Some(name);
        self.size += match self.depth {
            0 => usize::from(!self.is_range),
            _ => 2,
        };
        Ok(())
    }

    fn element(&mut self, _: bool) {
        self.size += 1;
    }

    fn scalar(&mut self, scalar: Scalar<'_>, in_set: bool) -> Result<(), CorruptImage> {
        let (length, more) = match scalar {
            Scalar::S(text) if !in_set => match text.len() {
                length @ ..128 => (length, 1),
                length @ ..16_384 => (length, 2),
                length => (length, 3),
            },
            Scalar::S(bytes) | Scalar::B(bytes) => (bytes.len(), usize::from(!in_set)),
            Scalar::N(number) => (number.size_bytes(), usize::from(!in_set)),
            Scalar::Bool(_) => (0, 1),
            Scalar::Null => (0, 0),
        };
        match self.is_range {
            true => self.range_size = length,
            false => self.size += length + more,
        }
        Ok(())
    }

    fn open(&mut self, kind: Type) {
        self.depth += 1;
        self.size += if matches!(kind, Type::L | Type::M) { 3 } else { 1 };
    }

    fn close(&mut self, _: Type) {
        self.depth -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Image, Item, Number, Value};

    fn check(attributes: &[(&str, Value)], range: Option<&str>, expect: usize) {
        let item: Item = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let image = Image::of(&item);
        assert_eq!(page_bytes(image.view(), range), Ok(expect), "{attributes:?}");
    }

    #[test]
    fn long_names_fill_a_page_too() {
        let long: Item = [("n".repeat(60_000), Value::Null)].into_iter().collect();
        let image = Image::of(&long);
        let mut room = Room { range: None, told: 0, taken: 0 };
        let filled = (1..).find(|_| room.fills(image.view()).expect("an image"));
        assert_eq!(filled, Some(TOLD_BYTES_MAX.div_ceil(image.view().size_bytes())));
    }

    #[test]
    fn a_page_holds_stored_forms() {
        let text = |length: usize| Value::S("e".repeat(length));
        let number = |text: &str| Value::N(Number::parse(text).expect("a number"));
        // A name of any length is a byte, a length is one to three.
        check(&[("a", text(10))], None, 2 + 12 + 18);
        check(&[("a long name", text(10)), ("b", text(128))], None, 2 + 12 + 131 + 18);
        // The sort key is in the head of every block, and nowhere else.
        check(&[("a", text(10)), ("b", text(5))], Some("b"), 2 + 12 + 23);
        let long = 2 + 12 + (41_596 + 4) + (1 + (1 + 41_612) / 3072) * 23;
        check(&[("a", text(10)), ("b", text(5)), ("e", text(41_596))], Some("b"), long);
        check(
            &[
                ("n", number("-12.3")),
                ("t", Value::Bool(true)),
                ("u", Value::Null),
                ("v", Value::L(vec![Value::Null, text(1)])),
                ("w", Value::string_set(vec!["a".to_owned(), "bc".to_owned()]).expect("a set")),
            ],
            None,
            2 + (1 + 5) + (1 + 1) + 1 + (1 + 3 + 1 + 3) + (1 + 1 + 2 + 3) + 18,
        );
    }
}
