//! What of each shard is durable in the target, and how old the oldest record is that is not.

use crate::join::{Mark, Sequence, ShardId, Stored, Track};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Debug)]
pub struct Durable {
    lanes: usize,
    shards: BTreeMap<ShardId, Standing>,
    finished: BTreeSet<ShardId>,
    /// Everything that the source had then is applied; never goes back.
    floor_ms: u64,
}

#[derive(Debug)]
struct Standing {
    /// By lane: what it has reached, and whether it is through.
    marks: Vec<(Option<Sequence>, bool)>,
    /// Pages on their way: the last record's number, and when the first was written.
    pages: VecDeque<(Sequence, u64)>,
    /// Nothing older was left unread, the last time.
    seen_ms: u64,
}

impl Standing {
    fn is_finished(&self) -> bool {
        self.marks.iter().all(|(_, ended)| *ended)
    }

    /// The lowest mark of the lanes that are not through.
    fn position(&self) -> Option<&Sequence> {
        let open = self.marks.iter().filter(|(_, ended)| !ended);
        open.map(|(mark, _)| mark.as_ref()).min().flatten()
    }

    fn oldest_ms(&self) -> u64 {
        self.pages.front().map_or(self.seen_ms, |(_, created_ms)| *created_ms)
    }
}

impl Durable {
    pub fn new(stored: &Stored, confirmed_ms: u64) -> Durable {
        let lanes = stored.plan.lanes;
        let mut durable = Durable {
            lanes,
            shards: BTreeMap::new(),
            finished: stored.plan.past.clone(),
            floor_ms: confirmed_ms,
        };
        stored.plan.captured.iter().for_each(|shard| durable.open(shard));
        for ((track, lane), (mark, ended)) in &stored.marks {
            if let Track::Shard(shard) = track {
                durable.open(shard);
                durable.committed(*lane, track, mark.as_ref(), *ended);
            }
        }
        durable.listed();
        durable
    }

    /// A shard is followed from now on: what is in it came after what is known.
    pub fn open(&mut self, shard: &ShardId) {
        let fresh = || Standing {
            marks: vec![(None, false); self.lanes],
            pages: VecDeque::new(),
            seen_ms: self.floor_ms,
        };
        self.shards.entry(shard.clone()).or_insert_with(fresh);
    }

    /// A page was read: the last record's number, and the time of the first. None: nothing was there at this time.
    pub fn read(&mut self, shard: &str, page: Option<(Sequence, u64)>, asked_ms: u64) {
        let Some(standing) = self.shards.get_mut(shard) else { return };
        match page {
            Some((last, created_ms)) => {
                standing.seen_ms = standing.seen_ms.max(created_ms);
                standing.pages.push_back((last, created_ms));
            }
            None => standing.seen_ms = standing.seen_ms.max(asked_ms),
        }
    }

    pub fn committed(&mut self, lane: usize, track: &Track, mark: Option<&Mark>, ended: bool) {
        let Track::Shard(shard) = track else { return };
        let Some(standing) = self.shards.get_mut(shard) else { return };
        let Some(of_lane) = standing.marks.get_mut(lane) else { return };
        if let Some(Mark::Record(sequence)) = mark {
            of_lane.0 = Some(sequence.clone());
        }
        of_lane.1 |= ended;
        if standing.is_finished() {
            standing.pages.clear();
            self.finished.insert(shard.clone());
            return;
        }
        let position = standing.position().cloned();
        while standing.pages.front().is_some_and(|(last, _)| Some(last) <= position.as_ref()) {
            standing.pages.pop_front();
        }
    }

    /// The shards were listed: children of those that are through are known, and count instead of them.
    pub fn listed(&mut self) {
        let finished = &self.finished;
        self.shards.retain(|shard, _| !finished.contains(shard));
    }

    /// All before this and itself is durable; none: from the shard's beginning.
    pub fn position(&self, shard: &str) -> Option<&Sequence> {
        self.shards.get(shard)?.position()
    }

    /// Shards that are followed and not through, with their positions.
    pub fn open_shards(&self) -> impl Iterator<Item = (&ShardId, Option<&Sequence>)> {
        let open = self.shards.iter().filter(|(_, standing)| !standing.is_finished());
        open.map(|(shard, standing)| (shard, standing.position()))
    }

    pub fn finished(&self) -> &BTreeSet<ShardId> {
        &self.finished
    }

    pub fn is_finished(&self, shard: &str) -> bool {
        self.finished.contains(shard)
    }

    /// Everything older than this is applied.
    pub fn floor_ms(&mut self) -> u64 {
        let oldest = self.shards.values().map(Standing::oldest_ms).min();
        self.floor_ms = self.floor_ms.max(oldest.unwrap_or_default());
        self.floor_ms
    }

    /// All that the source had at this time is applied, as the join knows.
    pub fn confirmed(&mut self, now_ms: u64) {
        self.floor_ms = self.floor_ms.max(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::join::Plan;

    fn number(digits: u64) -> Sequence {
        Sequence::parse(&digits.to_string()).expect("a number")
    }

    fn mark(digits: u64) -> Mark {
        Mark::Record(number(digits))
    }

    fn two_lanes(captured: &[&str]) -> Durable {
        let captured = captured.iter().map(|shard| ShardId::from(*shard)).collect();
        let plan = Plan { lanes: 2, captured, ..Plan::default() };
        Durable::new(&Stored { plan, marks: BTreeMap::new(), scanned: true }, 1000)
    }

    /// The oldest record that is not applied decides, whichever lane it is on.
    #[test]
    fn the_slowest_lane_counts() {
        let mut durable = two_lanes(&["a"]);
        let track = Track::Shard("a".into());
        durable.read("a", Some((number(5), 2000)), 9000);
        durable.read("a", Some((number(9), 4000)), 9000);
        durable.committed(0, &track, Some(&mark(9)), false);
        assert_eq!((durable.floor_ms(), durable.position("a")), (2000, None));
        durable.committed(1, &track, Some(&mark(7)), false);
        assert_eq!((durable.floor_ms(), durable.position("a")), (4000, Some(&number(7))));
        durable.committed(1, &track, Some(&mark(9)), false);
        durable.read("a", None, 9500);
        assert_eq!(durable.floor_ms(), 9500);
    }

    /// A shard that is through counts until its children can be known: they may hold what is older than now.
    #[test]
    fn a_child_is_as_old_as_its_parent() {
        let mut durable = two_lanes(&["a", "b"]);
        durable.read("a", Some((number(5), 2000)), 3000);
        durable.read("b", None, 8000);
        for lane in [0, 1] {
            durable.committed(lane, &Track::Shard("a".into()), Some(&mark(5)), true);
        }
        assert!(durable.is_finished("a"));
        assert_eq!(durable.floor_ms(), 2000);
        durable.open(&"child".into());
        durable.listed();
        assert_eq!(durable.floor_ms(), 2000, "of the child nothing has been read");
        durable.read("child", None, 8500);
        assert_eq!(durable.floor_ms(), 8000);
    }
}
