//! What a pipeline remembers, beside its rows.

use super::given::within;
use super::marks::{mark_row, with_marks};
use super::schema::{
    CLAIMS, GONE, LANES, MARKS, PIPELINES, PLACES, QUARANTINE, SEEN, check_table, make_own, make_table,
};
use super::sweep::sweep;
use crate::join::{Mark, ShardId, Stored, Track};
use crate::mapping::{Column, From, ItemName, Kind as ColumnKind, Made, Mapping};
use crate::targets::ledger::{Kept, Ledger, Quarantined, fenced};
use crate::targets::marks::{ENDED_AS_A_WHOLE, Marks, VERSION, VERSIONS, read_plan, write_plan};
use crate::{Error, Kind};
use model::Item;
use serde_json::Value as Json;
use sql::{Connection, Kind as SqlKind, OnConflict, Settings, Upsert, Value};

pub struct State {
    pub connection: Connection,
    pub pipeline: String,
}

impl State {
    pub fn open(settings: &Settings, pipeline: &str) -> Result<State, Error> {
        Ok(State { connection: Connection::open(settings)?, pipeline: pipeline.to_owned() })
    }

    /// Names of items that the stream has taken away, at most so many.
    pub fn gone(&mut self, most: usize) -> Result<Vec<ItemName>, Error> {
        let place = self.connection.dialect().parameter(1);
        let sql = format!("SELECT item FROM {GONE} WHERE pipeline = {place} LIMIT {most}");
        let found = self.connection.query(&sql, &[self.pipeline.as_str().into()])?;
        Ok(found.rows.iter().filter_map(|row| ItemName::parse(row[0].as_text()?)).collect())
    }

    fn update(&mut self, set: &str, epoch: i64) -> Result<(), Error> {
        let dialect = self.connection.dialect();
        // MySQL counts rows that change: the version does not, the epoch's row must be asked for.
        let sql = format!(
            "UPDATE {PIPELINES} SET {set} WHERE pipeline = {} AND epoch = {}",
            dialect.parameter(1),
            dialect.parameter(2)
        );
        let own: Value = self.pipeline.as_str().into();
        if self.connection.execute(&sql, &[own, epoch.into()])?.rows == 0 {
            self.is_paused(epoch)?;
        }
        Ok(())
    }

    pub(super) fn rows(&mut self, columns: &str, table: &str) -> Result<Vec<Vec<Value>>, Error> {
        let place = self.connection.dialect().parameter(1);
        let sql = format!("SELECT {columns} FROM {table} WHERE pipeline = {place}");
        Ok(self.connection.query(&sql, &[self.pipeline.as_str().into()])?.rows)
    }

    pub(super) fn damaged(&self, what: &str) -> Error {
        let message = format!("what pipeline '{}' remembers is damaged: {what}", self.pipeline);
        Error::new(Kind::Target, message)
    }
}

impl Ledger for State {
    fn prepare(&mut self) -> Result<(), Error> {
        make_own(&mut self.connection)
    }

    fn load(&mut self) -> Result<Option<Kept>, Error> {
        if self.connection.table(PIPELINES)?.is_none() {
            return Ok(None);
        }
        let rows = self.rows(
            "source, stream, plan, fingerprint, derived, epoch, begun_ms, scanned, confirmed_ms, consistent_ms, paused, version",
            PIPELINES,
        )?;
        let Some(row) = rows.first() else { return Ok(None) };
        let text = |at: usize| row[at].as_text().unwrap_or_default().to_owned();
        let number = |at: usize| row[at].as_integer().unwrap_or_default();
        if !VERSIONS.contains(&number(11)) {
            return Err(Error::config(format!(
                "pipeline '{}' was kept by another version of this program (form {})",
                self.pipeline,
                number(11)
            )));
        }
        let plan = read_plan(&text(2)).ok_or_else(|| self.damaged("plan"))?;
        let scanned = number(7) != 0;
        Ok(Some(Kept {
            source: text(0),
            stream: text(1),
            fingerprint: text(3),
            derived: read_columns(&text(4)),
            epoch: number(5),
            begun_ms: number(6) as u64,
            confirmed_ms: number(8) as u64,
            consistent_ms: number(9) as u64,
            paused: number(10) != 0,
            again: text(1).is_empty(),
            stored: Stored { plan, marks: Marks::new(), scanned },
        }))
    }

    fn marks(&mut self, lanes: usize) -> Result<Marks, Error> {
        self.all_marks(lanes)
    }

    fn begin(&mut self, kept: &Kept) -> Result<(), Error> {
        let columns = [
            "pipeline",
            "source",
            "stream",
            "plan",
            "fingerprint",
            "derived",
            "epoch",
            "begun_ms",
            "scanned",
            "confirmed_ms",
            "consistent_ms",
            "paused",
            "version",
        ];
        let row: Vec<Value> = vec![
            self.pipeline.as_str().into(),
            kept.source.as_str().into(),
            kept.stream.as_str().into(),
            write_plan(&kept.stored.plan).as_str().into(),
            kept.fingerprint.as_str().into(),
            write_columns(&kept.derived).as_str().into(),
            kept.epoch.into(),
            (kept.begun_ms as i64).into(),
            0.into(),
            (kept.begun_ms as i64).into(),
            0.into(),
            0.into(),
            VERSION.into(),
        ];
        let own: Value = self.pipeline.as_str().into();
        let written = self.connection.transaction(|connection| {
            let place = connection.dialect().parameter(1);
            let sql = format!("DELETE FROM {PIPELINES} WHERE pipeline = {place} AND stream = ''");
            connection.execute(&sql, &[own])?;
            connection.upsert(&Upsert {
                table: PIPELINES,
                columns: &columns.map(str::to_owned),
                key: &["pipeline".to_owned()],
                rows: &[row],
                on_conflict: OnConflict::Keep,
            })
        })?;
        match written {
            0 => Err(fenced()),
            _ => Ok(()),
        }
    }

    fn take(&mut self) -> Result<i64, Error> {
        let pipeline = self.pipeline.clone();
        let lanes = self.load()?.map_or(1, |kept| kept.stored.plan.lanes);
        self.connection.transaction(|connection| {
            let dialect = connection.dialect();
            let own: Value = pipeline.as_str().into();
            let sql = format!(
                "UPDATE {PIPELINES} SET epoch = epoch + 1, version = {VERSION} WHERE pipeline = {}",
                dialect.parameter(1)
            );
            connection.execute(&sql, std::slice::from_ref(&own))?;
            let sql = format!("SELECT epoch FROM {PIPELINES} WHERE pipeline = {}", dialect.parameter(1));
            let found = connection.query(&sql, std::slice::from_ref(&own))?;
            let epoch = found.rows.first().and_then(|row| row[0].as_integer()).ok_or_else(fenced)?;
            let rows: Vec<Vec<Value>> = (0..lanes)
                .map(|lane| vec![own.clone(), (lane as i64).into(), epoch.into(), 0.into()])
                .collect();
            connection.upsert(&Upsert {
                table: LANES,
                columns: &["pipeline", "lane", "epoch", "commits"].map(str::to_owned),
                key: &["pipeline", "lane"].map(str::to_owned),
                rows: &rows,
                on_conflict: OnConflict::Replace,
            })?;
            Ok(epoch)
        })
    }

    fn level(&mut self, marks: &[(Track, usize, Option<Mark>)]) -> Result<(), Error> {
        let rows: Vec<Vec<Value>> = marks
            .iter()
            .map(|(track, lane, mark)| mark_row(&self.pipeline, track, *lane, mark.as_ref(), false))
            .collect();
        with_marks(&rows, |marks| self.connection.upsert(marks))?;
        Ok(())
    }

    fn finish(&mut self, shards: &[ShardId], epoch: i64) -> Result<(), Error> {
        self.of_shards(
            shards,
            epoch,
            &[
                &format!("DELETE FROM {MARKS} WHERE lane <> 0 AND"),
                &format!("UPDATE {MARKS} SET mark = NULL, ended = {ENDED_AS_A_WHOLE} WHERE lane = 0 AND"),
            ],
        )
    }

    fn forget(&mut self, shards: &[ShardId], epoch: i64) -> Result<(), Error> {
        self.of_shards(shards, epoch, &[&format!("DELETE FROM {MARKS} WHERE")])
    }

    fn seal(&mut self, epoch: i64) -> Result<(), Error> {
        self.update("scanned = 1", epoch)?;
        for table in [GONE, SEEN] {
            let place = self.connection.dialect().parameter(1);
            let sql = format!("DELETE FROM {table} WHERE pipeline = {place}");
            self.connection.execute(&sql, &[self.pipeline.as_str().into()])?;
        }
        Ok(())
    }

    fn confirm(&mut self, epoch: i64, now_ms: u64, consistent: bool) -> Result<(), Error> {
        let more = if consistent { format!(", consistent_ms = {now_ms}") } else { String::new() };
        self.update(&format!("confirmed_ms = {now_ms}{more}"), epoch)
    }

    fn is_paused(&mut self, epoch: i64) -> Result<bool, Error> {
        let rows = self.rows("paused, epoch", PIPELINES)?;
        match rows.first() {
            Some(row) if row[1].as_integer() == Some(epoch) => Ok(row[0].as_integer() == Some(1)),
            _ => Err(fenced()),
        }
    }

    fn pause(&mut self, paused: bool) -> Result<bool, Error> {
        let dialect = self.connection.dialect();
        let sql = format!(
            "UPDATE {PIPELINES} SET paused = {} WHERE pipeline = {}",
            i64::from(paused),
            dialect.parameter(1)
        );
        self.connection.execute(&sql, &[self.pipeline.as_str().into()])?;
        Ok(!self.rows("pipeline", PIPELINES)?.is_empty())
    }

    fn again(&mut self) -> Result<(), Error> {
        make_own(&mut self.connection)?;
        let own: Value = self.pipeline.as_str().into();
        self.connection.transaction(|connection| {
            let place = connection.dialect().parameter(1);
            for table in [LANES, MARKS, GONE, SEEN, CLAIMS, PLACES, QUARANTINE] {
                let sql = format!("DELETE FROM {table} WHERE pipeline = {place}");
                connection.execute(&sql, std::slice::from_ref(&own))?;
            }
            let sql = format!(
                "UPDATE {PIPELINES} SET stream = '', scanned = 0, consistent_ms = 0, epoch = epoch + 1 WHERE pipeline = {place}"
            );
            connection.execute(&sql, std::slice::from_ref(&own))?;
            Ok(())
        })
    }

    fn sweep(&mut self, mapping: &Mapping, epoch: i64, now_ms: u64) -> Result<u64, Error> {
        sweep(&mut self.connection, &self.pipeline, mapping, epoch, now_ms)
    }

    fn quarantined(&mut self) -> Result<Vec<Quarantined>, Error> {
        let rows = self.rows("item, item_key, image, reason, at_ms", QUARANTINE)?;
        let text = |value: &Value| value.as_text().map(str::to_owned);
        Ok(rows
            .iter()
            .map(|row| Quarantined {
                item: text(&row[0]).unwrap_or_default(),
                key: text(&row[1]).unwrap_or_default(),
                image: text(&row[2]),
                reason: text(&row[3]).unwrap_or_default(),
                at_ms: row[4].as_integer().unwrap_or_default() as u64,
            })
            .collect())
    }

    fn make(&mut self, mapping: &Mapping, create: bool) -> Result<(), Error> {
        make_table(&mut self.connection, mapping, create)
    }

    fn check(&mut self, mapping: &Mapping) -> Result<Option<Vec<String>>, Error> {
        check_table(&mut self.connection, mapping)
    }

    fn within(&mut self, mapping: Mapping) -> Result<Mapping, Error> {
        within(&mut self.connection, mapping)
    }

    fn has_rows(&mut self, mapping: &Mapping) -> Result<bool, Error> {
        if self.connection.table(&mapping.table)?.is_none() {
            return Ok(false);
        }
        let sql = format!("SELECT 1 FROM {} LIMIT 1", self.connection.dialect().quoted(&mapping.table));
        Ok(!self.connection.query(&sql, &[])?.rows.is_empty())
    }

    /// While the entry is there no later record was applied; taking it away first keeps lanes out until the row is in.
    fn rewrite(
        &mut self,
        mapping: &Mapping,
        entry: &Quarantined,
        item: &Item,
    ) -> Result<Option<bool>, Error> {
        let Ok(Made::Row(row)) = mapping.row(item, self.connection.dialect()) else { return Ok(None) };
        let own: Vec<Value> = vec![self.pipeline.as_str().into(), entry.item.as_str().into()];
        let written = self.connection.transaction(|connection| {
            let key = ["pipeline", "item"].map(str::to_owned);
            if connection.delete(QUARANTINE, &key, &[own])? == 0 {
                return Ok(false);
            }
            connection.upsert(&Upsert {
                table: &mapping.table,
                columns: &mapping.names(),
                key: &mapping.key,
                rows: &[row],
                on_conflict: OnConflict::Replace,
            })?;
            Ok(true)
        });
        match written {
            Ok(written) => Ok(Some(written)),
            Err(sql::Error { kind: SqlKind::Data | SqlKind::Constraint, .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

pub fn write_columns(columns: &[Column]) -> String {
    let list: Vec<Json> =
        columns.iter().map(|column| Json::from(vec![column.name.clone(), column.kind.to_string()])).collect();
    Json::Array(list).to_string()
}

pub fn read_columns(text: &str) -> Vec<Column> {
    let list: Vec<(String, String)> = serde_json::from_str(text).unwrap_or_default();
    let column = |(name, kind): (String, String)| {
        let kind = ColumnKind::parse(&kind)?;
        let from = From::Attribute(crate::mapping::Path::name(&name));
        Some(Column { name, kind, from, default: None })
    };
    list.into_iter().filter_map(column).collect()
}
