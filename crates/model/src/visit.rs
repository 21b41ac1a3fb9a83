//! Items told part by part, to whoever writes them in another form: nothing is made of what is only copied.

use crate::image::{Reader, tag};
use crate::view::Source;
use crate::{CorruptImage, Number, Type, Value, ValueView, View};

/// Hears an item, or a value, in the order of its image.
pub trait Visitor {
    /// An attribute's name, of an item or of a map. Its value comes next.
    fn name(&mut self, name: &[u8], is_first: bool) -> Result<(), CorruptImage>;
    /// A value of a list or of a set comes next.
    fn element(&mut self, is_first: bool);
    fn scalar(&mut self, scalar: Scalar<'_>, in_set: bool) -> Result<(), CorruptImage>;
    /// A list, a map or a set begins.
    fn open(&mut self, kind: Type);
    /// The one that was opened last ends.
    fn close(&mut self, kind: Type);
}

/// What holds no other values. Texts of an image are bytes: whether they are UTF-8 is for the visitor to see.
#[derive(Clone, Copy, Debug)]
pub enum Scalar<'a> {
    S(&'a [u8]),
    N(Number),
    B(&'a [u8]),
    Bool(bool),
    Null,
}

impl View<'_> {
    /// Tells the attributes, one after the other.
    pub fn visit(&self, visitor: &mut impl Visitor) -> Result<(), CorruptImage> {
        match self.source {
            Source::Tree(item) => {
                for (at, (name, value)) in item.attributes().iter().enumerate() {
                    visitor.name(name.as_bytes(), at == 0)?;
                    tree(value, visitor)?;
                }
                Ok(())
            }
            Source::Image(reader) => attributes(reader, visitor),
        }
    }
}

impl ValueView<'_> {
    pub fn visit(&self, visitor: &mut impl Visitor) -> Result<(), CorruptImage> {
        match self {
            ValueView::S(text) => visitor.scalar(Scalar::S(text.as_bytes()), false),
            ValueView::N(number) => visitor.scalar(Scalar::N(*number), false),
            ValueView::B(bytes) => visitor.scalar(Scalar::B(bytes), false),
            ValueView::Bool(truth) => visitor.scalar(Scalar::Bool(*truth), false),
            ValueView::Null => visitor.scalar(Scalar::Null, false),
            ValueView::L(list) => {
                visitor.open(Type::L);
                for (at, value) in list.iter().enumerate() {
                    visitor.element(at == 0);
                    value?.visit(visitor)?;
                }
                visitor.close(Type::L);
                Ok(())
            }
            ValueView::M(map) => {
                visitor.open(Type::M);
                map.visit(visitor)?;
                visitor.close(Type::M);
                Ok(())
            }
            ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set) => {
                visitor.open(set.kind());
                for (at, element) in set.iter().enumerate() {
                    visitor.element(at == 0);
                    let scalar = match element? {
                        ValueView::S(text) => Scalar::S(text.as_bytes()),
                        ValueView::N(number) => Scalar::N(number),
                        ValueView::B(bytes) => Scalar::B(bytes),
                        _ => return Err(CorruptImage),
                    };
                    visitor.scalar(scalar, true)?;
                }
                visitor.close(set.kind());
                Ok(())
            }
        }
    }
}

fn tree(value: &Value, visitor: &mut impl Visitor) -> Result<(), CorruptImage> {
    ValueView::from(value).visit(visitor)
}

fn attributes(mut reader: Reader<'_>, visitor: &mut impl Visitor) -> Result<(), CorruptImage> {
    let mut is_first = true;
    while !reader.is_empty() {
        visitor.name(reader.name()?, is_first)?;
        is_first = false;
        value(&mut reader, visitor)?;
    }
    Ok(())
}

#[inline]
fn value(reader: &mut Reader<'_>, visitor: &mut impl Visitor) -> Result<(), CorruptImage> {
    match reader.byte()? {
        tag::S => visitor.scalar(Scalar::S(reader.prefixed()?), false),
        tag::N => visitor.scalar(Scalar::N(reader.number()?), false),
        tag::B => visitor.scalar(Scalar::B(reader.prefixed()?), false),
        tag::FALSE => visitor.scalar(Scalar::Bool(false), false),
        tag::TRUE => visitor.scalar(Scalar::Bool(true), false),
        tag::NULL => visitor.scalar(Scalar::Null, false),
        other => container(other, reader, visitor),
    }
}

fn container(tag: u8, reader: &mut Reader<'_>, visitor: &mut impl Visitor) -> Result<(), CorruptImage> {
    let kind = match tag {
        tag::L => Type::L,
        tag::M => Type::M,
        tag::SS => Type::Ss,
        tag::NS => Type::Ns,
        tag::BS => Type::Bs,
        _ => return Err(CorruptImage),
    };
    let mut inner = reader.framed()?;
    visitor.open(kind);
    if kind == Type::M {
        attributes(inner, visitor)?;
    } else {
        let mut is_first = true;
        while !inner.is_empty() {
            visitor.element(is_first);
            is_first = false;
            match kind {
                Type::L => value(&mut inner, visitor)?,
                Type::Ns => visitor.scalar(Scalar::N(inner.number()?), true)?,
                Type::Bs => visitor.scalar(Scalar::B(inner.prefixed()?), true)?,
                _ => visitor.scalar(Scalar::S(inner.prefixed()?), true)?,
            }
        }
    }
    visitor.close(kind);
    Ok(())
}
