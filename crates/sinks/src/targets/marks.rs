//! How plans and marks are spelt where they are kept.

use crate::join::{Mark, Plan, Sequence, ShardId, Stored, Track};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

/// By track and lane: the mark, and whether the track ended there.
pub type Marks = BTreeMap<(Track, usize), (Option<Mark>, bool)>;

/// The form of what is remembered. The first had no shards as a whole.
pub const VERSION: i64 = 2;
pub const VERSIONS: std::ops::RangeInclusive<i64> = 1..=VERSION;

/// How a mark says that its track has ended: on its lane, or on all of them, whose marks are then no more.
pub const ENDED: i64 = 1;
pub const ENDED_AS_A_WHOLE: i64 = 2;

/// Adds a mark as it is kept.
pub fn add_mark(marks: &mut Marks, lanes: usize, at: (Track, usize), mark: Option<Mark>, ended: i64) {
    match ended {
        ENDED_AS_A_WHOLE => {
            marks.extend((0..lanes).map(|lane| ((at.0.clone(), lane), (None, true))));
        }
        // A shard that ended without a record on a lane is told from one that ended as a whole.
        ENDED if matches!(at.0, Track::Shard(_)) => {
            let mark = mark.or_else(|| Sequence::parse("0").map(Mark::Record));
            marks.insert(at, (mark, true));
        }
        _ => drop(marks.insert(at, (mark, ended == ENDED))),
    }
}

/// Shards that have ended and have a mark for each lane still.
pub fn spread(stored: &Stored) -> Vec<ShardId> {
    let mut shards: BTreeMap<&ShardId, (usize, bool)> = BTreeMap::new();
    for ((track, _), (mark, ended)) in &stored.marks {
        if let (Track::Shard(shard), true) = (track, ended) {
            let (lanes, has_marks) = shards.entry(shard).or_default();
            *lanes += 1;
            *has_marks |= mark.is_some();
        }
    }
    let spread = shards.into_iter().filter(|(_, standing)| *standing == (stored.plan.lanes, true));
    spread.map(|(shard, _)| shard.clone()).collect()
}

pub fn write_track(track: &Track) -> String {
    match track {
        Track::Shard(id) => format!("shard:{id}"),
        Track::Segment(number) => format!("segment:{number}"),
    }
}

pub fn read_track(text: &str) -> Option<Track> {
    match text.split_once(':')? {
        ("shard", id) => Some(Track::Shard(id.into())),
        ("segment", number) => Some(Track::Segment(number.parse().ok()?)),
        _ => None,
    }
}

/// A mark's text, and the number of pages.
pub fn write_mark(mark: Option<&Mark>) -> (Option<String>, Option<i64>) {
    match mark {
        Some(Mark::Record(sequence)) => (Some(sequence.to_string()), None),
        Some(Mark::Page { pages, next }) => (next.as_deref().map(str::to_owned), Some(*pages as i64)),
        None => (None, None),
    }
}

/// The outer none: it cannot be read.
pub fn read_mark(track: &Track, text: Option<&str>, pages: Option<i64>) -> Option<Option<Mark>> {
    Some(match (track, text, pages) {
        (Track::Segment(_), next, Some(pages)) => {
            Some(Mark::Page { pages: pages as u64, next: next.map(Into::into) })
        }
        (Track::Shard(_), Some(text), _) => Some(Mark::Record(Sequence::parse(text)?)),
        _ => None,
    })
}

pub fn write_plan(plan: &Plan) -> String {
    json!({
        "lanes": plan.lanes, "segments": plan.segments, "past": plan.past, "captured": plan.captured,
        "recopy": plan.recopy, "heads": plan.heads, "by_keys": plan.by_keys,
    })
    .to_string()
}

pub fn read_plan(text: &str) -> Option<Plan> {
    let tree: Json = serde_json::from_str(text).ok()?;
    let ids = |name: &str| -> Option<BTreeSet<ShardId>> {
        tree[name].as_array()?.iter().map(|id| id.as_str().map(ShardId::from)).collect()
    };
    Some(Plan {
        lanes: tree["lanes"].as_u64()? as usize,
        segments: tree["segments"].as_u64()? as u32,
        past: ids("past")?,
        captured: ids("captured")?,
        heads: serde_json::from_value(tree["heads"].clone()).unwrap_or_default(),
        recopy: tree["recopy"] == true,
        by_keys: tree["by_keys"] == true,
    })
}
