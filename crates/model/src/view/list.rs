use super::{Source, ValueView, Walk};
use crate::image::Reader;
use crate::{CorruptImage, Value};

/// A list by reference.
#[derive(Clone, Copy, Debug)]
pub struct ListView<'a>(pub(crate) Source<'a, &'a [Value]>);

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
