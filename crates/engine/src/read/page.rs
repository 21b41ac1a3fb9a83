//! Reading a page: rows one after another, counted, filtered, and handed to a visitor.

use super::bounds::{Bounds, Source};
use super::page_size::Room;
use super::{Attributes, Consistency, Page};
use crate::capacity::{IndexUnits, read_units};
use crate::{Consumed, Engine, Error, Index, IndexKind, Side, Table, key, layout};
use model::expression::{Bound, Condition};
use model::key as encoding;
use model::{Item, View};
use std::sync::Arc;
use store::{Order, Slice, Snapshot, Space};

/// What a query and a scan have in common.
pub(super) struct Reading<'a> {
    pub source: Source<'a>,
    pub bounds: Bounds,
    pub order: Order,
    pub filter: Option<&'a Bound<Condition>>,
    pub attributes: Attributes<'a>,
    pub limit: Option<usize>,
    pub consistency: Consistency,
}

/// The index a read names, if it can be read.
pub(super) fn index(table: &Table, name: Option<&str>) -> Result<Option<Arc<Index>>, Error> {
    let Some(name) = name else { return Ok(None) };
    let index = table.index(name)?;
    match index.backfilling {
        true => {
            Err(Error::validation(format!("Cannot read from backfilling global secondary index: {name}")))
        }
        false => Ok(Some(index)),
    }
}

/// Whether what is asked for must be looked up in the table.
pub(super) fn fetches(source: Source<'_>, attributes: Attributes<'_>) -> Result<bool, Error> {
    let Some(index) = source.index.filter(|index| !index.holds_all()) else { return Ok(false) };
    let missing: Vec<&str> = match attributes {
        Attributes::Projected => return Ok(false),
        Attributes::All if index.kind == IndexKind::Local => return Ok(true),
        Attributes::All => {
            return Err(Error::parameter(format_args!(
                "Select type ALL_ATTRIBUTES is not supported for global secondary index {} because its projection type is not ALL",
                index.name
            )));
        }
        Attributes::Named(names) => names.iter().copied().filter(|name| !index.holds(name)).collect(),
    };
    match index.kind {
        _ if missing.is_empty() => Ok(false),
        IndexKind::Local => Ok(true),
        IndexKind::Global => Err(Error::parameter(format_args!(
            "Global secondary index {} does not project [{}]",
            index.name,
            missing.join(", ")
        ))),
    }
}

impl Reading<'_> {
    pub fn run(
        self,
        engine: &Engine,
        visit: &mut dyn FnMut(View<'_>) -> Result<(), Error>,
    ) -> Result<Page, Error> {
        let fetches = fetches(self.source, self.attributes)?;
        let snapshot = engine.store().snapshot();
        let mut page = Page::default();
        let (mut bytes, mut fetched_units) = (0, 0.0);
        let mut room = Room::new(self.source.table);
        for row in snapshot.range(Space::Items, &self.bounds.from, &self.bounds.to, self.order) {
            let (stored, image) = row?;
            let entry = View::new(&image)?;
            page.scanned += 1;
            bytes += entry.size_bytes();
            let filled = room.fills(entry)?;
            // Counted before the filter: a page of nothing but rejects is a page too.
            let full = self.limit.is_some_and(|limit| page.scanned >= limit) || filled;
            if full {
                page.last = Some(self.key_of(entry)?);
            }
            let whole = if fetches { self.fetch(&snapshot, &stored)? } else { None };
            let item = match &whole {
                Some(whole) => {
                    let item = View::new(whole)?;
                    fetched_units += read_units(item.size_bytes(), self.consistency);
                    item
                }
                None => entry,
            };
            let passes = match self.filter {
                None => true,
                Some(filter) => filter.evaluate(Some(item))?,
            };
            if passes {
                page.count += 1;
                visit(item)?;
            }
            if full {
                break;
            }
        }
        page.consumed = self.consumed(read_units(bytes, self.consistency), fetched_units);
        let table = self.source.table;
        engine.take(table, &table.load(), &page.consumed, Side::Read)?;
        Ok(page)
    }

    /// The item that an entry of a local index is of: it lies under the same hash key.
    fn fetch(&self, snapshot: &Snapshot, entry: &[u8]) -> Result<Option<Slice>, Error> {
        let mut own = &entry[layout::HEAD_LEN..];
        for part in self.source.schema().parts() {
            own = &own[encoding::encoded_len(part.kind, own)?..];
        }
        if layout::is_marked(self.source.id()) {
            own = own.get(layout::TIE_LEN..).ok_or(encoding::CorruptKey)?;
        }
        let mut stored = Vec::with_capacity(layout::HEAD_LEN + own.len());
        stored.extend_from_slice(&self.source.table.id.to_be_bytes());
        stored.extend_from_slice(&entry[8..layout::HEAD_LEN]);
        stored.extend_from_slice(own);
        Ok(snapshot.get(Space::Items, &stored)?)
    }

    /// What to go on behind.
    fn key_of(&self, entry: View<'_>) -> Result<Item, Error> {
        let mut image = Vec::with_capacity(128);
        key::subset(entry, self.source.key_names().into_iter(), &mut image)?;
        Ok(View::new(&image)?.to_item()?)
    }

    fn consumed(&self, units: f64, fetched: f64) -> Consumed {
        match self.source.index {
            None => Consumed { table: units, indexes: Vec::new() },
            Some(index) => {
                let index = IndexUnits { name: index.name.clone(), kind: index.kind, units };
                Consumed { table: fetched, indexes: vec![index] }
            }
        }
    }
}
