//! What an item takes of a page: not the size that its capacity is counted by, but about that of its stored form, in which
//! names are short and blocks have heads. [suite: dynalite, "just under limit" and "just over limit"]

use model::{CorruptImage, ValueView, View};

/// An item is stored in blocks of so many bytes.
const BLOCK_BYTES: usize = 3072;
/// What each block has besides; the sort key is in each.
const BLOCK_HEAD_BYTES: usize = 18;

/// `range` names the table's sort key, whichever index is read.
pub(super) fn page_bytes(item: View<'_>, range: Option<&str>) -> Result<usize, CorruptImage> {
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
