//! What the readers do: one call of the source each.

use super::clerk::{Errand, Told};
use crate::Error;
use crate::join::{Row, Sequence, ShardId};
use crate::mapping::{Direct, KeySchema, SheetRow, lane_hash};
use crate::source::{Ahead, Begin, InProcess, Login, Page, Part, Record, ScanPage, ScanRows, Table};
use crate::spool::{Given, Spool};
use crate::targets::{Change, ItemChange};
use model::Item;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use world::World;

pub enum Job {
    Read { shard: ShardId, iterator: Option<String>, begin: Begin },
    Scan { segment: u32, from: Option<Box<str>> },
}

pub enum Done {
    Records {
        shard: ShardId,
        records: Vec<(Sequence, Row<Change>)>,
        next: Next,
        asked_ms: u64,
    },
    /// What comes is about to be in the spool.
    NotYet {
        shard: ShardId,
    },
    /// What lies where reading should begin has been trimmed.
    Trimmed {
        shard: ShardId,
    },
    Page {
        segment: u32,
        rows: Vec<Row<Change>>,
        next: Option<Box<str>>,
        units: f64,
    },
    Failed {
        job: Job,
        error: Error,
    },
    Committed {
        lane: usize,
        works: Vec<(crate::join::Track, Option<crate::join::Mark>, bool)>,
        rows: usize,
        bytes: usize,
        applied: crate::targets::Applied,
        created_s: u64,
    },
    /// The last record that a shard had; none: it had none, or nobody knows.
    Skimmed {
        shard: ShardId,
        last: Option<Sequence>,
    },
    Told(Told),
    /// The target was away.
    NotTold(Errand),
    Trouble {
        lane: usize,
        message: Option<String>,
    },
    /// A lane, or the clerk, has ended for good.
    Broken(Error),
}

/// Where a shard goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// At this iterator of the source.
    Iterator(String),
    /// Behind the last record, which the spool had.
    Position,
    /// Nowhere: it has ended.
    End,
}

/// How an iterator is refused that is no use any more.
const STALE: [&str; 2] = ["ExpiredIteratorException", "ValidationException"];

/// What a reader needs.
pub struct Reader<'a> {
    pub table: &'a str,
    pub login: &'a Login,
    pub world: &'a World,
    /// The source's, where they are in this process.
    pub tables: Option<&'a dyn InProcess>,
    pub ahead: Ahead,
    pub schema: &'a KeySchema,
    /// How the plan chooses lanes.
    pub by_keys: bool,
    /// Makes rows at once, where the mapping asks for no more.
    pub direct: Option<Direct>,
    pub stream: &'a str,
    pub segments: u32,
    pub spool: Option<&'a Spool>,
    /// Most items of a page of the scan: what a second may cost, where that is bounded.
    pub page_items: Option<usize>,
}

impl Reader<'_> {
    /// Does jobs until nobody gives any.
    pub fn run(&self, jobs: &Mutex<Receiver<Job>>, done: &Sender<Done>) {
        let Ok(mut table) = Table::open(self.table, self.login, self.world) else { return };
        loop {
            let next =
                jobs.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(Duration::from_millis(200));
            let job = match next {
                Ok(job) => job,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => continue,
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
            };
            let told = match self.work(&mut table, &job) {
                Ok(told) => told,
                Err(error) => Done::Failed { job, error },
            };
            if done.send(told).is_err() {
                return;
            }
        }
    }

    fn work(&self, table: &mut Table, job: &Job) -> Result<Done, Error> {
        match job {
            Job::Scan { segment, from } => {
                let from = from.as_deref();
                let part = Part { segment: *segment, segments: self.segments, from, limit: self.page_items };
                if let Some(page) = self.own_page(&part) {
                    return Ok(page);
                }
                let memory = self.direct.as_ref().map(Direct::answer).unwrap_or_default();
                table.scan_as(&part, memory, |body| self.page(*segment, body))
            }
            Job::Read { shard, iterator, begin } => match self.kept(shard, begin) {
                Some(done) => Ok(done),
                None => self.read(table, shard, iterator.clone(), begin),
            },
        }
    }

    /// What the spool has of a shard; none: the source is asked.
    fn kept(&self, shard: &ShardId, begin: &Begin) -> Option<Done> {
        let after = match begin {
            Begin::Horizon => None,
            Begin::After(sequence) => Some(sequence),
        };
        let (records, next) = match self.spool?.next(shard, after) {
            Given::Source => return None,
            Given::Wait => return Some(Done::NotYet { shard: shard.clone() }),
            Given::Page(records) => (records, Next::Position),
            Given::End => (Vec::new(), Next::End),
        };
        let records = self.changed(records);
        Some(Done::Records { shard: shard.clone(), records, next, asked_ms: 0 })
    }

    fn read(
        &self,
        table: &mut Table,
        shard: &ShardId,
        iterator: Option<String>,
        begin: &Begin,
    ) -> Result<Done, Error> {
        let mut iterator = iterator;
        // An iterator that waited too long for its turn, or that a server does not know which came back, is asked for
        // once more.
        for again in [true, false] {
            let given = match iterator.take() {
                Some(iterator) => iterator,
                None => match table.iterator(self.stream, shard, begin)? {
                    Some(iterator) => iterator,
                    None => return Ok(Done::Trimmed { shard: shard.clone() }),
                },
            };
            match self.ahead.records(&given, self.direct.as_ref()) {
                Ok((page, asked_ms)) => {
                    let (records, next) = match page {
                        Page::Rows(page) => (made(page.records), page.next),
                        Page::Items(page) => (self.changed(page.records), page.next),
                    };
                    let next = next.map_or(Next::End, Next::Iterator);
                    return Ok(Done::Records { shard: shard.clone(), records, next, asked_ms });
                }
                Err(fault) if again && STALE.iter().any(|code| fault.is(code)) => {}
                Err(fault) if fault.is("TrimmedDataAccessException") => {
                    return Ok(Done::Trimmed { shard: shard.clone() });
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(Done::Trimmed { shard: shard.clone() })
    }

    /// A page of the scan.
    fn page(&self, segment: u32, body: Vec<u8>) -> Option<Done> {
        let body = match &self.direct {
            None => body,
            Some(direct) => match ScanRows::read(body, direct) {
                Ok(page) => return Some(of_rows(segment, page)),
                Err(body) => body,
            },
        };
        Some(self.of_items(segment, ScanPage::read(&body)?))
    }

    /// The same of tables in this process.
    fn own_page(&self, part: &Part<'_>) -> Option<Done> {
        let (tables, direct) = (self.tables?, self.direct.as_ref());
        let rows = direct.and_then(|direct| ScanRows::own(tables, self.table, part, direct));
        match rows {
            Some(page) => Some(of_rows(part.segment, page)),
            None => Some(self.of_items(part.segment, ScanPage::own(tables, self.table, part)?)),
        }
    }

    fn of_items(&self, segment: u32, page: ScanPage) -> Done {
        let rows = page.items.into_iter().map(|item| self.scanned(item)).collect();
        Done::Page { segment, rows, next: page.next, units: page.read_units }
    }

    fn scanned(&self, item: Item) -> Row<Change> {
        let keys = self.schema.key_of(&item);
        let key = self.schema.bytes(&keys);
        let hash = lane_hash(&key, self.by_keys);
        let (old, new, sequence) = (None, Some(item), None);
        let change = ItemChange { key, keys, old, new, created_s: 0, expired: false, sequence };
        Row { hash, row: Change::Item(Box::new(change)) }
    }

    fn changed(&self, records: Vec<Record>) -> Vec<(Sequence, Row<Change>)> {
        records.into_iter().map(|record| self.change(record)).collect()
    }

    fn change(&self, record: Record) -> (Sequence, Row<Change>) {
        let key = self.schema.bytes(&record.keys);
        let hash = lane_hash(&key, self.by_keys);
        let change = ItemChange {
            key,
            keys: record.keys,
            old: record.old,
            new: record.new,
            created_s: record.created_s,
            expired: record.expired,
            sequence: Some(record.sequence.clone()),
        };
        (record.sequence, Row { hash, row: Change::Item(Box::new(change)) })
    }
}

fn of_rows(segment: u32, page: ScanRows) -> Done {
    let rows = page.rows.into_iter().map(|row| Row { hash: row.hash(), row: Change::Row(row) });
    Done::Page { segment, rows: rows.collect(), next: page.next, units: page.read_units }
}

fn made(records: Vec<(Sequence, SheetRow)>) -> Vec<(Sequence, Row<Change>)> {
    let of =
        |(sequence, row): (Sequence, SheetRow)| (sequence, Row { hash: row.hash(), row: Change::Row(row) });
    records.into_iter().map(of).collect()
}
