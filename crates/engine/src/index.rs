//! Secondary indexes: which entry an item has in one.

use crate::partition::service_hash;
use crate::{Error, KeyPart, KeySchema, ProjectionKind, Reserve, Throughput, key, layout};
use model::expression::{Bound, Update};
use model::{CorruptImage, ValueView, View};
use std::sync::Arc;
use store::Slice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    Local,
    Global,
}

/// A secondary index. Its data has an id of its own, so that one that is deleted and made again begins empty.
#[derive(Clone, Debug)]
pub struct Index {
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
    pub(crate) kind: IndexKind,
    pub(crate) key: KeySchema,
    pub(crate) projection: ProjectionKind,
    pub(crate) throughput: Option<Throughput>,
    pub(crate) reserve: Reserve,
    /// Not all items have their entries yet: it is written, not read.
    pub(crate) backfilling: bool,
    /// The names of its table's key.
    pub(crate) own: Box<[Arc<str>]>,
    /// What it holds besides everything: sorted names. `None` is everything.
    pub(crate) held: Option<Vec<Arc<str>>>,
}

/// An item's entry in an index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub stored: Vec<u8>,
    /// The projected image.
    pub value: Slice,
    pub size_bytes: usize,
}

/// An attribute that keeps an item from being indexed by its value.
#[derive(Debug)]
pub(crate) enum Misfit<'a> {
    Type(&'a KeyPart, model::Type),
    Empty(&'a KeyPart, model::Type),
}

impl Index {
    pub(crate) fn new(
        id: u64,
        kind: IndexKind,
        spec: crate::IndexSpec,
        table: &KeySchema,
        backfilling: bool,
    ) -> Index {
        let named: &[Arc<str>] = match &spec.projection {
            ProjectionKind::Include(names) => names,
            _ => &[],
        };
        let held = (spec.projection != ProjectionKind::All).then(|| {
            let keys = table.parts().chain(spec.key.parts()).map(|part| &part.name);
            let mut held: Vec<Arc<str>> = keys.chain(named).cloned().collect();
            held.sort();
            held.dedup();
            held
        });
        let own = table.parts().map(|part| part.name.clone()).collect();
        let crate::IndexSpec { name, key, projection, throughput, reserve } = spec;
        Index { own, id, name, kind, key, projection, throughput, reserve, backfilling, held }
    }

    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn kind(&self) -> IndexKind {
        self.kind
    }

    pub fn key_schema(&self) -> &KeySchema {
        &self.key
    }

    pub fn projection(&self) -> &ProjectionKind {
        &self.projection
    }

    /// Whether its entries have this attribute of their items.
    pub fn holds(&self, name: &str) -> bool {
        self.held.as_ref().is_none_or(|held| held.binary_search_by(|held| (**held).cmp(name)).is_ok())
    }

    /// Whether its entries are the whole items.
    pub(crate) fn holds_all(&self) -> bool {
        self.held.is_none()
    }

    /// The first key attribute that is there but cannot be a key.
    pub(crate) fn misfit(&self, item: View<'_>) -> Result<Option<Misfit<'_>>, CorruptImage> {
        for part in self.key.parts() {
            let Some(value) = item.get(&part.name)? else { continue };
            if layout::is_empty(value) {
                return Ok(Some(Misfit::Empty(part, value.kind())));
            }
            if !matches!(
                (part.kind, value),
                (model::key::KeyType::S, ValueView::S(_))
                    | (model::key::KeyType::N, ValueView::N(_))
                    | (model::key::KeyType::B, ValueView::B(_))
            ) {
                return Ok(Some(Misfit::Type(part, value.kind())));
            }
        }
        Ok(None)
    }

    /// The key of an item's entry; `None` if it has none because a key attribute is missing or no key.
    /// `own` are the bytes of the item's own key, without its head.
    pub(crate) fn place(&self, item: View<'_>, own: &[u8]) -> Result<Option<Vec<u8>>, CorruptImage> {
        // A value that was there before the index may be longer than keys are.
        if item.size_bytes() > key::RANGE_BYTES_MAX && key::check_lengths(&self.key, item).is_err() {
            return Ok(None);
        }
        let append = |parts: &[KeyPart], out: &mut Vec<u8>| -> Result<bool, CorruptImage> {
            for part in parts {
                let Some(value) = item.get(&part.name)? else { return Ok(false) };
                if layout::is_empty(value) || layout::part(part.kind, value, out).is_err() {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let mut hash = Vec::with_capacity(32);
        if !append(&self.key.hash, &mut hash)? {
            return Ok(None);
        }
        let mut stored = Vec::with_capacity(layout::HEAD_LEN + hash.len() + 32 + layout::TIE_LEN + own.len());
        let values = |part: &KeyPart| item.get(&part.name).ok().flatten();
        layout::head(self.id, &hash, self.key.hash.iter().filter_map(values), &mut stored);
        if !append(&self.key.range, &mut stored)? {
            return Ok(None);
        }
        if layout::is_marked(self.id) {
            let values = self.own.iter().filter_map(|name| item.get(name).ok().flatten());
            stored.extend_from_slice(&service_hash(values).to_be_bytes());
        }
        stored.extend_from_slice(own);
        Ok(Some(stored))
    }

    /// An item's entry. `image` is the item's image, shared by indexes that hold all of it.
    pub(crate) fn entry(&self, image: &Slice, own: &[u8]) -> Result<Option<Entry>, CorruptImage> {
        let item = View::new(image)?;
        let Some(stored) = self.place(item, own)? else { return Ok(None) };
        let value = match &self.held {
            None => image.clone(),
            Some(held) => {
                let mut value = Vec::with_capacity(64);
                key::subset(item, held.iter().map(|name| &**name), &mut value)?;
                Slice::from(value)
            }
        };
        let size_bytes = View::new(&value)?.size_bytes();
        Ok(Some(Entry { stored, value, size_bytes }))
    }
}

impl Misfit<'_> {
    /// Why an item may not be put.
    pub(crate) fn refuse_put(&self, index: &Index) -> Error {
        match self {
            Misfit::Type(part, found) => Error::parameter(format_args!(
                "Type mismatch for Index Key {} Expected: {} Actual: {found} IndexName: {}",
                part.name, part.kind, index.name
            )),
            Misfit::Empty(part, found) => Error::validation(format!(
                "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty {} value. IndexName: {}, IndexKey: {}",
                spoken(*found),
                index.name,
                part.name
            )),
        }
    }

    /// Why an item may not be updated so.
    pub(crate) fn refuse_update(&self) -> Error {
        match self {
            Misfit::Type(..) => Error::validation(
                "The update expression attempted to update the secondary index key to unsupported type",
            ),
            Misfit::Empty(_, found) => Error::validation(format!(
                "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty {} value.",
                spoken(*found)
            )),
        }
    }

    /// Whether the request alone shows the wrong type: then it is told as that of an item. [suite: dynalite]
    pub(crate) fn is_told_by(&self, update: Option<&Bound<Update>>) -> bool {
        match self {
            Misfit::Type(part, found) => {
                update.and_then(|update| update.given_type(&part.name)) == Some(*found)
            }
            Misfit::Empty(..) => false,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Misfit::Type(part, _) | Misfit::Empty(part, _) => &part.name,
        }
    }
}

fn spoken(kind: model::Type) -> &'static str {
    match kind {
        model::Type::B => "binary",
        _ => "string",
    }
}
