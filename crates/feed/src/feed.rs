//! The mappings of a house: making, changing and forgetting them, and keeping those that are enabled at work.

use crate::gauges::{Flow, Gauges, ShardFlow};
use crate::keep::Keep;
use crate::mapping::{Mapping, MappingId, Start, State};
use crate::policy::{Backoff, Policy};
use crate::run::{Run, table_and_label};
use crate::target::Targets;
use engine::{Engine, Scope};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use world::World;

#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The delays between attempts, of every mapping.
    pub backoff: Backoff,
}

/// What a feed stands on.
#[derive(Clone)]
pub struct Parts {
    pub engine: Arc<Engine>,
    pub store: Store,
    pub world: World,
    pub targets: Arc<dyn Targets>,
    pub settings: Settings,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    NotFound,
    /// It is on its way to another state.
    Busy,
    StreamNotFound,
    /// That stream drives that target already: the mapping's id is the message.
    Exists,
    Store,
}

#[derive(Debug)]
pub struct Error {
    pub kind: ErrorKind,
    pub message: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error { kind, message: message.into() }
}

fn broken(message: impl std::fmt::Display) -> Error {
    error(ErrorKind::Store, message.to_string())
}

/// A mapping to be made.
#[derive(Clone, Debug)]
pub struct NewMapping {
    pub account: String,
    pub region: String,
    pub stream: String,
    pub target: String,
    pub start: Start,
    pub policy: Policy,
    pub lanes: usize,
    pub filters: Vec<String>,
    pub on_failure: Option<String>,
    pub metrics: Vec<String>,
    pub tags: BTreeMap<String, String>,
    pub enabled: bool,
}

/// What is to be different; the rest stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub target: Option<String>,
    pub policy: Option<Policy>,
    pub lanes: Option<usize>,
    pub filters: Option<Vec<String>>,
    pub on_failure: Option<Option<String>>,
    pub metrics: Option<Vec<String>>,
    pub enabled: Option<bool>,
}

/// A mapping as it stands.
#[derive(Clone, Debug)]
pub struct Described {
    pub mapping: Arc<Mapping>,
    pub state: State,
    /// What the last batch came to.
    pub result: String,
    pub flow: Flow,
    /// Each shard that was begun, by name.
    pub shards: Vec<(String, ShardFlow)>,
    /// How often the destination of given-up records did not take them, since the start.
    pub burial_failures: u64,
}

struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

struct Entry {
    mapping: Arc<Mapping>,
    state: State,
    gauges: Arc<Gauges>,
    running: Option<Running>,
}

impl Entry {
    fn described(&self) -> Described {
        Described {
            mapping: self.mapping.clone(),
            state: self.state,
            result: self.gauges.result(),
            flow: self.gauges.flow(),
            shards: self.gauges.shards(),
            burial_failures: self.gauges.burial_failures(),
        }
    }
}

/// All mappings. Cheap to clone.
#[derive(Clone)]
pub struct Feed(Arc<Inner>);

struct Inner {
    parts: Parts,
    keep: Keep,
    entries: Mutex<BTreeMap<MappingId, Entry>>,
    /// One change of the set of mappings at a time, so that duplicates are seen.
    changing: tokio::sync::Mutex<()>,
}

impl Feed {
    /// Takes every mapping up where it stopped. Must be called inside a tokio runtime.
    pub fn open(parts: Parts) -> Result<Feed, Error> {
        let keep = Keep::new(parts.store.clone());
        let mappings = keep.mappings(parts.settings.backoff).map_err(broken)?;
        let feed = Feed(Arc::new(Inner {
            keep,
            parts,
            entries: Mutex::default(),
            changing: tokio::sync::Mutex::new(()),
        }));
        for (mapping, deleting) in mappings {
            if deleting {
                drop(feed.0.keep.remove_mapping(&mapping.id).map_err(broken)?);
                continue;
            }
            let state = if mapping.enabled { State::Enabled } else { State::Disabled };
            let gauges = Arc::new(Gauges::default());
            for (shard, checkpoint) in feed.0.keep.checkpoints(&mapping.id).map_err(broken)? {
                gauges.tell(&shard, Flow { totals: checkpoint.totals(), ..Flow::default() }, vec![]);
            }
            let mapping = Arc::new(mapping);
            let running = mapping.enabled.then(|| feed.0.start(&mapping, &gauges));
            let entry = Entry { mapping: mapping.clone(), state, gauges, running };
            feed.0.entries().insert(mapping.id.clone(), entry);
        }
        Ok(feed)
    }

    /// Makes a mapping. Every record that is written after this returns is its.
    pub async fn create(&self, new: NewMapping) -> Result<Described, Error> {
        let inner = &self.0;
        let _one = inner.changing.lock().await;
        let not_found = || error(ErrorKind::StreamNotFound, format!("Stream not found: {}", new.stream));
        let (table, label) = table_and_label(&new.stream).ok_or_else(not_found)?;
        let scope = Scope::new(&new.account, &new.region);
        inner.parts.engine.stream(&scope, table, label).map_err(|_| not_found())?;
        let same = |entry: &&Entry| entry.mapping.stream == new.stream && entry.mapping.target == new.target;
        if let Some(other) = inner.entries().values().find(same) {
            return Err(error(ErrorKind::Exists, other.mapping.id.as_str()));
        }
        let start_position = match new.start {
            Start::Horizon => 0,
            Start::Latest => inner.keep.tip(),
        };
        let mapping = Arc::new(Mapping {
            id: MappingId::new(inner.parts.world.uuid()),
            account: new.account,
            region: new.region,
            stream: new.stream,
            target: new.target,
            start: new.start,
            start_position,
            policy: Policy {
                backoff: inner.parts.settings.backoff,
                dead_letter: new.on_failure.is_some(),
                ..new.policy
            },
            lanes: new.lanes,
            filters: new.filters,
            on_failure: new.on_failure,
            metrics: new.metrics,
            tags: new.tags,
            enabled: new.enabled,
            modified: inner.parts.world.now(),
        });
        inner.keep.put_mapping(&mapping, false).map_err(broken)?.await.map_err(broken)?;
        let gauges = Arc::new(Gauges::default());
        let running = mapping.enabled.then(|| inner.start(&mapping, &gauges));
        let state = if mapping.enabled { State::Enabled } else { State::Disabled };
        let entry = Entry { mapping: mapping.clone(), state, gauges, running };
        let described = Described { state: State::Creating, ..entry.described() };
        inner.entries().insert(mapping.id.clone(), entry);
        Ok(described)
    }

    pub fn get(&self, id: &MappingId) -> Option<Described> {
        self.0.entries().get(id).map(Entry::described)
    }

    /// The moment that blockages' next tries are told in.
    pub fn elapsed(&self) -> std::time::Duration {
        self.0.parts.world.elapsed()
    }

    /// All mappings, by id.
    pub fn list(&self) -> Vec<Described> {
        self.0.entries().values().map(Entry::described).collect()
    }

    /// Changes a mapping; what it does now is finished first. Answers at once, with the state it is passing through.
    pub async fn update(&self, id: &MappingId, change: Change) -> Result<Described, Error> {
        let inner = &self.0;
        let _one = inner.changing.lock().await;
        let (mapping, was, running, described) = {
            let mut entries = inner.entries();
            let entry = entries.get_mut(id).ok_or_else(|| no_mapping(id))?;
            if entry.state.is_passing() {
                return Err(error(
                    ErrorKind::Busy,
                    "Cannot update the event source mapping because it is in use.",
                ));
            }
            let mut mapping = Mapping::clone(&entry.mapping);
            let was = mapping.enabled;
            mapping.target = change.target.unwrap_or(mapping.target);
            mapping.policy = match change.policy {
                Some(policy) => Policy { backoff: inner.parts.settings.backoff, ..policy },
                None => mapping.policy,
            };
            mapping.lanes = change.lanes.unwrap_or(mapping.lanes);
            mapping.filters = change.filters.unwrap_or(mapping.filters);
            mapping.on_failure = change.on_failure.unwrap_or(mapping.on_failure);
            mapping.policy.dead_letter = mapping.on_failure.is_some();
            mapping.metrics = change.metrics.unwrap_or(mapping.metrics);
            mapping.enabled = change.enabled.unwrap_or(was);
            mapping.modified = inner.parts.world.now();
            entry.state = match (was, mapping.enabled) {
                (true, false) => State::Disabling,
                (false, true) => State::Enabling,
                _ => State::Updating,
            };
            entry.mapping = Arc::new(mapping);
            (entry.mapping.clone(), was, entry.running.take(), entry.described())
        };
        let kept = match inner.keep.put_mapping(&mapping, false) {
            Ok(commit) => commit.await.map_err(broken),
            Err(why) => Err(broken(why)),
        };
        let settle = inner.clone();
        let passing = tokio::spawn(async move {
            halt(running).await;
            settle.settle(&mapping);
        });
        kept?;
        // Enabling has nothing to wait for: a script that goes on at once finds it enabled.
        if !was {
            let _ = passing.await;
        }
        Ok(described)
    }

    /// Puts labels on a mapping; what it does goes on.
    pub async fn tag(&self, id: &MappingId, tags: BTreeMap<String, String>) -> Result<(), Error> {
        let inner = &self.0;
        let _one = inner.changing.lock().await;
        let commit = {
            let mut entries = inner.entries();
            let entry = entries.get_mut(id).ok_or_else(|| no_mapping(id))?;
            if entry.state == State::Deleting {
                return Err(no_mapping(id));
            }
            let mapping = Mapping { tags, ..Mapping::clone(&entry.mapping) };
            let commit = inner.keep.put_mapping(&mapping, false).map_err(broken)?;
            entry.mapping = Arc::new(mapping);
            commit
        };
        commit.await.map(drop).map_err(broken)
    }

    /// Forgets a mapping, once what it does now is finished.
    pub async fn delete(&self, id: &MappingId) -> Result<Described, Error> {
        let inner = &self.0;
        let _one = inner.changing.lock().await;
        let (mapping, running, described) = {
            let mut entries = inner.entries();
            let entry = entries.get_mut(id).ok_or_else(|| no_mapping(id))?;
            if entry.state.is_passing() {
                return Err(error(
                    ErrorKind::Busy,
                    "Cannot delete the event source mapping because it is in use.",
                ));
            }
            entry.state = State::Deleting;
            (entry.mapping.clone(), entry.running.take(), entry.described())
        };
        inner.keep.put_mapping(&mapping, true).map_err(broken)?.await.map_err(broken)?;
        let settle = inner.clone();
        tokio::spawn(async move {
            halt(running).await;
            match settle.keep.remove_mapping(&mapping.id) {
                Ok(commit) => drop(commit.await),
                Err(why) => eprintln!("mapping {} was not removed: {why}", mapping.id),
            }
            settle.entries().remove(&mapping.id);
        });
        Ok(described)
    }

    /// Stops all mappings: what is in flight is settled, and every checkpoint durable.
    pub async fn shutdown(&self) {
        let running: Vec<_> = self.0.entries().values_mut().map(|entry| entry.running.take()).collect();
        for one in running.iter().flatten() {
            let _ = one.stop.send(true);
        }
        for one in running {
            halt(one).await;
        }
    }
}

fn no_mapping(_: &MappingId) -> Error {
    error(ErrorKind::NotFound, "The resource you requested does not exist.")
}

async fn halt(running: Option<Running>) {
    if let Some(running) = running {
        let _ = running.stop.send(true);
        let _ = running.task.await;
    }
}

impl Inner {
    fn entries(&self) -> MutexGuard<'_, BTreeMap<MappingId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, mapping: &Arc<Mapping>, gauges: &Arc<Gauges>) -> Running {
        let (stop, stopped) = watch::channel(false);
        let run = Run {
            engine: self.parts.engine.clone(),
            keep: self.keep.clone(),
            world: self.parts.world.clone(),
            gauges: gauges.clone(),
            mapping: mapping.clone(),
            target: self.parts.targets.target(mapping),
            destination: self.parts.targets.destination(mapping),
        };
        Running { stop, task: tokio::spawn(run.run(stopped)) }
    }

    /// Ends a passage: what is to be at work is.
    fn settle(&self, mapping: &Arc<Mapping>) {
        let mut entries = self.entries();
        let Some(entry) = entries.get_mut(&mapping.id) else { return };
        entry.gauges.rest();
        if mapping.enabled {
            entry.running = Some(self.start(mapping, &entry.gauges));
        }
        entry.state = if mapping.enabled { State::Enabled } else { State::Disabled };
    }
}
