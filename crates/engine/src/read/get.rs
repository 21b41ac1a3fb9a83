use super::{Consistency, Got};
use crate::capacity::read_units;
use crate::{Consumed, Engine, Error, Key, Side, Table};
use model::View;
use std::sync::Arc;
use store::{Snapshot, Space};

impl Engine {
    /// One item, as of the last acknowledged write.
    pub fn get(&self, table: &Table, key: &Key, consistency: Consistency) -> Result<Got, Error> {
        self.got(&self.store().snapshot(), table, key, consistency)
    }

    /// Several items as of one moment.
    pub fn get_many(&self, keys: &[(Arc<Table>, Key)], consistency: Consistency) -> Result<Vec<Got>, Error> {
        let snapshot = self.store().snapshot();
        keys.iter().map(|(table, key)| self.got(&snapshot, table, key, consistency)).collect()
    }

    fn got(
        &self,
        snapshot: &Snapshot,
        table: &Table,
        key: &Key,
        consistency: Consistency,
    ) -> Result<Got, Error> {
        let state = table.load();
        state.check_exists()?;
        let image = snapshot.get(Space::Items, &key.place.stored)?;
        let bytes =
            image.as_ref().map(|image| View::new(image)).transpose()?.map_or(0, |view| view.size_bytes());
        let consumed = Consumed { table: read_units(bytes, consistency), indexes: Vec::new() };
        self.take(table, &state, &consumed, Side::Read)?;
        Ok(Got { image, consumed })
    }
}
