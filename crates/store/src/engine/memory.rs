//! An engine that forgets: versions of each key in a map, as many as live views need.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use super::{Change, Engine, Rows, View};
use crate::{Error, Order, Slice, Space};

/// Rows that a range read copies under one lock.
const CHUNK_ROWS: usize = 64;

#[derive(Default)]
pub(crate) struct Memory {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    maps: RwLock<Maps>,
    /// How many views stand at each version.
    pins: Mutex<BTreeMap<u64, usize>>,
}

#[derive(Default)]
struct Maps {
    spaces: [BTreeMap<Slice, Versions>; Space::ALL.len()],
    version: u64,
    /// What each version has replaced or removed: to be pruned once no view stands before it.
    stale: VecDeque<(u64, Space, Slice)>,
}

/// Oldest first, never empty.
type Versions = Vec<(u64, Option<Slice>)>;

impl Engine for Memory {
    fn apply(&self, changes: &[Change], _durable: bool) -> Result<(), Error> {
        let oldest = self.shared.pins().first_key_value().map(|(&version, _)| version);
        let mut maps = self.shared.maps.write().unwrap_or_else(PoisonError::into_inner);
        let maps = &mut *maps;
        maps.version += 1;
        for Change { space, key, value } in changes {
            let versions = maps.spaces[*space as usize].entry(key.clone()).or_default();
            versions.push((maps.version, value.clone()));
            if versions.len() > 1 || value.is_none() {
                maps.stale.push_back((maps.version, *space, key.clone()));
            }
        }
        maps.prune(oldest.unwrap_or(maps.version));
        Ok(())
    }

    fn sync(&self) -> Result<(), Error> {
        Ok(())
    }

    fn view(&self) -> Box<dyn View> {
        let version = self.shared.maps().version;
        *self.shared.pins().entry(version).or_default() += 1;
        Box::new(MemoryView(Arc::new(Pin { shared: self.shared.clone(), version })))
    }

    fn reclaim(&self, _space: Space, _from: &[u8], _to: &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

impl Shared {
    fn maps(&self) -> RwLockReadGuard<'_, Maps> {
        self.maps.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn pins(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Maps {
    fn prune(&mut self, oldest: u64) {
        while let Some((version, _, _)) = self.stale.front()
            && *version <= oldest
        {
            let Some((_, space, key)) = self.stale.pop_front() else { break };
            let map = &mut self.spaces[space as usize];
            let Some(versions) = map.get_mut(&key[..]) else { continue };
            // Of the versions that every view can see, only the newest is ever read.
            let seen = versions.partition_point(|(version, _)| *version <= oldest);
            versions.drain(..seen.saturating_sub(1));
            if let [(version, None)] = versions[..]
                && version <= oldest
            {
                map.remove(&key[..]);
            }
        }
    }
}

struct Pin {
    shared: Arc<Shared>,
    version: u64,
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut pins = self.shared.pins();
        if let Some(count) = pins.get_mut(&self.version) {
            *count -= 1;
            if *count == 0 {
                pins.remove(&self.version);
            }
        }
    }
}

struct MemoryView(Arc<Pin>);

impl View for MemoryView {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, Error> {
        let maps = self.0.shared.maps();
        Ok(maps.spaces[space as usize].get(key).and_then(|versions| at(versions, self.0.version)))
    }

    fn range(&self, space: Space, from: &[u8], to: &[u8], order: Order) -> Rows {
        Box::new(Chunks {
            pin: self.0.clone(),
            space,
            order,
            from: Bound::Included(Slice::from(from)),
            to: Bound::Excluded(Slice::from(to)),
            rows: VecDeque::new(),
            done: false,
        })
    }
}

fn at(versions: &Versions, version: u64) -> Option<Slice> {
    versions.iter().rev().find(|(written, _)| *written <= version).and_then(|(_, value)| value.clone())
}

struct Chunks {
    pin: Arc<Pin>,
    space: Space,
    order: Order,
    from: Bound<Slice>,
    to: Bound<Slice>,
    rows: VecDeque<(Slice, Slice)>,
    done: bool,
}

impl Chunks {
    fn fill(&mut self) {
        let maps = self.pin.shared.maps();
        let bounds = (self.from.as_ref().map(|key| &key[..]), self.to.as_ref().map(|key| &key[..]));
        let mut rows = maps.spaces[self.space as usize].range::<[u8], _>(bounds);
        // Also counts what this view cannot see, so that one lock is held for a bounded time.
        for _ in 0..CHUNK_ROWS {
            let row = match self.order {
                Order::Forward => rows.next(),
                Order::Backward => rows.next_back(),
            };
            let Some((key, versions)) = row else {
                self.done = true;
                return;
            };
            match self.order {
                Order::Forward => self.from = Bound::Excluded(key.clone()),
                Order::Backward => self.to = Bound::Excluded(key.clone()),
            }
            if let Some(value) = at(versions, self.pin.version) {
                self.rows.push_back((key.clone(), value));
            }
            // Both bounds excluded and equal is no range to ask a map for.
            if matches!((&self.from, &self.to), (Bound::Excluded(from), Bound::Excluded(to)) if from >= to) {
                self.done = true;
                return;
            }
        }
    }
}

impl Iterator for Chunks {
    type Item = Result<(Slice, Slice), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rows.is_empty() && !self.done {
            self.fill();
        }
        self.rows.pop_front().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(key: &str, value: Option<&str>) -> Change {
        Change {
            space: Space::Items,
            key: Slice::from(key.as_bytes()),
            value: value.map(|value| Slice::from(value.as_bytes())),
        }
    }

    #[test]
    fn versions_go_when_no_view_needs_them() {
        let memory = Memory::default();
        let apply =
            |key: &str, value| memory.apply(&[change(key, value)], true).expect("memory does not fail");
        apply("a", Some("1"));
        let view = memory.view();
        apply("a", Some("2"));
        apply("a", Some("3"));
        apply("b", None);
        assert_eq!(view.get(Space::Items, b"a").expect("ok").as_deref(), Some(&b"1"[..]));
        assert_eq!(memory.shared.maps().spaces[Space::Items as usize][&b"a"[..]].len(), 3);
        drop(view);
        apply("c", Some("1"));
        let maps = memory.shared.maps();
        assert_eq!(maps.spaces[Space::Items as usize][&b"a"[..]].len(), 1);
        assert!(!maps.spaces[Space::Items as usize].contains_key(&b"b"[..]));
        assert!(maps.stale.is_empty());
    }
}
