//! What the machine does with each event.

use super::machine::{Action, Followed, Join, MISSES, State, TIPS};
use super::track::{Mark, Row, Sequence, Shard, ShardId, Track, Work};
use std::collections::BTreeSet;

impl Join {
    pub(super) fn listed<R>(&mut self, shards: Vec<Shard>, actions: &mut Vec<Action<R>>) {
        let known = |tracks: &std::collections::BTreeMap<Track, Followed>, id: &ShardId| {
            tracks.contains_key(&Track::Shard(id.clone()))
        };
        self.forget(&shards, actions);
        let listed: Vec<&ShardId> = shards.iter().map(|shard| &shard.id).collect();
        // What was being followed and is listed no more has been trimmed: whether anything was lost is for the
        // caller to know, who is told once.
        for (track, followed) in &mut self.tracks {
            if let Track::Shard(id) = track
                && followed.state == State::Waiting
                && !listed.contains(&id)
            {
                followed.state = State::Done;
                actions.push(Action::Gap { shard: id.clone() });
            }
        }
        for shard in &shards {
            if known(&self.tracks, &shard.id) {
                continue;
            }
            if let Some(parent) = &shard.parent
                && !self.begun_here
                && !listed.contains(&parent)
                && !known(&self.tracks, parent)
            {
                actions.push(Action::Gap { shard: parent.clone() });
            }
            let followed = Followed::new(self.plan.lanes, State::Waiting);
            self.tracks.insert(Track::Shard(shard.id.clone()), followed);
        }
        for shard in shards {
            if let Some(followed) = self.tracks.get_mut(&Track::Shard(shard.id)) {
                followed.parent = shard.parent;
            }
        }
        self.fresh = true;
        self.begun_here = false;
        self.open(actions);
    }

    /// Forgets shards that are done and that the source has forgotten. One that a listed shard came from says that
    /// nothing was lost between the two; one that the plan names would be looked for by the next run.
    fn forget<R>(&mut self, listed: &[Shard], actions: &mut Vec<Action<R>>) {
        if !self.sealed || listed.is_empty() {
            return;
        }
        let rules = self.rules;
        let ids: BTreeSet<&ShardId> = listed.iter().map(|shard| &shard.id).collect();
        let parents: BTreeSet<&ShardId> = listed.iter().filter_map(|shard| shard.parent.as_ref()).collect();
        let mut shards = Vec::new();
        for (track, followed) in &mut self.tracks {
            let Track::Shard(id) = track else { continue };
            let is_missing = followed.state == State::Done && !(rules.listed_stay && ids.contains(id));
            followed.missed = if is_missing { MISSES.min(followed.missed + 1) } else { 0 };
            let is_planned = self.plan.past.contains(id) || self.plan.captured.contains(id);
            let is_needed = rules.parents_stay && parents.contains(id) || rules.captured_stay && is_planned;
            if followed.missed == MISSES && !is_needed {
                shards.push(id.clone());
            }
        }
        if !shards.is_empty() {
            self.tracks.retain(|track, _| !matches!(track, Track::Shard(id) if shards.contains(id)));
            actions.push(Action::Forget { shards });
        }
    }

    /// Opens the shards whose parents are finished, or were before this pipeline began.
    fn open<R>(&mut self, actions: &mut Vec<Action<R>>) {
        let waiting: Vec<Track> = self
            .tracks
            .iter()
            .filter(|(_, followed)| followed.state == State::Waiting)
            .filter(|(_, followed)| {
                let parent = followed.parent.clone().and_then(|id| self.tracks.get(&Track::Shard(id)));
                !self.rules.children_wait || parent.is_none_or(|parent| parent.state == State::Done)
            })
            .map(|(track, _)| track.clone())
            .collect();
        for track in waiting {
            let Some(followed) = self.tracks.get_mut(&track) else { continue };
            followed.state = State::Reading;
            let after = match followed.lowest() {
                Some(Mark::Record(sequence)) => Some(sequence.clone()),
                _ => None,
            };
            if let Track::Shard(shard) = track {
                actions.push(Action::Open { shard, after });
            }
        }
    }

    pub(super) fn read<R>(
        &mut self,
        shard: ShardId,
        records: Vec<(Sequence, Row<R>)>,
        end: bool,
        tip: bool,
        actions: &mut Vec<Action<R>>,
    ) {
        let upto = records.last().map(|(sequence, _)| Mark::Record(sequence.clone()));
        let rows = records.into_iter().map(|(sequence, row)| (Some(Mark::Record(sequence)), row)).collect();
        let track = Track::Shard(shard);
        self.deal(&track, rows, upto, end, actions);
        if let Some(followed) = self.tracks.get_mut(&track) {
            followed.tips = if tip && self.fresh { TIPS.min(followed.tips + 1) } else { 0 };
        }
        if end {
            self.fresh = false;
            actions.push(Action::List);
        }
    }

    /// Lanes learn of it with the next tick.
    pub(super) fn reached(&mut self, shard: ShardId, upto: Sequence) {
        let Some(followed) = self.tracks.get_mut(&Track::Shard(shard)) else { return };
        if followed.dealt.iter().all(Option::is_none) {
            followed.dealt.fill(Some(Mark::Record(upto)));
        }
    }

    pub(super) fn scanned<R>(
        &mut self,
        segment: u32,
        rows: Vec<Row<R>>,
        next: Option<Box<str>>,
        actions: &mut Vec<Action<R>>,
    ) {
        let track = Track::Segment(segment);
        let pages = match self.tracks.get(&track).and_then(Followed::lowest) {
            Some(Mark::Page { pages, .. }) => pages + 1,
            _ => 1,
        };
        let end = next.is_none();
        let rows = rows.into_iter().map(|row| (None, row)).collect();
        self.deal(&track, rows, Some(Mark::Page { pages, next }), end, actions);
    }

    /// Gives each lane its rows, without what it has applied before. A lane without rows has its mark moved in
    /// memory, and is told with the next tick.
    fn deal<R>(
        &mut self,
        track: &Track,
        rows: Vec<(Option<Mark>, Row<R>)>,
        upto: Option<Mark>,
        end: bool,
        actions: &mut Vec<Action<R>>,
    ) {
        let lanes = self.plan.lanes;
        let remember = !self.sealed;
        let Some(followed) = self.tracks.get_mut(track) else { return };
        let mut dealt: Vec<Vec<R>> = (0..lanes).map(|_| Vec::new()).collect();
        for (mark, row) in rows {
            let lane = (row.hash % lanes as u64) as usize;
            let applied = match (&mark, &followed.dealt[lane]) {
                (Some(mark), Some(applied)) => !applied.is_before(mark),
                _ => false,
            };
            if !applied && !followed.ended[lane] {
                dealt[lane].push(row.row);
            }
        }
        if end {
            followed.state = State::Ending;
        }
        for (lane, rows) in dealt.into_iter().enumerate() {
            if let Some(upto) = &upto
                && followed.dealt[lane].as_ref().is_none_or(|mark| mark.is_before(upto))
            {
                followed.dealt[lane] = Some(upto.clone());
            }
            // A page of the scan is owed by every lane: its mark is no record that a later one covers.
            if (!rows.is_empty() || end) && !followed.ended[lane] {
                let mark = followed.dealt[lane].clone();
                followed.sent[lane].clone_from(&mark);
                followed.flying += 1;
                actions.push(Action::Apply {
                    lane,
                    work: Work { track: track.clone(), rows, mark, end, remember },
                });
            }
        }
    }

    pub(super) fn committed<R>(
        &mut self,
        lane: usize,
        track: &Track,
        end: bool,
        actions: &mut Vec<Action<R>>,
    ) {
        let Some(followed) = self.tracks.get_mut(track) else { return };
        followed.flying -= 1;
        if end {
            followed.ended[lane] = true;
            if followed.ended.iter().all(|ended| *ended) {
                followed.state = State::Done;
                self.open(actions);
                self.seal(actions);
            }
        }
    }

    pub(super) fn seal<R>(&mut self, actions: &mut Vec<Action<R>>) {
        let mut segments =
            self.tracks.iter().filter(|(track, _)| matches!(track, Track::Segment(_))).map(|(_, f)| f.state);
        if !self.sealed && !self.sealing && segments.all(|state| state == State::Done) {
            self.sealing = true;
            actions.push(Action::Seal);
        }
    }

    pub(super) fn tick<R>(&mut self, actions: &mut Vec<Action<R>>) {
        let remember = !self.sealed;
        for (track, followed) in &mut self.tracks {
            for lane in 0..self.plan.lanes {
                let dealt = &followed.dealt[lane];
                if *dealt != followed.sent[lane] && followed.state == State::Reading {
                    followed.sent[lane].clone_from(dealt);
                    followed.flying += 1;
                    let work = Work {
                        track: track.clone(),
                        rows: Vec::new(),
                        mark: dealt.clone(),
                        end: false,
                        remember,
                    };
                    actions.push(Action::Apply { lane, work });
                }
            }
        }
    }
}
