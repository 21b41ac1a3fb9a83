//! Backups of tables: the items as one snapshot had them, copied inside the store in small pieces, and copied back.
//!
//! A backup has an id of its own, under which its items lie as those of a table do. What is being copied when the process
//! ends is lost: the moment it was to keep has passed. What is being restored begins again.

mod copy;
mod record;
mod restore;

pub(crate) use copy::{Copy, unfinished};
pub(crate) use record::BackupRecord;
pub(crate) use restore::Filling;

use crate::catalog::stored;
use crate::layout::{self, Meta};
use crate::stream::ViewType;
use crate::{
    Billing, Encryption, Engine, Error, ErrorKind, IndexSpec, KeyPart, KeySchema, Reserve, Scope, Table,
    TableState,
};
use std::sync::Arc;
use store::{Order, Slice, Snapshot, Space};
use world::Timestamp;

/// What is copied in one update, at most, but for the last item.
const CHUNK_ITEMS: usize = 128;
const CHUNK_BYTES: usize = 1 << 20;

/// A backup of a table.
#[derive(Clone, Debug)]
pub struct Backup {
    pub(crate) id: u64,
    pub arn: String,
    pub name: String,
    pub created: Timestamp,
    pub status: BackupStatus,
    pub items: u64,
    pub bytes: u64,
    pub source: BackupSource,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackupStatus {
    Creating,
    Available,
}

/// The table as it was.
#[derive(Clone, Debug)]
pub struct BackupSource {
    pub(crate) table_id: u64,
    pub scope: Scope,
    pub name: Arc<str>,
    /// A UUID.
    pub id: String,
    pub created: Timestamp,
    pub key: KeySchema,
    pub attributes: Vec<KeyPart>,
    pub local: Vec<IndexSpec>,
    pub global: Vec<IndexSpec>,
    pub billing: Billing,
    pub reserve: Reserve,
    pub stream: Option<ViewType>,
    pub encryption: Option<Encryption>,
}

/// Where a restored table comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    pub(crate) backup: u64,
    pub backup_arn: String,
    pub table_arn: String,
    pub at: Timestamp,
    pub in_progress: bool,
    /// Of a table that is brought back to a moment: that moment. There is no backup then, and `backup` is the source's id.
    pub until: Option<Timestamp>,
}

impl BackupSource {
    pub fn arn(&self) -> String {
        let Scope { account, region } = &self.scope;
        format!("arn:aws:dynamodb:{region}:{account}:table/{}", self.name)
    }
}

impl Engine {
    /// All backups of a scope, oldest first.
    pub fn backups(&self, scope: &Scope) -> Result<Vec<Backup>, Error> {
        let mut found = all(&self.store().snapshot())?;
        found.retain(|backup| backup.source.scope == *scope);
        Ok(found)
    }

    pub fn backup(&self, scope: &Scope, arn: &str) -> Result<Backup, Error> {
        let found = self.backups(scope)?.into_iter().find(|backup| backup.arn == arn);
        found.ok_or_else(|| Error::new(ErrorKind::BackupNotFound, format!("Backup not found: {arn}")))
    }

    /// Deletes a backup that nothing is being copied to or from.
    pub fn delete_backup(&self, scope: &Scope, arn: &str) -> Result<Backup, Error> {
        let mut ddl = self.lock();
        let backup = self.backup(scope, arn)?;
        let restoring = self.all_tables().iter().any(|table| {
            table.load().restore.as_ref().is_some_and(|from| from.in_progress && from.backup == backup.id)
        });
        if restoring || backup.status == BackupStatus::Creating {
            return Err(in_use());
        }
        let (from, to) = layout::whole(backup.id);
        let trims = self.new_trims(&mut ddl, vec![(Space::Items, from, to)]);
        let commit = self.change(|batch| {
            ddl.fill(batch);
            trims.fill(batch);
            batch.remove(Space::Meta, Meta::backup(backup.id));
        })?;
        commit.wait()?;
        self.start_trims(trims);
        Ok(backup)
    }

    /// Refuses while a backup of the table is being made.
    pub(crate) fn check_not_copied(&self, table: u64) -> Result<(), Error> {
        let backups = all(&self.store().snapshot())?;
        let is_copied =
            |backup: &Backup| backup.source.table_id == table && backup.status == BackupStatus::Creating;
        match backups.iter().any(is_copied) {
            true => Err(Error::new(
                ErrorKind::TableInUse,
                "Attempt to change a resource which is still in use: a backup of the table is being created",
            )),
            false => Ok(()),
        }
    }
}

/// What a table is made of that is restored from this one.
pub(crate) fn source_of(table: &Table, state: &TableState) -> Result<BackupSource, Error> {
    let record = BackupRecord {
        id: 0,
        arn: String::new(),
        name: String::new(),
        created_ms: 0,
        available: true,
        items: 0,
        bytes: 0,
        table: stored::table_record(table, state),
    };
    Ok(record.read()?.source)
}

pub(crate) fn in_use() -> Error {
    Error::new(
        ErrorKind::BackupInUse,
        "There is another ongoing conflicting backup control plane operation on the table. The backup is either being created, deleted or restored to a table.",
    )
}

/// Every backup, in the order in which they were made.
pub(crate) fn all(snapshot: &Snapshot) -> Result<Vec<Backup>, Error> {
    let end = layout::behind(Meta::BACKUPS.to_vec());
    let rows = snapshot.range(Space::Meta, Meta::BACKUPS, &end, Order::Forward);
    rows.map(|row| stored::decode::<BackupRecord>(&row?.1)?.read()).collect()
}

/// The next items of a range, few enough to be copied at once; none at the end.
pub(crate) fn chunk(
    rows: &mut impl Iterator<Item = Result<(Slice, Slice), store::Error>>,
) -> Result<Vec<(Slice, Slice)>, Error> {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    while chunk.len() < CHUNK_ITEMS && bytes < CHUNK_BYTES {
        let Some(row) = rows.next() else { break };
        let (key, value) = row?;
        bytes += key.len() + value.len();
        chunk.push((key, value));
    }
    Ok(chunk)
}

/// The same place under another id.
pub(crate) fn moved(key: &[u8], id: u64) -> Vec<u8> {
    [&id.to_be_bytes()[..], &key[8..]].concat()
}
