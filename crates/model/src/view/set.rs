use super::{Source, ValueView, Walk};
use crate::image::Reader;
use crate::{CorruptImage, Number, Type, Value};

/// A set by reference. Its elements come as scalar [`ValueView`]s, in ascending order.
#[derive(Clone, Copy, Debug)]
pub struct SetView<'a> {
    pub(super) kind: Type,
    pub(super) source: Source<'a, Elements<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Elements<'a> {
    Strings(&'a [String]),
    Numbers(&'a [Number]),
    Binaries(&'a [Vec<u8>]),
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

    pub(super) fn to_value(self) -> Result<Value, CorruptImage> {
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
