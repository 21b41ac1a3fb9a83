//! A backup as it lies in the store.

use super::{Backup, BackupSource, BackupStatus};
use crate::catalog::stored::{self, TableRecord};
use crate::{Error, Scope};
use serde::{Deserialize, Serialize};
use world::Timestamp;

#[derive(Serialize, Deserialize)]
pub(crate) struct BackupRecord {
    pub id: u64,
    pub arn: String,
    pub name: String,
    pub created_ms: u64,
    /// Whether all items are there.
    pub available: bool,
    pub items: u64,
    pub bytes: u64,
    pub table: TableRecord,
}

impl BackupRecord {
    pub fn read(self) -> Result<Backup, Error> {
        let BackupRecord { id, arn, name, created_ms, available, items, bytes, table } = self;
        let (mut local, mut global) = (Vec::new(), Vec::new());
        for index in table.indexes {
            let indexes = if index.local { &mut local } else { &mut global };
            indexes.push(index.spec()?);
        }
        let stream = table.latest_stream.filter(|_| table.stream.is_some());
        let source = BackupSource {
            table_id: table.id,
            scope: Scope::new(&table.account, &table.region),
            name: table.name.into(),
            id: table.uuid,
            created: Timestamp::from_millis(table.created_ms),
            key: table.key.read()?,
            attributes: stored::read_parts(table.attributes)?,
            local,
            global,
            billing: table.billing.read(),
            reserve: table.reserve.read(),
            stream: stream.map(|(_, view)| stored::read_view(&view)).transpose()?,
            encryption: table.encryption.map(|encryption| encryption.read()),
        };
        let status = if available { BackupStatus::Available } else { BackupStatus::Creating };
        let created = Timestamp::from_millis(created_ms);
        Ok(Backup { id, arn, name, created, status, items, bytes, source })
    }
}
