//! One group into the database, inside a transaction.

use super::fold::{Final, Group, Made};
use super::lane::Connected;
use super::look::name_of;
use super::schema::{GONE, QUARANTINE, SEEN};
use crate::Error;
use crate::join::Origin;
use crate::mapping::{ItemName, Mapping, compare_cells, typed};
use sql::{Cell, Cells, Connection, Dialect, Kind as SqlKind, OnConflict, Upsert, Value};
use std::borrow::Cow;
use std::collections::HashSet;
use world::Timestamp;

/// Most parameters of one statement.
const NAMES_MAX: usize = 500;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// As if nobody had written a row yet: it fails where somebody has.
    Fresh,
    Bulk,
    /// Row by row, each undone alone: the database refused something of the bulk.
    Single,
}

impl Connected {
    pub(super) fn apply(
        &mut self,
        mapping: &Mapping,
        group: &mut Group<'_>,
        care: Care,
    ) -> Result<(), Error> {
        let on_conflict = match group.origin {
            Origin::Snapshot => {
                self.keep_missing(mapping, group)?;
                match care {
                    _ if self.shared.recopy => OnConflict::Replace,
                    Care::Fresh => OnConflict::Refuse,
                    Care::Bulk | Care::Single => OnConflict::Keep,
                }
            }
            Origin::Stream => OnConflict::Replace,
        };
        self.delete(mapping, group)?;
        let columns = mapping.names();
        let (places, rows) = take_rows(mapping, group);
        let upsert =
            Upsert { table: &mapping.table, columns: &columns, key: &mapping.key, rows: &rows, on_conflict };
        match care {
            Care::Fresh | Care::Bulk => drop(self.connection.upsert(&upsert)?),
            Care::Single => self.one_by_one(mapping, upsert, &places, group)?,
        }
        if self.shared.recopy && group.remember {
            let good = |place: usize| group.items[place].quarantine.is_none();
            let written = places.iter().zip(&rows).filter(|(place, _)| good(**place));
            let names = written.map(|(_, row)| name_of(mapping, &mapping.key_of(row)));
            self.list(SEEN, "place", &names.collect::<Vec<_>>())?;
        }
        self.soften(mapping, group)?;
        self.remember(group)?;
        self.quarantine(group)
    }

    /// What the snapshot brings counts where neither a record nor this copy has brought anything.
    fn keep_missing(&mut self, mapping: &Mapping, group: &mut Group<'_>) -> Result<(), Error> {
        if !self.gone.is_empty() {
            let unknown = group.items.iter().map(Final::name).filter(|name| self.gone.has(*name).is_none());
            let asked: Vec<String> = unknown.map(|name| name.to_string()).collect();
            let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
            let gone = listed(&mut self.connection, GONE, "item", &self.shared.pipeline, &asked)?;
            let is_gone =
                |name: ItemName| self.gone.has(name).unwrap_or_else(|| gone.contains(&name.to_string()));
            group.items.retain(|item| !is_gone(item.name()));
        }
        if self.shared.recopy {
            let place = |item: &Final<'_>| Some(name_of(mapping, &mapping.key_of(item.row.as_ref()?)));
            let places: Vec<String> = group.items.iter().filter_map(place).collect();
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            let seen = listed(&mut self.connection, SEEN, "place", &self.shared.pipeline, &places)?;
            group.items.retain(|item| place(item).is_none_or(|place| !seen.contains(&place)));
        }
        Ok(())
    }

    pub(super) fn is_gone(&mut self, name: &str) -> Result<bool, Error> {
        match ItemName::parse(name).and_then(|name| self.gone.has(name)) {
            Some(is_gone) => Ok(is_gone),
            None => {
                Ok(!listed(&mut self.connection, GONE, "item", &self.shared.pipeline, &[name])?.is_empty())
            }
        }
    }

    /// What the snapshot must not bring back.
    pub(super) fn note_gone(&mut self, names: &[ItemName]) -> Result<(), Error> {
        let texts: Vec<String> = names.iter().map(ItemName::to_string).collect();
        self.list(GONE, "item", &texts)?;
        self.gone.add(names);
        Ok(())
    }

    /// Writes names down in a list of the pipeline's.
    pub(super) fn list(&mut self, table: &str, column: &str, names: &[String]) -> Result<(), Error> {
        let own = || Value::from(self.shared.pipeline.as_str());
        let rows: Vec<Vec<Value>> = names.iter().map(|name| vec![own(), name.as_str().into()]).collect();
        self.connection.upsert(&Upsert {
            table,
            columns: &["pipeline", column].map(str::to_owned),
            key: &["pipeline", column].map(str::to_owned),
            rows: &rows,
            on_conflict: OnConflict::Keep,
        })?;
        Ok(())
    }

    fn delete(&mut self, mapping: &Mapping, group: &Group<'_>) -> Result<(), Error> {
        let keys: Vec<Vec<Value>> =
            group.items.iter().flat_map(|item| item.deleted.iter().cloned()).collect();
        self.connection.delete(&mapping.table, &mapping.key, &keys)?;
        Ok(())
    }

    /// Marks rows as deleted.
    fn soften(&mut self, mapping: &Mapping, group: &Group<'_>) -> Result<(), Error> {
        for item in &group.items {
            for (key, seconds) in &item.softened {
                let sql = soften(self.connection.dialect(), mapping, *seconds);
                self.connection.execute(&sql, key)?;
            }
        }
        Ok(())
    }

    fn one_by_one(
        &mut self,
        mapping: &Mapping,
        upsert: Upsert<'_, Made<'_>>,
        places: &[usize],
        group: &mut Group<'_>,
    ) -> Result<(), Error> {
        for (place, row) in places.iter().zip(upsert.rows) {
            self.connection.execute("SAVEPOINT one_row", &[])?;
            match self.connection.upsert(&Upsert { rows: std::slice::from_ref(row), ..upsert }) {
                Ok(_) => drop(self.connection.execute("RELEASE SAVEPOINT one_row", &[])?),
                Err(error) if matches!(error.kind, SqlKind::Data | SqlKind::Constraint) => {
                    self.connection.execute("ROLLBACK TO SAVEPOINT one_row", &[])?;
                    let item = &mut group.items[*place];
                    item.quarantine = Some(error.to_string());
                    item.image.get_or_insert_with(|| Cow::Owned(mapping.item_again(row)));
                    if group.origin == Origin::Stream {
                        // What is in quarantine has no row, not even an old one.
                        let at = |key: &String| upsert.columns.iter().position(|column| column == key);
                        let key =
                            upsert.key.iter().filter_map(at).map(|at| row.cell(at).to_value()).collect();
                        self.connection.delete(upsert.table, upsert.key, &[key])?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Deletions that rows of the snapshot must not undo.
    fn remember(&mut self, group: &Group<'_>) -> Result<(), Error> {
        if !group.remember || group.origin == Origin::Snapshot {
            return Ok(());
        }
        let gone = group.items.iter().filter(|item| item.gone || item.quarantine.is_some());
        let names: Vec<ItemName> = gone.map(Final::name).collect();
        self.note_gone(&names)
    }

    /// Writes down what has no row and why, and takes back what has one again.
    pub(super) fn quarantine(&mut self, group: &Group<'_>) -> Result<(), Error> {
        let now_ms = (self.shared.now_ms)();
        let mut rows = Vec::new();
        let mut settled = Vec::new();
        let is_any_in = !self.quarantined.is_empty() || !self.entered.is_empty();
        for item in group.items.iter().filter(|item| is_any_in || item.quarantine.is_some()) {
            let name = item.name();
            match &item.quarantine {
                Some(reason) => {
                    rows.push(self.quarantine_row(name, item, reason, now_ms));
                    self.entered.insert(name);
                }
                None if group.origin == Origin::Stream
                    && (self.quarantined.contains(&name) || self.entered.contains(&name)) =>
                {
                    settled.push(vec![self.shared.pipeline.as_str().into(), name.to_string().into()]);
                    self.left.insert(name);
                }
                None => {}
            }
        }
        self.connection.upsert(&Upsert {
            table: QUARANTINE,
            columns: &["pipeline", "item", "item_key", "image", "reason", "at_ms"].map(str::to_owned),
            key: &["pipeline", "item"].map(str::to_owned),
            rows: &rows,
            on_conflict: if group.origin == Origin::Stream { OnConflict::Replace } else { OnConflict::Keep },
        })?;
        self.connection.delete(QUARANTINE, &["pipeline", "item"].map(str::to_owned), &settled)?;
        Ok(())
    }

    fn quarantine_row(&self, name: ItemName, item: &Final<'_>, reason: &str, now_ms: u64) -> Vec<Value> {
        // PostgreSQL takes no NUL, and the reason may quote one.
        vec![
            self.shared.pipeline.as_str().into(),
            name.to_string().into(),
            typed(&self.shared.schema.key_of(&item.keys())).as_str().into(),
            item.image.as_deref().map_or(Value::Null, |image| typed(image).as_str().into()),
            reason.replace('\0', "\u{fffd}").as_str().into(),
            (now_ms as i64).into(),
        ]
    }
}

/// The statement that marks a row as deleted; it takes the key.
pub fn soften(dialect: Dialect, mapping: &Mapping, seconds: u64) -> String {
    let tests: Vec<String> = mapping
        .key
        .iter()
        .enumerate()
        .map(|(at, name)| format!("{} = {}", dialect.quoted(name), dialect.parameter(at + 1)))
        .collect();
    format!(
        "UPDATE {} SET {} = {} WHERE {}",
        dialect.quoted(&mapping.table),
        dialect.quoted(&mapping.deleted_at),
        dialect.literal(&format!("{}Z", Timestamp::from_seconds(seconds).iso_seconds())),
        tests.join(" AND ")
    )
}

/// The rows of a group with the places of their items, in the order of the table's key: neighbours share pages.
fn take_rows<'w>(mapping: &Mapping, group: &mut Group<'w>) -> (Vec<usize>, Vec<Made<'w>>) {
    let made = group.items.iter_mut().enumerate().filter_map(|(place, item)| Some((place, item.row.take()?)));
    let rows: Vec<(usize, Made<'w>)> = made.collect();
    // A row lies in memory that another thread wrote: it is asked once for what is compared many times.
    let keys: Vec<Cell<'_>> = rows.iter().map(|(_, row)| mapping.first_key(row)).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|one, two| {
        let others = || mapping.compare_keys(&rows[*one].1, &rows[*two].1);
        compare_cells(keys[*one], keys[*two]).then_with(others)
    });
    let mut rows: Vec<Option<(usize, Made<'w>)>> = rows.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| rows[at].take()).unzip()
}

/// Which of these names are in a list of the pipeline's.
pub fn listed(
    connection: &mut Connection,
    table: &str,
    column: &str,
    pipeline: &str,
    names: &[&str],
) -> Result<HashSet<String>, Error> {
    let dialect = connection.dialect();
    let mut all = HashSet::new();
    for names in names.chunks(NAMES_MAX) {
        let places: Vec<String> = (0..names.len()).map(|at| dialect.parameter(at + 2)).collect();
        let sql = format!(
            "SELECT {column} FROM {table} WHERE pipeline = {} AND {column} IN ({})",
            dialect.parameter(1),
            places.join(", ")
        );
        let values: Vec<Value> =
            std::iter::once(pipeline).chain(names.iter().copied()).map(Value::from).collect();
        let found = connection.query(&sql, &values)?;
        all.extend(found.rows.iter().filter_map(|row| row[0].as_text().map(str::to_owned)));
    }
    Ok(all)
}
