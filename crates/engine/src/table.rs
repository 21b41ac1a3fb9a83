//! A table as requests see it.

use crate::{Error, Key, KeySchema, ProjectionKind, Scope};
use model::View;
use std::sync::Arc;

/// One incarnation of a table. What cannot change lies here, what can lies in its [`TableState`].
#[derive(Debug)]
pub struct Table {
    id: u64,
    scope: Scope,
    name: Arc<str>,
    key: KeySchema,
}

/// What may change about a table, at one moment.
#[derive(Debug)]
pub struct TableState {
    pub(crate) indexes: Vec<Arc<Index>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    Local,
    Global,
}

#[derive(Debug)]
pub struct Index {
    pub(crate) name: Arc<str>,
    pub(crate) kind: IndexKind,
    pub(crate) key: KeySchema,
    pub(crate) projection: ProjectionKind,
}

impl Table {
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub fn arn(&self) -> String {
        unimplemented!()
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

    /// The key of a request: exactly the key attributes.
    pub fn key(&self, _key: View<'_>) -> Result<Key, Error> {
        unimplemented!()
    }

    pub fn state(&self) -> Arc<TableState> {
        unimplemented!()
    }

    pub fn index(&self, _name: &str) -> Result<Arc<Index>, Error> {
        unimplemented!()
    }
}

impl TableState {
    pub fn indexes(&self) -> &[Arc<Index>] {
        &self.indexes
    }
}

impl Index {
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
}
