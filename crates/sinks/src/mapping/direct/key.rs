//! The key of the source's item.

use super::Direct;
use crate::json::{Quoted, Scanner};
use crate::mapping::sheet::{Memory, Span};
use model::image::Writer;
use model::{Number, ValueView, View};

/// A partition key, and perhaps a sort key.
const PARTS_MAX: usize = 2;

/// The values of the key's attributes, by the order of their names: their descriptors and what stands there.
#[derive(Default)]
pub struct Key<'t>([Option<(&'t str, Quoted<'t>)>; PARTS_MAX]);

impl<'t> Key<'t> {
    /// An attribute value that is a part of it: `{"S": "…"}`.
    pub(super) fn part(&mut self, at: usize, scanner: &mut Scanner<'t>) -> Option<()> {
        scanner.expect(b'{')?;
        let descriptor = scanner.quoted()?;
        scanner.expect(b':')?;
        let value = scanner.quoted()?;
        scanner.expect(b'}')?;
        self.set(at, descriptor.raw, value)
    }

    pub(super) fn set(&mut self, at: usize, descriptor: &'t str, value: Quoted<'t>) -> Option<()> {
        *self.0.get_mut(at)? = Some((descriptor, value));
        Some(())
    }
}

impl Direct {
    /// An object of the key's attributes, as a record has it.
    pub fn key<'t>(&self, scanner: &mut Scanner<'t>) -> Option<Key<'t>> {
        let (mut key, mut is_first) = (Key::default(), true);
        scanner.expect(b'{')?;
        while let Some(name) = scanner.member(&mut is_first)? {
            key.part(self.keys.iter().position(|own| name.is(own))?, scanner)?;
        }
        Some(key)
    }

    /// Where the key is kept. None: a part is missing, or strange.
    pub(super) fn keep(&self, key: &Key<'_>, memory: &mut Memory) -> Option<Span> {
        let mut is_whole = true;
        let span = memory.put_bytes(|out| {
            let mut writer = Writer::new(out);
            for (name, part) in self.keys.iter().zip(&key.0) {
                is_whole &= part.as_ref().and_then(|part| write(&mut writer, name, part)).is_some();
            }
            writer.finish();
        });
        is_whole.then_some(span)
    }

    /// The same, of an image that has these attributes, perhaps among others.
    pub(super) fn keep_image(&self, item: View<'_>, memory: &mut Memory) -> Option<Span> {
        let mut is_whole = true;
        let span = memory.put_bytes(|out| {
            let mut writer = Writer::new(out);
            for name in &self.keys {
                let value = item.get(name).ok().flatten();
                is_whole &= value.and_then(|value| writer.attribute(name, value).ok()).is_some();
            }
            writer.finish();
        });
        is_whole.then_some(span)
    }
}

fn write(writer: &mut Writer<'_>, name: &str, (descriptor, value): &(&str, Quoted<'_>)) -> Option<()> {
    let unescaped = if value.is_escaped { Some(value.unescaped()?) } else { None };
    let text = unescaped.as_deref().unwrap_or(value.raw);
    match *descriptor {
        "S" => writer.attribute(name, ValueView::S(text)),
        "N" => writer.attribute(name, ValueView::N(Number::parse(text).ok()?)),
        "B" => writer.attribute(name, ValueView::B(&wire::base64::decode(text).ok()?)),
        _ => return None,
    }
    .ok()
}
