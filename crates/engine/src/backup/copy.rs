//! From a table to a backup.

use super::{Backup, BackupRecord, BackupStatus, all, chunk, in_use, moved};
use crate::catalog::stored;
use crate::layout::{self, Meta};
use crate::{Engine, Error, ErrorKind, Scope};
use model::View;
use store::{Order, Snapshot, Space};

/// A backup whose items are to be copied.
#[derive(Debug)]
pub(crate) struct Copy {
    backup: u64,
    table: u64,
    snapshot: Snapshot,
}

impl Engine {
    /// Begins a backup of the table as it is now. The items are copied in the background, while writes go on.
    pub fn create_backup(&self, scope: &Scope, table: &str, name: &str) -> Result<Backup, Error> {
        let mut ddl = self.lock();
        let table = self.table(scope, table)?;
        let state = table.state();
        if state.is_filling() {
            return Err(Error::new(
                ErrorKind::TableInUse,
                format!(
                    "Attempt to change a resource which is still in use: Table is being created: {}",
                    table.name
                ),
            ));
        }
        if self.check_not_copied(table.id).is_err() {
            return Err(in_use());
        }
        let (id, now) = (ddl.fresh_place(Some(table.id)), self.world().now());
        let arn = format!("{}/backup/{:014}-{}", table.arn(), now.millis(), self.world().hex(8));
        let begin = |items, bytes| BackupRecord {
            id,
            arn: arn.clone(),
            name: name.to_owned(),
            created_ms: now.millis(),
            available: false,
            items,
            bytes,
            table: stored::table_record(&table, &state),
        };
        // Noted first: whoever wants to delete the table from here on is told to wait.
        let commit = self.change(|batch| {
            ddl.fill(batch);
            batch.put(Space::Meta, Meta::backup(id), stored::encode(&begin(0, 0)));
        })?;
        commit.wait()?;
        let snapshot = self.store().snapshot();
        let count = |key| Ok::<_, Error>(u64::try_from(snapshot.counter(key)?).unwrap_or(0));
        let backup = begin(count(&Meta::items(table.id))?, count(&Meta::bytes(table.id))?).read()?;
        self.steward().copies_waiting().push(Copy { backup: id, table: table.id, snapshot });
        self.steward().poke();
        Ok(backup)
    }

    /// Makes the backups and restores the tables that wait for it. `go_on` may stop it.
    pub(crate) fn run_copies(&self, go_on: impl Fn() -> bool) -> Result<(), Error> {
        loop {
            let copy = self.steward().copies_waiting().pop();
            let filling = self.steward().fillings_waiting().pop();
            if copy.is_none() && filling.is_none() {
                return Ok(());
            }
            if let Some(copy) = copy {
                copy.run(self, &go_on)?;
            }
            if let Some(filling) = filling {
                filling.run(self, &go_on)?;
            }
            if !go_on() {
                return Ok(());
            }
        }
    }
}

impl Copy {
    fn run(self, engine: &Engine, go_on: &impl Fn() -> bool) -> Result<(), Error> {
        let (from, to) = layout::whole(self.table);
        let mut rows = self.snapshot.range(Space::Items, &from, &to, Order::Forward);
        let (mut items, mut bytes) = (0, 0);
        loop {
            let chunk = chunk(&mut rows)?;
            if chunk.is_empty() {
                break;
            }
            if !go_on() {
                return Ok(());
            }
            for (_, image) in &chunk {
                items += 1;
                bytes += View::new(image)?.size_bytes() as u64;
            }
            let commit = engine.change(|batch| {
                for (key, image) in &chunk {
                    batch.put(Space::Items, moved(key, self.backup), image);
                }
            })?;
            // One chunk is on its way at a time: writers come first.
            commit.wait()?;
        }
        let _ddl = engine.lock();
        let key = Meta::backup(self.backup);
        let record = engine.store().snapshot().get(Space::Meta, &key)?;
        let record = record.ok_or_else(|| stored::damaged("a backup"))?;
        let record = BackupRecord { available: true, items, bytes, ..stored::decode(&record)? };
        engine.change(|batch| batch.put(Space::Meta, key.clone(), stored::encode(&record)))?.wait()?;
        Ok(())
    }
}

/// The ids of backups that a process left unfinished.
pub(crate) fn unfinished(snapshot: &Snapshot) -> Result<Vec<u64>, Error> {
    let creating = |backup: &Backup| backup.status == BackupStatus::Creating;
    Ok(all(snapshot)?.iter().filter(|backup| creating(backup)).map(|backup| backup.id).collect())
}
