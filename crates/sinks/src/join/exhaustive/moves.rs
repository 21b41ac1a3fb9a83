//! What may happen next in a life.

use super::life::{Life, Moment, Run, Wrong};
use crate::join::{Event, Known, Row, Sequence, Track, applies};
use std::collections::BTreeSet;

impl Life {
    /// Everything that may happen next.
    pub fn next(&self, now: &Moment) -> Vec<Moment> {
        let mut all = Vec::new();
        if now.written < self.writes.len() {
            all.push(Moment { written: now.written + 1, ..now.clone() });
        }
        if now.list {
            let listed = Moment { list: false, ..now.clone() };
            all.push(self.told(listed, Event::Listed(self.listed(now))));
        }
        if now.seal {
            all.extend(self.seal(now));
        }
        for (segment, from) in &now.scanning {
            all.push(self.scan(now, *segment, *from));
        }
        for segment in now.pages.keys() {
            all.push(self.arrive(now, *segment));
        }
        for (shard, at) in &now.reading {
            all.push(self.read(now, shard, *at));
        }
        for lane in 0..self.lanes {
            if !now.lanes[lane].is_empty() {
                all.push(self.commit(now, lane));
            }
        }
        if self.lanes > 1 {
            all.push(self.told(now.clone(), Event::Tick));
        }
        if now.crashes > 0 {
            let run = Run { begun_here: false, crashes: now.crashes - 1, trimmed: now.trimmed };
            all.push(self.run(now.written, now.target.clone(), run));
        }
        if self.trims {
            all.extend(self.trim(now));
        }
        all
    }

    /// The stream forgets a shard that is applied; somebody lists; the runner forgets a shard, too.
    fn trim(&self, now: &Moment) -> Vec<Moment> {
        let mut all = vec![Moment { list: true, ..now.clone() }];
        let oldest = now.trimmed.to_string();
        let is_through = |lane| {
            let mark = now.target.marks.get(&(Track::Shard(oldest.as_str().into()), lane));
            mark.is_some_and(|(_, ended)| *ended)
        };
        if self.is_closed(&oldest, now.written) && (0..self.lanes).all(is_through) {
            all.push(Moment { trimmed: now.trimmed + 1, ..now.clone() });
        }
        for shard in &now.forget {
            let mut moment = now.clone();
            moment.forget.remove(shard);
            let track = Track::Shard(shard.clone());
            moment.target.marks.retain(|(marked, _), _| *marked != track);
            all.push(moment);
        }
        all
    }

    /// The end of the snapshot: over rows of an earlier copy, those that this one did not bring are found, and then
    /// taken away; lanes rest meanwhile.
    fn seal(&self, now: &Moment) -> Option<Moment> {
        let waits = self.recopy && self.wrong != Wrong::SweepDoesNotWait;
        if waits && now.lanes.iter().any(|works| !works.is_empty()) {
            return None;
        }
        let mut moment = now.clone();
        let target = &mut moment.target;
        let found = target.rows.keys().filter(|key| !target.seen.contains(key)).copied();
        let found: BTreeSet<usize> = if self.recopy { found.collect() } else { BTreeSet::new() };
        match moment.sweeping.take() {
            None if self.wrong == Wrong::SweepDoesNotWait => {
                moment.sweeping = Some(found);
                return Some(moment);
            }
            swept => {
                let swept = swept.unwrap_or(found);
                target.rows.retain(|key, _| !swept.contains(key));
            }
        }
        moment.seal = false;
        moment.target.sealed = true;
        Some(self.told(moment, Event::Sealed))
    }

    /// A page of one item: the segment's next that is there.
    fn scan(&self, now: &Moment, segment: u32, from: usize) -> Moment {
        let mut moment = now.clone();
        let old = usize::from(self.wrong == Wrong::ScanReadsOldItems);
        let items = self.source(now.written.saturating_sub(old));
        let mut mine = items.range(from..).filter(|(key, _)| **key as u32 % self.segments == segment);
        let found = mine.next().map(|(key, version)| (*key, *version));
        let next = found.map(|(key, _)| key + 1).filter(|next| *next < self.keys);
        moment.scanning.remove(&segment);
        moment.pages.insert(segment, (found, next));
        moment
    }

    fn arrive(&self, now: &Moment, segment: u32) -> Moment {
        let mut moment = now.clone();
        let Some((found, next)) = moment.pages.remove(&segment) else { return moment };
        if let Some(next) = next {
            moment.scanning.insert(segment, next);
        }
        let row = found.map(|(key, version)| Row { hash: key as u64, row: (key, Some(version)) });
        let next = next.map(|next| next.to_string().into());
        self.told(moment, Event::Scanned { segment, rows: row.into_iter().collect(), next })
    }

    /// A page of one record, or what says that there is none.
    fn read(&self, now: &Moment, shard: &str, at: usize) -> Moment {
        let mut moment = now.clone();
        let range = self.range(shard, now.written);
        let record = (at.max(range.start) < range.end).then(|| at.max(range.start));
        let end = record.is_none() && self.is_closed(shard, now.written);
        match record {
            _ if end => moment.reading.remove(shard),
            Some(at) => moment.reading.insert(shard.into(), at + 1),
            None => None,
        };
        let records = record.map(|at| {
            let (key, put) = self.writes[at];
            let number = Sequence::parse(&(at + 1).to_string()).expect("a number");
            (number, Row { hash: key as u64, row: (key, put.then_some(at)) })
        });
        let records: Vec<_> = records.into_iter().collect();
        let tip = records.is_empty() && !end;
        self.told(moment, Event::Read { shard: shard.into(), records, end, tip })
    }

    fn commit(&self, now: &Moment, lane: usize) -> Moment {
        let mut moment = now.clone();
        let work = moment.lanes[lane].remove(0);
        let target = &mut moment.target;
        for (key, version) in work.rows {
            let known = match () {
                () if self.recopy && self.wrong != Wrong::OldRowsCount => match target.seen.contains(&key) {
                    true => Known::Row,
                    false if target.gone.contains(&key) => Known::Gone,
                    false => Known::Nothing,
                },
                () if target.rows.contains_key(&key) => Known::Row,
                () if target.gone.contains(&key) => Known::Gone,
                () => Known::Nothing,
            };
            if applies(known, work.track.origin()) || self.wrong == Wrong::ScanOverwrites {
                match version {
                    Some(version) => {
                        target.rows.insert(key, version);
                        if work.remember && self.recopy {
                            target.seen.insert(key);
                        }
                    }
                    None => drop(target.rows.remove(&key)),
                }
                if version.is_none() && work.remember && self.wrong != Wrong::DeletionsForgotten {
                    target.gone.insert(key);
                }
            }
        }
        target.marks.insert((work.track.clone(), lane), (work.mark, work.end));
        self.told(moment, Event::Committed { lane, track: work.track, end: work.end })
    }
}
