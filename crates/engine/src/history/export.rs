//! A table as it was at a moment, or what became of its items between two, told item by item.
//!
//! Nothing is copied but what was changed since: the images before those changes are put into ranges of their own, in the order
//! of the items' keys, and read beside the items. The ranges are noted to be removed before they are filled.

use super::{Former, History, first_after, whole};
use crate::backup::{chunk, moved};
use crate::catalog::Trims;
use crate::{Engine, Error, ErrorKind, Scope, layout};
use model::View;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Hold, Order, Slice, Snapshot, Space};
use world::Timestamp;

/// What is to be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Every item, as it was then.
    At(Timestamp),
    /// Items that were changed from `from` on and before `to`.
    Between { from: Timestamp, to: Timestamp },
}

/// An item, or what became of one.
#[derive(Debug)]
pub enum Exported<'a> {
    Item(View<'a>),
    Change {
        /// When it was last written.
        at: Timestamp,
        old: Option<View<'a>>,
        new: Option<View<'a>>,
    },
}

/// Sees what is exported; false stops the export.
pub type Visit<'v> = dyn FnMut(Exported<'_>) -> bool + 'v;

/// An export that can be run: it stands on the moment at which it was begun.
pub struct Export {
    table: u64,
    key: Vec<Arc<str>>,
    history: History,
    span: Span,
    snapshot: Snapshot,
    /// Nothing that the snapshot has is removed beneath it.
    _hold: Hold,
}

impl Engine {
    /// Begins an export of a table whose changes are kept.
    pub fn begin_export(&self, scope: &Scope, table: &str, span: Span) -> Result<Export, Error> {
        let table = self.table(scope, table)?;
        table.load().check_exists()?;
        let (history, known) = (table.load().history, self.recoverable(&table));
        let (Some(history), Some(known)) = (history, known) else {
            let message = format!("Point in time recovery is not enabled for table '{}'", table.name);
            return Err(Error::new(ErrorKind::NotRecoverable, message));
        };
        let (first, last) = match span {
            Span::At(at) => (at, at),
            Span::Between { from, to } => (from, to),
        };
        if first < known.earliest || last > known.latest || first > last {
            return Err(Error::new(
                ErrorKind::NotThen,
                "An invalid export time was specified. It must lie between EarliestRestorableDateTime and LatestRestorableDateTime.",
            ));
        }
        let hold = self.store().hold_trims();
        let key = table.key.parts().map(|part| part.name.clone()).collect();
        Ok(Export { table: table.id, key, history, span, snapshot: self.store().snapshot(), _hold: hold })
    }
}

impl Export {
    /// The names of the table's key attributes.
    pub fn key_names(&self) -> Vec<Arc<str>> {
        self.key.clone()
    }

    /// Tells everything to `visit`, in the order of partitions. Blocks; true if it came to the end.
    pub fn run(self, engine: &Engine, visit: &mut Visit<'_>) -> Result<bool, Error> {
        match self.span {
            Span::At(at) => self.items(engine, at, visit),
            Span::Between { from, to } => self.changes(engine, just_before(from), just_before(to), visit),
        }
    }

    fn items(&self, engine: &Engine, at: Timestamp, visit: &mut Visit<'_>) -> Result<bool, Error> {
        let stage = match self.first_after(at)? {
            None => None,
            Some(first) => {
                let stage = Stage::new(engine)?;
                self.put_formers(engine, &first, &self.end(), stage.then)?;
                Some(stage)
            }
        };
        let staged = engine.store().snapshot();
        let mut formers = stage.iter().flat_map(|stage| rows(&staged, stage.then)).peekable();
        let mut items = rows(&self.snapshot, self.table).peekable();
        loop {
            // What was there then comes in place of what is there now.
            let image = match order(items.peek(), formers.peek()) {
                None => return Ok(true),
                Some(Ordering::Less) => items.next().transpose()?.map(|(_, image)| image),
                Some(order) => {
                    if order == Ordering::Equal {
                        items.next().transpose()?;
                    }
                    formers.next().transpose()?.and_then(|(_, former)| unwrapped(&former))
                }
            };
            if let Some(image) = image
                && !visit(Exported::Item(View::new(&image)?))
            {
                return Ok(false);
            }
        }
    }

    fn changes(
        &self,
        engine: &Engine,
        from: Timestamp,
        to: Timestamp,
        visit: &mut Visit<'_>,
    ) -> Result<bool, Error> {
        let Some(first) = self.first_after(from)? else { return Ok(true) };
        let stage = Stage::new(engine)?;
        let end = match self.first_after(to)? {
            None => self.end(),
            Some(end) => {
                self.put_formers(engine, &end, &self.end(), stage.then)?;
                end
            }
        };
        self.put_formers(engine, &first, &end, stage.before)?;
        self.put_moments(engine, &first, &end, stage.written)?;
        let staged = engine.store().snapshot();
        for row in rows(&staged, stage.before) {
            let (key, old) = row?;
            let new = match staged.get(Space::Items, &moved(&key, stage.then))? {
                Some(then) => unwrapped(&then),
                None => self.snapshot.get(Space::Items, &moved(&key, self.table))?,
            };
            let old = unwrapped(&old);
            // What came and went again has left nothing to tell.
            if old.is_none() && new.is_none() {
                continue;
            }
            let at = staged.get(Space::Items, &moved(&key, stage.written))?;
            let at = at.and_then(|at| at[..].try_into().ok()).map_or(0, u64::from_be_bytes);
            let goes_on = visit(Exported::Change {
                at: Timestamp::from_millis(at),
                old: old.as_ref().map(|image| View::new(image)).transpose()?,
                new: new.as_ref().map(|image| View::new(image)).transpose()?,
            });
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where the first change lies after a moment.
    fn first_after(&self, at: Timestamp) -> Result<Option<Vec<u8>>, Error> {
        Ok(first_after(&self.snapshot, &self.history, at)?.map(|key| key.to_vec()))
    }

    /// Behind the last change.
    fn end(&self) -> Vec<u8> {
        whole(&self.history).2
    }

    /// Puts what was there before the first of these changes, item by item.
    fn put_formers(&self, engine: &Engine, from: &[u8], to: &[u8], into: u64) -> Result<(), Error> {
        // From the last change back to the first: what is put last at a key is what was there first.
        self.stage(engine, (from, to), Order::Backward, |former| {
            (moved(former.key, into), wrapped(former.image))
        })
    }

    /// Puts when each item was last written.
    fn put_moments(&self, engine: &Engine, from: &[u8], to: &[u8], into: u64) -> Result<(), Error> {
        self.stage(engine, (from, to), Order::Forward, |former| {
            (moved(former.key, into), former.at.millis().to_be_bytes().to_vec())
        })
    }

    fn stage(
        &self,
        engine: &Engine,
        (from, to): (&[u8], &[u8]),
        order: Order,
        place: impl Fn(&Former<'_>) -> (Vec<u8>, Vec<u8>),
    ) -> Result<(), Error> {
        let mut changes = self.snapshot.range(Space::Log, from, to, order);
        loop {
            let chunk = chunk(&mut changes)?;
            if chunk.is_empty() {
                return Ok(());
            }
            let placed = chunk.iter().map(|(_, value)| Ok(place(&Former::decode(value)?)));
            let placed: BTreeMap<_, _> = placed.collect::<Result<_, Error>>()?;
            let commit = engine.change(|batch| {
                for (key, value) in &placed {
                    batch.put(Space::Items, key, value);
                }
            })?;
            commit.wait()?;
        }
    }
}

/// Ranges of the store that an export fills for itself.
struct Stage<'e> {
    engine: &'e Engine,
    /// What items were at the export's moment, where they are something else now.
    then: u64,
    /// What items were before the export's period, where they were changed in it.
    before: u64,
    /// When they were last changed in it.
    written: u64,
    trims: Trims,
}

impl<'e> Stage<'e> {
    fn new(engine: &'e Engine) -> Result<Stage<'e>, Error> {
        let mut ddl = engine.lock();
        let [then, before, written] = [(); 3].map(|()| ddl.fresh_id());
        let ranges = [then, before, written].map(|id| {
            let (from, to) = layout::whole(id);
            (Space::Items, from, to)
        });
        let trims = engine.new_trims(&mut ddl, ranges.into());
        let commit = engine.change(|batch| {
            ddl.fill(batch);
            trims.fill(batch);
        })?;
        commit.wait()?;
        Ok(Stage { engine, then, before, written, trims })
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.engine.start_trims(std::mem::take(&mut self.trims));
    }
}

type Row = Result<(Slice, Slice), store::Error>;

fn rows(snapshot: &Snapshot, id: u64) -> store::Range {
    let (from, to) = layout::whole(id);
    snapshot.range(Space::Items, &from, &to, Order::Forward)
}

/// Which of two rows comes first, by what follows their ids; what cannot be read comes before everything.
fn order(one: Option<&Row>, other: Option<&Row>) -> Option<Ordering> {
    Some(match (one, other) {
        (None, None) => return None,
        (Some(Ok((one, _))), Some(Ok((other, _)))) => one[8..].cmp(&other[8..]),
        (None, Some(_)) | (_, Some(Err(_))) => Ordering::Greater,
        (Some(_), _) => Ordering::Less,
    })
}

/// An image, or that there is none: no image is empty, and neither is a value in the store.
fn wrapped(image: Option<&[u8]>) -> Vec<u8> {
    image.map_or(vec![0], <[u8]>::to_vec)
}

fn unwrapped(value: &Slice) -> Option<Slice> {
    (value[..] != [0]).then(|| value.clone())
}

fn just_before(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.millis().saturating_sub(1))
}
