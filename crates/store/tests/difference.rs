//! Random stories told to both engines and to plain maps; a seed repeats its story.

use std::collections::BTreeMap;

use store::{Commit, LogPrefix, Order, Settings, Snapshot, Space, Store};
use world::Random;

use crate::support::{Scratch, prefix};

type Map = BTreeMap<(Space, Vec<u8>), Vec<u8>>;

const STEPS: u64 = 1000;

struct Pair {
    scratch: Scratch,
    disk: Option<Store>,
    memory: Store,
    map: Map,
    sequence: u64,
    /// Snapshots taken along the way, and what they are to show for ever.
    kept: Vec<(Snapshot, Snapshot, Map)>,
    /// What has not been waited for.
    commits: Vec<Commit>,
}

fn open(scratch: &Scratch) -> Store {
    // Memtables so small that a story of a few hundred kilobytes is flushed and compacted.
    let settings = Settings { memtable_bytes: 16 << 10, ..Settings::new(scratch.path()) };
    Store::open(settings).expect("opens")
}

fn key(random: &mut Random) -> Vec<u8> {
    // Few keys, some of them prefixes of others, so that they meet.
    let number = random.below(120);
    if number.is_multiple_of(3) {
        vec![b'k', number as u8]
    } else {
        vec![b'k', number as u8, 0, random.below(2) as u8]
    }
}

fn space(random: &mut Random) -> Space {
    [Space::Meta, Space::Items, Space::Items, Space::Text][random.below(4) as usize]
}

impl Pair {
    fn new() -> Pair {
        let scratch = Scratch::new();
        let (disk, memory) = (Some(open(&scratch)), Store::memory());
        Pair { scratch, disk, memory, map: Map::new(), sequence: 0, kept: Vec::new(), commits: Vec::new() }
    }

    fn disk(&self) -> &Store {
        self.disk.as_ref().expect("open")
    }

    /// Reads two keys, and writes what depends on them.
    fn update(&mut self, random: &mut Random) {
        let keys: Vec<_> = (0..2).map(|_| (space(random), key(random))).collect();
        let puts: Vec<_> =
            (0..random.below(4)).map(|_| (space(random), key(random), random.below(4))).collect();
        let appends = random.below(3);
        let salt = vec![random.next_u64() as u8; random.below(600) as usize];
        let mut seen = Vec::new();
        for store in [self.disk.as_ref().expect("open"), &self.memory] {
            let (values, commit) = store
                .update(&keys, |before, batch| {
                    let values = [0, 1].map(|index| before.get(index).map(<[u8]>::to_vec));
                    for (space, key, kind) in &puts {
                        match kind {
                            0 => batch.remove(*space, key.clone()),
                            1 => batch.put(*space, key.clone(), values[0].clone().unwrap_or_default()),
                            _ => batch.put(*space, key.clone(), salt.clone()),
                        }
                    }
                    for index in 0..appends {
                        batch.append(prefix(["a", "ab"][index as usize]), salt.clone());
                    }
                    batch.count(b"total", salt.len() as i64 - 100);
                    Ok::<_, ()>(values)
                })
                .expect("queued");
            seen.push(values);
            self.commits.push(commit);
        }
        let values = [0, 1].map(|index: usize| self.map.get(&keys[index]).cloned());
        assert_eq!(seen, [values.clone(), values.clone()], "a plan sees what was queued before it");
        for (space, key, kind) in puts {
            match kind {
                0 => self.map.remove(&(space, key)),
                1 => self.map.insert((space, key), values[0].clone().unwrap_or_default()),
                _ => self.map.insert((space, key), salt.clone()),
            };
        }
        for index in 0..appends {
            self.sequence += 1;
            let key = prefix(["a", "ab"][index as usize]).key(self.sequence).to_vec();
            self.map.insert((Space::Log, key), salt.clone());
        }
    }

    fn settle(&mut self) {
        for commit in self.commits.drain(..) {
            commit.wait().expect("committed");
        }
    }

    fn compare(&mut self, random: &mut Random) {
        self.settle();
        let (disk, memory) = (self.disk().snapshot(), self.memory.snapshot());
        assert_eq!((disk.sequence(), memory.sequence()), (self.sequence, self.sequence));
        assert_eq!(disk.counter(b"total").expect("readable"), memory.counter(b"total").expect("readable"));
        check(&disk, &memory, &self.map, random);
        if random.below(3) == 0 {
            self.kept.push((disk, memory, self.map.clone()));
        }
        if self.kept.len() > 4 {
            self.kept.remove(random.below(5) as usize);
        }
        for (disk, memory, map) in &self.kept {
            check(disk, memory, map, random);
        }
    }

    fn reopen(&mut self) {
        self.settle();
        // Snapshots of a directory keep it.
        self.kept.clear();
        drop(self.disk.take());
        self.disk = Some(open(&self.scratch));
    }

    fn trim(&mut self, random: &mut Random) {
        self.settle();
        let prefix = prefix(["a", "ab"][random.below(2) as usize]);
        let (from, to) = (prefix.key(0), prefix.key(random.below(self.sequence + 2)));
        for store in [self.disk(), &self.memory] {
            store.trim(Space::Log, &from, &to).expect("queued").wait().expect("trimmed");
        }
        // Who reads a range while it is trimmed may find any part of it: so may older snapshots.
        self.kept.clear();
        self.map.retain(|(space, key), _| *space != Space::Log || key[..] < from[..] || key[..] >= to[..]);
    }
}

fn check(disk: &Snapshot, memory: &Snapshot, map: &Map, random: &mut Random) {
    for _ in 0..20 {
        let wanted = (space(random), key(random));
        let expected = map.get(&wanted).map(Vec::as_slice);
        for snapshot in [disk, memory] {
            assert_eq!(snapshot.get(wanted.0, &wanted.1).expect("readable").as_deref(), expected);
        }
    }
    for space in [Space::Meta, Space::Items, Space::Log, Space::Text] {
        let (from, to) = match (space, random.below(2)) {
            (Space::Log, 0) => {
                (LogPrefix::new(b"a").key(0).to_vec(), LogPrefix::new(b"a").key(random.below(2000)).to_vec())
            }
            (_, 0) => (key(random), key(random)),
            _ => (Vec::new(), vec![0xff]),
        };
        let mut expected: Vec<(Vec<u8>, Vec<u8>)> = map
            .iter()
            .filter(|((found, key), _)| *found == space && *key >= from && *key < to)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect();
        for order in [Order::Forward, Order::Backward] {
            for snapshot in [disk, memory] {
                let rows = snapshot.range(space, &from, &to, order).map(|row| {
                    let (key, value) = row.expect("readable");
                    (key.to_vec(), value.to_vec())
                });
                let rows: Vec<_> = rows.filter(|(key, _)| key != b"total").collect();
                assert!(rows == expected, "{space:?} {order:?} {from:?}..{to:?}");
            }
            expected.reverse();
        }
    }
}

#[test]
fn both_engines_tell_the_same_story_as_plain_maps() {
    for seed in 1..=2 {
        println!("seed {seed}");
        let mut random = Random::from_seed(seed);
        let mut pair = Pair::new();
        for _ in 0..STEPS {
            match random.below(100) {
                0..=85 => pair.update(&mut random),
                86..=95 => pair.compare(&mut random),
                96 => pair.reopen(),
                97 => pair.trim(&mut random),
                _ => pair.settle(),
            }
        }
        pair.compare(&mut random);
    }
}
