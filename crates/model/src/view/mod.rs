//! Values by reference, alike for trees and for images: whoever reads a [`View`] need not know which it is.

mod list;
mod set;
mod value;

use crate::image::{HEADER_LEN, IMAGE_DEPTH_MAX, Reader, VERSION};
use crate::{CorruptImage, Item, Value};
use std::cmp::Ordering;

pub use list::ListView;
pub use set::SetView;
pub use value::ValueView;

/// An item, or a map, by reference: a tree's or an image's. Reading an image decodes only what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(crate) source: Source<'a, &'a Item>,
    /// What an image's header says; trees and the maps inside images are measured when asked.
    size: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a, Tree> {
    Tree(Tree),
    Image(Reader<'a>),
}

impl<'a> View<'a> {
    /// Borrows an encoded image. Only the header is read here; damage further on shows when it is reached.
    pub fn new(image: &'a [u8]) -> Result<View<'a>, CorruptImage> {
        match image.split_first_chunk::<HEADER_LEN>() {
            Some(([VERSION, size @ ..], bytes)) => Ok(View {
                source: Source::Image(Reader { bytes, depth: IMAGE_DEPTH_MAX }),
                size: Some(u32::from_le_bytes(*size)),
            }),
            _ => Err(CorruptImage),
        }
    }

    pub(crate) fn of_map(reader: Reader<'a>) -> View<'a> {
        View { source: Source::Image(reader), size: None }
    }

    /// How many attributes there are. An image is walked to count them.
    pub fn len(&self) -> usize {
        match self.source {
            Source::Tree(item) => item.len(),
            Source::Image(reader) => reader.count_attributes(),
        }
    }

    pub fn is_empty(&self) -> bool {
        match self.source {
            Source::Tree(item) => item.is_empty(),
            Source::Image(reader) => reader.is_empty(),
        }
    }

    /// The attribute of that name. In an image, the attributes before it are stepped over, not decoded.
    pub fn get(&self, name: &str) -> Result<Option<ValueView<'a>>, CorruptImage> {
        match self.source {
            Source::Tree(item) => Ok(item.get(name).map(ValueView::from)),
            Source::Image(mut reader) => {
                while !reader.is_empty() {
                    match reader.name()?.cmp(name.as_bytes()) {
                        Ordering::Less => reader.skip_value()?,
                        Ordering::Equal => return reader.value().map(Some),
                        Ordering::Greater => return Ok(None),
                    }
                }
                Ok(None)
            }
        }
    }

    /// Attributes in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = Result<(&'a str, ValueView<'a>), CorruptImage>> + use<'a> {
        Walk {
            source: match self.source {
                Source::Tree(item) => Source::Tree(item.attributes().iter()),
                Source::Image(reader) => Source::Image(reader),
            },
            tree: |attributes: &mut std::slice::Iter<'a, (String, Value)>| {
                attributes.next().map(|(name, value)| (name.as_str(), ValueView::from(value)))
            },
            image: Reader::attribute,
        }
    }

    /// The size that limits, capacity and stream records count. Free for an image: its header has it.
    pub fn size_bytes(&self) -> usize {
        match (self.size, self.source) {
            (Some(size), _) => size as usize,
            (None, Source::Tree(item)) => item.size_bytes(),
            (None, Source::Image(_)) => self.measure().unwrap_or(0),
        }
    }

    /// The whole item as a tree.
    pub fn to_item(&self) -> Result<Item, CorruptImage> {
        match self.source {
            Source::Tree(item) => Ok(item.clone()),
            Source::Image(mut reader) => {
                let mut item = Item::with_capacity(reader.count_attributes());
                while !reader.is_empty() {
                    let (name, value) = reader.attribute()?;
                    item.push(name.to_owned(), value.to_value()?).map_err(|_| CorruptImage)?;
                }
                Ok(item)
            }
        }
    }

    /// Whether both have the same attributes with the same values.
    pub fn same(&self, other: &View<'_>) -> Result<bool, CorruptImage> {
        if let (Source::Tree(a), Source::Tree(b)) = (self.source, other.source) {
            return Ok(a == b);
        }
        let (mut ours, mut theirs) = (self.iter(), other.iter());
        loop {
            let ((ours, a), (theirs, b)) = match (ours.next(), theirs.next()) {
                (None, None) => return Ok(true),
                (Some(a), Some(b)) => (a?, b?),
                _ => return Ok(false),
            };
            if ours != theirs || !a.same(&b)? {
                return Ok(false);
            }
        }
    }

    fn measure(&self) -> Result<usize, CorruptImage> {
        self.iter().try_fold(0, |size, attribute| {
            let (name, value) = attribute?;
            Ok(size + name.len() + value.size_bytes()?)
        })
    }
}

/// A view of an item without attributes.
impl Default for View<'_> {
    fn default() -> Self {
        View { source: Source::Image(Reader::default()), size: Some(0) }
    }
}

impl<'a> From<&'a Item> for View<'a> {
    fn from(item: &'a Item) -> View<'a> {
        View { source: Source::Tree(item), size: None }
    }
}

/// The iterator of all three kinds of containers: over a tree's, or over an image's, where damage ends it.
struct Walk<'a, Tree, FromTree, FromImage> {
    source: Source<'a, Tree>,
    tree: FromTree,
    image: FromImage,
}

impl<'a, Tree, FromTree, FromImage, T> Iterator for Walk<'a, Tree, FromTree, FromImage>
where
    FromTree: FnMut(&mut Tree) -> Option<T>,
    FromImage: FnMut(&mut Reader<'a>) -> Result<T, CorruptImage>,
{
    type Item = Result<T, CorruptImage>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.source {
            Source::Tree(tree) => (self.tree)(tree).map(Ok),
            Source::Image(reader) if reader.is_empty() => None,
            Source::Image(reader) => {
                let read = (self.image)(reader);
                if read.is_err() {
                    reader.bytes = &[];
                }
                Some(read)
            }
        }
    }
}
