//! What an item takes of a page: not the size that its capacity is counted by, but about that of its stored form, in which
//! names are short and blocks have heads. [suite: dynalite, "just under limit" and "just over limit"]

use crate::{Error, Table};
use model::{CorruptImage, ValueView, View};
use store::Slice;

/// An item is stored in blocks of so many bytes.
const BLOCK_BYTES: usize = 3072;
/// What each block has besides; the sort key is in each.
const BLOCK_HEAD_BYTES: usize = 18;

/// A page ends with the item that makes it this large.
const PAGE_BYTES_MAX: usize = 1 << 20;
/// And with the one that makes it this large as items are told: names that are long there are short as they are stored.
const TOLD_BYTES_MAX: usize = 8 << 20;

/// What the items of a page take. Most pages are far from full and are told so by sizes that items carry with them; only one
/// that may be full is measured, from its first item on.
pub(super) struct Room<'a> {
    range: Option<&'a str>,
    told: usize,
    most: usize,
    measured: Option<usize>,
}

impl<'a> Room<'a> {
    pub fn new(table: &'a Table) -> Room<'a> {
        let range = table.key.range.first().map(|part| &*part.name);
        Room { range, told: 0, most: 0, measured: None }
    }

    /// Whether the page is full with this item. `earlier` reads those before it again.
    pub fn fills<E, R: Iterator<Item = Result<Slice, E>>>(
        &mut self,
        item: View<'_>,
        earlier: impl FnOnce() -> R,
    ) -> Result<bool, Error>
    where
        Error: From<E>,
    {
        self.told += item.size_bytes();
        self.most += most_bytes(item.size_bytes());
        if self.told >= TOLD_BYTES_MAX {
            return Ok(true);
        }
        let before = match self.measured {
            Some(before) => before,
            None if self.most < PAGE_BYTES_MAX => return Ok(false),
            None => earlier().try_fold(0, |sum, image| {
                Ok::<_, Error>(sum + page_bytes(View::new(&image?)?, self.range)?)
            })?,
        };
        let taken = before + page_bytes(item, self.range)?;
        self.measured = Some(taken);
        Ok(taken >= PAGE_BYTES_MAX)
    }
}

/// What an item of this size takes at most.
fn most_bytes(size_bytes: usize) -> usize {
    4 * size_bytes + 32
}

/// `range` names the table's sort key, whichever index is read.
fn page_bytes(item: View<'_>, range: Option<&str>) -> Result<usize, CorruptImage> {
    let (mut size, mut range_size) = (0, 0);
    for attribute in item.iter() {
        let (name, value) = attribute?;
        if range == Some(name) {
            range_size = value.size_bytes()?;
        } else {
            size += 1 + stored(&value)?;
        }
    }
    let blocks = 1 + (1 + size) / BLOCK_BYTES;
    Ok(2 + size + blocks * (BLOCK_HEAD_BYTES + range_size))
}

fn stored(value: &ValueView<'_>) -> Result<usize, CorruptImage> {
    Ok(match value {
        ValueView::S(text) => match text.len() {
            size @ ..128 => size + 1,
            size @ ..16_384 => size + 2,
            size => size + 3,
        },
        ValueView::N(_) | ValueView::B(_) => value.size_bytes()? + 1,
        ValueView::Null => 0,
        ValueView::Bool(_) => 1,
        ValueView::L(list) => list.iter().try_fold(3, |size, value| Ok(size + 1 + stored(&value?)?))?,
        ValueView::M(map) => map.iter().try_fold(3, |size, entry| Ok(size + 2 + stored(&entry?.1)?))?,
        ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set) => {
            set.iter().try_fold(1, |size, element| Ok(size + 1 + element?.size_bytes()?))?
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Image, Item, Number, Value};

    fn check(attributes: &[(&str, Value)], range: Option<&str>, expect: usize) {
        let item: Item = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let image = Image::of(&item);
        assert_eq!(page_bytes(image.view(), range), Ok(expect), "{attributes:?}");
        assert!(expect <= most_bytes(item.size_bytes()), "{attributes:?}");
    }

    #[test]
    fn long_names_fill_a_page_too() {
        let long: Item = [("n".repeat(60_000), Value::Null)].into_iter().collect();
        let image = Image::of(&long);
        let none = || std::iter::repeat_n(Ok::<_, Error>(Slice::from(image.as_bytes())), 0);
        let mut room = Room { range: None, told: 0, most: 0, measured: None };
        let filled = (1..).find(|_| room.fills(image.view(), none).expect("an image"));
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
