//! The engine against the simplest thing that could be right: a map, and everything else worked out from it.

use crate::support::*;
use engine::stream::ViewType;
use engine::{
    Attributes, Consistency, KeyCondition, KeyPart, ProjectionKind, Query, Scan, Segment, Table, TableSpec,
    Transacted,
};
use md5::{Digest, Md5};
use model::expression::RangeCondition;
use model::key::KeyType;
use model::{Item, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Order;
use world::Random;

struct Reference {
    items: BTreeMap<String, Item>,
}

impl Reference {
    fn sorted(&self, index: Option<&str>, hash: &Value, range: &Option<RangeCondition>) -> Vec<Item> {
        let (hash_name, range_name) = names(index);
        let mut found: Vec<Item> = self
            .items
            .values()
            .filter(|item| item.get(hash_name) == Some(hash))
            .filter(|item| item.get(range_name).is_some_and(|value| holds(range, value)))
            .cloned()
            .collect();
        found.sort_by(|a, b| order(a, b, range_name).then_with(|| tie(a).cmp(&tie(b))));
        found
    }

    fn indexed(&self, index: &str) -> impl Iterator<Item = &Item> {
        let (hash, range) = names(Some(index));
        self.items.values().filter(move |item| item.contains(hash) && item.contains(range))
    }
}

fn names(index: Option<&str>) -> (&'static str, &'static str) {
    match index {
        None => ("id", "at"),
        Some("local") => ("id", "n"),
        _ => ("who", "n"),
    }
}

/// What orders entries of equal index keys.
fn tie(item: &Item) -> [u8; 16] {
    let text = |name| match item.get(name) {
        Some(Value::S(text)) => text.clone(),
        other => panic!("{name}: {other:?}"),
    };
    Md5::digest(["Outliers", &text("id"), &text("at")].concat()).into()
}

fn order(a: &Item, b: &Item, name: &str) -> Ordering {
    match (a.get(name), b.get(name)) {
        (Some(a), Some(b)) => a.compare(b).unwrap(),
        _ => Ordering::Equal,
    }
}

fn holds(range: &Option<RangeCondition>, value: &Value) -> bool {
    let compare = |other: &Value| value.compare(other).unwrap();
    match range {
        None => true,
        Some(RangeCondition::Equal(other)) => compare(other).is_eq(),
        Some(RangeCondition::Less(other)) => compare(other).is_lt(),
        Some(RangeCondition::LessOrEqual(other)) => compare(other).is_le(),
        Some(RangeCondition::Greater(other)) => compare(other).is_gt(),
        Some(RangeCondition::GreaterOrEqual(other)) => compare(other).is_ge(),
        Some(RangeCondition::Between(low, high)) => compare(low).is_ge() && compare(high).is_le(),
        Some(RangeCondition::BeginsWith(Value::S(start))) => {
            matches!(value, Value::S(text) if text.starts_with(start))
        }
        Some(RangeCondition::BeginsWith(_)) => false,
    }
}

fn wanted() -> TableSpec {
    let mut wanted = spec("T", true, Some(ViewType::NewAndOld));
    let (who, number) = (KeyPart::new("who", KeyType::S), KeyPart::new("n", KeyType::N));
    wanted.attributes.extend([who.clone(), number.clone()]);
    wanted.local =
        vec![index("local", wanted.key.hash[0].clone(), Some(number.clone()), ProjectionKind::KeysOnly)];
    wanted.global = vec![
        index("all", who.clone(), Some(number.clone()), ProjectionKind::All),
        index("some", who, Some(number), ProjectionKind::Include(vec!["x".into()])),
    ];
    wanted
}

struct Run {
    random: Random,
    reference: Reference,
}

impl Run {
    fn below(&mut self, bound: u64) -> u64 {
        self.random.below(bound)
    }

    fn hash(&mut self) -> String {
        ["a", "b", "\0", "ü"][self.below(4) as usize].to_owned()
    }

    fn range(&mut self) -> String {
        ["1", "1\0", "11", "2", "\u{10ffff}"][self.below(5) as usize].to_owned()
    }

    fn number(&mut self) -> Value {
        n(["-100", "-1.5", "-1", "0", "0.001", "1", "2E10"][self.below(7) as usize])
    }

    fn who(&mut self) -> Value {
        s(["ann", "bob"][self.below(2) as usize])
    }

    fn key(&mut self) -> Item {
        let (hash, range) = (self.hash(), self.range());
        id_at(&hash, &range)
    }

    fn item(&mut self) -> Item {
        let mut item = self.key();
        if self.below(3) > 0 {
            item.insert("n", self.number());
        }
        if self.below(3) > 0 {
            item.insert("who", self.who());
        }
        if self.below(2) > 0 {
            item.insert("x", Value::L(vec![self.number(), Value::Null]));
        }
        item
    }

    /// One random change, to both.
    fn change(&mut self, house: &House, table: &Arc<Table>) {
        match self.below(8) {
            0..3 => {
                let item = self.item();
                let old = house.put(table, item.clone()).old;
                assert_eq!(old.as_ref().map(decode), self.reference.items.insert(name(&item), item));
            }
            3 => {
                let key = self.key();
                let old = house.delete(table, key.clone()).old;
                assert_eq!(old.as_ref().map(decode), self.reference.items.remove(&name(&key)));
            }
            4 => {
                let (key, who, number) = (self.key(), self.who(), self.number());
                let values = [(":who", who.clone()), (":n", number.clone())];
                house.update(table, key.clone(), "SET who = :who, n = :n REMOVE x", &values);
                let item = self.reference.items.entry(name(&key)).or_insert(key);
                item.insert("who", who);
                item.insert("n", number);
                item.remove("x");
            }
            5 => {
                let key = self.key();
                house.update(table, key.clone(), "REMOVE who", &[]);
                if let Some(item) = self.reference.items.get_mut(&name(&key)) {
                    item.remove("who");
                }
            }
            6 => {
                let item = self.item();
                let done = house.try_write(table, when(put(item.clone()), "attribute_exists(x)", &[]));
                let holds = self.reference.items.get(&name(&item)).is_some_and(|known| known.contains("x"));
                assert_eq!(done.is_ok(), holds);
                if holds {
                    self.reference.items.insert(name(&item), item);
                }
            }
            _ => {
                let mut items: Vec<Item> = (0..4).map(|_| self.item()).collect();
                items.sort_by_key(name);
                items.dedup_by_key(|item| name(item));
                let mut writes: Vec<_> =
                    items.iter().map(|item| (table.clone(), put(item.clone()))).collect();
                if self.below(2) == 0 {
                    house.engine().write_batch(writes).unwrap().commit.wait().unwrap();
                } else {
                    // All or nothing.
                    let at = self.below(items.len() as u64) as usize;
                    let holds = self.reference.items.contains_key(&name(&items[at]));
                    writes[at].1 = when(writes[at].1.clone(), "attribute_exists(id)", &[]);
                    let done = house.engine().transact_write(writes, None);
                    assert_eq!(done.is_ok(), holds);
                    match done {
                        Ok(Transacted::Now(done)) => drop(done.commit.wait().unwrap()),
                        Ok(Transacted::Before(_)) => panic!("it has no token"),
                        Err(refused) => {
                            assert!(
                                refused
                                    .reasons
                                    .iter()
                                    .enumerate()
                                    .all(|(n, reason)| reason.is_some() == (n == at))
                            );
                            return;
                        }
                    }
                }
                self.reference.items.extend(items.into_iter().map(|item| (name(&item), item)));
            }
        }
    }

    fn check(&mut self, house: &House, table: &Table) {
        for _ in 0..4 {
            self.check_query(house, table);
        }
        self.check_scan(house, table);
        let described = house.engine().describe_table(table).unwrap();
        let sum = |items: &mut dyn Iterator<Item = &Item>| {
            items.fold((0, 0), |(count, bytes), item| (count + 1, bytes + item.size_bytes() as u64))
        };
        assert_eq!((described.items, described.bytes), sum(&mut self.reference.items.values()));
        let all = described.global.iter().find(|index| &*index.name == "all").unwrap();
        assert_eq!((all.items, all.bytes), sum(&mut self.reference.indexed("all")));
        assert_eq!(described.local[0].items, self.reference.indexed("local").count() as u64);
    }

    fn check_query(&mut self, house: &House, table: &Table) {
        let index = [None, Some("local"), Some("all"), Some("some")][self.below(4) as usize];
        let (hash_name, range_name) = names(index);
        let hash = if hash_name == "id" { s(&self.hash()) } else { self.who() };
        let value = |run: &mut Run| if range_name == "at" { s(&run.range()) } else { run.number() };
        let one = value(self);
        let two = value(self);
        let range = match self.below(8) {
            0 => Some(RangeCondition::Equal(one)),
            1 => Some(RangeCondition::Less(one)),
            2 => Some(RangeCondition::LessOrEqual(one)),
            3 => Some(RangeCondition::Greater(one)),
            4 => Some(RangeCondition::GreaterOrEqual(one)),
            5 => Some(RangeCondition::Between(one, two)),
            6 if range_name == "at" => Some(RangeCondition::BeginsWith(one)),
            _ => None,
        };
        let mut expect = self.reference.sorted(index, &hash, &range);
        let order = if self.below(2) == 0 { Order::Forward } else { Order::Backward };
        if order == Order::Backward {
            expect.reverse();
        }
        let attributes = if index == Some("local") { Attributes::All } else { Attributes::Projected };
        let key = KeyCondition { hash: vec![hash], range_equal: vec![], range };
        let (mut start, mut read) = (None::<Item>, Vec::new());
        loop {
            let query = Query {
                index,
                key: &key,
                filter: None,
                attributes,
                order,
                limit: Some(1 + self.below(4) as usize),
                start: start.as_ref(),
                consistency: Consistency::Eventual,
            };
            let (items, page) = house.query(table, &query).unwrap();
            read.extend(items);
            match page.last {
                Some(last) => start = Some(last),
                None => break,
            }
        }
        assert_eq!(read, expect, "{index:?} {key:?} {order:?}");
    }

    fn check_scan(&mut self, house: &House, table: &Table) {
        let total = 1 + self.below(4) as u32;
        let mut read = Vec::new();
        for number in 0..total {
            let mut start = None::<Item>;
            loop {
                let scan = Scan {
                    limit: Some(1 + self.below(5) as usize),
                    start: start.as_ref(),
                    segment: Some(Segment { number, total }),
                    ..Scan::default()
                };
                let (items, page) = house.scan(table, &scan).unwrap();
                read.extend(items);
                match page.last {
                    Some(last) => start = Some(last),
                    None => break,
                }
            }
        }
        read.sort_by_key(name);
        assert_eq!(read, self.reference.items.values().cloned().collect::<Vec<_>>());
    }

    /// Replaying a stream's images over an empty table gives the table.
    fn check_stream(&self, house: &House, table: &Table) {
        let mut replayed: BTreeMap<String, Item> = BTreeMap::new();
        for record in house.records(&house.stream(table)) {
            let key = name(&tree(Some(record.keys())).unwrap());
            let after = tree(record.after());
            assert_ne!(tree(record.before()), after);
            let before = match after {
                Some(after) => replayed.insert(key, after),
                None => replayed.remove(&key),
            };
            assert_eq!(before, tree(record.before()));
        }
        assert_eq!(replayed, self.reference.items);
    }
}

fn name(item: &Item) -> String {
    format!("{:?} {:?}", item.get("id"), item.get("at"))
}

fn run(house: &mut House, seed: u64, changes: usize) {
    println!("seed {seed}");
    let mut run = Run { random: Random::from_seed(seed), reference: Reference { items: BTreeMap::new() } };
    let mut table = house.create(wanted());
    for step in 0..changes {
        run.change(house, &table);
        if step % 7 == 0 {
            run.check(house, &table);
        }
        if step % 40 == 39 {
            house.advance(house.settings.shard_rollover);
        }
        if step % 97 == 96 {
            house.restart();
            table = house.table("T");
        }
    }
    run.check(house, &table);
    run.check_stream(house, &table);
}

#[test]
fn in_memory() {
    for seed in 0..20 {
        let mut house = House::in_memory();
        house.settings.stream_retention = std::time::Duration::from_secs(10_000 * 3600);
        house.restart();
        run(&mut house, seed, 200);
    }
}

#[test]
fn on_disk() {
    for seed in 100..103 {
        let mut house = House::on_disk();
        house.settings.stream_retention = std::time::Duration::from_secs(10_000 * 3600);
        house.restart();
        run(&mut house, seed, 120);
    }
}
