//! What is simulated: a server's floors, and what it was asked for.

use crate::books::Books;
use engine::stream::ViewType;
use engine::{
    Action, Billing, Engine, KeyPart, KeySchema, Maintenance, Reserve, Scope, Table, TableSpec, Write,
};
use feed::{Feed, MappingId, NewMapping, Parts, Policy, Start};
use model::key::KeyType;
use model::{Image, Item, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use world::World;

const ACCOUNT: &str = "123456789012";
const REGION: &str = "us-east-1";
pub const MAPPINGS: usize = 5;
const ITEMS: u64 = 12;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Anything may happen.
    Sick,
    /// All targets accept what they are handed, but the one that hangs.
    OneHangs,
    Well,
}

pub struct House {
    pub seed: u64,
    pub dice: World,
    pub world: World,
    pub store: Store,
    pub engine: Arc<Engine>,
    pub table: Arc<Table>,
    pub stream: String,
    pub books: Books,
    pub mappings: Vec<(MappingId, Policy, Option<String>)>,
    pub divisions: usize,
    pub written: u64,
    pub health: Health,
}

impl House {
    pub fn new(seed: u64) -> House {
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

    pub fn roll(&self, sides: u64) -> u64 {
        self.dice.below(sides)
    }

    pub fn feed(&self) -> Feed {
        let parts = Parts {
            engine: self.engine.clone(),
            store: self.store.clone(),
            world: self.world.clone(),
            targets: Arc::new(self.books.clone()),
            settings: feed::Settings::default(),
        };
        Feed::open(parts).expect("a feed")
    }

    pub async fn make_mappings(&mut self, feed: &Feed) {
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

    pub fn write(&mut self) {
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
}

fn pattern(prefix: &str) -> String {
    format!(r#"{{"dynamodb":{{"Keys":{{"id":{{"S":[{{"prefix":"{prefix}"}}]}}}}}}}}"#)
}
