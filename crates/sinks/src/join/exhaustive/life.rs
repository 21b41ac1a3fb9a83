//! A small life of a table, what is kept of it, and a runner that follows it.

use crate::join::machine::Rules;
use crate::join::{Action, Event, Join, Mark, Plan, Shard, ShardId, Stored, Track, Work};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// One write of the life: of a key, a version or its deletion. The version is the write's own number.
pub type Write = (usize, bool);
pub type Change = (usize, Option<usize>);
/// An item and its version, and where the next page begins.
pub type Page = (Option<(usize, usize)>, Option<usize>);

/// A small life, and when things happen in it.
#[derive(Clone, Debug)]
pub struct Life {
    pub writes: Vec<Write>,
    /// The writes that begin another shard each.
    pub rolls: Vec<usize>,
    /// How many writes there were when the plan was made.
    pub planned: usize,
    pub keys: usize,
    pub lanes: usize,
    pub segments: u32,
    pub crashes: u8,
    /// The target has rows of an earlier copy.
    pub recopy: bool,
    /// The stream forgets shards that have ended and are applied. There was nothing to scan.
    pub trims: bool,
    pub wrong: Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wrong {
    Nothing,
    ScanOverwrites,
    DeletionsForgotten,
    ChildrenDoNotWait,
    PositionTakenLate,
    ScanReadsOldItems,
    OldRowsCount,
    SweepDoesNotWait,
    ListedAreForgotten,
    ParentsAreForgotten,
    CapturedAreForgotten,
}

/// The version of rows of an earlier copy.
const OLD: usize = 99;

/// How a runner begins.
pub struct Run {
    pub begun_here: bool,
    pub crashes: u8,
    pub trimmed: usize,
}

/// What outlives a crash of the runner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub rows: BTreeMap<usize, usize>,
    pub gone: BTreeSet<usize>,
    /// Rows of this copy.
    pub seen: BTreeSet<usize>,
    pub marks: BTreeMap<(Track, usize), (Option<Mark>, bool)>,
    pub sealed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    pub written: usize,
    pub target: Target,
    pub join: Join,
    /// Where each open shard is read next, and what each scan reads next.
    pub reading: BTreeMap<ShardId, usize>,
    pub scanning: BTreeMap<u32, usize>,
    /// Pages of the scan that were read and have not arrived.
    pub pages: BTreeMap<u32, Page>,
    pub lanes: Vec<Vec<Work<Change>>>,
    /// What the machine asked for and was not given yet.
    pub list: bool,
    pub seal: bool,
    /// Rows that the sweep has found and not yet taken away.
    pub sweeping: Option<BTreeSet<usize>>,
    pub crashes: u8,
    /// How many shards the stream has forgotten.
    pub trimmed: usize,
    /// What the runner is about to forget.
    pub forget: BTreeSet<ShardId>,
    /// A record is said to be lost that is not.
    pub missed: bool,
}

impl Life {
    pub fn source(&self, written: usize) -> BTreeMap<usize, usize> {
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
        let begun = self.rolls.iter().filter(|roll| written > **roll).count();
        let shard = |at: usize| Shard {
            id: at.to_string().into(),
            parent: at.checked_sub(1).map(|before| before.to_string().into()),
            closed: at < begun,
        };
        (0..=begun).map(shard).collect()
    }

    /// The shards that the stream has not forgotten.
    pub fn listed(&self, now: &Moment) -> Vec<Shard> {
        self.shards(now.written).split_off(now.trimmed)
    }

    /// The writes whose records a shard has.
    pub fn range(&self, shard: &str, written: usize) -> Range<usize> {
        let at: usize = shard.parse().expect("a number");
        let begin = if at == 0 { 0 } else { self.rolls[at - 1] };
        let end = self.rolls.get(at).map_or(written, |roll| written.min(*roll));
        begin.min(written)..end
    }

    pub fn is_closed(&self, shard: &str, written: usize) -> bool {
        let at: usize = shard.parse().expect("a number");
        self.rolls.get(at).is_some_and(|roll| written > *roll)
    }

    fn rules(&self) -> Rules {
        Rules {
            children_wait: self.wrong != Wrong::ChildrenDoNotWait,
            listed_stay: self.wrong != Wrong::ListedAreForgotten,
            // A shard that is listed and done has children that are, too.
            parents_stay: !matches!(self.wrong, Wrong::ParentsAreForgotten | Wrong::ListedAreForgotten),
            captured_stay: self.wrong != Wrong::CapturedAreForgotten,
        }
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
            ..Plan::default()
        }
    }

    /// No write is left to come, and the machine says that all has been read, which no unread record gives the lie.
    pub fn is_at_rest(&self, now: &Moment) -> bool {
        let unread = |(shard, at): (&ShardId, &usize)| {
            *at < self.range(shard, now.written).end || self.is_closed(shard, now.written)
        };
        now.written == self.writes.len() && now.join.is_caught_up() && !now.reading.iter().any(unread)
    }

    pub fn begin(&self) -> Moment {
        // One of the old rows is of a key that no write names.
        let old = if self.recopy { (0..=self.keys).map(|key| (key, OLD)).collect() } else { BTreeMap::new() };
        let target = Target {
            rows: old,
            gone: BTreeSet::new(),
            seen: BTreeSet::new(),
            marks: BTreeMap::new(),
            sealed: self.trims,
        };
        self.run(self.planned, target, Run { begun_here: true, crashes: self.crashes, trimmed: 0 })
    }

    /// A runner that finds this target.
    pub fn run(&self, written: usize, mut target: Target, run: Run) -> Moment {
        let Run { begun_here, crashes, trimmed } = run;
        let mut stored = Stored { plan: self.plan(), marks: target.marks.clone(), scanned: target.sealed };
        for (track, lane, mark) in stored.level() {
            target.marks.insert((track, lane), (mark, false));
        }
        let mut join = Join::new(stored, begun_here);
        join.rules = self.rules();
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
            trimmed,
            forget: BTreeSet::new(),
            missed: false,
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
                        Some(sequence) => sequence.to_string().parse::<usize>().expect("a number"),
                        None if self.plan().captured.contains(&shard) => captured,
                        None => self.range(&shard, moment.written).start,
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
                Action::Forget { shards } => moment.forget.extend(shards),
                // What the stream forgets is applied here.
                Action::Gap { .. } => moment.missed = true,
            }
        }
    }

    pub fn told(&self, mut moment: Moment, event: Event<Change>) -> Moment {
        let actions = moment.join.step(event);
        self.act(&mut moment, actions);
        moment
    }
}
