//! Every interleaving of small lives: writes, scan pages, shard pages, a rollover, lanes' commits, ticks and a crash,
//! explored to the end. The rule must never end wrong; each weaker rule must.

use super::*;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// One write of the life: of a key, a version or its deletion. The version is the write's own number.
type Write = (usize, bool);
type Change = (usize, Option<usize>);
/// An item and its version, and where the next page begins.
type Page = (Option<(usize, usize)>, Option<usize>);

/// A small life, and when things happen in it.
#[derive(Clone, Debug)]
struct Life {
    writes: Vec<Write>,
    /// The write that begins the second shard.
    roll: usize,
    /// How many writes there were when the plan was made.
    planned: usize,
    keys: usize,
    lanes: usize,
    segments: u32,
    crashes: u8,
    /// The target has rows of an earlier copy.
    recopy: bool,
    wrong: Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wrong {
    Nothing,
    ScanOverwrites,
    DeletionsForgotten,
    ChildrenDoNotWait,
    PositionTakenLate,
    ScanReadsOldItems,
    OldRowsCount,
    SweepDoesNotWait,
}

/// The version of rows of an earlier copy.
const OLD: usize = 99;

/// What outlives a crash of the runner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Target {
    rows: BTreeMap<usize, usize>,
    gone: BTreeSet<usize>,
    /// Rows of this copy.
    seen: BTreeSet<usize>,
    marks: BTreeMap<(Track, usize), (Option<Mark>, bool)>,
    sealed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Moment {
    written: usize,
    target: Target,
    join: Join,
    /// Where each open shard is read next, and what each scan reads next.
    reading: BTreeMap<ShardId, usize>,
    scanning: BTreeMap<u32, usize>,
    /// Pages of the scan that were read and have not arrived.
    pages: BTreeMap<u32, Page>,
    lanes: Vec<Vec<Work<Change>>>,
    /// What the machine asked for and was not given yet.
    list: bool,
    seal: bool,
    /// Rows that the sweep has found and not yet taken away.
    sweeping: Option<BTreeSet<usize>>,
    crashes: u8,
}

impl Life {
    fn source(&self, written: usize) -> BTreeMap<usize, usize> {
        let mut items = BTreeMap::new();
        for (at, (key, put)) in self.writes[..written].iter().enumerate() {
            if *put {
                items.insert(*key, at)
            } else {
                items.remove(key)
            };
        }
        items
    }

    fn shards(&self, written: usize) -> Vec<Shard> {
        let mut shards = vec![Shard { id: "0".into(), parent: None, closed: written > self.roll }];
        if written > self.roll {
            shards.push(Shard { id: "1".into(), parent: Some("0".into()), closed: false });
        }
        shards
    }

    /// The writes whose records a shard has.
    fn range(&self, shard: &str, written: usize) -> std::ops::Range<usize> {
        if shard == "0" { 0..self.roll.min(written) } else { self.roll.min(written)..written }
    }

    fn plan(&self) -> Plan {
        let shards = self.shards(self.planned);
        let ids = |closed| shards.iter().filter(move |s| s.closed == closed).map(|s| s.id.clone()).collect();
        Plan {
            lanes: self.lanes,
            segments: self.segments,
            past: ids(true),
            captured: ids(false),
            recopy: self.recopy,
        }
    }

    /// No write is left to come, and the machine says that all has been read, which no unread record gives the lie.
    fn is_at_rest(&self, now: &Moment) -> bool {
        let closed = |shard: &str| shard == "0" && now.written > self.roll;
        let unread =
            |(shard, at): (&ShardId, &usize)| *at < self.range(shard, now.written).end || closed(shard);
        now.written == self.writes.len() && now.join.is_caught_up() && !now.reading.iter().any(unread)
    }

    fn begin(&self) -> Moment {
        // One of the old rows is of a key that no write names.
        let old = if self.recopy { (0..=self.keys).map(|key| (key, OLD)).collect() } else { BTreeMap::new() };
        let target = Target {
            rows: old,
            gone: BTreeSet::new(),
            seen: BTreeSet::new(),
            marks: BTreeMap::new(),
            sealed: false,
        };
        self.run(self.planned, target, true, self.crashes)
    }

    /// A runner that finds this target.
    fn run(&self, written: usize, mut target: Target, begun_here: bool, crashes: u8) -> Moment {
        let mut stored = Stored { plan: self.plan(), marks: target.marks.clone(), scanned: target.sealed };
        for (track, lane, mark) in stored.level() {
            target.marks.insert((track, lane), (mark, false));
        }
        let mut join = Join::new(stored, begun_here);
        join.gated = self.wrong != Wrong::ChildrenDoNotWait;
        let actions = join.start();
        let mut moment = Moment {
            written,
            target,
            join,
            reading: BTreeMap::new(),
            scanning: BTreeMap::new(),
            pages: BTreeMap::new(),
            lanes: vec![Vec::new(); self.lanes],
            list: false,
            seal: false,
            sweeping: None,
            crashes,
        };
        self.act(&mut moment, actions);
        moment
    }

    fn act(&self, moment: &mut Moment, actions: Vec<Action<Change>>) {
        for action in actions {
            match action {
                Action::Open { shard, after } => {
                    let captured = self.planned + usize::from(self.wrong == Wrong::PositionTakenLate);
                    let first = match after {
                        Some(sequence) => sequence.as_str().parse::<usize>().expect("a number"),
                        None if shard[..] == *"0" || self.planned > self.roll => captured,
                        None => self.roll,
                    };
                    moment.reading.insert(shard, first);
                }
                Action::Scan { segment, from } => {
                    let from = from.map(|from| from.parse().expect("a number"));
                    moment.scanning.insert(segment, from.unwrap_or(0));
                }
                Action::Apply { lane, work } => moment.lanes[lane].push(work),
                Action::List => moment.list = true,
                Action::Seal => moment.seal = true,
                Action::Consistent => {}
                Action::Gap { shard } => panic!("no record is trimmed here, yet {shard} is missed"),
            }
        }
    }

    fn told(&self, mut moment: Moment, event: Event<Change>) -> Moment {
        let actions = moment.join.step(event);
        self.act(&mut moment, actions);
        moment
    }

    /// Everything that may happen next.
    fn next(&self, now: &Moment) -> Vec<Moment> {
        let mut all = Vec::new();
        if now.written < self.writes.len() {
            all.push(Moment { written: now.written + 1, ..now.clone() });
        }
        if now.list {
            let listed = Moment { list: false, ..now.clone() };
            all.push(self.told(listed, Event::Listed(self.shards(now.written))));
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
            all.push(self.run(now.written, now.target.clone(), false, now.crashes - 1));
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
        let end = record.is_none() && shard == "0" && now.written > self.roll;
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

/// Explores a life; how many of its moments claim to be at rest, and how many of those are wrong.
fn explore(life: &Life) -> (usize, usize) {
    let mut seen = HashSet::new();
    let mut open = vec![life.begin()];
    let (mut rests, mut wrong) = (0, 0);
    while let Some(moment) = open.pop() {
        if !seen.insert(moment.clone()) {
            continue;
        }
        if life.is_at_rest(&moment) {
            rests += 1;
            wrong += usize::from(moment.target.rows != life.source(moment.written));
        }
        open.extend(life.next(&moment));
    }
    (rests, wrong)
}

/// All lives of so many writes of so many keys that no deletion is of nothing, with every rollover and every plan.
fn lives(keys: usize, length: usize, form: &Life) -> Vec<Life> {
    let mut scripts: Vec<Vec<Write>> = vec![Vec::new()];
    for _ in 0..length {
        let mut longer = Vec::new();
        for script in &scripts {
            for key in 0..keys {
                let is_there = script.iter().rev().find(|(of, _)| *of == key).is_some_and(|(_, put)| *put);
                longer.push([&script[..], &[(key, true)]].concat());
                if is_there {
                    longer.push([&script[..], &[(key, false)]].concat());
                }
            }
        }
        scripts = longer;
    }
    let mut all = Vec::new();
    for writes in scripts {
        for roll in 1..=length {
            for planned in 0..=length {
                all.push(Life { writes: writes.clone(), roll, planned, keys, ..form.clone() });
            }
        }
    }
    all
}

fn form(lanes: usize, segments: u32, crashes: u8, wrong: Wrong) -> Life {
    Life { writes: Vec::new(), roll: 0, planned: 0, keys: 0, lanes, segments, crashes, recopy: false, wrong }
}

fn total(lives: Vec<Life>) -> (usize, usize) {
    lives.iter().map(explore).fold((0, 0), |(rests, wrong), one| {
        assert!(one.0 > 0, "a life that never comes to rest");
        (rests + one.0, wrong + one.1)
    })
}

#[test]
fn one_item_is_right_at_every_rest() {
    for length in 0..=2 {
        assert_eq!(total(lives(1, length, &form(1, 1, 1, Wrong::Nothing))).1, 0);
    }
    assert_eq!(total(lives(1, 3, &form(1, 1, 0, Wrong::Nothing))).1, 0);
}

#[test]
fn two_items_on_two_lanes_are_right_at_every_rest() {
    assert_eq!(total(lives(2, 1, &form(2, 1, 1, Wrong::Nothing))).1, 0);
    assert_eq!(total(lives(2, 2, &form(2, 1, 0, Wrong::Nothing))).1, 0);
}

/// Over rows of an earlier copy, one of which no item makes any more.
#[test]
fn a_copy_over_an_earlier_one_is_right_at_every_rest() {
    let over = |lanes, crashes| Life { recopy: true, ..form(lanes, 1, crashes, Wrong::Nothing) };
    for length in 0..=2 {
        assert_eq!(total(lives(1, length, &over(1, 1))).1, 0);
    }
    assert_eq!(total(lives(1, 3, &over(1, 0))).1, 0);
    assert_eq!(total(lives(2, 1, &over(2, 1))).1, 0);
}

/// The larger spaces, for a release build: `MILLSTREAM_EXHAUSTIVE=1 cargo test --release -p sinks join`.
#[test]
fn longer_lives_are_right_at_every_rest() {
    if std::env::var_os("MILLSTREAM_EXHAUSTIVE").is_none() {
        return;
    }
    assert_eq!(total(lives(1, 4, &form(1, 1, 1, Wrong::Nothing))).1, 0);
    assert_eq!(total(lives(2, 3, &form(2, 1, 0, Wrong::Nothing))).1, 0);
    assert_eq!(total(lives(2, 2, &form(2, 1, 1, Wrong::Nothing))).1, 0);
}

#[test]
fn every_weaker_rule_is_caught() {
    for wrong in [
        Wrong::ScanOverwrites,
        Wrong::DeletionsForgotten,
        Wrong::ChildrenDoNotWait,
        Wrong::PositionTakenLate,
        Wrong::ScanReadsOldItems,
    ] {
        let (rests, wrongs) = total(lives(1, 3, &form(1, 1, 0, wrong)));
        println!("{wrong:?}: {wrongs} of {rests} rests end wrong");
        assert!(wrongs > 0, "{wrong:?} passes {rests} rests");
    }
    for wrong in
        [Wrong::ScanOverwrites, Wrong::DeletionsForgotten, Wrong::OldRowsCount, Wrong::SweepDoesNotWait]
    {
        let over = Life { recopy: true, ..form(1, 1, 0, wrong) };
        let (rests, wrongs) = total(lives(1, 3, &over));
        println!("over an earlier copy, {wrong:?}: {wrongs} of {rests} rests end wrong");
        assert!(wrongs > 0, "{wrong:?} passes {rests} rests over an earlier copy");
    }
}
