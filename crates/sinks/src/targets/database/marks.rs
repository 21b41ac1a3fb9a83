//! How far a pipeline is, in the database's words.

use super::schema::{MARKS, PIPELINES};
use super::state::State;
use crate::Error;
use crate::join::{Mark, ShardId, Track};
use crate::targets::ledger::Ledger;
use crate::targets::marks::{Marks, add_mark, read_mark, read_track, write_mark, write_track};
use sql::{OnConflict, Upsert, Value};

/// Names of one statement.
const NAMES_MAX: usize = 200;

impl State {
    /// By track and lane.
    pub(super) fn all_marks(&mut self, lanes: usize) -> Result<Marks, Error> {
        let mut marks = Marks::new();
        for row in self.rows("track, lane, mark, pages, ended", MARKS)? {
            let text = row[0].as_text().unwrap_or_default();
            let track = read_track(text).ok_or_else(|| self.damaged("track"))?;
            let mark = read_mark(&track, row[2].as_text(), row[3].as_integer());
            let mark = mark.ok_or_else(|| self.damaged("mark"))?;
            let lane = row[1].as_integer().unwrap_or_default() as usize;
            add_mark(&mut marks, lanes, (track, lane), mark, row[4].as_integer().unwrap_or_default());
        }
        Ok(marks)
    }

    /// Statements about the marks of some shards, all or none, as long as the pipeline is this runner's.
    pub(super) fn of_shards(
        &mut self,
        shards: &[ShardId],
        epoch: i64,
        statements: &[&str],
    ) -> Result<(), Error> {
        let dialect = self.connection.dialect();
        let own: Value = self.pipeline.as_str().into();
        for shards in shards.chunks(NAMES_MAX) {
            let places: Vec<String> = (0..shards.len()).map(|at| dialect.parameter(at + 4)).collect();
            let tests = format!(
                "pipeline = {} AND EXISTS (SELECT 1 FROM {PIPELINES} p WHERE p.pipeline = {} AND p.epoch = {}) AND track IN ({})",
                dialect.parameter(1),
                dialect.parameter(2),
                dialect.parameter(3),
                places.join(", ")
            );
            let tracks = shards.iter().map(|shard| write_track(&Track::Shard(shard.clone())).as_str().into());
            let values: Vec<Value> =
                [own.clone(), own.clone(), epoch.into()].into_iter().chain(tracks).collect();
            self.connection.transaction(|connection| -> Result<(), Error> {
                for statement in statements {
                    connection.execute(&format!("{statement} {tests}"), &values)?;
                }
                Ok(())
            })?;
        }
        // Another's pipeline is left as it is, which the caller must know.
        self.is_paused(epoch).map(drop)
    }
}

pub fn mark_row(pipeline: &str, track: &Track, lane: usize, mark: Option<&Mark>, ended: bool) -> Vec<Value> {
    let (mark, pages) = write_mark(mark);
    vec![
        pipeline.into(),
        write_track(track).as_str().into(),
        (lane as i64).into(),
        mark.map_or(Value::Null, Value::from),
        pages.map_or(Value::Null, Value::from),
        i64::from(ended).into(),
    ]
}

/// What writes marks, for whoever writes it.
pub fn with_marks<T>(
    rows: &[Vec<Value>],
    write: impl FnOnce(&Upsert<'_>) -> Result<T, sql::Error>,
) -> Result<T, sql::Error> {
    write(&Upsert {
        table: MARKS,
        columns: &["pipeline", "track", "lane", "mark", "pages", "ended"].map(str::to_owned),
        key: &["pipeline", "track", "lane"].map(str::to_owned),
        rows,
        on_conflict: OnConflict::Replace,
    })
}
