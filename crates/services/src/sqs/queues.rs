//! Every queue of this server: its definition, its line in memory, and what of it lies in the store.

use super::definition::Definition;
use super::fault::{self, Fault};
use super::line::{Entry, Line};
use super::message::Message;
use serde::{Deserialize, Serialize};
use servicekit::documents::{Documents, unavailable};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use store::{Batch, Commit, Order, Space, Store, UpdateError};
use tokio::sync::Notify;
use world::World;

const FORMAT: u8 = 1;
/// How long a FIFO queue knows a deduplication id again.
pub(super) const DEDUP_MS: u64 = 300_000;

/// The queues. Cheap to clone.
#[derive(Clone)]
pub struct Queues(Arc<Inner>);

struct Inner {
    store: Store,
    world: World,
    definitions: Documents<Definition>,
    queues: RwLock<BTreeMap<String, Arc<Queue>>>,
    /// One queue is made, changed or deleted at a time.
    changing: tokio::sync::Mutex<()>,
}

pub(crate) struct Queue {
    /// `account/region/name`
    pub key: String,
    pub changed: Notify,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub definition: Arc<Definition>,
    pub line: Line,
    pub dedup: BTreeMap<String, Dedup>,
    /// When everything was last thrown away, in this run.
    pub purged_s: Option<u64>,
}

/// A message that a FIFO queue has seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Dedup {
    pub at_ms: u64,
    pub message_id: String,
    pub number: u64,
}

impl Queue {
    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }

    pub fn arn(&self) -> String {
        let mut parts = self.key.splitn(3, '/');
        let [account, region, name] = std::array::from_fn(|_| parts.next().unwrap_or_default());
        format!("arn:aws:sqs:{region}:{account}:{name}")
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn definition(&self) -> Arc<Definition> {
        self.state().definition.clone()
    }
}

/// `arn:aws:sqs:region:account:name` → `account/region/name`
pub(crate) fn key_of_arn(arn: &str) -> Option<String> {
    let mut parts = arn.strip_prefix("arn:aws:sqs:")?.splitn(3, ':');
    let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
    (!name.is_empty() && !name.contains([':', '/'])).then(|| format!("{account}/{region}/{name}"))
}

impl Queues {
    /// Takes up every queue where it was left.
    pub fn open(store: &Store, world: &World) -> Result<Queues, String> {
        let definitions: Documents<Definition> = Documents::new(store, "sqs/queue");
        let mut queues = BTreeMap::new();
        for (key, definition) in definitions.list("").map_err(|error| error.to_string())? {
            let state = restore(store, definition).map_err(|error| error.to_string())?;
            let queue = Queue { key: key.clone(), changed: Notify::new(), state: Mutex::new(state) };
            queues.insert(key, Arc::new(queue));
        }
        let inner = Inner {
            store: store.clone(),
            world: world.clone(),
            definitions,
            queues: RwLock::new(queues),
            changing: tokio::sync::Mutex::new(()),
        };
        Ok(Queues(Arc::new(inner)))
    }

    pub(crate) fn world(&self) -> &World {
        &self.0.world
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.0.world.now().millis()
    }

    pub(crate) fn find(&self, key: &str) -> Option<Arc<Queue>> {
        self.0.queues.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Whether a queue has this ARN: what names it as a destination may ask.
    pub fn exists(&self, arn: &str) -> bool {
        key_of_arn(arn).is_some_and(|key| self.find(&key).is_some())
    }

    pub(crate) fn list(&self, prefix: &str) -> Vec<Arc<Queue>> {
        let queues = self.0.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues
            .range(prefix.to_owned()..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(_, queue)| queue.clone())
            .collect()
    }

    /// Makes the queue, or answers the one there is.
    pub(crate) async fn create(
        &self,
        key: &str,
        attributes: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    ) -> Result<Arc<Queue>, Fault> {
        let _changing = self.0.changing.lock().await;
        if let Some(queue) = self.find(key) {
            let there = queue.definition();
            let all = there.shown();
            let differs = attributes.iter().find(|(name, value)| {
                all.get(*name).is_some_and(|old| old != *value) || !all.contains_key(*name)
            });
            return match differs {
                Some((name, _)) => Err(fault::new(
                    "QueueNameExists",
                    format!(
                        "A queue already exists with the same name and a different value for attribute {name}"
                    ),
                )),
                None => Ok(queue),
            };
        }
        let now_s = self.0.world.now().seconds();
        let definition = Definition {
            incarnation: self.0.world.hex(16),
            created_s: now_s,
            modified_s: now_s,
            attributes,
            tags,
        };
        self.0.definitions.put(key, definition.clone()).await?;
        let definition = Arc::new(definition);
        let state = State { definition, line: Line::default(), dedup: BTreeMap::new(), purged_s: None };
        let queue = Arc::new(Queue { key: key.to_owned(), changed: Notify::new(), state: Mutex::new(state) });
        self.0.queues.write().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), queue.clone());
        Ok(queue)
    }

    /// Changes a definition. What another incarnation left behind goes.
    pub(crate) async fn redefine(
        &self,
        queue: &Queue,
        change: impl FnOnce(&mut Definition) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let _changing = self.0.changing.lock().await;
        if self.find(&queue.key).is_none() {
            return Err(fault::no_queue());
        }
        let old = queue.definition();
        let mut new = (*old).clone();
        change(&mut new)?;
        let emptied = new.incarnation != old.incarnation;
        self.0.definitions.put(&queue.key, new.clone()).await?;
        let mut state = queue.state();
        state.definition = Arc::new(new);
        if emptied {
            state.line = Line::default();
            state.dedup.clear();
        }
        drop(state);
        if emptied { self.sweep(&old.incarnation) } else { Ok(()) }
    }

    pub(crate) async fn delete(&self, queue: &Queue) -> Result<(), Fault> {
        let _changing = self.0.changing.lock().await;
        self.0.definitions.remove(&queue.key).await?;
        self.0.queues.write().unwrap_or_else(PoisonError::into_inner).remove(&queue.key);
        queue.changed.notify_waiters();
        self.sweep(&queue.definition().incarnation)
    }

    pub(crate) fn new_incarnation(&self) -> String {
        self.0.world.hex(16)
    }

    fn sweep(&self, incarnation: &str) -> Result<(), Fault> {
        for kind in ["entry", "body", "dedup"] {
            let (from, to) = range(kind, incarnation);
            // It goes on behind our back: nothing reads there again.
            drop(self.0.store.trim(Space::Meta, &from, &to).map_err(unavailable)?);
        }
        Ok(())
    }

    /// A message's body; nothing where it has gone.
    pub(crate) fn message(&self, incarnation: &str, number: u64) -> Result<Option<Message>, Fault> {
        let found = self
            .0
            .store
            .snapshot()
            .get(Space::Meta, &key("body", incarnation, number))
            .map_err(unavailable)?;
        found.map(|bytes| decode(&bytes)).transpose()
    }

    /// Queues writes whose order the queue's lock has decided.
    pub(crate) fn write(&self, fill: impl Fn(&mut Batch)) -> Result<Commit, Fault> {
        let done = self.0.store.update(&[], |_, batch| {
            fill(batch);
            Ok::<(), Fault>(())
        });
        match done {
            Ok(((), commit)) => Ok(commit),
            Err(UpdateError::Plan { error, .. }) => Err(error),
            Err(UpdateError::Store(error)) => Err(unavailable(error)),
        }
    }
}

pub(crate) fn put_entry(batch: &mut Batch, incarnation: &str, number: u64, entry: &Entry) {
    batch.put(Space::Meta, key("entry", incarnation, number), encode(entry));
}

pub(crate) fn put_message(batch: &mut Batch, incarnation: &str, number: u64, message: &Message) {
    batch.put(Space::Meta, key("body", incarnation, number), encode(message));
}

pub(crate) fn remove(batch: &mut Batch, incarnation: &str, number: u64) {
    batch.remove(Space::Meta, key("entry", incarnation, number));
    batch.remove(Space::Meta, key("body", incarnation, number));
}

pub(crate) fn put_dedup(batch: &mut Batch, incarnation: &str, id: &str, dedup: &Dedup) {
    batch.put(Space::Meta, dedup_key(incarnation, id), encode(dedup));
}

pub(crate) fn remove_dedup(batch: &mut Batch, incarnation: &str, id: &str) {
    batch.remove(Space::Meta, dedup_key(incarnation, id));
}

fn restore(store: &Store, definition: Definition) -> Result<State, Fault> {
    let snapshot = store.snapshot();
    let mut line = Line::default();
    let (from, to) = range("entry", &definition.incarnation);
    for found in snapshot.range(Space::Meta, &from, &to, Order::Forward) {
        let (key, value) = found.map_err(unavailable)?;
        let number = key[from.len()..].try_into().map(u64::from_be_bytes);
        line.restore(number.map_err(|_| unavailable("a message's key is damaged"))?, decode(&value)?);
    }
    let mut dedup = BTreeMap::new();
    let (from, to) = range("dedup", &definition.incarnation);
    for found in snapshot.range(Space::Meta, &from, &to, Order::Forward) {
        let (key, value) = found.map_err(unavailable)?;
        let seen: Dedup = decode(&value)?;
        // Numbers of messages that have gone are not used again while they are remembered here.
        line.skip_past(seen.number);
        dedup.insert(String::from_utf8_lossy(&key[from.len()..]).into_owned(), seen);
    }
    Ok(State { definition: Arc::new(definition), line, dedup, purged_s: None })
}

fn range(kind: &str, incarnation: &str) -> (Vec<u8>, Vec<u8>) {
    let from = format!("sqs/{kind}\0{incarnation}/").into_bytes();
    let to = format!("sqs/{kind}\0{incarnation}0").into_bytes();
    (from, to)
}

fn key(kind: &str, incarnation: &str, number: u64) -> Vec<u8> {
    let mut key = range(kind, incarnation).0;
    key.extend(number.to_be_bytes());
    key
}

fn dedup_key(incarnation: &str, id: &str) -> Vec<u8> {
    [range("dedup", incarnation).0.as_slice(), id.as_bytes()].concat()
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    serde_json::to_writer(&mut bytes, value).expect("messages are plain data");
    bytes
}

fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, Fault> {
    match bytes.split_first() {
        Some((&FORMAT, json)) => serde_json::from_slice(json).map_err(unavailable),
        _ => Err(unavailable("a message of a format that this version cannot read")),
    }
}
