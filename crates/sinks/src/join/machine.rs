//! The machine itself.

use super::track::{Mark, Row, Sequence, Shard, ShardId, Track, Work};
use std::collections::{BTreeMap, BTreeSet};

/// What is decided before the first row is read, and kept with the rows from then on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Plan {
    pub lanes: usize,
    /// Segments of the scan.
    pub segments: u32,
    /// Shards that had ended when the plan was made: the scan sees what they said.
    pub past: BTreeSet<ShardId>,
    /// Shards that were open then.
    pub captured: BTreeSet<ShardId>,
    /// Iterators of the source behind what those had then: they live for minutes. Without one, and without a mark, a
    /// shard is read from its horizon.
    pub heads: BTreeMap<ShardId, String>,
    /// There are rows of an earlier copy: they count for nothing, and what this one does not bring goes at its end.
    pub recopy: bool,
    /// Lanes are chosen by keys; of older plans by items' names.
    pub by_keys: bool,
}

/// What the target remembers.
#[derive(Clone, Debug)]
pub struct Stored {
    pub plan: Plan,
    /// By track and lane: the mark, and whether the track ended there.
    pub marks: BTreeMap<(Track, usize), (Option<Mark>, bool)>,
    /// The snapshot had ended.
    pub scanned: bool,
}

#[derive(Clone, Debug)]
pub enum Event<R> {
    /// All shards of the stream.
    Listed(Vec<Shard>),
    /// A page of a shard. `records` in order; `end`: the shard has no more; `tip`: nothing more is there now.
    Read { shard: ShardId, records: Vec<(Sequence, Row<R>)>, end: bool, tip: bool },
    /// This record and those before it were there before the scan began, and none has been read.
    Reached { shard: ShardId, upto: Sequence },
    /// A page of a segment, and where the next begins; none: the segment has ended.
    Scanned { segment: u32, rows: Vec<Row<R>>, next: Option<Box<str>> },
    /// A lane has made work durable.
    Committed { lane: usize, track: Track, end: bool },
    /// The end of the snapshot is durable.
    Sealed,
    /// Marks that moved without rows are worth writing now.
    Tick,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action<R> {
    /// Read a shard after this record; none: from where the plan lets it begin.
    Open {
        shard: ShardId,
        after: Option<Sequence>,
    },
    /// Scan a segment from here; none: from its beginning.
    Scan {
        segment: u32,
        from: Option<Box<str>>,
    },
    Apply {
        lane: usize,
        work: Work<R>,
    },
    /// List the shards again: one has ended.
    List,
    /// The last row of the snapshot is durable: write that down, and forget the deletions.
    Seal,
    /// Nobody will ask for these shards again: their marks need not be remembered, all of a shard's or none.
    Forget {
        shards: Vec<ShardId>,
    },
    /// Records between what was applied and what is there are lost.
    Gap {
        shard: ShardId,
    },
    /// From here on the target is the source's image of a moment, and stays one.
    Consistent,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Followed {
    pub parent: Option<ShardId>,
    pub state: State,
    /// By lane: the mark that was reached, the one that the lane has been told.
    pub dealt: Vec<Option<Mark>>,
    pub sent: Vec<Option<Mark>>,
    pub ended: Vec<bool>,
    /// Work on its way.
    pub flying: u32,
    /// How often in a row nothing more was there, the listing being fresh.
    pub tips: u8,
    /// How many listings in a row did not have it.
    pub missed: u8,
}

/// The read that found nothing the first time may have been asked before the listing was; the second was not.
pub(super) const TIPS: u8 = 2;

/// One listing may come of a server that is behind the others.
pub(super) const MISSES: u8 = 2;

/// For tests that show what happens without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rules {
    pub children_wait: bool,
    /// Of the shards that are done, these are remembered.
    pub listed_stay: bool,
    pub parents_stay: bool,
    pub captured_stay: bool,
}

impl Rules {
    pub const ALL: Rules =
        Rules { children_wait: true, listed_stay: true, parents_stay: true, captured_stay: true };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum State {
    /// Its parent is not finished.
    Waiting,
    Reading,
    /// All has been read; lanes are still at it.
    Ending,
    Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Join {
    pub(super) plan: Plan,
    pub(super) tracks: BTreeMap<Track, Followed>,
    /// The shards that are followed were listed after the last one ended.
    pub(super) fresh: bool,
    /// The plan was made by this run: no record can have been lost yet.
    pub(super) begun_here: bool,
    pub(super) sealing: bool,
    pub(super) sealed: bool,
    consistent: bool,
    pub(super) rules: Rules,
}

impl Followed {
    pub fn new(lanes: usize, state: State) -> Followed {
        Followed {
            parent: None,
            state,
            dealt: vec![None; lanes],
            sent: vec![None; lanes],
            ended: vec![false; lanes],
            flying: 0,
            tips: 0,
            missed: 0,
        }
    }

    /// The lowest mark of the lanes that have not ended: where reading goes on.
    pub fn lowest(&self) -> Option<&Mark> {
        let mut lowest: Option<&Mark> = None;
        for (mark, _) in self.dealt.iter().zip(&self.ended).filter(|(_, ended)| !**ended) {
            let mark = mark.as_ref()?;
            if lowest.is_none_or(|lowest| mark.is_before(lowest)) {
                lowest = Some(mark);
            }
        }
        lowest
    }
}

impl Stored {
    /// Segments resume where their last lane stands, and cut their pages anew from there: marks that lie ahead say
    /// nothing any more. Gives what must be kept instead, before the first new page is read.
    pub fn level(&mut self) -> Vec<(Track, usize, Option<Mark>)> {
        let mut changed = Vec::new();
        for segment in (0..self.plan.segments).map(Track::Segment) {
            let of = |lane| self.marks.get(&(segment.clone(), lane)).cloned().unwrap_or_default();
            let open: Vec<_> = (0..self.plan.lanes).filter(|lane| !of(*lane).1).collect();
            let mut lowest = open.first().and_then(|lane| of(*lane).0);
            for lane in &open {
                let mark = of(*lane).0;
                if mark.as_ref().zip(lowest.as_ref()).is_none_or(|(mark, lowest)| mark.is_before(lowest)) {
                    lowest = lowest.and(mark);
                }
            }
            for lane in open {
                if of(lane).0 != lowest {
                    changed.push((segment.clone(), lane, lowest.clone()));
                }
            }
        }
        for (track, lane, mark) in &changed {
            self.marks.insert((track.clone(), *lane), (mark.clone(), false));
        }
        changed
    }
}

impl Join {
    /// A plan that was just written, or what was remembered of an earlier run.
    pub fn new(stored: Stored, begun_here: bool) -> Join {
        let Stored { plan, marks, scanned } = stored;
        let mut tracks = BTreeMap::new();
        if !scanned {
            for segment in 0..plan.segments {
                tracks.insert(Track::Segment(segment), Followed::new(plan.lanes, State::Reading));
            }
        }
        for shard in &plan.captured {
            tracks.insert(Track::Shard(shard.clone()), Followed::new(plan.lanes, State::Waiting));
        }
        for shard in &plan.past {
            tracks.insert(Track::Shard(shard.clone()), Followed::new(plan.lanes, State::Done));
        }
        for ((track, lane), (mark, ended)) in marks {
            if lane >= plan.lanes || (scanned && matches!(track, Track::Segment(_))) {
                continue;
            }
            let followed = tracks.entry(track).or_insert_with(|| Followed::new(plan.lanes, State::Waiting));
            followed.dealt[lane] = mark.clone();
            followed.sent[lane] = mark;
            followed.ended[lane] = ended;
            if followed.ended.iter().all(|ended| *ended) {
                followed.state = State::Done;
            }
        }
        Join {
            plan,
            tracks,
            fresh: false,
            begun_here,
            sealing: false,
            sealed: scanned,
            consistent: false,
            rules: Rules::ALL,
        }
    }

    /// What to do first; the listing is asked for by the caller at any time.
    pub fn start<R>(&mut self) -> Vec<Action<R>> {
        let mut actions = vec![Action::List];
        for (track, followed) in &self.tracks {
            if let (Track::Segment(segment), State::Reading) = (track, followed.state) {
                let from = match followed.lowest() {
                    Some(Mark::Page { next, .. }) => next.clone(),
                    _ => None,
                };
                actions.push(Action::Scan { segment: *segment, from });
            }
        }
        self.seal(&mut actions);
        actions
    }

    pub fn step<R>(&mut self, event: Event<R>) -> Vec<Action<R>> {
        let mut actions = Vec::new();
        match event {
            Event::Listed(shards) => self.listed(shards, &mut actions),
            Event::Read { shard, records, end, tip } => self.read(shard, records, end, tip, &mut actions),
            Event::Reached { shard, upto } => self.reached(shard, upto),
            Event::Scanned { segment, rows, next } => self.scanned(segment, rows, next, &mut actions),
            Event::Committed { lane, track, end } => self.committed(lane, &track, end, &mut actions),
            Event::Sealed => {
                self.sealed = true;
                // Only tips that are seen from now on say that the scan's own moment has been passed.
                self.fresh = false;
                self.tracks.values_mut().for_each(|followed| followed.tips = 0);
                actions.push(Action::List);
            }
            Event::Tick => self.tick(&mut actions),
        }
        if !self.consistent && self.is_caught_up() {
            self.consistent = true;
            actions.push(Action::Consistent);
        }
        actions
    }

    /// The snapshot is in, and every shard has been followed to where it ends now.
    pub fn is_caught_up(&self) -> bool {
        self.sealed && self.fresh && self.tracks.values().all(Followed::is_settled)
    }

    /// The shard that a shard came from.
    pub fn parent(&self, shard: &str) -> Option<&str> {
        self.tracks.get(&Track::Shard(shard.into()))?.parent.as_deref()
    }

    pub fn is_consistent(&self) -> bool {
        self.consistent
    }

    pub fn is_scanned(&self) -> bool {
        self.sealed
    }

    /// Rows of an earlier copy are still among those of this one.
    pub fn is_recopying(&self) -> bool {
        self.plan.recopy && !self.sealed
    }
}

impl Followed {
    fn is_settled(&self) -> bool {
        self.state == State::Done || (self.tips >= TIPS && self.state == State::Reading && self.flying == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(pages: u64) -> Option<Mark> {
        Some(Mark::Page { pages, next: Some(format!("k{pages}").into()) })
    }

    /// Lanes of a segment go on together from the last of them; what lies ahead of it was of pages that were cut
    /// otherwise.
    #[test]
    fn segments_are_levelled() {
        let plan = Plan { lanes: 4, segments: 2, ..Plan::default() };
        let track = Track::Segment(0);
        let marks =
            [(0, (page(5), false)), (1, (page(3), false)), (2, (page(9), true)), (3, (page(3), false))];
        let marks = marks.map(|(lane, mark)| ((track.clone(), lane), mark)).into();
        let mut stored = Stored { plan, marks, scanned: false };
        assert_eq!(stored.level(), [(track.clone(), 0, page(3))]);
        let mut join = Join::new(stored.clone(), false);
        let from = Some("k3".into());
        assert!(join.start::<u8>().contains(&Action::Scan { segment: 0, from }));
        // A lane that never wrote has all to do.
        stored.marks.remove(&(track.clone(), 1));
        assert_eq!(stored.level(), [(track.clone(), 0, None), (track, 3, None)]);
    }

    /// A shard that was trimmed away unread is a gap; so is a parent nobody followed.
    #[test]
    fn what_was_trimmed_is_told() {
        let plan = Plan { lanes: 1, captured: BTreeSet::from(["a".into()]), ..Plan::default() };
        let stored = Stored { plan, marks: BTreeMap::new(), scanned: true };
        let listed = vec![Shard { id: "c".into(), parent: Some("b".into()), closed: false }];
        let actions = Join::new(stored, false).step::<u8>(Event::Listed(listed));
        let gap = |shard: &str| Action::Gap { shard: shard.into() };
        assert!(actions.contains(&gap("a")) && actions.contains(&gap("b")), "{actions:?}");
    }
}
