use crate::stream::ViewType;
use crate::{
    Billing, Encryption, KeyPart, KeySchema, ProjectionKind, Reserve, Restore, TableClass, Throughput,
};
use std::sync::Arc;
use world::Timestamp;

#[derive(Clone, Debug, PartialEq)]
pub struct TableDescription {
    pub name: Arc<str>,
    /// A UUID.
    pub id: String,
    pub arn: String,
    pub status: TableStatus,
    pub created: Timestamp,
    pub key: KeySchema,
    pub attributes: Vec<KeyPart>,
    pub billing: Billing,
    pub items: u64,
    pub bytes: u64,
    pub local: Vec<IndexDescription>,
    pub global: Vec<IndexDescription>,
    /// The latest stream, enabled or not; `None` when there never was one.
    pub stream: Option<StreamDescription>,
    pub class: Option<TableClass>,
    pub deletion_protection: bool,
    pub encryption: Option<Encryption>,
    pub reserve: Reserve,
    pub restore: Option<Restore>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableStatus {
    Creating,
    Updating,
    Active,
    Deleting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexStatus {
    Creating,
    Active,
    Deleting,
    Updating,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IndexDescription {
    pub name: Arc<str>,
    pub arn: String,
    pub key: KeySchema,
    pub projection: ProjectionKind,
    pub status: IndexStatus,
    pub backfilling: bool,
    pub items: u64,
    pub bytes: u64,
    pub throughput: Option<Throughput>,
    pub reserve: Reserve,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StreamDescription {
    pub enabled: bool,
    pub view: ViewType,
    pub label: String,
    pub arn: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableNames {
    pub names: Vec<Arc<str>>,
    /// The last name, if more follow.
    pub last: Option<Arc<str>>,
}
