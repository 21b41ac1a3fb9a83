//! Transactions over two tables against two maps: every kind of write, conditions, tokens, time and restarts.

use crate::support::*;
use engine::stream::ViewType;
use engine::{Action, Consistency, ErrorKind, Table, Token, Transacted, Write};
use model::{Item, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use world::Random;

const TABLES: [&str; 2] = ["One", "Two"];
const TOKEN_LIFE: Duration = Duration::from_secs(600);

/// A write as the model understands it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Put(u64),
    Add(u64),
    Delete,
    Check,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Only {
    Always,
    Exists,
    Missing,
    Above(u64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    table: usize,
    name: u64,
    kind: Kind,
    only: Only,
}

type Places = BTreeMap<(usize, u64), u64>;

impl Step {
    fn random(random: &mut Random) -> Step {
        let kind = match random.below(5) {
            0 | 1 => Kind::Put(random.below(9)),
            2 => Kind::Add(random.below(9)),
            3 => Kind::Delete,
            _ => Kind::Check,
        };
        let only = match random.below(8) {
            0 | 1 => Only::Exists,
            2 => Only::Missing,
            3 => Only::Above(random.below(9)),
            _ => Only::Always,
        };
        Step { table: random.below(2) as usize, name: random.below(6), kind, only }
    }

    fn place(&self) -> (usize, u64) {
        (self.table, self.name)
    }

    fn holds(&self, places: &Places) -> bool {
        let known = places.get(&self.place());
        match self.only {
            Only::Always => true,
            Only::Exists => known.is_some(),
            Only::Missing => known.is_none(),
            Only::Above(bound) => known.is_some_and(|value| *value > bound),
        }
    }

    fn apply(&self, places: &mut Places) {
        match self.kind {
            Kind::Put(value) => drop(places.insert(self.place(), value)),
            Kind::Add(value) => *places.entry(self.place()).or_default() += value,
            Kind::Delete => drop(places.remove(&self.place())),
            Kind::Check => {}
        }
    }

    fn write(&self, table: &Table) -> Write {
        let key = id(&self.name.to_string());
        let write = match self.kind {
            Kind::Put(value) => put(counted(self.name, value)),
            Kind::Add(value) => update(table, key, "ADD v :v", &[(":v", n(value))]),
            Kind::Delete => delete(table, key),
            Kind::Check => Write { action: Action::Check(table.key(key.view()).unwrap()), condition: None },
        };
        match self.only {
            Only::Always => write,
            Only::Exists => when(write, "attribute_exists(id)", &[]),
            Only::Missing => when(write, "attribute_not_exists(id)", &[]),
            Only::Above(bound) => when(write, "v > :b", &[(":b", n(bound))]),
        }
    }
}

fn counted(name: u64, value: u64) -> Item {
    item([("id", s(&name.to_string())), ("v", n(value))])
}

/// A transaction that was done under a token, and when.
struct Done {
    token: Token,
    steps: Vec<Step>,
    at: u64,
}

struct Run {
    random: Random,
    places: Places,
    done: Vec<Done>,
}

impl Run {
    fn transaction(&mut self, house: &House, tables: &[Arc<Table>]) {
        let mut steps: Vec<Step> = Vec::new();
        for _ in 0..1 + self.random.below(5) {
            let step = Step::random(&mut self.random);
            if steps.iter().all(|other| other.place() != step.place()) {
                steps.push(step);
            }
        }
        let token = (self.random.below(2) == 0).then(|| Token {
            name: self.random.below(u64::MAX).to_be_bytes().to_vec(),
            digest: [self.random.below(256) as u8; 32],
        });
        let now = house.world.now().millis();
        let holds: Vec<bool> = steps.iter().map(|step| step.holds(&self.places)).collect();
        match ask(house, tables, &steps, token.as_ref()) {
            Ok(Transacted::Now(done)) => {
                assert!(holds.iter().all(|holds| *holds), "{steps:?}");
                done.commit.wait().unwrap();
                steps.iter().for_each(|step| step.apply(&mut self.places));
                self.done.extend(token.map(|token| Done { token, steps, at: now }));
            }
            Ok(Transacted::Before(_)) => panic!("the token is new"),
            Err(refused) => {
                assert_eq!(refused.error.kind, ErrorKind::TransactionCancelled);
                let reasons: Vec<bool> = refused.reasons.iter().map(Option::is_none).collect();
                assert_eq!(reasons, holds, "{steps:?}");
                refused.after.wait().unwrap();
            }
        }
    }

    /// What was done under a token is not done again, nor is anything else under it, until it is forgotten.
    fn again(&mut self, house: &House, tables: &[Arc<Table>]) {
        if self.done.is_empty() {
            return;
        }
        let at = self.random.below(self.done.len() as u64) as usize;
        let known = &self.done[at];
        let age = house.world.now().millis() - known.at;
        if u128::from(age) >= TOKEN_LIFE.as_millis() {
            let Done { steps, token, .. } = self.done.swap_remove(at);
            let holds = steps.iter().all(|step| step.holds(&self.places));
            match ask(house, tables, &steps, Some(&token)) {
                Ok(Transacted::Now(done)) if holds => {
                    done.commit.wait().unwrap();
                    steps.iter().for_each(|step| step.apply(&mut self.places));
                    self.done.push(Done { steps, token, at: house.world.now().millis() });
                }
                Err(refused) if !holds => assert_eq!(refused.error.kind, ErrorKind::TransactionCancelled),
                other => panic!("{steps:?}: {other:?}"),
            }
            return;
        }
        let mut other = known.token.clone();
        other.digest[0] ^= 1;
        assert!(matches!(ask(house, tables, &known.steps, Some(&known.token)), Ok(Transacted::Before(_))));
        let refused = ask(house, tables, &known.steps, Some(&other)).unwrap_err();
        assert_eq!(refused.error.kind, ErrorKind::TokenReused);
    }

    fn check(&self, house: &House, tables: &[Arc<Table>]) {
        let mut wanted = Vec::new();
        for (number, table) in tables.iter().enumerate() {
            wanted.extend(
                (0..6).map(|name| ((number, name), table.key(id(&name.to_string()).view()).unwrap())),
            );
        }
        let asked: Vec<_> =
            wanted.iter().map(|((number, _), key)| (tables[*number].clone(), key.clone())).collect();
        let got = house.engine().get_many(&asked, Consistency::Transactional).unwrap();
        for ((place, _), got) in wanted.iter().zip(got) {
            let expect = self.places.get(place).map(|value| counted(place.1, *value));
            assert_eq!(got.image.as_ref().map(decode), expect);
        }
    }

    /// A transaction's records are those of single writes: replayed, they give the table.
    fn check_streams(&self, house: &House, tables: &[Arc<Table>]) {
        for (number, table) in tables.iter().enumerate() {
            let mut replayed = BTreeMap::new();
            for record in house.records(&house.stream(table)) {
                let key = tree(Some(record.keys())).unwrap().get("id").cloned().map(text).unwrap();
                let before = match tree(record.after()) {
                    Some(after) => replayed.insert(key, after),
                    None => replayed.remove(&key),
                };
                assert_eq!(before, tree(record.before()));
            }
            let of_table = self.places.iter().filter(|((table, _), _)| *table == number);
            let expect = of_table.map(|((_, name), value)| (name.to_string(), counted(*name, *value)));
            assert_eq!(replayed, expect.collect::<BTreeMap<_, _>>());
        }
    }
}

#[expect(clippy::result_large_err, reason = "it is the engine's own")]
fn ask(
    house: &House,
    tables: &[Arc<Table>],
    steps: &[Step],
    token: Option<&Token>,
) -> Result<Transacted, engine::Refused> {
    let writes = steps.iter().map(|step| (tables[step.table].clone(), step.write(&tables[step.table])));
    house.engine().transact_write(writes.collect(), token)
}

fn text(value: Value) -> String {
    match value {
        Value::S(text) => text,
        other => panic!("{other:?}"),
    }
}

fn run(house: &mut House, seed: u64, steps: usize) {
    println!("seed {seed}");
    house.settings.stream_retention = Duration::from_secs(10_000 * 3600);
    house.restart();
    let create = |name| house.create(spec(name, false, Some(ViewType::NewAndOld)));
    let mut tables = TABLES.map(create);
    let mut run = Run { random: Random::from_seed(seed), places: Places::new(), done: Vec::new() };
    for _ in 0..steps {
        match run.random.below(40) {
            0 => {
                house.restart();
                tables = TABLES.map(|name| house.table(name));
            }
            1..4 => house.advance(TOKEN_LIFE / 3),
            4..12 => run.again(house, &tables),
            _ => run.transaction(house, &tables),
        }
        run.check(house, &tables);
    }
    run.check_streams(house, &tables);
}

#[test]
fn in_memory() {
    for seed in 0..24 {
        run(&mut House::in_memory(), seed, 250);
    }
}

#[test]
fn on_disk() {
    for seed in 100..102 {
        run(&mut House::on_disk(), seed, 100);
    }
}
