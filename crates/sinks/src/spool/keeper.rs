//! The thread that reads the source into the spool, as long as the spool is wanted.

use super::inner::Page;
use super::{Inner, Spool};
use crate::Error;
use crate::join::{Sequence, ShardId};
use crate::source::{Begin, Login, Record, RecordsPage, Table};
use crate::stop::Stop;
use model::Item;
use std::collections::BTreeMap;
use std::time::Duration;
use world::World;

/// Nothing is wanted, or nothing new is there.
const PAUSE: Duration = Duration::from_millis(100);
/// The source does not answer.
const PAUSE_TROUBLE: Duration = Duration::from_secs(1);
/// Items of a frame.
const FRAME_BYTES: usize = 128 << 10;
const LIST_EVERY: Duration = Duration::from_secs(10);

pub struct Keeper<'a> {
    pub spool: &'a Spool,
    pub table: &'a str,
    pub login: &'a Login,
    pub world: &'a World,
    pub stream: &'a str,
    /// What the source had is told apart by this from what it lost: records are kept a little longer.
    pub kept_for_ms: u64,
}

/// Where the source is being read.
#[derive(Default)]
struct Cursors {
    /// With the record that each stands behind.
    iterators: BTreeMap<ShardId, (Option<Sequence>, String)>,
    /// What lay behind the last record was trimmed, and nothing was in it.
    horizon: BTreeMap<ShardId, Option<Sequence>>,
}

impl Spool {
    /// Shards to be read at the source, and the last record that is here of each.
    fn wanted(&self) -> Vec<(ShardId, Option<Sequence>)> {
        let inner = self.inner();
        if inner.full.is_some() {
            return Vec::new();
        }
        let open = inner.shards.values().filter(|held| !held.released && !held.log.ended);
        open.map(|held| (held.log.shard.clone(), held.log.last.clone())).collect()
    }

    fn needs_list(&self, now_ms: u64) -> bool {
        let inner = self.inner();
        inner.is_active() && inner.listed_ms + LIST_EVERY.as_millis() as u64 <= now_ms
    }

    fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.inner())
    }
}

impl Keeper<'_> {
    pub fn run(&self, stop: &Stop) {
        let Ok(mut table) = Table::open(self.table, self.login, self.world) else { return };
        let mut cursors = Cursors::default();
        while !stop.is_set() {
            let pause = match self.round(&mut table, &mut cursors) {
                Ok(true) => continue,
                Ok(false) => PAUSE,
                Err(_) => {
                    // Whoever follows the source directly says so.
                    cursors.iterators.clear();
                    PAUSE_TROUBLE
                }
            };
            let until = self.world.elapsed() + pause;
            while self.world.elapsed() < until && !stop.is_set() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// True: something was there.
    fn round(&self, table: &mut Table, cursors: &mut Cursors) -> Result<bool, Error> {
        let now_ms = self.world.now().millis();
        if self.spool.needs_list(now_ms) {
            let shards = table.shards(self.stream)?;
            self.spool.listed(&shards, now_ms);
        }
        let mut moved = false;
        for (shard, last) in self.spool.wanted() {
            moved |= self.shard(table, cursors, &shard, last)?;
        }
        self.spool.with(Inner::secure);
        Ok(moved)
    }

    fn shard(
        &self,
        table: &mut Table,
        cursors: &mut Cursors,
        shard: &ShardId,
        last: Option<Sequence>,
    ) -> Result<bool, Error> {
        let asked_ms = self.world.now().millis();
        let iterator = match cursors.iterators.remove(shard) {
            Some((at, iterator)) if at == last => Some(iterator),
            _ => {
                let begin = match &last {
                    Some(last) if cursors.horizon.get(shard) != Some(&Some(last.clone())) => {
                        Begin::After(last.clone())
                    }
                    _ => Begin::Horizon,
                };
                table.iterator(self.stream, shard, &begin)?
            }
        };
        let Some(iterator) = iterator else { return Ok(self.trimmed(cursors, shard, last)) };
        let mut page = match table.records(&iterator, 1000) {
            Ok(page) => page,
            Err(fault) if fault.is("ExpiredIteratorException") => return Ok(true),
            Err(fault) if fault.is("TrimmedDataAccessException") => {
                return Ok(self.trimmed(cursors, shard, last));
            }
            Err(fault) => return Err(fault.into()),
        };
        let end = page.next.is_none();
        let is_tip = page.records.is_empty();
        // What is told again is here.
        page.records.retain(|record| Some(&record.sequence) > last.as_ref());
        if let Some(next) = &page.next
            && page.records.is_empty()
            && !is_tip
        {
            cursors.iterators.insert(shard.clone(), (last, next.clone()));
            return Ok(true);
        }
        let moved = end || !page.records.is_empty();
        let mut reached = last;
        let mut frames = frames(page.records).into_iter().peekable();
        loop {
            let records = frames.next();
            let end = end && frames.peek().is_none();
            let now = records.as_ref().map(|(last, _)| last.clone());
            let page = Page { records, end, asked_ms };
            if !self.spool.with(|inner| inner.append(shard, reached.as_ref(), page)) {
                return Ok(false);
            }
            reached = now.or(reached);
            if frames.peek().is_none() {
                break;
            }
        }
        if let Some(next) = page.next {
            cursors.iterators.insert(shard.clone(), (reached, next));
        }
        Ok(moved)
    }

    /// Nothing was lost if all was here not long ago. Else the hole is left to whoever reads on from here, who
    /// finds it too and knows what to do about it.
    fn trimmed(&self, cursors: &mut Cursors, shard: &ShardId, last: Option<Sequence>) -> bool {
        let now_ms = self.world.now().millis();
        self.spool.with(|inner| {
            if now_ms.saturating_sub(inner.secured_ms) < self.kept_for_ms {
                cursors.horizon.insert(shard.clone(), last);
                return true;
            }
            if let Some(held) = inner.shards.get_mut(shard) {
                held.released = true;
            }
            false
        })
    }
}

/// A page in pieces that a small spool has room for, each with its last record's number.
fn frames(records: Vec<Record>) -> Vec<(Sequence, Vec<u8>)> {
    let mut frames: Vec<Vec<Record>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        let size = record.old.iter().chain(&record.new).map(Item::size_bytes).sum::<usize>();
        bytes += size;
        if frames.is_empty() || bytes > FRAME_BYTES {
            frames.push(Vec::new());
            bytes = size;
        }
        if let Some(frame) = frames.last_mut() {
            frame.push(record);
        }
    }
    let told = |records: Vec<Record>| {
        let last = records.last()?.sequence.clone();
        Some((last, RecordsPage { records, next: None }.write()))
    };
    frames.into_iter().filter_map(told).collect()
}
