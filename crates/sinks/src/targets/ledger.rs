//! What a pipeline remembers, wherever its target keeps it.

use super::marks::Marks;
use crate::config::{Pipeline, Rest};
use crate::join::{Mark, ShardId, Stored, Track};
use crate::mapping::{Column, Mapping};
use crate::{Error, Kind};
use model::Item;

pub trait Ledger: Send {
    /// Makes the pipelines' own tables where they are missing.
    fn prepare(&mut self) -> Result<(), Error>;
    /// All but the marks. None: the pipeline has not begun.
    fn load(&mut self) -> Result<Option<Kept>, Error>;
    fn marks(&mut self, lanes: usize) -> Result<Marks, Error>;
    /// Writes the plan, before the first row is read.
    fn begin(&mut self, kept: &Kept) -> Result<(), Error>;
    /// Takes the pipeline over: whatever another runner commits from now on is rolled back.
    fn take(&mut self) -> Result<i64, Error>;
    /// Writes marks as they shall be instead.
    fn level(&mut self, marks: &[(Track, usize, Option<Mark>)]) -> Result<(), Error>;
    /// These shards have ended on all lanes: one mark says so for all of them.
    fn finish(&mut self, shards: &[ShardId], epoch: i64) -> Result<(), Error>;
    /// Forgets the marks of these shards: all of a shard's or none.
    fn forget(&mut self, shards: &[ShardId], epoch: i64) -> Result<(), Error>;
    /// The snapshot has ended: its deletions need no longer be remembered.
    fn seal(&mut self, epoch: i64) -> Result<(), Error>;
    /// Everything that the source had at this time is applied.
    fn confirm(&mut self, epoch: i64, now_ms: u64, consistent: bool) -> Result<(), Error>;
    /// Whether the pipeline is to rest, and whether it is still this runner's.
    fn is_paused(&mut self, epoch: i64) -> Result<bool, Error>;
    /// Whether there is such a pipeline.
    fn pause(&mut self, paused: bool) -> Result<bool, Error>;
    /// Forgets where the pipeline was, and keeps its rows: it begins again, with a copy. A runner that is at it is out.
    fn again(&mut self) -> Result<(), Error>;
    /// Takes away, as deletes do, what this copy did not bring. Nobody may write meanwhile.
    fn sweep(&mut self, mapping: &Mapping, epoch: i64, now_ms: u64) -> Result<u64, Error>;
    fn quarantined(&mut self) -> Result<Vec<Quarantined>, Error>;

    /// Makes the target's table, or what it lacks.
    fn make(&mut self, mapping: &Mapping, create: bool) -> Result<(), Error>;
    /// The columns that the target's table lacks; none: there is no table. One that cannot be written as the mapping says
    /// is refused.
    fn check(&mut self, mapping: &Mapping) -> Result<Option<Vec<String>>, Error>;
    /// The mapping, with what the table's columns hold less than it says; one that they would change is refused.
    fn within(&mut self, mapping: Mapping) -> Result<Mapping, Error> {
        Ok(mapping)
    }
    /// Whether the target's table has rows.
    fn has_rows(&mut self, mapping: &Mapping) -> Result<bool, Error>;
    /// Writes what an item in quarantine has become; none: it does not fit. A record may have settled it meanwhile.
    fn rewrite(&mut self, mapping: &Mapping, entry: &Quarantined, item: &Item)
    -> Result<Option<bool>, Error>;
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
    /// It has rows, and begins again.
    pub again: bool,
    pub stored: Stored,
}

impl Kept {
    /// Columns that came with attributes: where the file wants them still, and does not name them itself.
    pub fn grown(&self, config: &Pipeline, named: &[Column]) -> Vec<Column> {
        let wants = config.rest == Some(Rest::Word("columns".to_owned()));
        let is_new = |column: &&Column| {
            wants && !config.drop.contains(&column.name) && !named.iter().any(|one| one.name == column.name)
        };
        self.derived.iter().filter(is_new).cloned().collect()
    }
}

#[derive(Clone, Debug)]
pub struct Quarantined {
    pub item: String,
    pub key: String,
    pub image: Option<String>,
    pub reason: String,
    pub at_ms: u64,
}

pub fn fenced() -> Error {
    Error::new(Kind::Fenced, "another runner has taken this pipeline over; this one ends")
}
