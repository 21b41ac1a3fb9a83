//! A lane: one connection that commits work, rows and marks together, as long as the pipeline is this runner's.

use super::apply::Care;
use super::fold::{Group, Rules, fold};
use super::gone::{self, Gone};
use super::keeper::Inside;
use super::marks::{mark_row, with_marks};
use super::schema::{LANES, grow};
use super::state::State;
use crate::Error;
use crate::join::{Origin, Track, Work};
use crate::mapping::{Column, ItemName, Keying, Mapping, Names, Others, Rows, derive};
use crate::targets::claims::Claims;
use crate::targets::ledger::{Ledger, fenced};
use crate::targets::{Applied, Change, Lane, Shared};
use sql::{Connection, Dialect, Kind as SqlKind, Settings, Value};
use std::collections::BTreeMap;

pub struct Connected {
    pub(super) connection: Connection,
    pub(super) shared: Shared,
    number: usize,
    /// Times that a row was there already.
    collisions: usize,
    pub(super) gone: Gone,
    /// Items that are in quarantine, and what this transaction does about it.
    pub(super) quarantined: Names,
    pub(super) entered: Names,
    pub(super) left: Names,
}

/// A transaction that collides is done again with more care; a lane that has so often does not try any more.
const COLLISIONS_MAX: usize = 8;

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

fn is_of_a_row<T>(done: &Result<T, Failed>) -> bool {
    matches!(done, Err(Failed::Sql(error)) if matches!(error.kind, SqlKind::Data | SqlKind::Constraint))
}

impl Lane for Connected {
    fn commit(&mut self, works: &[Work<Change>]) -> Result<Applied, Error> {
        self.widen(works)?;
        let mapping = self.shared.mapping();
        let mut done = None;
        if self.is_fresh(&mapping, works) {
            let tried = self.transact(&mapping, works, Care::Fresh);
            match is_of_a_row(&tried) {
                true => self.collisions += 1,
                false => done = Some(tried),
            }
        }
        let done = done.unwrap_or_else(|| self.transact(&mapping, works, Care::Bulk));
        match is_of_a_row(&done) {
            true => self.transact(&mapping, works, Care::Single),
            false => done,
        }
        .map_err(|failed| match failed {
            Failed::Sql(error) => error.into(),
            Failed::Whole(error) => error,
        })
    }
}

impl Connected {
    pub fn open(settings: &Settings, shared: Shared, number: usize) -> Result<Connected, Error> {
        let mut state = State::open(settings, &shared.pipeline)?;
        state.connection.for_many_writers()?;
        let entries = state.quarantined()?;
        let quarantined = entries.iter().filter_map(|entry| ItemName::parse(&entry.item)).collect();
        let gone = Gone::of(state.gone(gone::NAMES_MAX + 1)?);
        Ok(Connected {
            connection: state.connection,
            shared,
            number,
            collisions: 0,
            gone,
            quarantined,
            entered: Names::default(),
            left: Names::default(),
        })
    }

    /// A first copy mostly writes what nobody has written. Where the stream was first, the database says so.
    fn is_fresh(&self, mapping: &Mapping, works: &[Work<Change>]) -> bool {
        !self.shared.recopy
            && self.collisions < COLLISIONS_MAX
            && !matches!(mapping.keying, Keying::Shared(_))
            && works.iter().all(|work| work.track.origin() == Origin::Snapshot)
    }

    /// Columns for attributes that have none, where the mapping wants that.
    fn widen(&mut self, works: &[Work<Change>]) -> Result<(), Error> {
        let mapping = self.shared.mapping();
        if mapping.others != Others::Columns {
            return Ok(());
        }
        let mut more: BTreeMap<String, Column> = BTreeMap::new();
        for item in works.iter().flat_map(|work| &work.rows).filter_map(Change::item) {
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
        let worked = self.work(mapping, works, care);
        match worked.and_then(|applied| Ok(self.end(works, care).map(|()| applied)?)) {
            Ok(applied) => {
                self.gone.committed();
                self.quarantined.extend(self.entered.drain());
                for name in self.left.drain() {
                    self.quarantined.remove(&name);
                }
                Ok(applied)
            }
            Err(failed) => {
                self.gone.undone();
                // What went wrong is what is told; a transaction that has ended already needs no rollback.
                let _ = self.connection.rollback();
                Err(failed)
            }
        }
    }

    fn work(&mut self, mapping: &Mapping, works: &[Work<Change>], care: Care) -> Result<Applied, Failed> {
        let mut applied = Applied::default();
        let schema = self.shared.schema.clone();
        let shape = Rows { mapping, dialect: self.connection.dialect() };
        let rules = Rules { shape, schema: &schema };
        match mapping.keying {
            Keying::Shared(rule) => {
                self.fence()?;
                let claims = Claims { shape, rule };
                for work in works {
                    let recopy = self.shared.recopy && work.remember;
                    let mut inside = Inside { lane: self, mapping, recopy };
                    applied.add(claims.work(&mut inside, work).map_err(Failed::Whole)?);
                }
            }
            Keying::Fixed | Keying::Moving => {
                // What needs no database is done before anybody waits for this transaction.
                let groups = fold(works, rules).map_err(Failed::Whole)?;
                self.fence()?;
                for mut group in groups {
                    self.apply_told(mapping, &mut group, care)?;
                    let quarantined = group.items.iter().filter(|item| item.quarantine.is_some()).count();
                    applied.add(Applied::of(group.origin, group.changes, quarantined));
                }
            }
        }
        Ok(applied)
    }

    fn end(&mut self, works: &[Work<Change>], care: Care) -> Result<(), sql::Error> {
        let mut marks: BTreeMap<&Track, &Work<Change>> = BTreeMap::new();
        for work in works {
            marks.insert(&work.track, work);
        }
        let row = |(track, work): (&&Track, &&Work<Change>)| {
            mark_row(&self.shared.pipeline, track, self.number, work.mark.as_ref(), work.end)
        };
        let rows: Vec<Vec<Value>> = marks.iter().map(row).collect();
        match (care, self.connection.dialect()) {
            // Rows that failed were undone alone, which the driver does not know: it would undo all.
            (Care::Single, Dialect::Postgres) => {
                with_marks(&rows, |marks| self.connection.upsert(marks))?;
                self.connection.batch("COMMIT")
            }
            _ => with_marks(&rows, |marks| self.connection.commit_with(marks)),
        }
    }

    /// The database's own refusal of a row must be seen by the caller.
    fn apply_told(&mut self, mapping: &Mapping, group: &mut Group<'_>, care: Care) -> Result<(), Failed> {
        self.apply(mapping, group, care).map_err(|error| match error.data {
            Some(error) => Failed::Sql(error),
            None => Failed::Whole(error),
        })
    }

    /// Begins, as long as the pipeline is this runner's.
    fn fence(&mut self) -> Result<(), Failed> {
        let Shared { pipeline, epoch, .. } = &self.shared;
        let (sql, values) = fence(self.connection.dialect(), pipeline, self.number, *epoch);
        match self.connection.begin_with(&sql, &values)? {
            0 => Err(Failed::Whole(fenced())),
            _ => Ok(()),
        }
    }
}

/// Changes a row while only the runner that took the pipeline last may write.
pub fn fence(dialect: Dialect, pipeline: &str, lane: usize, epoch: i64) -> (String, [Value; 3]) {
    let sql = format!(
        "UPDATE {LANES} SET commits = commits + 1 WHERE pipeline = {} AND lane = {} AND epoch = {}",
        dialect.parameter(1),
        dialect.parameter(2),
        dialect.parameter(3)
    );
    (sql, [pipeline.into(), (lane as i64).into(), epoch.into()])
}
