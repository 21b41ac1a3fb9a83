//! Reading a shard, and whose each record is.

use super::{Course, ShardRun};
use crate::lane::{Action, Entry, Event, Lane};
use crate::target::PROBLEM_INTERNAL;
use bytes::Bytes;
use engine::ErrorKind;
use engine::stream::{Record, Sequence};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Records of a shard held in memory, of all lanes: a blocked lane holds the others up only beyond this.
const HELD_RECORDS_MAX: u64 = 20_000;
/// What one read brings at most.
const READ_RECORDS_MAX: usize = 10_000;
const READ_BYTES_MAX: usize = 8 << 20;
/// The pause after the stream could not be read.
const READ_RETRY: Duration = Duration::from_secs(1);

/// Records that share a buffer keep it together: a few that wait long shall not keep much.
const BUFFER_BYTES: usize = 128 << 10;

/// What a record has around its images when it is encoded, about.
const ENVELOPE_BYTES: usize = 512;

/// Reads in a row before others have their turn.
const READS_MAX: usize = 4;

/// Whose record it is.
enum Dealt {
    /// It was finished under an earlier division into lanes.
    Finished,
    Filtered(usize),
    Wanted(usize),
}

/// What was read, as it goes to the lanes. Records share buffers: one for each would be allocated, counted and freed.
struct Page {
    entries: Vec<(usize, Entry<Place>)>,
    filtered: Vec<(usize, u64)>,
    buffers: Vec<Vec<u8>>,
    /// What the first buffer is likely to hold.
    expected: usize,
}

/// Where a record lies in a page.
struct Place {
    buffer: usize,
    bytes: Range<usize>,
}

impl Page {
    /// The buffer that the next record goes into.
    fn buffer(&mut self) -> (usize, &mut Vec<u8>) {
        if self.buffers.last().is_none_or(|last| last.len() >= BUFFER_BYTES) {
            self.buffers.push(Vec::with_capacity(std::mem::take(&mut self.expected)));
        }
        let at = self.buffers.len() - 1;
        (at, &mut self.buffers[at])
    }

    fn lanes(self, count: usize) -> Vec<(Vec<Entry<Bytes>>, Vec<u64>)> {
        let mut lanes: Vec<(Vec<Entry<Bytes>>, Vec<u64>)> = (0..count).map(|_| Default::default()).collect();
        let buffers: Vec<Bytes> = self.buffers.into_iter().map(Bytes::from).collect();
        for (lane, Entry { sequence, created, bytes, record }) in self.entries {
            let record = buffers[record.buffer].slice(record.bytes);
            lanes[lane].0.push(Entry { sequence, created, bytes, record });
        }
        for (lane, sequence) in self.filtered {
            lanes[lane].1.push(sequence);
        }
        lanes
    }
}

impl ShardRun {
    pub(super) fn wants(&self, course: &Course) -> bool {
        let held: usize = course.lanes.iter().map(Lane::held).sum();
        !course.ended
            && course.retry_read.is_none()
            && (held as u64) < HELD_RECORDS_MAX
            && course.lanes.iter().any(|lane| lane.wants().is_some())
    }

    /// Reads what is there and deals it to the lanes, as long as they want more.
    pub(super) fn read(&mut self, course: &mut Course, actions: &mut Vec<Action<Bytes>>) {
        let mut reads = 0;
        course.more = false;
        while self.wants(course) {
            reads += 1;
            if reads > READS_MAX {
                course.more = true;
                return;
            }
            let wanted = course.lanes.iter().filter_map(Lane::wants);
            let (records, bytes) =
                wanted.fold((0, 0), |sum, wants| (sum.0 + wants.records, sum.1 + wants.bytes));
            let (records, bytes) = (records.min(READ_RECORDS_MAX), bytes.min(READ_BYTES_MAX));
            let found = match self.engine.read_records(&self.shard, Sequence(course.read), records, bytes) {
                Ok(found) => found,
                Err(error) if error.kind == ErrorKind::Trimmed => {
                    // What was trimmed is gone for everybody; it goes on at the oldest record there is.
                    let from = self.shard.start().0.max(course.read);
                    match self.engine.stream_position(&self.shard, engine::stream::Position::TrimHorizon) {
                        Ok(horizon) if horizon.0 > from => {
                            course.read = horizon.0;
                            continue;
                        }
                        _ => return self.unreadable(course, &error),
                    }
                }
                Err(error) => return self.unreadable(course, &error),
            };
            let through = found.through.0;
            if through <= course.read && found.next.is_some() {
                return; // The tip.
            }
            let expected = found.records.iter().map(|record| record.bytes() + ENVELOPE_BYTES).sum::<usize>();
            let mut page = Page {
                entries: Vec::with_capacity(found.records.len()),
                filtered: Vec::new(),
                buffers: Vec::new(),
                expected: expected.min(BUFFER_BYTES),
            };
            // A damaged record stops the shard before it, loudly: what cannot be delivered is not passed over.
            let mut damaged = None;
            for record in &found.records {
                if let Err(why) = self.put(record, &course.lanes, &mut page) {
                    damaged = Some((record.sequence.0, why));
                    break;
                }
            }
            let through = damaged.as_ref().map_or(through, |(sequence, _)| sequence - 1);
            course.read = through.max(course.read);
            course.ended = found.next.is_none() && damaged.is_none();
            let moment = self.moment();
            for (lane, (entries, filtered)) in page.lanes(course.lanes.len()).into_iter().enumerate() {
                // A lane may be ahead of the shard's lowest position.
                let through = course.read.max(course.lanes[lane].taken());
                let event = Event::Read { entries, filtered, through, ended: course.ended };
                course.lanes[lane].handle(event, moment, actions);
                self.act(course, lane, actions);
            }
            self.tell_flow(course);
            if let Some((_, why)) = damaged {
                return self.unreadable(course, &why);
            }
        }
    }

    fn unreadable(&self, course: &mut Course, error: &dyn std::fmt::Display) {
        world::say!("mapping {}: shard {} cannot be read: {error}", self.mapping.id, self.name);
        self.gauges.tell_result(Some(PROBLEM_INTERNAL));
        course.retry_read = Some(self.world.elapsed() + READ_RETRY);
    }

    /// Puts a record into the page, as its target will be handed it.
    fn put(&self, record: &Arc<Record>, lanes: &[Lane<Bytes>], page: &mut Page) -> Result<(), String> {
        let sequence = record.sequence.0;
        let damaged = |why: &dyn std::fmt::Display| format!("record {} is damaged: {why}", record.sequence);
        let is_new = |lane: usize| sequence > lanes[lane].taken();
        match self.deal(record).map_err(|why| damaged(&why))? {
            Dealt::Wanted(lane) if is_new(lane) => {
                let (at, buffer) = page.buffer();
                let begin = buffer.len();
                self.target.encode(record, buffer).map_err(|why| damaged(&why))?;
                let place = Place { buffer: at, bytes: begin..buffer.len() };
                let (created, bytes) = (record.created, place.bytes.len());
                page.entries.push((lane, Entry { sequence, created, bytes, record: place }));
            }
            Dealt::Filtered(lane) if is_new(lane) => page.filtered.push((lane, sequence)),
            Dealt::Wanted(_) | Dealt::Filtered(_) | Dealt::Finished => {}
        }
        Ok(())
    }

    /// Whose record it is.
    fn deal(&self, record: &Arc<Record>) -> Result<Dealt, String> {
        let lanes = self.checkpoint.lanes.len();
        let hash = if lanes > 1 || !self.checkpoint.older.is_empty() { key_hash(record) } else { 0 };
        if self.checkpoint.is_finished(record.sequence.0, hash) {
            return Ok(Dealt::Finished);
        }
        let lane = hash as usize % lanes;
        let wants = self.filter.wants(record, &self.mapping.region).map_err(|why| format!("{why:?}"))?;
        Ok(if wants { Dealt::Wanted(lane) } else { Dealt::Filtered(lane) })
    }
}

/// Deals records to lanes: all changes of an item go to one.
fn key_hash(record: &Record) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for attribute in record.keys().iter() {
        let Ok((name, value)) = attribute else { continue };
        add(name.as_bytes());
        match value {
            model::ValueView::S(text) => add(text.as_bytes()),
            model::ValueView::B(bytes) => add(bytes),
            model::ValueView::N(number) => add(number.as_bytes()),
            _ => {}
        }
    }
    (hash >> 32) as u32
}
