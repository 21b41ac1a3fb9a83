use crate::catalog::{Ddl, TableStatus};
use crate::layout::{self, Meta};
use crate::{Engine, Error, Scope, Table, TableDescription, TableState};
use store::Space;

impl Engine {
    /// Deletes a table. Its items go in the background, its streams when they have been kept for long enough.
    pub fn delete_table(&self, scope: &Scope, name: &str) -> Result<TableDescription, Error> {
        let mut ddl = self.lock();
        let table = self.table(scope, name)?;
        let mut description = self.describe_table(&table)?;
        description.status = TableStatus::Deleting;
        let before = table.state();
        if before.deletion_protection {
            return Err(Error::validation(
                "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
            ));
        }
        before.check_settled(&table)?;
        self.check_not_copied(table.id)?;
        self.check_not_recovered(table.id)?;
        self.remove_table(&mut ddl, &table)?;
        Ok(description)
    }

    /// Takes back a table that was made for an import.
    pub fn discard_import(&self, table: &Table) -> Result<(), Error> {
        let mut ddl = self.lock();
        match table.load().importing {
            true => self.remove_table(&mut ddl, table),
            false => Ok(()),
        }
    }

    fn remove_table(&self, ddl: &mut Ddl, table: &Table) -> Result<(), Error> {
        let before = table.state();
        let ids: Vec<u64> = before
            .indexes
            .iter()
            .map(|index| index.id)
            .chain(before.expiry.iter().map(|expiry| expiry.id))
            .chain([table.id])
            .collect();
        let ranges = ids.iter().map(|id| {
            let (from, to) = layout::whole(*id);
            (Space::Items, from, to)
        });
        let ranges = ranges.chain(before.history.iter().map(crate::history::whole));
        let trims = self.new_trims(ddl, ranges.collect());

        let shut = table.shut();
        let mut ended = None;
        let commit = self.change(|batch| {
            ddl.fill(batch);
            trims.fill(batch);
            batch.remove(Space::Meta, Meta::table(table.id));
            for id in &ids {
                batch.remove(Space::Meta, Meta::items(*id));
                batch.remove(Space::Meta, Meta::bytes(*id));
            }
            if let Some((stream, _)) = &before.stream {
                ended = Some((stream.clone(), self.end_stream(stream, batch)));
            }
        })?;
        table.set(
            TableState { deleted: true, stream: None, history: None, ..TableState::clone(&before) },
            &shut,
        );
        drop(shut);
        if let Some((stream, state)) = ended {
            stream.set(state);
        }
        self.publish(|tables| {
            if let Some(tables) = tables.get_mut(&table.scope) {
                tables.remove(&table.name);
            }
        });
        commit.wait()?;
        self.start_trims(trims);
        Ok(())
    }
}
