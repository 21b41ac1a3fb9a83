//! Many changes of one item become the last of them; what is left is what a transaction writes.

use crate::Error;
use crate::join::{Origin, Work};
use crate::mapping::{ByKey, ItemName, KeySchema, Mapping, Rows, Shape, SheetRow};
use crate::targets::Change;
use crate::targets::decide::decide;
use model::Item;
use sql::{Cell, Cells, Value};
use std::borrow::Cow;

/// What is written of one item.
#[derive(Clone, Debug)]
pub struct Final<'w> {
    /// The item's, which no other has in its group, as `Item::encode` writes it.
    pub key: &'w [u8],
    /// The item as it is now.
    pub image: Option<Cow<'w, Item>>,
    pub row: Option<Made<'w>>,
    /// Keys under which the item had a row that goes.
    pub deleted: Vec<Vec<Value>>,
    /// Keys under which its row stays, with this time of deletion in it.
    pub softened: Vec<(Vec<Value>, u64)>,
    /// Why it has no row.
    pub quarantine: Option<String>,
    /// Its row was taken away or moved at some time: an older version must not come back.
    pub gone: bool,
}

/// A row that was made by whoever read it, or here.
#[derive(Clone, Debug)]
pub enum Made<'w> {
    There(&'w SheetRow),
    Here(Vec<Value>),
}

/// Consecutive work of one origin.
#[derive(Debug)]
pub struct Group<'w> {
    pub origin: Origin,
    pub remember: bool,
    /// In the order in which they came first.
    pub items: Vec<Final<'w>>,
    /// Changes that came in.
    pub changes: usize,
}

/// What mapping needs to know.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    pub shape: Rows<'a>,
    pub schema: &'a KeySchema,
}

pub fn fold<'w>(works: &'w [Work<Change>], rules: Rules<'_>) -> Result<Vec<Group<'w>>, Error> {
    let mut groups: Vec<Group<'w>> = Vec::new();
    let rows = works.iter().map(|work| work.rows.len()).sum();
    let mut places: ByKey<'w, usize> = ByKey::with_capacity_and_hasher(rows, Default::default());
    for work in works {
        let origin = work.track.origin();
        if groups.last().is_none_or(|group| group.origin != origin) {
            let items = Vec::with_capacity(work.rows.len());
            groups.push(Group { origin, remember: false, items, changes: 0 });
            places.clear();
        }
        let Some(group) = groups.last_mut() else { continue };
        group.remember |= work.remember;
        for change in &work.rows {
            group.changes += 1;
            rules.add(group, &mut places, change)?;
        }
    }
    Ok(groups)
}

impl<'w> Final<'w> {
    /// Nothing yet.
    pub fn of(key: &'w [u8]) -> Final<'w> {
        Final {
            key,
            image: None,
            row: None,
            deleted: Vec::new(),
            softened: Vec::new(),
            quarantine: None,
            gone: false,
        }
    }

    pub fn name(&self) -> ItemName {
        ItemName::of(self.key)
    }

    /// The item's key.
    pub fn keys(&self) -> Item {
        // It was encoded here.
        Item::decode(self.key).unwrap_or_default()
    }

    /// The item has this row now, where it always has it: such a row was made before.
    fn made(&mut self, mapping: &Mapping, row: &'w SheetRow) {
        if !self.deleted.is_empty() || !self.softened.is_empty() {
            self.has_row_at(&mapping.key_of(row));
        }
        (self.image, self.row, self.quarantine) = (None, Some(Made::There(row)), None);
    }

    /// What was to become of an older row there is past.
    fn has_row_at(&mut self, key: &Vec<Value>) {
        self.deleted.retain(|deleted| deleted != key);
        self.softened.retain(|(softened, _)| softened != key);
    }

    fn delete(&mut self, key: Vec<Value>) {
        self.softened.retain(|(softened, _)| *softened != key);
        if !self.deleted.contains(&key) {
            self.deleted.push(key);
        }
        self.row = None;
    }

    /// What an earlier change of the batch wrote stays, and what one took away stays away.
    fn soften(&mut self, key: Vec<Value>, seconds: u64) {
        if !self.deleted.contains(&key) {
            self.softened.retain(|(softened, _)| *softened != key);
            self.softened.push((key, seconds));
        }
    }
}

impl Cells for Made<'_> {
    fn width(&self) -> usize {
        match self {
            Made::There(row) => row.width(),
            Made::Here(row) => row.width(),
        }
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        match self {
            Made::There(row) => row.cell(at),
            Made::Here(row) => row.cell(at),
        }
    }
}

impl Rules<'_> {
    fn add<'w>(
        self,
        group: &mut Group<'w>,
        places: &mut ByKey<'w, usize>,
        change: &'w Change,
    ) -> Result<(), Error> {
        let place = *places.entry(change.key()).or_insert(group.items.len());
        if place == group.items.len() {
            group.items.push(Final::of(change.key()));
        }
        let entry = &mut group.items[place];
        if let Change::Row(row) = change
            && !row.is_deletion()
        {
            entry.made(self.shape.mapping, row);
            return Ok(());
        }
        let decided = decide(&self.shape, self.schema, group.origin, &change.told())?;
        entry.image = change.item().map(Cow::Borrowed);
        entry.quarantine = decided.quarantine;
        if decided.ignored {
            // The last row of the batch, if there is one, is what stays.
            return Ok(());
        }
        entry.gone |= decided.gone;
        match (decided.remove, decided.softly) {
            (Some(before), Some(seconds)) => entry.soften(before, seconds),
            (Some(before), None) => entry.delete(before),
            (None, _) => {}
        }
        if let Some(row) = decided.row {
            entry.has_row_at(&self.shape.key(&row));
            entry.row = Some(Made::Here(row));
        }
        Ok(())
    }
}
