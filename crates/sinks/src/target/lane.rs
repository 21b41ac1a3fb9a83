//! A lane: one connection that commits work, rows and marks together, as long as the pipeline is this runner's.

use super::apply::Care;
use super::fold::{Group, Rules, fold};
use super::schema::{LANES, grow};
use super::state::{State, fenced, mark_row, write_marks};
use super::{Change, Shared};
use crate::join::{Origin, Track, Work};
use crate::mapping::{Column, Keying, Mapping, derive};
use crate::{Error, Kind};
use sql::{Connection, Dialect, Kind as SqlKind, Settings, Value};
use std::collections::{BTreeMap, HashSet};

pub struct Lane {
    pub(super) connection: Connection,
    pub(super) shared: Shared,
    number: usize,
    /// Items that are in quarantine, and what this transaction does about it.
    pub(super) quarantined: HashSet<String>,
    pub(super) entered: HashSet<String>,
    pub(super) left: HashSet<String>,
}

/// What a commit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub snapshot_rows: usize,
    pub changes: usize,
    pub quarantined: usize,
}

/// How a transaction failed: some failures are a single row's.
enum Failed {
    Sql(sql::Error),
    Whole(Error),
}

impl From<sql::Error> for Failed {
    fn from(error: sql::Error) -> Failed {
        Failed::Sql(error)
    }
}

impl Lane {
    pub fn open(settings: &Settings, shared: Shared, number: usize) -> Result<Lane, Error> {
        let mut state = State::open(settings, &shared.pipeline)?;
        let quarantined = state.quarantined()?.into_iter().map(|entry| entry.item).collect();
        Ok(Lane {
            connection: state.connection,
            shared,
            number,
            quarantined,
            entered: HashSet::new(),
            left: HashSet::new(),
        })
    }

    /// Makes work durable: all of it, or nothing.
    pub fn commit(&mut self, works: &[Work<Change>]) -> Result<Applied, Error> {
        self.widen(works)?;
        let mapping = self.shared.mapping();
        match self.transact(&mapping, works, Care::Bulk) {
            Err(Failed::Sql(error)) if matches!(error.kind, SqlKind::Data | SqlKind::Constraint) => {
                self.transact(&mapping, works, Care::Single)
            }
            done => done,
        }
        .map_err(|failed| match failed {
            Failed::Sql(error) => error.into(),
            Failed::Whole(error) => error,
        })
    }

    /// Columns for attributes that have none, where the mapping wants that.
    fn widen(&mut self, works: &[Work<Change>]) -> Result<(), Error> {
        let mapping = self.shared.mapping();
        let mut more: BTreeMap<String, Column> = BTreeMap::new();
        for item in works.iter().flat_map(|work| &work.rows).filter_map(|change| change.new.as_ref()) {
            for (name, value) in mapping.unmapped(item) {
                if *value != model::Value::Null && !more.contains_key(name) {
                    let column = derive::column(name, derive::of_type(value.kind()));
                    more.insert(name.to_owned(), column);
                }
            }
        }
        if more.is_empty() {
            return Ok(());
        }
        grow(&mut self.connection, &self.shared, more.into_values().collect())
    }

    fn transact(&mut self, mapping: &Mapping, works: &[Work<Change>], care: Care) -> Result<Applied, Failed> {
        self.entered.clear();
        self.left.clear();
        self.connection.begin()?;
        let worked = self.work(mapping, works, care);
        match worked.and_then(|applied| Ok(self.end(care).map(|()| applied)?)) {
            Ok(applied) => {
                self.quarantined.extend(self.entered.drain());
                for name in self.left.drain() {
                    self.quarantined.remove(&name);
                }
                Ok(applied)
            }
            Err(failed) => {
                // What went wrong is what is told; a transaction that has ended already needs no rollback.
                let _ = self.connection.rollback();
                Err(failed)
            }
        }
    }

    fn work(&mut self, mapping: &Mapping, works: &[Work<Change>], care: Care) -> Result<Applied, Failed> {
        self.fence()?;
        let mut applied = Applied::default();
        let schema = self.shared.schema.clone();
        let rules = Rules { mapping, schema: &schema, dialect: self.connection.dialect() };
        match mapping.keying {
            Keying::Shared(rule) => {
                for work in works {
                    applied.add(self.claim(rules, rule, work).map_err(Failed::Whole)?);
                }
            }
            Keying::Fixed | Keying::Moving => {
                for mut group in fold(works, rules).map_err(Failed::Whole)? {
                    self.apply_told(mapping, &mut group, care)?;
                    applied.add(counts(&group));
                }
            }
        }
        let mut marks: BTreeMap<&Track, &Work<Change>> = BTreeMap::new();
        for work in works {
            marks.insert(&work.track, work);
        }
        let rows: Vec<Vec<Value>> = marks
            .iter()
            .map(|(track, work)| {
                mark_row(&self.shared.pipeline, track, self.number, work.mark.as_ref(), work.end)
            })
            .collect();
        write_marks(&mut self.connection, &rows).map_err(Failed::Whole)?;
        Ok(applied)
    }

    fn end(&mut self, care: Care) -> Result<(), sql::Error> {
        match (care, self.connection.dialect()) {
            // Rows that failed were undone alone, which the driver does not know: it would undo all.
            (Care::Single, Dialect::Postgres) => self.connection.batch("COMMIT"),
            _ => self.connection.commit(),
        }
    }

    /// The database's own refusal of a row must be seen by the caller.
    fn apply_told(&mut self, mapping: &Mapping, group: &mut Group<'_>, care: Care) -> Result<(), Failed> {
        self.apply(mapping, group, care).map_err(|error| match error.data {
            Some(error) => Failed::Sql(error),
            None => Failed::Whole(error),
        })
    }

    /// Only the runner that took the pipeline last may write.
    fn fence(&mut self) -> Result<(), Failed> {
        let dialect = self.connection.dialect();
        let sql = format!(
            "UPDATE {LANES} SET commits = commits + 1 WHERE pipeline = {} AND lane = {} AND epoch = {}",
            dialect.parameter(1),
            dialect.parameter(2),
            dialect.parameter(3)
        );
        let values =
            [self.shared.pipeline.as_str().into(), (self.number as i64).into(), self.shared.epoch.into()];
        match self.connection.execute(&sql, &values)?.rows {
            0 => Err(Failed::Whole(fenced())),
            _ => Ok(()),
        }
    }
}

fn counts(group: &Group<'_>) -> Applied {
    let quarantined = group.items.values().filter(|item| item.quarantine.is_some()).count();
    match group.origin {
        Origin::Snapshot => Applied { snapshot_rows: group.changes, changes: 0, quarantined },
        Origin::Stream => Applied { snapshot_rows: 0, changes: group.changes, quarantined },
    }
}

impl Applied {
    pub fn add(&mut self, other: Applied) {
        self.snapshot_rows += other.snapshot_rows;
        self.changes += other.changes;
        self.quarantined += other.quarantined;
    }
}

impl Error {
    /// Whether the connection is no good any more.
    pub fn needs_connection(&self) -> bool {
        self.kind == Kind::Unreachable
    }
}
