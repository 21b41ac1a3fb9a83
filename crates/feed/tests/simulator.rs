//! Lives of a house: records are written, targets fail, stall, answer nonsense and die, mappings are changed, the server
//! stops well or badly, until everything heals. A seed decides all of it, and the clock moves only when it says so.

use crate::books::{Book, Books, Flight, Happened};
use engine::stream::{Position, ViewType};
use engine::{
    Action, Billing, Engine, KeyPart, KeySchema, Maintenance, Reserve, Scope, Table, TableSpec, Write,
};
use feed::{Change, Feed, MappingId, NewMapping, Outcome, Parts, Policy, Start, State};
use model::key::KeyType;
use model::{Image, Item, Value, ValueView};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::task::yield_now;
use world::World;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";
const MAPPINGS: usize = 5;
/// Its target takes a batch and says nothing until everything heals.
const HANGING: usize = 4;
const ITEMS: u64 = 12;

/// Seeds of one run; `MILLSTREAM_SIMULATOR_SEEDS` asks for more, `MILLSTREAM_SIMULATOR_SEED` for one.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("MILLSTREAM_SIMULATOR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MILLSTREAM_SIMULATOR_SEEDS").unwrap_or(100),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    /// Anything may happen.
    Sick,
    /// All targets accept what they are handed, but the one that hangs.
    OneHangs,
    Well,
}

struct House {
    seed: u64,
    dice: World,
    world: World,
    store: Store,
    engine: Arc<Engine>,
    table: Arc<Table>,
    stream: String,
    books: Books,
    mappings: Vec<(MappingId, Policy, Option<String>)>,
    divisions: usize,
    written: u64,
    health: Health,
}

impl House {
    fn new(seed: u64) -> House {
        let (dice, world, store) = (World::simulated(seed), World::simulated(1), Store::memory());
        let settings = engine::Settings {
            maintenance: Maintenance::Manual,
            stream_shards: 1 + dice.below(3) as u32,
            shard_rollover: Duration::from_secs(20 + dice.below(200)),
            ..engine::Settings::default()
        };
        let engine = Engine::open(store.clone(), world.clone(), settings).expect("an engine");
        let scope = Scope::new(ACCOUNT, REGION);
        let id = KeyPart::new("id", KeyType::S);
        let spec = TableSpec {
            name: "tab".into(),
            key: KeySchema::simple(id.clone(), None),
            attributes: vec![id],
            local: Vec::new(),
            global: Vec::new(),
            billing: Billing::OnDemand { since: None },
            stream: Some(ViewType::NewAndOld),
            class: None,
            deletion_protection: false,
            encryption: None,
            reserve: Reserve::default(),
            tags: Vec::new(),
        };
        engine.create_table(&scope, spec).expect("a table");
        let table = engine.table(&scope, "tab").expect("the table");
        let stream = engine.table_stream(&table).expect("a stream").arn();
        let engine = Arc::new(engine);
        let books = Books::default();
        let (mappings, divisions) = (Vec::new(), 0);
        House {
            seed,
            dice,
            world,
            store,
            engine,
            table,
            stream,
            books,
            mappings,
            divisions,
            health: Health::Sick,
            written: 0,
        }
    }

    fn roll(&self, sides: u64) -> u64 {
        self.dice.below(sides)
    }

    fn feed(&self) -> Feed {
        let parts = Parts {
            engine: self.engine.clone(),
            store: self.store.clone(),
            world: self.world.clone(),
            targets: Arc::new(self.books.clone()),
            settings: feed::Settings::default(),
        };
        Feed::open(parts).expect("a feed")
    }

    async fn make_mappings(&mut self, feed: &Feed) {
        for number in 0..MAPPINGS {
            let filter = [None, Some("a"), Some("b")][self.roll(3) as usize];
            let tumbling = [None, None, Some(Duration::from_secs(5))][self.roll(3) as usize];
            let policy = Policy {
                tumbling,
                batch_records_max: 1 + self.roll(20) as usize,
                batch_window: Duration::from_millis(self.roll(3) * 900),
                bisect: self.roll(2) == 0,
                partial: true,
                retries_max: [None, Some(0), Some(3)][self.roll(3) as usize],
                age_max: [None, None, Some(Duration::from_secs(60))][self.roll(3) as usize],
                ..Policy::default()
            };
            let new = NewMapping {
                account: ACCOUNT.into(),
                region: REGION.into(),
                stream: self.stream.clone(),
                target: format!("t{number}"),
                start: Start::Horizon,
                policy: policy.clone(),
                lanes: if tumbling.is_some() { 1 } else { 1 + self.roll(4) as usize },
                filters: filter.iter().map(|prefix| pattern(prefix)).collect(),
                on_failure: (self.roll(2) == 0).then(|| "somewhere".to_owned()),
                metrics: Vec::new(),
                tags: BTreeMap::new(),
                enabled: true,
            };
            let policy = Policy { dead_letter: new.on_failure.is_some(), ..policy };
            let made = feed.create(new).await.expect("a mapping");
            self.mappings.push((made.mapping.id.clone(), policy, filter.map(str::to_owned)));
        }
    }

    fn write(&mut self) {
        for _ in 0..=self.roll(8) {
            let name = format!("{}{}", ["a", "b"][self.roll(2) as usize], self.roll(ITEMS));
            let mut item = Item::new();
            item.insert("id", Value::S(name));
            item.insert("n", Value::S(self.dice.hex(8)));
            let write = Write { action: Action::Put(Image::of(&item)), condition: None };
            let written = self.engine.write(&self.table, write).expect("a write");
            written.commit.wait().expect("durable");
            self.written += 1;
        }
    }

    /// Lets some of what is in flight land, somehow.
    fn land(&self) {
        for number in 0..MAPPINGS {
            let name = format!("t{number}");
            let flights = match self.books.open().get_mut(&name) {
                Some(book) => std::mem::take(&mut book.flights),
                None => continue,
            };
            let mut kept = Vec::new();
            for flight in flights {
                let hangs = number == HANGING && self.health != Health::Well;
                let stays = hangs || (self.health == Health::Sick && self.roll(3) == 0);
                if stays {
                    kept.push(flight);
                } else {
                    let outcome = self.outcome(&flight);
                    self.books.land(&name, flight, outcome, self.roll(4) > 0);
                }
            }
            self.books.open().entry(name).or_default().flights.extend(kept);
        }
    }

    fn outcome(&self, flight: &Flight) -> Outcome {
        if self.health != Health::Sick {
            return Outcome::Accepted;
        }
        match (flight, self.roll(10)) {
            (_, 0..=3) => Outcome::Accepted,
            (Flight::Batch(sequences, ..), 4..=6) if !sequences.is_empty() => {
                let at = sequences[self.roll(sequences.len() as u64) as usize];
                // Some lie: they name a record that is not of the batch.
                Outcome::Partly(if self.roll(5) == 0 { at + self.roll(50) } else { at })
            }
            (_, 7) => Outcome::Unavailable,
            _ => Outcome::Refused,
        }
    }

    /// Lets every task run until it waits, then moves the clocks together.
    async fn pass(&self, span: Duration) {
        settle().await;
        self.world.advance(span);
        tokio::time::advance(span).await;
        settle().await;
    }

    async fn change(&mut self, feed: &Feed) {
        let (id, policy, _) = &self.mappings[self.roll(MAPPINGS as u64) as usize];
        let Some(found) =
            feed.get(id).filter(|found| matches!(found.state, State::Enabled | State::Disabled))
        else {
            return;
        };
        let mut change = Change::default();
        if self.roll(2) == 0 {
            change.enabled = Some(!found.mapping.enabled);
        } else if policy.tumbling.is_some() {
            let size = [None, Some(3), Some(5)][self.roll(3) as usize].map(Duration::from_secs);
            change.policy = Some(Policy { tumbling: size, ..found.mapping.policy.clone() });
        } else if self.divisions < 6 {
            self.divisions += 1;
            change.lanes = Some(1 + self.roll(4) as usize);
        }
        feed.update(id, change).await.expect("a change");
    }

    /// One life of the server. It ends when the runtime does: well, or in the middle of everything.
    async fn live(&mut self) {
        let feed = self.feed();
        if self.mappings.is_empty() {
            self.make_mappings(&feed).await;
        }
        for _ in 0..10 + self.roll(25) {
            match self.roll(8) {
                0..=2 => self.write(),
                3..=5 => self.land(),
                6 => drop(self.engine.maintain()),
                _ if self.roll(3) == 0 => self.change(&feed).await,
                _ => {}
            }
            self.pass(Duration::from_millis(1 + self.roll(1500))).await;
            self.check_sums(&feed);
        }
    }

    /// The last life: everybody gets well, and every mapping comes to the end of the stream.
    async fn heal(&mut self) {
        let feed = self.feed();
        if self.mappings.is_empty() {
            self.make_mappings(&feed).await;
        }
        for (id, _, _) in &self.mappings {
            let enable = Change { enabled: Some(true), ..Change::default() };
            feed.update(id, enable).await.expect("a change");
        }
        self.health = Health::OneHangs;
        self.finish(&feed, 0..HANGING).await;
        self.health = Health::Well;
        self.finish(&feed, 0..MAPPINGS).await;
        // The clock ends the windows that are open.
        for _ in 0..20 {
            self.land();
            self.pass(Duration::from_millis(500)).await;
        }
        self.check_end(&feed);
        feed.shutdown().await;
    }

    async fn finish(&self, feed: &Feed, which: std::ops::Range<usize>) {
        let total = self.written;
        let is_done = |number: usize| {
            let found = feed.get(&self.mappings[number].0).expect("a mapping");
            found.flow.totals.finished() == total && found.flow.pending == 0
        };
        for _ in 0..2_000 {
            if which.clone().all(is_done) {
                return;
            }
            self.land();
            self.pass(Duration::from_millis(500)).await;
        }
        let flows: Vec<_> = feed
            .list()
            .into_iter()
            .map(|found| (found.mapping.target.clone(), found.state, found.flow))
            .collect();
        panic!("seed {}: {which:?} do not come to the end of {total} records: {flows:#?}", self.seed);
    }

    /// What was promised, for every mapping.
    fn check_end(&self, feed: &Feed) {
        let (seed, ledger, books) = (self.seed, self.ledger(), self.books.open());
        assert_eq!(ledger.len() as u64, self.written, "seed {seed}: the stream has every change");
        for (number, (id, policy, filter)) in self.mappings.iter().enumerate() {
            let name = format!("t{number}");
            let totals = feed.get(id).expect("a mapping").flow.totals;
            let is_wanted =
                |item: &str| filter.as_ref().is_none_or(|prefix| item.starts_with(prefix.as_str()));
            let wanted: BTreeSet<u64> =
                ledger.iter().filter(|(_, item)| is_wanted(item)).map(|(sequence, _)| *sequence).collect();
            assert_eq!(totals.finished(), ledger.len() as u64, "seed {seed}: {name}: {totals:?}");
            assert_eq!(
                totals.filtered,
                (ledger.len() - wanted.len()) as u64,
                "seed {seed}: {name}: {totals:?}"
            );
            let may_drop = !policy.dead_letter && (policy.retries_max.is_some() || policy.age_max.is_some());
            assert!(may_drop || totals.dropped == 0, "seed {seed}: {name}: {totals:?}");
            assert!(policy.dead_letter || totals.dead_lettered == 0, "seed {seed}: {name}: {totals:?}");

            let mut of_item: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
            ledger.iter().for_each(|(sequence, item)| of_item.entry(item).or_default().push(*sequence));
            let mut done: BTreeSet<u64> = BTreeSet::new();
            let (mut windowed, mut closed): (BTreeSet<u64>, BTreeSet<u64>) = Default::default();
            for happened in &books[&name].log {
                match happened {
                    Happened::Windowed(batch) => {
                        done.extend(batch);
                        windowed.extend(batch);
                    }
                    Happened::Handed(batch) => {
                        assert!(batch.is_sorted(), "seed {seed}: {name}: {batch:?}");
                        for (at, sequence) in batch.iter().enumerate() {
                            let item = &ledger[sequence];
                            assert!(is_wanted(item), "seed {seed}: {name} was handed {item}");
                            // All earlier changes of the item are done with, or come before it in the batch.
                            let early = of_item[item.as_str()].iter().take_while(|early| *early < sequence);
                            let is_known = |early: &u64| done.contains(early) || batch[..at].contains(early);
                            let skipped = early.copied().find(|early| !is_known(early));
                            assert!(
                                may_drop || skipped.is_none(),
                                "seed {seed}: {name} got {sequence} before {skipped:?}"
                            );
                        }
                    }
                    // After a crash it may have come again, without a window or to be given up.
                    Happened::Accepted(batch) | Happened::Buried(batch) => {
                        done.extend(batch);
                        windowed.retain(|sequence| !batch.contains(sequence));
                    }
                    Happened::Closed(seen) => closed.extend(seen),
                }
            }
            // What its windows' states had seen when they ended is all that was ever accepted within one.
            let lost: Vec<_> = windowed.difference(&closed).collect();
            assert!(lost.len() as u64 <= totals.dropped, "seed {seed}: {name}: {lost:?} are in no state");
            let missing: Vec<_> = wanted.difference(&done).collect();
            assert!(missing.len() as u64 <= totals.dropped, "seed {seed}: {name}: {missing:?} are lost");
        }
    }

    fn check_sums(&self, feed: &Feed) {
        let total = self.written;
        for found in feed.list() {
            let read = found.flow.read();
            assert!(read <= total, "seed {}: {} has read {read} of {total}", self.seed, found.mapping.target);
        }
    }

    /// Every record: its item, by sequence.
    fn ledger(&self) -> BTreeMap<u64, String> {
        let stream = self.engine.table_stream(&self.table).expect("a stream");
        let mut all = BTreeMap::new();
        for shard in stream.shards() {
            let mut after = self.engine.stream_position(&shard, Position::TrimHorizon).expect("a place");
            loop {
                let found = self.engine.read_records(&shard, after, 10_000, 64 << 20).expect("records");
                for record in &found.records {
                    let Ok(Some(ValueView::S(id))) = record.keys().get("id") else { panic!("no key") };
                    all.insert(record.sequence.0, id.to_owned());
                }
                if found.next.is_none() || found.through == after {
                    break;
                }
                after = found.through;
            }
        }
        all
    }
}

fn pattern(prefix: &str) -> String {
    format!(r#"{{"dynamodb":{{"Keys":{{"id":{{"S":[{{"prefix":"{prefix}"}}]}}}}}}}}"#)
}

/// One seed: several lives, and a last one in which everything is finished.
fn simulate(seed: u64) {
    let mut house = House::new(seed);
    for _ in 0..1 + house.roll(4) {
        let runtime = runtime();
        runtime.block_on(house.live());
        // The server dies: whatever is in flight is never heard of again.
        drop(runtime);
        house.books.open().values_mut().for_each(Book::forget);
    }
    runtime().block_on(house.heal());
}

#[test]
fn every_record_comes_to_its_end_whatever_happens() {
    for seed in seeds() {
        simulate(seed);
    }
}

async fn settle() {
    for _ in 0..40 {
        yield_now().await;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}
