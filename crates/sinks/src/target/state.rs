//! What a pipeline remembers, beside its rows.

use super::schema::{CLAIMS, GONE, LANES, MARKS, PIPELINES, PLACES, QUARANTINE, make_own};
use crate::join::{Mark, Plan, Sequence, ShardId, Stored, Track};
use crate::mapping::{Column, From, Kind as ColumnKind};
use crate::{Error, Kind};
use serde_json::{Value as Json, json};
use sql::{Connection, OnConflict, Settings, Upsert, Value};
use std::collections::{BTreeMap, BTreeSet};

/// By track and lane: the mark, and whether the track ended there.
type Marks = BTreeMap<(Track, usize), (Option<Mark>, bool)>;

/// The form of what is remembered.
const VERSION: i64 = 1;

pub struct State {
    pub connection: Connection,
    pub pipeline: String,
}

#[derive(Clone, Debug)]
pub struct Kept {
    pub source: String,
    pub stream: String,
    pub fingerprint: String,
    /// Columns that no file names.
    pub derived: Vec<Column>,
    pub epoch: i64,
    pub begun_ms: u64,
    /// When everything that the source had was applied, the last time that this was known.
    pub confirmed_ms: u64,
    pub consistent_ms: u64,
    pub paused: bool,
    pub stored: Stored,
}

#[derive(Clone, Debug)]
pub struct Quarantined {
    pub item: String,
    pub key: String,
    pub image: Option<String>,
    pub reason: String,
    pub at_ms: u64,
}

impl State {
    pub fn open(settings: &Settings, pipeline: &str) -> Result<State, Error> {
        Ok(State { connection: Connection::open(settings)?, pipeline: pipeline.to_owned() })
    }

    /// Makes the pipelines' own tables where they are missing.
    pub fn prepare(&mut self) -> Result<(), Error> {
        make_own(&mut self.connection)
    }

    /// None: the pipeline has not begun.
    pub fn load(&mut self) -> Result<Option<Kept>, Error> {
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
        if number(11) != VERSION {
            return Err(Error::config(format!(
                "pipeline '{}' was kept by another version of this program (form {})",
                self.pipeline,
                number(11)
            )));
        }
        let plan = read_plan(&text(2)).ok_or_else(|| self.damaged("plan"))?;
        let scanned = number(7) != 0;
        let marks = self.marks()?;
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
            stored: Stored { plan, marks, scanned },
        }))
    }

    fn marks(&mut self) -> Result<Marks, Error> {
        let mut marks = BTreeMap::new();
        for row in self.rows("track, lane, mark, pages, ended", MARKS)? {
            let text = row[0].as_text().unwrap_or_default();
            let track = match text.split_once(':') {
                Some(("shard", id)) => Track::Shard(id.into()),
                Some(("segment", number)) => {
                    Track::Segment(number.parse().map_err(|_| self.damaged("track"))?)
                }
                _ => return Err(self.damaged("track")),
            };
            let mark = row[2].as_text();
            let mark = match (&track, row[3].as_integer()) {
                (Track::Segment(_), Some(pages)) => {
                    Some(Mark::Page { pages: pages as u64, next: mark.map(Into::into) })
                }
                (Track::Shard(_), _) => match mark {
                    Some(mark) => {
                        Some(Mark::Record(Sequence::parse(mark).ok_or_else(|| self.damaged("mark"))?))
                    }
                    None => None,
                },
                _ => None,
            };
            let lane = row[1].as_integer().unwrap_or_default() as usize;
            marks.insert((track, lane), (mark, row[4].as_integer() == Some(1)));
        }
        Ok(marks)
    }

    /// Writes the plan, before the first row is read.
    pub fn begin(&mut self, kept: &Kept) -> Result<(), Error> {
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
        let written = self.connection.upsert(&Upsert {
            table: PIPELINES,
            columns: &columns.map(str::to_owned),
            key: &["pipeline".to_owned()],
            rows: &[row],
            on_conflict: OnConflict::Keep,
        })?;
        match written {
            0 => Err(fenced()),
            _ => Ok(()),
        }
    }

    /// Takes the pipeline over: whatever another runner commits from now on is rolled back.
    pub fn take(&mut self) -> Result<i64, Error> {
        let pipeline = self.pipeline.clone();
        let lanes = self.load()?.map_or(1, |kept| kept.stored.plan.lanes);
        self.connection.transaction(|connection| {
            let dialect = connection.dialect();
            let own: Value = pipeline.as_str().into();
            let sql =
                format!("UPDATE {PIPELINES} SET epoch = epoch + 1 WHERE pipeline = {}", dialect.parameter(1));
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

    /// Writes marks as they shall be instead.
    pub fn level(&mut self, marks: &[(Track, usize, Option<Mark>)]) -> Result<(), Error> {
        let rows: Vec<Vec<Value>> = marks
            .iter()
            .map(|(track, lane, mark)| mark_row(&self.pipeline, track, *lane, mark.as_ref(), false))
            .collect();
        write_marks(&mut self.connection, &rows)
    }

    /// The snapshot has ended: its deletions need no longer be remembered.
    pub fn seal(&mut self, epoch: i64) -> Result<(), Error> {
        self.update("scanned = 1", epoch)?;
        let sql = format!("DELETE FROM {GONE} WHERE pipeline = {}", self.connection.dialect().parameter(1));
        self.connection.execute(&sql, &[self.pipeline.as_str().into()])?;
        Ok(())
    }

    /// Everything that the source had at this time is applied.
    pub fn confirm(&mut self, epoch: i64, now_ms: u64, consistent: bool) -> Result<(), Error> {
        let more = if consistent { format!(", consistent_ms = {now_ms}") } else { String::new() };
        self.update(&format!("confirmed_ms = {now_ms}{more}"), epoch)
    }

    /// Whether the pipeline is to rest, and whether it is still this runner's.
    pub fn is_paused(&mut self, epoch: i64) -> Result<bool, Error> {
        let rows = self.rows("paused, epoch", PIPELINES)?;
        match rows.first() {
            Some(row) if row[1].as_integer() == Some(epoch) => Ok(row[0].as_integer() == Some(1)),
            _ => Err(fenced()),
        }
    }

    pub fn pause(&mut self, paused: bool) -> Result<bool, Error> {
        let dialect = self.connection.dialect();
        let sql = format!(
            "UPDATE {PIPELINES} SET paused = {} WHERE pipeline = {}",
            i64::from(paused),
            dialect.parameter(1)
        );
        self.connection.execute(&sql, &[self.pipeline.as_str().into()])?;
        Ok(!self.rows("pipeline", PIPELINES)?.is_empty())
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

    /// Takes all rows away and forgets where the pipeline was: it begins again. A runner that is at it is out.
    pub fn reset(&mut self, table: &str) -> Result<(), Error> {
        let own: Value = self.pipeline.as_str().into();
        let has_rows = self.connection.table(table)?.is_some();
        self.connection.transaction(|connection| {
            if has_rows {
                let sql = format!("DELETE FROM {}", connection.dialect().quoted(table));
                connection.execute(&sql, &[])?;
            }
            let place = connection.dialect().parameter(1);
            for table in [LANES, MARKS, GONE, CLAIMS, PLACES, QUARANTINE, PIPELINES] {
                let sql = format!("DELETE FROM {table} WHERE pipeline = {place}");
                connection.execute(&sql, std::slice::from_ref(&own))?;
            }
            Ok(())
        })
    }

    pub fn quarantined(&mut self) -> Result<Vec<Quarantined>, Error> {
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

    fn rows(&mut self, columns: &str, table: &str) -> Result<Vec<Vec<Value>>, Error> {
        let place = self.connection.dialect().parameter(1);
        let sql = format!("SELECT {columns} FROM {table} WHERE pipeline = {place}");
        Ok(self.connection.query(&sql, &[self.pipeline.as_str().into()])?.rows)
    }

    fn damaged(&self, what: &str) -> Error {
        let message = format!("what pipeline '{}' remembers is damaged: {what}", self.pipeline);
        Error::new(Kind::Target, message)
    }
}

pub fn fenced() -> Error {
    Error::new(Kind::Fenced, "another runner has taken this pipeline over; this one ends")
}

pub fn mark_row(pipeline: &str, track: &Track, lane: usize, mark: Option<&Mark>, ended: bool) -> Vec<Value> {
    let track = match track {
        Track::Shard(id) => format!("shard:{id}"),
        Track::Segment(number) => format!("segment:{number}"),
    };
    let (mark, pages) = match mark {
        Some(Mark::Record(sequence)) => (Value::from(sequence.as_str()), Value::Null),
        Some(Mark::Page { pages, next }) => {
            (next.as_deref().map_or(Value::Null, Value::from), (*pages as i64).into())
        }
        None => (Value::Null, Value::Null),
    };
    vec![pipeline.into(), track.as_str().into(), (lane as i64).into(), mark, pages, i64::from(ended).into()]
}

pub fn write_marks(connection: &mut Connection, rows: &[Vec<Value>]) -> Result<(), Error> {
    connection.upsert(&Upsert {
        table: MARKS,
        columns: &["pipeline", "track", "lane", "mark", "pages", "ended"].map(str::to_owned),
        key: &["pipeline", "track", "lane"].map(str::to_owned),
        rows,
        on_conflict: OnConflict::Replace,
    })?;
    Ok(())
}

fn write_plan(plan: &Plan) -> String {
    json!({ "lanes": plan.lanes, "segments": plan.segments, "past": plan.past, "captured": plan.captured })
        .to_string()
}

fn read_plan(text: &str) -> Option<Plan> {
    let tree: Json = serde_json::from_str(text).ok()?;
    let ids = |name: &str| -> Option<BTreeSet<ShardId>> {
        tree[name].as_array()?.iter().map(|id| id.as_str().map(ShardId::from)).collect()
    };
    Some(Plan {
        lanes: tree["lanes"].as_u64()? as usize,
        segments: tree["segments"].as_u64()? as u32,
        past: ids("past")?,
        captured: ids("captured")?,
    })
}

pub fn write_columns(columns: &[Column]) -> String {
    let list: Vec<Json> =
        columns.iter().map(|column| json!([column.name, column.kind.to_string()])).collect();
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
