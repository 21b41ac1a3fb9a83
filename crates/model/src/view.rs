//! Values by reference, alike for trees and for images: whoever reads a [`View`] need not know which it is.

use crate::image::{HEADER_LEN, IMAGE_DEPTH_MAX, Reader, VERSION};
use crate::{CorruptImage, Item, Number, Type, Value};
use std::cmp::Ordering;

/// An item, or a map, by reference: a tree's or an image's. Reading an image decodes only what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    source: Source<'a, &'a Item>,
    /// What an image's header says; trees and the maps inside images are measured when asked.
    size: Option<u32>,
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

/// A list by reference.
#[derive(Clone, Copy, Debug)]
pub struct ListView<'a>(pub(crate) Source<'a, &'a [Value]>);

/// A set by reference. Its elements come as scalar [`ValueView`]s, in ascending order.
#[derive(Clone, Copy, Debug)]
pub struct SetView<'a> {
    kind: Type,
    source: Source<'a, Elements<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a, Tree> {
    Tree(Tree),
    Image(Reader<'a>),
}

#[derive(Clone, Copy, Debug)]
enum Elements<'a> {
    Strings(&'a [String]),
    Numbers(&'a [Number]),
    Binaries(&'a [Vec<u8>]),
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

impl<'a> ValueView<'a> {
    pub fn kind(&self) -> Type {
        match self {
            ValueView::S(_) => Type::S,
            ValueView::N(_) => Type::N,
            ValueView::B(_) => Type::B,
            ValueView::Bool(_) => Type::Bool,
            ValueView::Null => Type::Null,
            ValueView::L(_) => Type::L,
            ValueView::M(_) => Type::M,
            ValueView::Ss(_) => Type::Ss,
            ValueView::Ns(_) => Type::Ns,
            ValueView::Bs(_) => Type::Bs,
        }
    }

    /// What the value adds to its item's size; see [`Value::size_bytes`].
    pub fn size_bytes(&self) -> Result<usize, CorruptImage> {
        Ok(match self {
            ValueView::S(text) => text.len(),
            ValueView::N(number) => number.size_bytes(),
            ValueView::B(bytes) => bytes.len(),
            ValueView::Bool(_) | ValueView::Null => 1,
            ValueView::L(list) => {
                list.iter().try_fold(3, |size, value| Ok(size + 1 + value?.size_bytes()?))?
            }
            ValueView::M(map) => 3 + map.len() + map.measure()?,
            ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set) => {
                set.iter().try_fold(0, |size, element| Ok(size + element?.size_bytes()?))?
            }
        })
    }

    /// The value as a tree.
    pub fn to_value(&self) -> Result<Value, CorruptImage> {
        Ok(match self {
            ValueView::S(text) => Value::S((*text).to_owned()),
            ValueView::N(number) => Value::N(*number),
            ValueView::B(bytes) => Value::B(bytes.to_vec()),
            ValueView::Bool(truth) => Value::Bool(*truth),
            ValueView::Null => Value::Null,
            ValueView::L(list) => {
                Value::L(list.iter().map(|value| value?.to_value()).collect::<Result<_, _>>()?)
            }
            ValueView::M(map) => Value::M(map.to_item()?),
            ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set) => set.to_value()?,
        })
    }

    /// Whether both are the same value. Values of different types never are.
    pub fn same(&self, other: &ValueView<'_>) -> Result<bool, CorruptImage> {
        Ok(match (self, other) {
            (ValueView::S(a), ValueView::S(b)) => a == b,
            (ValueView::N(a), ValueView::N(b)) => a == b,
            (ValueView::B(a), ValueView::B(b)) => a == b,
            (ValueView::Bool(a), ValueView::Bool(b)) => a == b,
            (ValueView::Null, ValueView::Null) => true,
            (ValueView::M(a), ValueView::M(b)) => a.same(b)?,
            (ValueView::L(a), ValueView::L(b)) => pairwise(a.iter(), b.iter())?,
            (ValueView::Ss(a), ValueView::Ss(b))
            | (ValueView::Ns(a), ValueView::Ns(b))
            | (ValueView::Bs(a), ValueView::Bs(b)) => pairwise(a.iter(), b.iter())?,
            _ => false,
        })
    }

    /// Order of two strings, two numbers or two binaries; `None` for anything else.
    pub fn compare(&self, other: &ValueView<'_>) -> Option<Ordering> {
        match (self, other) {
            (ValueView::S(a), ValueView::S(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (ValueView::N(a), ValueView::N(b)) => Some(a.cmp(b)),
            (ValueView::B(a), ValueView::B(b)) => Some((*a).cmp(*b)),
            _ => None,
        }
    }
}

impl<'a> From<&'a Value> for ValueView<'a> {
    fn from(value: &'a Value) -> ValueView<'a> {
        let set = |kind, elements| SetView { kind, source: Source::Tree(elements) };
        match value {
            Value::S(text) => ValueView::S(text),
            Value::N(number) => ValueView::N(*number),
            Value::B(bytes) => ValueView::B(bytes),
            Value::Bool(truth) => ValueView::Bool(*truth),
            Value::Null => ValueView::Null,
            Value::L(values) => ValueView::L(ListView(Source::Tree(values))),
            Value::M(item) => ValueView::M(View::from(item)),
            Value::Ss(texts) => ValueView::Ss(set(Type::Ss, Elements::Strings(texts))),
            Value::Ns(numbers) => ValueView::Ns(set(Type::Ns, Elements::Numbers(numbers))),
            Value::Bs(binaries) => ValueView::Bs(set(Type::Bs, Elements::Binaries(binaries))),
        }
    }
}

impl<'a> ListView<'a> {
    /// How many values there are. An image is walked to count them.
    pub fn len(&self) -> usize {
        match self.0 {
            Source::Tree(values) => values.len(),
            Source::Image(mut reader) => {
                let mut len = 0;
                while !reader.is_empty() && reader.skip_value().is_ok() {
                    len += 1;
                }
                len
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        match self.0 {
            Source::Tree(values) => values.is_empty(),
            Source::Image(reader) => reader.is_empty(),
        }
    }

    pub fn get(&self, index: usize) -> Result<Option<ValueView<'a>>, CorruptImage> {
        match self.0 {
            Source::Tree(values) => Ok(values.get(index).map(ValueView::from)),
            Source::Image(mut reader) => {
                for _ in 0..index {
                    if reader.is_empty() {
                        return Ok(None);
                    }
                    reader.skip_value()?;
                }
                if reader.is_empty() { Ok(None) } else { reader.value().map(Some) }
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Result<ValueView<'a>, CorruptImage>> + use<'a> {
        Walk {
            source: match self.0 {
                Source::Tree(values) => Source::Tree(values.iter()),
                Source::Image(reader) => Source::Image(reader),
            },
            tree: |values: &mut std::slice::Iter<'a, Value>| values.next().map(ValueView::from),
            image: Reader::value,
        }
    }
}

impl<'a> SetView<'a> {
    pub(crate) fn of_image(kind: Type, reader: Reader<'a>) -> SetView<'a> {
        SetView { kind, source: Source::Image(reader) }
    }

    /// `Ss`, `Ns` or `Bs`.
    pub fn kind(&self) -> Type {
        self.kind
    }

    /// How many elements there are. An image is walked to count them.
    pub fn len(&self) -> usize {
        match self.source {
            Source::Tree(elements) => elements.len(),
            Source::Image(_) => self.iter().count(),
        }
    }

    pub fn is_empty(&self) -> bool {
        match self.source {
            Source::Tree(elements) => elements.len() == 0,
            Source::Image(reader) => reader.is_empty(),
        }
    }

    /// Elements in order, as `S`, `N` or `B`.
    pub fn iter(&self) -> impl Iterator<Item = Result<ValueView<'a>, CorruptImage>> + use<'a> {
        let kind = self.kind;
        let source = match self.source {
            Source::Tree(elements) => Source::Tree((elements, 0)),
            Source::Image(reader) => Source::Image(reader),
        };
        Walk {
            source,
            tree: |(elements, next): &mut (Elements<'a>, usize)| {
                *next += 1;
                elements.get(*next - 1)
            },
            image: move |reader: &mut Reader<'a>| reader.element(kind),
        }
    }

    fn to_value(self) -> Result<Value, CorruptImage> {
        let value = match self.source {
            Source::Tree(Elements::Strings(texts)) => return Ok(Value::Ss(texts.to_vec())),
            Source::Tree(Elements::Numbers(numbers)) => return Ok(Value::Ns(numbers.to_vec())),
            Source::Tree(Elements::Binaries(binaries)) => return Ok(Value::Bs(binaries.to_vec())),
            Source::Image(_) => match self.kind {
                Type::Ns => Value::Ns(self.ascending(|element| match element {
                    ValueView::N(number) => Some(number),
                    _ => None,
                })?),
                Type::Bs => Value::Bs(self.ascending(|element| match element {
                    ValueView::B(bytes) => Some(bytes.to_vec()),
                    _ => None,
                })?),
                _ => Value::Ss(self.ascending(|element| match element {
                    ValueView::S(text) => Some(text.to_owned()),
                    _ => None,
                })?),
            },
        };
        Ok(value)
    }

    fn ascending<T: Ord>(self, element: impl Fn(ValueView<'a>) -> Option<T>) -> Result<Vec<T>, CorruptImage> {
        let mut elements = Vec::new();
        for view in self.iter() {
            let next = element(view?).ok_or(CorruptImage)?;
            if elements.last().is_some_and(|last| *last >= next) {
                return Err(CorruptImage);
            }
            elements.push(next);
        }
        if elements.is_empty() { Err(CorruptImage) } else { Ok(elements) }
    }
}

impl<'a> Elements<'a> {
    fn len(self) -> usize {
        match self {
            Elements::Strings(texts) => texts.len(),
            Elements::Numbers(numbers) => numbers.len(),
            Elements::Binaries(binaries) => binaries.len(),
        }
    }

    fn get(self, at: usize) -> Option<ValueView<'a>> {
        match self {
            Elements::Strings(texts) => texts.get(at).map(|text| ValueView::S(text)),
            Elements::Numbers(numbers) => numbers.get(at).map(|number| ValueView::N(*number)),
            Elements::Binaries(binaries) => binaries.get(at).map(|bytes| ValueView::B(bytes)),
        }
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

fn pairwise<'a, 'b>(
    mut ours: impl Iterator<Item = Result<ValueView<'a>, CorruptImage>>,
    mut theirs: impl Iterator<Item = Result<ValueView<'b>, CorruptImage>>,
) -> Result<bool, CorruptImage> {
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return Ok(true),
            (Some(a), Some(b)) if a?.same(&b?)? => {}
            _ => return Ok(false),
        }
    }
}
