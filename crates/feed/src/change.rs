//! Making, changing and forgetting a mapping.

use crate::feed::{Described, Entry, Error, ErrorKind, Inner, broken, error, halt};
use crate::gauges::Gauges;
use crate::mapping::{Mapping, MappingId, Start, State};
use crate::policy::Policy;
use crate::run::table_and_label;
use engine::Scope;
use std::collections::BTreeMap;
use std::sync::Arc;

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

pub(crate) fn no_mapping() -> Error {
    error(ErrorKind::NotFound, "The resource you requested does not exist.")
}

/// One change at a time: a mapping that is between two states is not given a third.
fn settled(entry: &Entry, verb: &str) -> Result<(), Error> {
    let message = || format!("Cannot {verb} the event source mapping because it is in use.");
    if entry.state.is_passing() { Err(error(ErrorKind::Busy, message())) } else { Ok(()) }
}

impl Inner {
    pub(crate) async fn create(&self, new: NewMapping) -> Result<Described, Error> {
        let _one = self.changing.lock().await;
        let not_found = || error(ErrorKind::StreamNotFound, format!("Stream not found: {}", new.stream));
        let (table, label) = table_and_label(&new.stream).ok_or_else(not_found)?;
        let scope = Scope::new(&new.account, &new.region);
        self.parts.engine.stream(&scope, table, label).map_err(|_| not_found())?;
        let same = |entry: &&Entry| entry.mapping.stream == new.stream && entry.mapping.target == new.target;
        if let Some(other) = self.entries().values().find(same) {
            return Err(error(ErrorKind::Exists, other.mapping.id.as_str()));
        }
        let start_position = match new.start {
            Start::Horizon => 0,
            Start::Latest => self.keep.tip(),
        };
        let mapping = Arc::new(Mapping {
            id: MappingId::new(self.parts.world.uuid()),
            account: new.account,
            region: new.region,
            stream: new.stream,
            target: new.target,
            start: new.start,
            start_position,
            policy: Policy {
                backoff: self.parts.settings.backoff,
                dead_letter: new.on_failure.is_some(),
                ..new.policy
            },
            lanes: new.lanes,
            filters: new.filters,
            on_failure: new.on_failure,
            metrics: new.metrics,
            tags: new.tags,
            enabled: new.enabled,
            modified: self.parts.world.now(),
        });
        self.keep.put_mapping(&mapping, false).map_err(broken)?.await.map_err(broken)?;
        let gauges = Arc::new(Gauges::default());
        let running = mapping.enabled.then(|| self.start(&mapping, &gauges));
        let state = if mapping.enabled { State::Enabled } else { State::Disabled };
        let entry = Entry { mapping: mapping.clone(), state, gauges, running };
        let described = Described { state: State::Creating, ..entry.described() };
        self.entries().insert(mapping.id.clone(), entry);
        Ok(described)
    }

    pub(crate) async fn update(self: &Arc<Self>, id: &MappingId, change: Change) -> Result<Described, Error> {
        let _one = self.changing.lock().await;
        let (mapping, was, mut running, described) = {
            let mut entries = self.entries();
            let entry = entries.get_mut(id).ok_or_else(no_mapping)?;
            settled(entry, "update")?;
            let mut mapping = Mapping::clone(&entry.mapping);
            let was = mapping.enabled;
            mapping.target = change.target.unwrap_or(mapping.target);
            mapping.policy = match change.policy {
                Some(policy) => Policy { backoff: self.parts.settings.backoff, ..policy },
                None => mapping.policy,
            };
            mapping.lanes = change.lanes.unwrap_or(mapping.lanes);
            mapping.filters = change.filters.unwrap_or(mapping.filters);
            mapping.on_failure = change.on_failure.unwrap_or(mapping.on_failure);
            mapping.policy.dead_letter = mapping.on_failure.is_some();
            mapping.metrics = change.metrics.unwrap_or(mapping.metrics);
            mapping.enabled = change.enabled.unwrap_or(was);
            mapping.modified = self.parts.world.now();
            entry.state = match (was, mapping.enabled) {
                (true, false) => State::Disabling,
                (false, true) => State::Enabling,
                _ => State::Updating,
            };
            entry.mapping = Arc::new(mapping);
            (entry.mapping.clone(), was, entry.running.take(), entry.described())
        };
        if let Some(running) = &mut running {
            running.still().await;
        }
        let kept = match self.keep.put_mapping(&mapping, false) {
            Ok(commit) => commit.await.map_err(broken),
            Err(why) => Err(broken(why)),
        };
        let settle = self.clone();
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

    pub(crate) async fn delete(self: &Arc<Self>, id: &MappingId) -> Result<Described, Error> {
        let _one = self.changing.lock().await;
        let (mapping, running, described) = {
            let mut entries = self.entries();
            let entry = entries.get_mut(id).ok_or_else(no_mapping)?;
            settled(entry, "delete")?;
            entry.state = State::Deleting;
            (entry.mapping.clone(), entry.running.take(), entry.described())
        };
        self.keep.put_mapping(&mapping, true).map_err(broken)?.await.map_err(broken)?;
        let settle = self.clone();
        tokio::spawn(async move {
            halt(running).await;
            match settle.keep.remove_mapping(&mapping.id) {
                Ok(commit) => drop(commit.await),
                Err(why) => world::say!("mapping {} was not removed: {why}", mapping.id),
            }
            settle.entries().remove(&mapping.id);
        });
        Ok(described)
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
