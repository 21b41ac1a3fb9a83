//! What a write does, as one pure function of the item's old image: the item, its index entries, its record.

use super::{Action, Write};
use crate::capacity::{IndexUnits, write_units};
use crate::expiry::Expiry;
use crate::history::Former;
use crate::index::{Entry, Index};
use crate::key::Place;
use crate::layout::{self, Meta};
use crate::stream::{Event, record};
use crate::{Consumed, Error, ErrorKind, Table, TableState};
use model::{Image, Item, View};
use store::{Batch, LogPrefix, Slice, Space};
use world::Timestamp;

/// What an item may have at most.
pub(crate) const ITEM_BYTES_MAX: usize = 400 * 1024;

/// A write whose item's place is known.
pub(super) struct Prepared {
    pub place: Place,
    write: Write,
    /// The image of an item to be put.
    pub(super) put: Option<Slice>,
}

/// All that a write does.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub old: Option<Slice>,
    pub new: Option<Slice>,
    pub changed: bool,
    pub consumed: Consumed,
    /// Index entries to put, or to remove.
    entries: Vec<(Vec<u8>, Option<Slice>)>,
    record: Option<(LogPrefix, Vec<u8>)>,
    /// What there was before, of a table whose changes are kept.
    former: Option<(LogPrefix, Vec<u8>)>,
    counts: Vec<Count>,
}

/// What a table or index gains.
#[derive(Debug)]
struct Count {
    id: u64,
    items: i64,
    bytes: i64,
}

impl Prepared {
    pub fn new(table: &Table, write: Write) -> Result<Prepared, Error> {
        let (place, put) = match &write.action {
            Action::Put(image) => {
                if image.size_bytes() > ITEM_BYTES_MAX {
                    return Err(too_large("Item size has exceeded the maximum allowed size"));
                }
                let place = Place::of_item(table.id, &table.key, image.view())?;
                (place, Some(Slice::from(image.as_bytes())))
            }
            Action::Update { key, update } => {
                if let Some(update) = update {
                    let names: Vec<&str> = table.key_names().collect();
                    update.check_keys(&names)?;
                }
                (key.place.clone(), None)
            }
            Action::Delete(key) | Action::Check(key) => (key.place.clone(), None),
        };
        if place.stored[..8] != table.id.to_be_bytes() {
            // A key that was made for an earlier table of this name.
            return Err(Error::new(ErrorKind::TableNotFound, "the table was deleted"));
        }
        Ok(Prepared { place, write, put })
    }
}

/// What `prepared` does to a table in this state, if the item's image is `old`.
pub(super) fn plan(
    table: &Table,
    state: &TableState,
    prepared: &Prepared,
    old: Option<&Slice>,
    now: Timestamp,
) -> Result<Plan, Error> {
    if let Some(condition) = &prepared.write.condition {
        let view = old.map(|old| View::new(old)).transpose()?;
        if !condition.evaluate(view)? {
            let kind = ErrorKind::ConditionFailed { item: old.cloned() };
            return Err(Error::new(kind, "The conditional request failed"));
        }
    }
    let new = match &prepared.write.action {
        Action::Put(_) => {
            let new = prepared.put.clone();
            check_indexes(state, new.as_ref(), |index, misfit| Err(misfit.refuse_put(index)))?;
            new
        }
        Action::Update { key, update } => {
            let new = match update {
                None => Some(old.cloned().unwrap_or_else(|| encode(key.item()))),
                Some(update) => {
                    let old = old.map(|old| Item::decode(old)).transpose()?;
                    let updated = update.apply_to(old, key.item())?;
                    updated.exists.then(|| encode(&updated.item))
                }
            };
            if let Some(new) = &new
                && View::new(new)?.size_bytes() > ITEM_BYTES_MAX
            {
                return Err(too_large("Item size to update has exceeded the maximum allowed size"));
            }
            let before = old.map(|old| View::new(old)).transpose()?;
            let after = new.as_ref().map(|new| View::new(new)).transpose()?;
            check_indexes(state, new.as_ref(), |index, misfit| {
                // What was there before the index was may stay as it is.
                let value = |view: Option<View<'_>>| {
                    view.and_then(|view| view.get(misfit.name()).ok().flatten()).map(|value| value.to_value())
                };
                match before.is_some() && value(before) == value(after) {
                    true => Ok(()),
                    false if misfit.is_told_by(update.as_ref()) => Err(misfit.refuse_put(index)),
                    false => Err(misfit.refuse_update()),
                }
            })?;
            new
        }
        Action::Delete(_) => None,
        Action::Check(_) => old.cloned(),
    };
    effects(table, state, &prepared.place, Images { old, new }, By::User, now)
}

/// An item whose time is over, and the entry that says so.
pub(crate) struct Expired {
    pub stored: Vec<u8>,
    pub entry: Vec<u8>,
}

/// What deleting an item does whose time is over, if its image is `old` and it is still over. Else there is at most an
/// entry to remove that is not the item's.
pub(super) fn plan_expired(
    table: &Table,
    state: &TableState,
    place: &Place,
    old: Option<&Slice>,
    entry: &[u8],
    now: Timestamp,
) -> Result<Option<Plan>, Error> {
    let Some(expiry) = &state.expiry else { return Ok(None) };
    let current = match old {
        Some(old) => expiry.place(View::new(old)?, &place.stored)?,
        None => None,
    };
    if current.as_deref() != Some(entry) || !crate::expiry::is_over(entry, now) {
        return Ok(None);
    }
    effects(table, state, place, Images { old, new: None }, By::TimeToLive, now).map(Some)
}

/// Who deletes.
#[derive(Clone, Copy, PartialEq)]
enum By {
    User,
    TimeToLive,
}

struct Images<'a> {
    old: Option<&'a Slice>,
    new: Option<Slice>,
}

fn effects(
    table: &Table,
    state: &TableState,
    place: &Place,
    images: Images<'_>,
    by: By,
    now: Timestamp,
) -> Result<Plan, Error> {
    let Images { old, new } = images;
    let size = |image: Option<&Slice>| -> Result<usize, Error> {
        Ok(image.map(|image| View::new(image)).transpose()?.map_or(0, |view| view.size_bytes()))
    };
    let (before, after) = (size(old)?, size(new.as_ref())?);
    let mut plan = Plan { old: old.cloned(), ..Plan::default() };
    plan.consumed.table = write_units(before, after);
    // Equal items have equal images: bytes tell whether anything changes.
    plan.changed = old != new.as_ref();
    if plan.changed {
        plan.count(table.id, (old.is_some(), before), (new.is_some(), after));
        let own = &place.stored[layout::HEAD_LEN..];
        for index in &state.indexes {
            plan.index(index, old, new.as_ref(), own)?;
        }
        if let Some(expiry) = &state.expiry {
            plan.expiry(expiry, old, new.as_ref(), &place.stored)?;
        }
        if let Some(history) = &state.history {
            let former = Former { at: now, key: &place.stored, image: old.map(|old| &**old) };
            plan.former = Some((history.prefix(), former.encode()));
        }
        if let Some((stream, routes)) = &state.stream {
            let event = match (old, &new) {
                (None, _) => Event::Insert,
                (_, Some(_)) => Event::Modify,
                (_, None) => Event::Remove,
            };
            let change = record::Change {
                event,
                view: stream.view(),
                created: now,
                service_delete: by == By::TimeToLive,
                before: old.map(|old| &**old),
                after: new.as_deref(),
            };
            let shard = routes.shard(place.partition);
            plan.record = Some((shard.prefix(), record::encode(&change, table.key_names())?));
        }
    }
    plan.new = new;
    Ok(plan)
}

impl Plan {
    /// Writes it down.
    pub fn fill(&mut self, place: &Place, batch: &mut Batch) {
        if !self.changed {
            return;
        }
        match &self.new {
            Some(new) => batch.put(Space::Items, &place.stored, new),
            None => batch.remove(Space::Items, &place.stored),
        }
        for (stored, value) in self.entries.drain(..) {
            match value {
                Some(value) => batch.put(Space::Items, stored, value),
                None => batch.remove(Space::Items, stored),
            }
        }
        for (prefix, value) in self.record.take().into_iter().chain(self.former.take()) {
            batch.append(prefix, value);
        }
        for Count { id, items, bytes } in self.counts.drain(..) {
            if items != 0 {
                batch.count(Meta::items(id), items);
            }
            if bytes != 0 {
                batch.count(Meta::bytes(id), bytes);
            }
        }
    }

    fn index(
        &mut self,
        index: &Index,
        old: Option<&Slice>,
        new: Option<&Slice>,
        own: &[u8],
    ) -> Result<(), Error> {
        let entry = |image: Option<&Slice>| -> Result<Option<Entry>, Error> {
            Ok(image.map(|image| index.entry(image, own)).transpose()?.flatten())
        };
        let (before, after) = (entry(old)?, entry(new)?);
        if before == after {
            return Ok(());
        }
        let size =
            |entry: &Option<Entry>| (entry.is_some(), entry.as_ref().map_or(0, |entry| entry.size_bytes));
        self.count(index.id, size(&before), size(&after));
        let units = match (before, after) {
            (Some(before), Some(after)) if before.stored == after.stored => {
                let units = write_units(before.size_bytes, after.size_bytes);
                self.entries.push((after.stored, Some(after.value)));
                units
            }
            (before, after) => {
                let mut units = 0.0;
                if let Some(before) = before {
                    units += write_units(before.size_bytes, 0);
                    self.entries.push((before.stored, None));
                }
                if let Some(after) = after {
                    units += write_units(0, after.size_bytes);
                    self.entries.push((after.stored, Some(after.value)));
                }
                units
            }
        };
        self.consumed.indexes.push(IndexUnits { name: index.name.clone(), kind: index.kind, units });
        Ok(())
    }

    fn expiry(
        &mut self,
        expiry: &Expiry,
        old: Option<&Slice>,
        new: Option<&Slice>,
        stored: &[u8],
    ) -> Result<(), Error> {
        let entry = |image: Option<&Slice>| -> Result<Option<Vec<u8>>, Error> {
            let Some(image) = image else { return Ok(None) };
            Ok(expiry.place(View::new(image)?, stored)?)
        };
        let (before, after) = (entry(old)?, entry(new)?);
        if before != after {
            self.entries.extend(before.map(|before| (before, None)));
            self.entries.extend(after.map(|after| (after, Some(Slice::from(&[][..])))));
        }
        Ok(())
    }

    fn count(&mut self, id: u64, before: (bool, usize), after: (bool, usize)) {
        let items = i64::from(after.0) - i64::from(before.0);
        let bytes = after.1 as i64 - before.1 as i64;
        if items != 0 || bytes != 0 {
            self.counts.push(Count { id, items, bytes });
        }
    }
}

pub(super) fn check_indexes(
    state: &TableState,
    new: Option<&Slice>,
    refuse: impl Fn(&Index, crate::index::Misfit<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let (Some(new), false) = (new, state.indexes.is_empty()) else { return Ok(()) };
    let view = View::new(new)?;
    for index in &state.indexes {
        if let Some(misfit) = index.misfit(view)? {
            refuse(index, misfit)?;
        }
        if view.size_bytes() > 1024 {
            // Too small an item cannot hold too long a key.
            crate::key::check_lengths(&index.key, view)?;
        }
    }
    Ok(())
}

fn encode(item: &Item) -> Slice {
    Slice::from(Image::of(item).into_bytes())
}

fn too_large(message: &str) -> Error {
    Error::new(ErrorKind::ItemTooLarge, message)
}
