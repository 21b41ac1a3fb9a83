//! What a table is to be: the catalog's input.

use crate::stream::ViewType;
use model::key::KeyType;
use std::sync::Arc;
use world::Timestamp;

/// A key attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    pub name: Arc<str>,
    pub kind: KeyType,
}

/// The key attributes of a table (one hash key, at most one range key) or of an index (global ones: up to four each).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySchema {
    pub hash: Vec<KeyPart>,
    pub range: Vec<KeyPart>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TableSpec {
    pub name: Arc<str>,
    pub key: KeySchema,
    /// Attribute definitions in the order in which descriptions list them; all key attributes must be among them.
    pub attributes: Vec<KeyPart>,
    pub local: Vec<IndexSpec>,
    pub global: Vec<IndexSpec>,
    pub billing: Billing,
    pub stream: Option<ViewType>,
    pub class: Option<TableClass>,
    pub deletion_protection: bool,
    pub encryption: Option<Encryption>,
    pub reserve: Reserve,
    pub tags: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IndexSpec {
    pub name: Arc<str>,
    pub key: KeySchema,
    pub projection: ProjectionKind,
    /// Of a global index of a provisioned table.
    pub throughput: Option<Throughput>,
    pub reserve: Reserve,
}

/// Which attributes an index holds besides keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectionKind {
    All,
    KeysOnly,
    Include(Vec<Arc<str>>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Throughput {
    pub read_units: u64,
    pub write_units: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    /// `since`: when the table became so; set by the engine.
    OnDemand {
        since: Option<Timestamp>,
    },
    Provisioned(Throughput),
}

/// What a table or index may take at most, and what it was warmed up for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserve {
    pub on_demand: Option<OnDemandLimits>,
    /// Units a second, when it was ever asked to be ready for more than it is by itself.
    pub warm: Option<Throughput>,
}

/// Most units a second while billed on demand; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnDemandLimits {
    pub read_units_max: Option<u64>,
    pub write_units_max: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableClass {
    Standard,
    InfrequentAccess,
}

/// What a description says of encryption at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encryption {
    pub kms_key_arn: Option<String>,
}

/// What is to change; `None` and empty leave things as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableChange {
    pub billing: Option<Billing>,
    pub stream: Option<StreamChange>,
    pub class: Option<TableClass>,
    pub deletion_protection: Option<bool>,
    pub encryption: Option<Option<Encryption>>,
    pub reserve: Option<Reserve>,
    pub indexes: Vec<IndexChange>,
    /// Definitions of the key attributes of new indexes.
    pub attributes: Vec<KeyPart>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamChange {
    Enable(ViewType),
    Disable,
}

#[derive(Clone, Debug, PartialEq)]
pub enum IndexChange {
    Create(IndexSpec),
    Delete(Arc<str>),
    Capacity(Arc<str>, IndexCapacity),
}

/// What an index is given, in place of what it had.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IndexCapacity {
    pub throughput: Option<Throughput>,
    pub reserve: Reserve,
}

impl KeySchema {
    pub fn simple(hash: KeyPart, range: Option<KeyPart>) -> KeySchema {
        KeySchema { hash: vec![hash], range: range.into_iter().collect() }
    }

    /// Hash keys, then range keys.
    pub fn parts(&self) -> impl Iterator<Item = &KeyPart> {
        self.hash.iter().chain(&self.range)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.parts().any(|part| &*part.name == name)
    }
}

impl KeyPart {
    pub fn new(name: &str, kind: KeyType) -> KeyPart {
        KeyPart { name: name.into(), kind }
    }
}
