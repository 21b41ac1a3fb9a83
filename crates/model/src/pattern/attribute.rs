//! Items as parts of an event: every value in an object whose one member is named by its type, as clients see it.

use super::{Node, Seen};
use crate::{CorruptImage, ValueView, View};
use std::borrow::Cow;

/// A part of an item.
#[derive(Clone, Copy, Debug)]
pub enum Attribute<'a> {
    /// An object of attributes: the item itself, or what lies in an `M`.
    Map(View<'a>),
    /// `{"S": …}`
    Tagged(ValueView<'a>),
    /// What lies within the tag.
    Plain(ValueView<'a>),
}

impl<'a> Node<'a> for Attribute<'a> {
    fn seen(self) -> Result<Seen<'a>, CorruptImage> {
        Ok(match self {
            Attribute::Map(_) | Attribute::Tagged(_) | Attribute::Plain(ValueView::M(_)) => Seen::Object,
            Attribute::Plain(value) => match value {
                ValueView::S(text) => Seen::Text(Cow::Borrowed(text)),
                ValueView::N(number) => Seen::Text(number.to_string().into()),
                ValueView::B(bytes) => Seen::Text(base64(bytes).into()),
                ValueView::Bool(truth) => Seen::Bool(truth),
                ValueView::Null => Seen::Bool(true),
                ValueView::M(_) => Seen::Object,
                ValueView::L(_) | ValueView::Ss(_) | ValueView::Ns(_) | ValueView::Bs(_) => Seen::List,
            },
        })
    }

    fn member(self, name: &str) -> Result<Option<Attribute<'a>>, CorruptImage> {
        Ok(match self {
            Attribute::Map(map) => map.get(name)?.map(Attribute::Tagged),
            Attribute::Tagged(value) => (value.kind().as_str() == name).then_some(match value {
                ValueView::M(map) => Attribute::Map(map),
                other => Attribute::Plain(other),
            }),
            Attribute::Plain(_) => None,
        })
    }

    fn any(
        self,
        test: &mut dyn FnMut(Attribute<'a>) -> Result<bool, CorruptImage>,
    ) -> Result<bool, CorruptImage> {
        match self {
            Attribute::Plain(ValueView::L(list)) => {
                for value in list.iter() {
                    if test(Attribute::Tagged(value?))? {
                        return Ok(true);
                    }
                }
            }
            Attribute::Plain(ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set)) => {
                for element in set.iter() {
                    if test(Attribute::Plain(element?))? {
                        return Ok(true);
                    }
                }
            }
            _ => {}
        }
        Ok(false)
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let is_there = digit <= chunk.len();
            let index = (word >> (18 - 6 * digit)) as usize & 63;
            out.push(if is_there { char::from(DIGITS[index]) } else { '=' });
        }
    }
    out
}
