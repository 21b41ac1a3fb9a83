//! The encoded form of an item: what is stored, logged and passed on.
//!
//! ```text
//! image      = version:1  size:u32  attribute*            size: the item's size in the service's own counting
//! attribute  = name  value                                names strictly ascending
//! name       = length:varint  utf-8
//! value      = tag:1  …
//!   S, B     = length:varint  bytes
//!   N        = length:1  the number's ordered bytes
//!   BOOL, NULL                                            the tag says it all
//!   L        = length:u32  value*
//!   M        = length:u32  attribute*
//!   SS, BS   = length:u32  (length:varint  bytes)*        elements strictly ascending
//!   NS       = length:u32  (length:1  bytes)*             elements strictly ascending
//! ```
//!
//! Fixed-width integers are little-endian; varints are LEB128 in their shortest form. Every value can be skipped
//! without being read, and every item has exactly one image: items are equal when their images are.

use crate::view::{ListView, Source, View};
use crate::{DEPTH_MAX, Item, Number, Type, ValueView};
use std::fmt;

/// An encoded item. Items are equal exactly when their images are equal bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image(Vec<u8>);

/// Stored bytes are not an image of any item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CorruptImage;

/// Writes an image attribute by attribute, from trees or from other images.
#[derive(Debug)]
pub struct Writer<'out> {
    out: &'out mut Vec<u8>,
    start: usize,
    size_bytes: usize,
    #[cfg(debug_assertions)]
    last: Option<String>,
}

pub(crate) const VERSION: u8 = 1;
pub(crate) const HEADER_LEN: usize = 5;
/// Deeper than any item may be by now: a limit that is lowered later must not make stored items unreadable.
pub(crate) const IMAGE_DEPTH_MAX: u8 = 2 * DEPTH_MAX as u8;

pub(crate) mod tag {
    pub const S: u8 = 1;
    pub const N: u8 = 2;
    pub const B: u8 = 3;
    pub const FALSE: u8 = 4;
    pub const TRUE: u8 = 5;
    pub const NULL: u8 = 6;
    pub const L: u8 = 7;
    pub const M: u8 = 8;
    pub const SS: u8 = 9;
    pub const NS: u8 = 10;
    pub const BS: u8 = 11;
}

impl Image {
    pub fn of(item: &Item) -> Image {
        // A good guess saves growing: the size counts names and contents, framing is about three bytes an attribute.
        let mut bytes = Vec::with_capacity(HEADER_LEN + item.size_bytes() + 4 * item.len());
        item.encode(&mut bytes);
        Image(bytes)
    }

    /// Takes over stored bytes. Only the header is read here; damage further on shows when it is reached.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Image, CorruptImage> {
        View::new(&bytes)?;
        Ok(Image(bytes))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The item by reference.
    pub fn view(&self) -> View<'_> {
        View::new(&self.0).unwrap_or_default()
    }

    pub fn size_bytes(&self) -> usize {
        self.view().size_bytes()
    }
}

impl AsRef<[u8]> for Image {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Item {
    /// Appends the item's image to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut writer = Writer::new(out);
        for (name, value) in self.iter() {
            writer.attribute(name, value.view()).expect("a tree is not corrupt");
        }
        writer.finish();
    }

    /// Reads a whole image and refuses any that `encode` does not write.
    pub fn decode(image: &[u8]) -> Result<Item, CorruptImage> {
        let view = View::new(image)?;
        let item = view.to_item()?;
        match item.size_bytes() == view.size_bytes() {
            true => Ok(item),
            false => Err(CorruptImage),
        }
    }
}

impl<'out> Writer<'out> {
    /// Starts an image at the end of `out`.
    pub fn new(out: &'out mut Vec<u8>) -> Writer<'out> {
        let start = out.len();
        out.extend_from_slice(&[VERSION, 0, 0, 0, 0]);
        Writer {
            out,
            start,
            size_bytes: 0,
            #[cfg(debug_assertions)]
            last: None,
        }
    }

    /// Adds an attribute. Names must come in ascending order.
    pub fn attribute(&mut self, name: &str, value: ValueView<'_>) -> Result<(), CorruptImage> {
        #[cfg(debug_assertions)]
        {
            assert!(self.last.as_deref().is_none_or(|last| last < name), "attributes are written in order");
            self.last = Some(name.to_owned());
        }
        self.size_bytes += name.len();
        put_bytes(name.as_bytes(), self.out);
        self.size_bytes += put_value(value, self.out)?;
        Ok(())
    }

    /// Completes the image.
    pub fn finish(self) {
        let size = length(self.size_bytes);
        self.out[self.start + 1..self.start + HEADER_LEN].copy_from_slice(&size);
    }
}

/// Appends a value and gives back the size it counts for.
fn put_value(value: ValueView<'_>, out: &mut Vec<u8>) -> Result<usize, CorruptImage> {
    Ok(match value {
        ValueView::S(text) => {
            out.push(tag::S);
            put_bytes(text.as_bytes(), out);
            text.len()
        }
        ValueView::N(number) => {
            out.push(tag::N);
            put_number(&number, out);
            number.size_bytes()
        }
        ValueView::B(bytes) => {
            out.push(tag::B);
            put_bytes(bytes, out);
            bytes.len()
        }
        ValueView::Bool(truth) => {
            out.push(if truth { tag::TRUE } else { tag::FALSE });
            1
        }
        ValueView::Null => {
            out.push(tag::NULL);
            1
        }
        ValueView::L(list) => 3 + put_framed(tag::L, out, |out| put_list(list, out))?,
        ValueView::M(map) => 3 + put_framed(tag::M, out, |out| put_map(map, out))?,
        ValueView::Ss(set) | ValueView::Ns(set) | ValueView::Bs(set) => {
            let tag = match set.kind() {
                Type::Ns => tag::NS,
                Type::Bs => tag::BS,
                _ => tag::SS,
            };
            put_framed(tag, out, |out| {
                set.iter().try_fold(0, |size, element| {
                    Ok(size
                        + match element? {
                            ValueView::N(number) => {
                                put_number(&number, out);
                                number.size_bytes()
                            }
                            ValueView::S(text) => {
                                put_bytes(text.as_bytes(), out);
                                text.len()
                            }
                            ValueView::B(bytes) => {
                                put_bytes(bytes, out);
                                bytes.len()
                            }
                            _ => return Err(CorruptImage),
                        })
                })
            })?
        }
    })
}

fn put_list(list: ListView<'_>, out: &mut Vec<u8>) -> Result<usize, CorruptImage> {
    list.iter().try_fold(0, |size, value| Ok(size + 1 + put_value(value?, out)?))
}

fn put_map(map: View<'_>, out: &mut Vec<u8>) -> Result<usize, CorruptImage> {
    map.iter().try_fold(0, |size, attribute| {
        let (name, value) = attribute?;
        put_bytes(name.as_bytes(), out);
        Ok(size + 1 + name.len() + put_value(value, out)?)
    })
}

/// Writes a tag, room for a length, the contents, then the length.
fn put_framed(
    tag: u8,
    out: &mut Vec<u8>,
    contents: impl FnOnce(&mut Vec<u8>) -> Result<usize, CorruptImage>,
) -> Result<usize, CorruptImage> {
    out.extend_from_slice(&[tag, 0, 0, 0, 0]);
    let start = out.len();
    let size = contents(out)?;
    let len = length(out.len() - start);
    out[start - 4..start].copy_from_slice(&len);
    Ok(size)
}

fn put_number(number: &Number, out: &mut Vec<u8>) {
    let bytes = number.as_bytes();
    out.push(bytes.len() as u8);
    out.extend_from_slice(bytes);
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
    out.extend_from_slice(bytes);
}

fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).expect("requests, and so items, are far below 4 GiB").to_le_bytes()
}

/// Takes an image apart from its front.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reader<'a> {
    pub bytes: &'a [u8],
    /// How many more levels may be opened. Bounds the recursion of whoever walks a damaged image.
    pub depth: u8,
}

impl<'a> Reader<'a> {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn name(&mut self) -> Result<&'a [u8], CorruptImage> {
        self.prefixed()
    }

    pub fn attribute(&mut self) -> Result<(&'a str, ValueView<'a>), CorruptImage> {
        Ok((text(self.name()?)?, self.value()?))
    }

    pub fn value(&mut self) -> Result<ValueView<'a>, CorruptImage> {
        Ok(match self.byte()? {
            tag::S => ValueView::S(text(self.prefixed()?)?),
            tag::N => ValueView::N(self.number()?),
            tag::B => ValueView::B(self.prefixed()?),
            tag::FALSE => ValueView::Bool(false),
            tag::TRUE => ValueView::Bool(true),
            tag::NULL => ValueView::Null,
            tag::L => ValueView::L(ListView(Source::Image(self.framed()?))),
            tag::M => ValueView::M(View::of_map(self.framed()?)),
            tag::SS => ValueView::Ss(self.set(Type::Ss)?),
            tag::NS => ValueView::Ns(self.set(Type::Ns)?),
            tag::BS => ValueView::Bs(self.set(Type::Bs)?),
            _ => return Err(CorruptImage),
        })
    }

    pub fn skip_value(&mut self) -> Result<(), CorruptImage> {
        match self.byte()? {
            tag::S | tag::B => self.prefixed().map(drop),
            tag::N => {
                let len = self.byte()?;
                self.take(usize::from(len)).map(drop)
            }
            tag::FALSE | tag::TRUE | tag::NULL => Ok(()),
            tag::L | tag::M | tag::SS | tag::NS | tag::BS => {
                let len = self.length()?;
                self.take(len).map(drop)
            }
            _ => Err(CorruptImage),
        }
    }

    /// How many attributes there are, up to the first damage.
    pub fn count_attributes(mut self) -> usize {
        let mut count = 0;
        while !self.is_empty() && self.name().is_ok() && self.skip_value().is_ok() {
            count += 1;
        }
        count
    }

    pub fn element(&mut self, set: Type) -> Result<ValueView<'a>, CorruptImage> {
        Ok(match set {
            Type::Ns => ValueView::N(self.number()?),
            Type::Bs => ValueView::B(self.prefixed()?),
            _ => ValueView::S(text(self.prefixed()?)?),
        })
    }

    fn set(&mut self, kind: Type) -> Result<crate::SetView<'a>, CorruptImage> {
        Ok(crate::SetView::of_image(kind, self.framed()?))
    }

    pub fn number(&mut self) -> Result<Number, CorruptImage> {
        let len = self.byte()?;
        Number::from_bytes(self.take(usize::from(len))?).ok_or(CorruptImage)
    }

    pub fn framed(&mut self) -> Result<Reader<'a>, CorruptImage> {
        let depth = self.depth.checked_sub(1).ok_or(CorruptImage)?;
        let len = self.length()?;
        Ok(Reader { bytes: self.take(len)?, depth })
    }

    pub fn prefixed(&mut self) -> Result<&'a [u8], CorruptImage> {
        let len = self.varint()?;
        self.take(len)
    }

    fn length(&mut self) -> Result<usize, CorruptImage> {
        let (length, rest) = self.bytes.split_first_chunk().ok_or(CorruptImage)?;
        self.bytes = rest;
        Ok(u32::from_le_bytes(*length) as usize)
    }

    fn varint(&mut self) -> Result<usize, CorruptImage> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(usize::from(first));
        }
        let mut value = usize::from(first & 0x7f);
        for shift in [7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f) << shift;
            match byte {
                // The shortest form never ends in a zero.
                0 => return Err(CorruptImage),
                1..0x80 => return Ok(value),
                _ => {}
            }
        }
        Err(CorruptImage)
    }

    pub fn byte(&mut self) -> Result<u8, CorruptImage> {
        let (byte, rest) = self.bytes.split_first().ok_or(CorruptImage)?;
        self.bytes = rest;
        Ok(*byte)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], CorruptImage> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(CorruptImage)?;
        self.bytes = rest;
        Ok(taken)
    }
}

fn text(bytes: &[u8]) -> Result<&str, CorruptImage> {
    std::str::from_utf8(bytes).map_err(|_| CorruptImage)
}

impl fmt::Display for CorruptImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored item is corrupt")
    }
}

impl std::error::Error for CorruptImage {}
