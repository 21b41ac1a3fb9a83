//! A table as requests see it.

use crate::expiry::Expiry;
use crate::history::History;
use crate::index::{Index, IndexKind};
use crate::stream::{Routes, Stream, ViewType};
use crate::throttle::Meter;
use crate::{
    Billing, Encryption, Error, ErrorKind, Key, KeyPart, KeySchema, Reserve, Restore, Scope, TableClass,
};
use arc_swap::ArcSwap;
use model::{Item, View};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use world::Timestamp;

/// One incarnation of a table. What cannot change lies here, what can lies in its [`TableState`].
#[derive(Debug)]
pub struct Table {
    pub(crate) id: u64,
    pub(crate) uuid: String,
    pub(crate) scope: Scope,
    pub(crate) name: Arc<str>,
    pub(crate) key: KeySchema,
    /// The key attributes' names, sorted.
    pub(crate) key_names: Vec<Arc<str>>,
    pub(crate) created: Timestamp,
    pub(crate) meter: Meter,
    state: ArcSwap<TableState>,
    /// Held shared by a write from reading the state until it is queued, and alone by whoever changes what writes
    /// do: so every write before the change is queued before it, and every later one sees it.
    gate: RwLock<()>,
}

/// What may change about a table, at one moment.
#[derive(Clone, Debug)]
pub struct TableState {
    pub(crate) deleted: bool,
    pub(crate) attributes: Vec<KeyPart>,
    /// Local ones first.
    pub(crate) indexes: Vec<Arc<Index>>,
    pub(crate) billing: Billing,
    pub(crate) class: Option<TableClass>,
    pub(crate) deletion_protection: bool,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) reserve: Reserve,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) expiry: Option<Arc<Expiry>>,
    /// Where it was restored from, if it was.
    pub(crate) restore: Option<Restore>,
    /// Whether it is being filled from outside.
    pub(crate) importing: bool,
    /// That its changes are kept, if they are.
    pub(crate) history: Option<History>,
    /// The enabled stream, and which shard takes which partition.
    pub(crate) stream: Option<(Arc<Stream>, Routes)>,
    /// Label and view type of the latest stream, enabled or not.
    pub(crate) latest_stream: Option<(Arc<str>, ViewType)>,
}

impl Table {
    pub(crate) fn new(
        id: u64,
        uuid: String,
        scope: Scope,
        name: Arc<str>,
        key: KeySchema,
        created: Timestamp,
        state: TableState,
    ) -> Table {
        let mut key_names: Vec<Arc<str>> = key.parts().map(|part| part.name.clone()).collect();
        key_names.sort();
        let meter = Meter::default();
        let (state, gate) = (ArcSwap::from_pointee(state), RwLock::new(()));
        Table { id, uuid, scope, name, key, key_names, created, meter, state, gate }
    }

    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub fn arn(&self) -> String {
        let Scope { account, region } = &self.scope;
        format!("arn:aws:dynamodb:{region}:{account}:table/{}", self.name)
    }

    /// What clients know this incarnation by.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Unique among all incarnations of all tables.
    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn key_schema(&self) -> &KeySchema {
        &self.key
    }

    pub fn hash_name(&self) -> &str {
        &self.key.hash[0].name
    }

    pub fn range_name(&self) -> Option<&str> {
        self.key.range.first().map(|part| &*part.name)
    }

    /// The key that a request names: exactly the key attributes.
    pub fn key(&self, key: View<'_>) -> Result<Key, Error> {
        Key::of_request(self.id, &self.key, key)
    }

    /// The same, of a key that is given away.
    pub fn own_key(&self, key: Item) -> Result<Key, Error> {
        Key::of_own(self.id, &self.key, key)
    }

    /// The key of an item that is to be put.
    pub fn key_of(&self, item: View<'_>) -> Result<Key, Error> {
        Key::of_item(self.id, &self.key, item)
    }

    /// What may change, as it is now.
    pub fn state(&self) -> Arc<TableState> {
        self.state.load_full()
    }

    pub fn index(&self, name: &str) -> Result<Arc<Index>, Error> {
        let state = self.state.load();
        let found = state.indexes.iter().find(|index| *index.name == *name);
        found.cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::IndexNotFound,
                format!("The table does not have the specified index: {name}"),
            )
        })
    }

    pub(crate) fn key_names(&self) -> impl Iterator<Item = &str> {
        self.key_names.iter().map(|name| &**name)
    }

    pub(crate) fn load(&self) -> arc_swap::Guard<Arc<TableState>> {
        self.state.load()
    }

    pub(crate) fn enter(&self) -> RwLockReadGuard<'_, ()> {
        self.gate.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets nobody write. Hand the guard to [`Table::set`].
    pub(crate) fn shut(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state.
    pub(crate) fn set(&self, state: TableState, _shut: &RwLockWriteGuard<'_, ()>) {
        self.state.store(Arc::new(state));
    }
}

impl TableState {
    pub fn indexes(&self) -> &[Arc<Index>] {
        &self.indexes
    }

    /// Its time to live, if it has one.
    pub fn expiry(&self) -> Option<&Expiry> {
        self.expiry.as_deref()
    }

    /// Whether the table is no more.
    pub fn is_deleted(&self) -> bool {
        self.deleted
    }

    pub(crate) fn of_kind(&self, kind: IndexKind) -> impl Iterator<Item = &Arc<Index>> {
        self.indexes.iter().filter(move |index| index.kind == kind)
    }

    /// Whether the table is still being filled: until it is, nobody reads or writes it.
    pub fn is_filling(&self) -> bool {
        self.importing || self.restore.as_ref().is_some_and(|restore| restore.in_progress)
    }

    pub(crate) fn check_exists(&self) -> Result<(), Error> {
        if self.deleted || self.is_filling() {
            return Err(Error::new(ErrorKind::TableNotFound, "the table was deleted, or is not there yet"));
        }
        Ok(())
    }

    /// Refuses to change a table that is being filled.
    pub(crate) fn check_settled(&self, table: &Table) -> Result<(), Error> {
        match self.is_filling() {
            true => Err(Error::new(
                ErrorKind::TableInUse,
                format!(
                    "Attempt to change a resource which is still in use: Table is being created: {}",
                    table.name
                ),
            )),
            false => Ok(()),
        }
    }
}
