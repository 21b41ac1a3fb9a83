use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::stream::{Position, Record, Sequence, Shard, Stream, ViewType};
use engine::{
    Action, Attributes, Billing, Consistency, Engine, Error, ErrorKind, IndexSpec, KeyCondition, KeyPart,
    KeySchema, Maintenance, Page, ProjectionKind, Query, Refused, Reserve, Scan, Scope, Settings, Table,
    TableSpec, Write, Written,
};
use model::expression::{Binder, Bound, Condition, Update};
use model::key::KeyType;
use model::{Image, Item, Number, Value, View};
use store::{Order, Slice, Store};
use world::World;

/// An engine that can be stopped and started again over what it has stored.
pub struct House {
    pub world: World,
    pub settings: Settings,
    engine: Option<Engine>,
    store: Option<Store>,
    scratch: Option<Scratch>,
}

/// A directory that goes when the test does.
struct Scratch(PathBuf);

impl House {
    pub fn in_memory() -> House {
        House::new(Store::memory(), None)
    }

    pub fn on_disk() -> House {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("engine-{}-{count}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        let store = Store::open(store::Settings::new(path.join("data"))).unwrap();
        House::new(store, Some(Scratch(path)))
    }

    fn new(store: Store, scratch: Option<Scratch>) -> House {
        let settings = Settings { maintenance: Maintenance::Manual, ..Settings::default() };
        let world = World::simulated(7);
        let engine = Engine::open(store.clone(), world.clone(), settings.clone()).unwrap();
        House { world, settings, engine: Some(engine), store: Some(store), scratch }
    }

    /// With other settings.
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> House {
        change(&mut self.settings);
        self.restart();
        self
    }

    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    pub fn restart(&mut self) {
        self.engine.take().unwrap().close();
        if let Some(scratch) = &self.scratch {
            let store = self.store.take().unwrap();
            store.close().unwrap();
            drop(store);
            self.store = Some(Store::open(store::Settings::new(scratch.0.join("data"))).unwrap());
        }
        let store = self.store.clone().unwrap();
        self.engine = Some(Engine::open(store, self.world.clone(), self.settings.clone()).unwrap());
    }

    pub fn advance(&self, by: Duration) {
        self.world.advance(by);
        self.engine().maintain().unwrap();
    }

    pub fn table(&self, name: &str) -> Arc<Table> {
        self.engine().table(&scope(), name).unwrap()
    }

    /// Creates a table of `spec`.
    pub fn create(&self, spec: TableSpec) -> Arc<Table> {
        let name = spec.name.clone();
        self.engine().create_table(&scope(), spec).unwrap();
        self.table(&name)
    }

    #[expect(clippy::result_large_err, reason = "it is the engine's own")]
    pub fn try_write(&self, table: &Table, write: Write) -> Result<Written, Refused> {
        let mut written = self.engine().write(table, write)?;
        std::mem::replace(&mut written.commit, store::Commit::ready()).wait().unwrap();
        Ok(written)
    }

    pub fn put(&self, table: &Table, item: Item) -> Written {
        self.try_write(table, put(item)).unwrap()
    }

    pub fn delete(&self, table: &Table, key: Item) -> Written {
        self.try_write(table, delete(table, key)).unwrap()
    }

    pub fn update(&self, table: &Table, key: Item, text: &str, values: &[(&str, Value)]) -> Written {
        self.try_write(table, update(table, key, text, values)).unwrap()
    }

    pub fn get(&self, table: &Table, key: Item) -> Option<Item> {
        let key = table.key(key.view()).unwrap();
        self.engine().get(table, &key, Consistency::Strong).unwrap().image.map(|image| decode(&image))
    }

    pub fn query(&self, table: &Table, query: &Query<'_>) -> Result<(Vec<Item>, Page), Error> {
        let mut items = Vec::new();
        let page = self.engine().query(table, query, &mut collect(&mut items))?;
        Ok((items, page))
    }

    /// How many items the index `by-who` has of somebody.
    pub fn by_who(&self, table: &Table, who: &str) -> usize {
        let key = KeyCondition { hash: vec![s(who)], range_equal: vec![], range: None };
        let query = Query {
            index: Some("by-who"),
            key: &key,
            filter: None,
            attributes: Attributes::All,
            order: Order::Forward,
            limit: None,
            start: None,
            consistency: Consistency::Eventual,
        };
        self.query(table, &query).unwrap().0.len()
    }

    pub fn scan(&self, table: &Table, scan: &Scan<'_>) -> Result<(Vec<Item>, Page), Error> {
        let mut items = Vec::new();
        let page = self.engine().scan(table, scan, &mut collect(&mut items))?;
        Ok((items, page))
    }

    pub fn stream(&self, table: &Table) -> Arc<Stream> {
        self.engine().table_stream(table).unwrap()
    }

    pub fn read(&self, shard: &Shard, position: Position) -> Vec<Arc<Record>> {
        let mut after = self.engine().stream_position(shard, position).unwrap();
        let mut records = Vec::new();
        loop {
            let read = self.engine().read_records(shard, after, 3, 1 << 20).unwrap();
            let done = read.records.is_empty();
            records.extend(read.records);
            match read.next {
                Some(next) if !done => after = next,
                _ => return records,
            }
        }
    }

    /// Everything in a stream, shard by shard.
    pub fn records(&self, stream: &Stream) -> Vec<Arc<Record>> {
        stream.shards().iter().flat_map(|shard| self.read(shard, Position::TrimHorizon)).collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.engine = None;
        self.store = None;
    }
}

/// Runs a behaviour over every store.
pub fn everywhere(behaviour: impl Fn(&mut House)) {
    behaviour(&mut House::in_memory());
    behaviour(&mut House::on_disk());
}

pub fn scope() -> Scope {
    Scope::new("123456789012", "us-east-1")
}

/// A table with the hash key `id`, and the range key `at` if it is wanted, both strings.
pub fn spec(name: &str, range: bool, stream: Option<ViewType>) -> TableSpec {
    let (id, at) = (KeyPart::new("id", KeyType::S), KeyPart::new("at", KeyType::S));
    let attributes = if range { vec![id.clone(), at.clone()] } else { vec![id.clone()] };
    TableSpec {
        name: name.into(),
        key: KeySchema::simple(id, range.then_some(at)),
        attributes,
        local: Vec::new(),
        global: Vec::new(),
        billing: Billing::OnDemand { since: None },
        stream,
        class: None,
        deletion_protection: false,
        encryption: None,
        reserve: Reserve::default(),
        tags: Vec::new(),
    }
}

pub fn index(name: &str, hash: KeyPart, range: Option<KeyPart>, projection: ProjectionKind) -> IndexSpec {
    IndexSpec {
        name: name.into(),
        key: KeySchema::simple(hash, range),
        projection,
        throughput: None,
        reserve: Reserve::default(),
    }
}

pub fn item<const N: usize>(attributes: [(&str, Value); N]) -> Item {
    attributes.into_iter().collect()
}

pub fn s(text: &str) -> Value {
    Value::S(text.to_owned())
}

pub fn n(number: impl ToString) -> Value {
    Value::N(Number::parse(&number.to_string()).unwrap())
}

pub fn id(text: &str) -> Item {
    item([("id", s(text))])
}

pub fn id_at(text: &str, at: &str) -> Item {
    item([("at", s(at)), ("id", s(text))])
}

pub fn put(item: Item) -> Write {
    Write { action: Action::Put(Image::of(&item)), condition: None }
}

pub fn delete(table: &Table, key: Item) -> Write {
    Write { action: Action::Delete(table.key(key.view()).unwrap()), condition: None }
}

pub fn update(table: &Table, key: Item, text: &str, values: &[(&str, Value)]) -> Write {
    let key = table.key(key.view()).unwrap();
    let program = Arc::new(Update::compile(text).unwrap());
    let update: Bound<Update> = bind(&program, values);
    Write { action: Action::Update { key, update: Some(update) }, condition: None }
}

pub fn condition(text: &str, values: &[(&str, Value)]) -> Bound<Condition> {
    bind(&Arc::new(Condition::compile(text).unwrap()), values)
}

pub fn when(write: Write, text: &str, values: &[(&str, Value)]) -> Write {
    Write { condition: Some(condition(text, values)), ..write }
}

fn bind<P: model::expression::Program>(program: &Arc<P>, values: &[(&str, Value)]) -> Bound<P> {
    let values: Vec<_> = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut binder = Binder::new(None, (!values.is_empty()).then_some(values)).unwrap();
    binder.bind(program).unwrap()
}

pub fn decode(image: &Slice) -> Item {
    Item::decode(image).unwrap()
}

pub fn tree(view: Option<View<'_>>) -> Option<Item> {
    view.map(|view| view.to_item().unwrap())
}

#[track_caller]
pub fn refuses<T: std::fmt::Debug>(outcome: Result<T, impl Into<Refusal>>, kind: ErrorKind, message: &str) {
    let Refusal(error) = outcome.unwrap_err().into();
    assert_eq!((error.kind, error.message.as_str()), (kind, message));
}

pub struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal(error)
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Refusal {
        Refusal(refused.error)
    }
}

pub fn sequences(records: &[Arc<Record>]) -> Vec<Sequence> {
    records.iter().map(|record| record.sequence).collect()
}

fn collect(items: &mut Vec<Item>) -> impl FnMut(View<'_>) -> Result<(), Error> {
    |view| {
        items.push(view.to_item()?);
        Ok(())
    }
}
