//! The mappings of a house: making, changing and forgetting them, and keeping those that are enabled at work.

use crate::change::{Change, NewMapping, no_mapping};
use crate::gauges::{Flow, Gauges, ShardFlow};
use crate::keep::Keep;
use crate::mapping::{Mapping, MappingId, State};
use crate::policy::Backoff;
use crate::run::Run;
use crate::target::Targets;
use engine::Engine;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;
use tokio::sync::{mpsc, watch};
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

pub(crate) fn error(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error { kind, message: message.into() }
}

pub(crate) fn broken(message: impl std::fmt::Display) -> Error {
    error(ErrorKind::Store, message.to_string())
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

pub(crate) struct Running {
    stop: watch::Sender<bool>,
    /// Closed once nothing is read any more; what is in flight may still be on its way.
    reading: mpsc::Receiver<Infallible>,
    task: JoinHandle<()>,
}

impl Running {
    /// Stops it, and waits until it reads no more: what is written from now on is its successor's.
    pub async fn still(&mut self) {
        let _ = self.stop.send(true);
        self.reading.recv().await;
    }
}

pub(crate) struct Entry {
    pub mapping: Arc<Mapping>,
    pub state: State,
    pub gauges: Arc<Gauges>,
    pub running: Option<Running>,
}

impl Entry {
    pub fn described(&self) -> Described {
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

pub(crate) struct Inner {
    pub parts: Parts,
    pub keep: Keep,
    entries: Mutex<BTreeMap<MappingId, Entry>>,
    /// One change of the set of mappings at a time, so that duplicates are seen.
    pub changing: tokio::sync::Mutex<()>,
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
        let inner = self.0.clone();
        whole(async move { inner.create(new).await }).await
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

    /// Changes a mapping; what it does now is finished first. Answers at once, with the state it is passing through;
    /// every record that is written after this returns meets the mapping as changed.
    pub async fn update(&self, id: &MappingId, change: Change) -> Result<Described, Error> {
        let (inner, id) = (self.0.clone(), id.clone());
        whole(async move { inner.update(&id, change).await }).await
    }

    /// Puts labels on a mapping; what it does goes on.
    pub async fn tag(&self, id: &MappingId, tags: BTreeMap<String, String>) -> Result<(), Error> {
        let inner = &self.0;
        let _one = inner.changing.lock().await;
        let commit = {
            let mut entries = inner.entries();
            let entry = entries.get_mut(id).ok_or_else(no_mapping)?;
            if entry.state == State::Deleting {
                return Err(no_mapping());
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
        let (inner, id) = (self.0.clone(), id.clone());
        whole(async move { inner.delete(&id).await }).await
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

/// Does all of it, also when whoever asked goes away meanwhile: half a change would stay until a restart.
async fn whole<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(change).await {
        Ok(done) => done,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    }
}

pub(crate) async fn halt(running: Option<Running>) {
    if let Some(running) = running {
        let _ = running.stop.send(true);
        let _ = running.task.await;
    }
}

impl Inner {
    pub fn entries(&self) -> MutexGuard<'_, BTreeMap<MappingId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn start(&self, mapping: &Arc<Mapping>, gauges: &Arc<Gauges>) -> Running {
        let (stop, stopped) = watch::channel(false);
        let (reads, reading) = mpsc::channel(1);
        let run = Run {
            engine: self.parts.engine.clone(),
            keep: self.keep.clone(),
            world: self.parts.world.clone(),
            gauges: gauges.clone(),
            mapping: mapping.clone(),
            target: self.parts.targets.target(mapping),
            destination: self.parts.targets.destination(mapping),
            reading: reads,
        };
        Running { stop, reading, task: tokio::spawn(run.run(stopped)) }
    }
}
