//! Document paths: where a value lies in an item.

use super::bind::Scope;
use crate::{CorruptImage, Item, Value, ValueView, View};
use std::cmp::Ordering;
use std::fmt;

/// A path as written: names may be placeholders.
#[derive(Debug)]
pub(super) struct Path {
    pub steps: Box<[Step]>,
}

#[derive(Debug)]
pub(super) enum Step {
    Name(Box<str>),
    /// A name that the request gives.
    Slot(u32),
    Index(u32),
}

/// A path together with the names of a request.
#[derive(Clone, Copy)]
pub(super) struct Resolved<'a> {
    pub path: &'a Path,
    pub scope: Scope<'a>,
}

/// A step of a resolved path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place<'a> {
    Name(&'a str),
    Index(u32),
}

/// How two paths get in each other's way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Collision {
    /// One is the other, or leads to it.
    Overlap,
    /// One takes for a map what the other takes for a list.
    Conflict,
}

/// How many steps a path may have.
pub(super) const STEPS_MAX: usize = crate::DEPTH_MAX;

impl<'a> Resolved<'a> {
    pub fn places(self) -> impl ExactSizeIterator<Item = Place<'a>> + Clone {
        self.path.steps.iter().map(move |step| self.scope.place(step))
    }

    /// The attribute that the path starts at.
    pub fn root(self) -> &'a str {
        match self.places().next() {
            Some(Place::Name(name)) => name,
            _ => "",
        }
    }

    pub fn is_nested(self) -> bool {
        self.path.steps.len() > 1
    }

    /// The value that lies there.
    pub fn find<'v>(self, item: View<'v>) -> Result<Option<ValueView<'v>>, CorruptImage> {
        let mut found = ValueView::M(item);
        for place in self.places() {
            let next = match (place, found) {
                (Place::Name(name), ValueView::M(map)) => map.get(name)?,
                (Place::Index(index), ValueView::L(list)) => list.get(index as usize)?,
                _ => None,
            };
            match next {
                Some(next) => found = next,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    pub fn collides(self, other: Resolved<'_>) -> Option<Collision> {
        for pair in self.places().zip(other.places()) {
            match pair {
                (Place::Name(a), Place::Name(b)) if a == b => {}
                (Place::Index(a), Place::Index(b)) if a == b => {}
                (Place::Name(_), Place::Name(_)) | (Place::Index(_), Place::Index(_)) => return None,
                _ => return Some(Collision::Conflict),
            }
        }
        Some(Collision::Overlap)
    }

    pub fn order(self, other: Resolved<'_>) -> Ordering {
        let (mut ours, mut theirs) = (self.places(), other.places());
        loop {
            match (ours.next(), theirs.next()) {
                (None, theirs) => return if theirs.is_none() { Ordering::Equal } else { Ordering::Less },
                (Some(_), None) => return Ordering::Greater,
                (Some(a), Some(b)) => match a.cmp(&b) {
                    Ordering::Equal => {}
                    unequal => return unequal,
                },
            }
        }
    }
}

/// As errors show it: `[a, b, [2]]`.
impl fmt::Display for Resolved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, place) in self.places().enumerate() {
            f.write_str(if at == 0 { "[" } else { ", " })?;
            match place {
                Place::Name(name) => f.write_str(name)?,
                Place::Index(index) => write!(f, "[{index}]")?,
            }
        }
        f.write_str("]")
    }
}

/// The order of paths in which those that share a beginning are neighbours, and list elements ascend.
pub(super) fn sorted<'a>(paths: impl Iterator<Item = Resolved<'a>> + Clone) -> Box<[u32]> {
    let all: Vec<Resolved<'a>> = paths.collect();
    let mut order: Box<[u32]> = (0..all.len() as u32).collect();
    order.sort_by(|a, b| all[*a as usize].order(all[*b as usize]));
    order
}

/// The first two paths that collide, as the service looks for them: overlaps before conflicts, in the order written.
pub(super) fn collision<'a>(
    paths: &[Resolved<'a>],
    order: &[u32],
) -> Option<(Collision, Resolved<'a>, Resolved<'a>)> {
    // Of paths in order, some collide only if neighbours do: this looks at few, and mostly finds nothing.
    let neighbours = |pair: &[u32]| paths[pair[0] as usize].collides(paths[pair[1] as usize]).is_some();
    if !order.windows(2).any(neighbours) {
        return None;
    }
    let mut conflict = None;
    for (at, two) in paths.iter().enumerate() {
        for one in &paths[..at] {
            match one.collides(*two) {
                Some(Collision::Overlap) => return Some((Collision::Overlap, *one, *two)),
                Some(Collision::Conflict) => conflict = conflict.or(Some((Collision::Conflict, *one, *two))),
                None => {}
            }
        }
    }
    conflict
}

/// The parts of an item that lie at the paths, in their parents' shape. Lists keep only the elements asked for.
pub(super) fn project(paths: &[Resolved<'_>], order: &[u32], item: View<'_>) -> Result<Item, CorruptImage> {
    let picked = pick(paths, order, 0, ValueView::M(item))?;
    match picked {
        Some(Value::M(item)) => Ok(item),
        _ => Ok(Item::new()),
    }
}

/// What the paths, all of which lead here with their first `depth` steps, select of a value.
fn pick(
    paths: &[Resolved<'_>],
    order: &[u32],
    depth: usize,
    value: ValueView<'_>,
) -> Result<Option<Value>, CorruptImage> {
    let place = |at: u32| paths[at as usize].places().nth(depth);
    let (mut map, mut list) = (Item::new(), Vec::new());
    for group in order.chunk_by(|a, b| place(*a) == place(*b)) {
        let next = match (place(group[0]), value) {
            // The path ends here: it takes everything.
            (None, value) => return value.to_value().map(Some),
            (Some(Place::Name(name)), ValueView::M(map)) => map.get(name)?,
            (Some(Place::Index(index)), ValueView::L(list)) => list.get(index as usize)?,
            _ => None,
        };
        let Some(next) = next else { continue };
        match (place(group[0]), pick(paths, group, depth + 1, next)?) {
            (Some(Place::Name(name)), Some(picked)) => drop(map.insert(name, picked)),
            (Some(Place::Index(_)), Some(picked)) => list.push(picked),
            _ => {}
        }
    }
    Ok(match (map.is_empty(), list.is_empty()) {
        (false, _) => Some(Value::M(map)),
        (_, false) => Some(Value::L(list)),
        _ => None,
    })
}
