//! What was overwritten or removed stays in a tree's memtable until that is written to a table, and every range that
//! comes past looks at it: a counter raised ten thousand times is ten thousand entries under one key, and a queue that
//! was emptied is as long as it ever was. So a memtable that holds much of this is written early, which is cheap, as
//! little of it is alive.

use std::hash::{DefaultHasher, Hash, Hasher};

/// Keys are counted by slots: evenly used ones fill a memtable long before a slot.
const SLOTS: usize = 1024;
/// Writes of a slot, or removals.
const MUCH: u16 = 8 * 1024;

/// Of one tree, since its memtable began.
pub(super) struct Dead {
    writes: Box<[u16; SLOTS]>,
    removals: u16,
}

impl Default for Dead {
    fn default() -> Dead {
        Dead { writes: Box::new([0; SLOTS]), removals: 0 }
    }
}

impl Dead {
    /// Counts a change. True when there is too much, which is said once.
    pub(super) fn count(&mut self, key: &[u8], is_removal: bool) -> bool {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let slot = &mut self.writes[hasher.finish() as usize % SLOTS];
        *slot += 1;
        self.removals += u16::from(is_removal);
        let is_much = *slot >= MUCH || self.removals >= MUCH;
        if is_much {
            *self = Dead::default();
        }
        is_much
    }
}

#[cfg(test)]
mod tests {
    use super::{Dead, MUCH};

    fn told(dead: &mut Dead, keys: impl Iterator<Item = u32>, is_removal: bool) -> usize {
        keys.filter(|key| dead.count(&key.to_le_bytes(), is_removal)).count()
    }

    #[test]
    fn one_key_again_and_again_is_much() {
        let mut dead = Dead::default();
        let often = 3 * u32::from(MUCH);
        assert_eq!(told(&mut dead, (0..often).map(|_| 7), false), 3);
    }

    #[test]
    fn many_keys_are_not() {
        let mut dead = Dead::default();
        assert_eq!(told(&mut dead, 0..1_000_000, false), 0);
    }

    #[test]
    fn many_removals_are() {
        let mut dead = Dead::default();
        assert_eq!(told(&mut dead, 0..2 * u32::from(MUCH), true), 2);
    }
}
