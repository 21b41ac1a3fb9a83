use super::set::Elements;
use super::{ListView, SetView, Source, View};
use crate::{CorruptImage, Number, Type, Value};
use std::cmp::Ordering;

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
