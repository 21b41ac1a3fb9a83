//! The same from images, as a table in this process stores them.

use super::read::is_short;
use super::{Draft, Told};
use crate::mapping::Kind;
use crate::mapping::convert::fits;
use crate::mapping::sheet::Place;
use model::{Item, ValueView, View};

impl Draft<'_, '_> {
    /// An item's row. None: it wants to be read as an item.
    pub fn add_item(&mut self, item: View<'_>) -> Option<()> {
        self.add_images(item, Some(item), Told { size: item.size_bytes(), ..Told::default() })
    }

    /// A row, or a deletion.
    pub fn add_images(&mut self, keys: View<'_>, new: Option<View<'_>>, told: Told) -> Option<()> {
        let key = self.direct.keep_image(keys, &mut self.memory)?;
        let cells = match new {
            Some(image) => Some(self.image(image)?),
            None => None,
        };
        self.head(key, cells, told)
    }

    fn image(&mut self, item: View<'_>) -> Option<usize> {
        let direct = self.direct;
        let first = self.memory.add_cells(&self.blank);
        let mut others = Item::new();
        let mut next = 0;
        for attribute in item.iter() {
            let (name, value) = attribute.ok()?;
            // Both are sorted by name.
            while direct.wanted.get(next).is_some_and(|wanted| wanted.name.as_str() < name) {
                next += 1;
            }
            let wanted = direct.wanted.get(next).filter(|wanted| wanted.name == name);
            if let Some((at, kind)) = wanted.and_then(|wanted| wanted.scalar) {
                self.memory.cells_mut(first)[at] = self.scalar_image(kind, value)?;
                continue;
            }
            let is_other = direct.rest.is_some() && !direct.mapping.is_taken(name);
            if wanted.is_none() && !is_other {
                continue;
            }
            let value = value.to_value().ok()?;
            self.columns(wanted, &value, first)?;
            if is_other {
                others.insert(name, value);
            }
        }
        self.rest(first, &others)?;
        self.whole(first)
    }

    /// One attribute value as what its column holds; none: it does not fit.
    fn scalar_image(&mut self, kind: Kind, value: ValueView<'_>) -> Option<Place> {
        let place = match (value, kind) {
            (ValueView::Null, _) => Place::Null,
            (ValueView::Bool(yes), Kind::Boolean) => Place::Boolean(yes),
            (ValueView::S(text), Kind::Text) => Place::Text(self.memory.spell(text)),
            (ValueView::S(text), Kind::Varchar(letters)) => {
                is_short(text, letters).then(|| Place::Text(self.memory.spell(text)))?
            }
            (ValueView::N(number), kind) => self.number(number, kind)?,
            (ValueView::B(bytes), Kind::Bytes) => {
                Place::Bytes(self.memory.put_bytes(|out| out.extend_from_slice(bytes)))
            }
            _ => return None,
        };
        fits(self.memory.cell(place, self.answer), self.direct.dialect).ok()?;
        Some(place)
    }
}
