//! Streams, and the registry of all of them.

use crate::stream::changed::Signal;
use crate::stream::{Changed, Shard, ShardId, ViewType};
use crate::{KeySchema, Scope, layout};
use arc_swap::ArcSwap;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use store::Appended;
use world::Timestamp;

/// A stream: begins when it is enabled, and outlives its table by the retention time.
pub struct Stream {
    pub(crate) id: u64,
    pub(crate) scope: Scope,
    pub(crate) table: Arc<str>,
    pub(crate) table_id: u64,
    pub(crate) label: Arc<str>,
    pub(crate) created: Timestamp,
    pub(crate) view: ViewType,
    pub(crate) key: KeySchema,
    /// Changed by those who change the catalog, one at a time.
    pub(crate) state: ArcSwap<StreamState>,
    pub(crate) version: Arc<Signal>,
}

#[derive(Clone, Debug)]
pub(crate) struct StreamState {
    pub enabled: bool,
    /// All that are not trimmed, by id. Those not yet durable are not shown.
    pub shards: Vec<Arc<Shard>>,
    /// Those that take records.
    pub open: Vec<Arc<Shard>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamStatus {
    Enabled,
    Disabled,
}

#[derive(Clone, Debug, Default)]
pub struct StreamPage {
    pub streams: Vec<Arc<Stream>>,
    /// Whether more follow the last.
    pub more: bool,
}

/// Which shard takes the records of which partition: the open shards of a stream, by their last partition.
#[derive(Clone, Debug)]
pub(crate) struct Routes(Box<[(u32, Arc<Shard>)]>);

/// A stream's scope, table name and label.
type StreamKey = (Scope, Arc<str>, Arc<str>);

/// All streams and shards.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    streams: RwLock<BTreeMap<StreamKey, Arc<Stream>>>,
    shards: RwLock<HashMap<u64, Arc<Shard>>>,
    /// Everything up to here has been told to the shards.
    announced: AtomicU64,
}

impl Stream {
    /// Unique among all streams.
    pub fn id(&self) -> u64 {
        self.id
    }

    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    pub fn table_name(&self) -> &Arc<str> {
        &self.table
    }

    /// The incarnation of the table that it is of.
    pub fn table_id(&self) -> u64 {
        self.table_id
    }

    pub fn label(&self) -> &Arc<str> {
        &self.label
    }

    pub fn arn(&self) -> String {
        arn(&self.scope, &self.table, &self.label)
    }

    pub fn created(&self) -> Timestamp {
        self.created
    }

    pub fn view(&self) -> ViewType {
        self.view
    }

    pub fn key_schema(&self) -> &KeySchema {
        &self.key
    }

    pub fn status(&self) -> StreamStatus {
        match self.state.load().enabled {
            true => StreamStatus::Enabled,
            false => StreamStatus::Disabled,
        }
    }

    /// Whether the stream has left the catalog: nothing can be read from it any more.
    pub fn is_gone(&self) -> bool {
        let state = self.state.load();
        !state.enabled && state.shards.is_empty()
    }

    /// All that are not trimmed, in the order of their ids: parents before their children.
    pub fn shards(&self) -> Vec<Arc<Shard>> {
        self.state.load().shards.iter().filter(|shard| shard.is_started()).cloned().collect()
    }

    pub fn shard(&self, id: ShardId) -> Option<Arc<Shard>> {
        let state = self.state.load();
        let at = state.shards.binary_search_by_key(&id, |shard| shard.id()).ok()?;
        Some(&state.shards[at]).filter(|shard| shard.is_started()).cloned()
    }

    /// Rises whenever a shard appears, closes or is trimmed, or the status changes.
    pub fn version(&self) -> u64 {
        self.version.value()
    }

    /// Ready once [`version`](Stream::version) is above `version`.
    pub fn changed(&self, version: u64) -> Changed {
        self.version.after(version)
    }

    pub(crate) fn set(&self, mut state: StreamState) {
        state.shards.sort_by_key(|shard| shard.id());
        self.state.store(Arc::new(state));
        self.version.bump();
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.arn())
    }
}

pub(crate) fn arn(scope: &Scope, table: &str, label: &str) -> String {
    let Scope { account, region } = scope;
    format!("arn:aws:dynamodb:{region}:{account}:table/{table}/stream/{label}")
}

impl Routes {
    /// # Panics
    /// When the shards do not hold all partitions: a record would have nowhere to go.
    pub fn new(open: impl Iterator<Item = Arc<Shard>>) -> Routes {
        let mut routes: Vec<_> = open.map(|shard| (shard.partitions.1, shard)).collect();
        routes.sort_by_key(|(last, _)| *last);
        let mut next = Some(0);
        for (_, shard) in &routes {
            assert_eq!(Some(shard.partitions.0), next, "open shards lie side by side");
            next = shard.partitions.1.checked_add(1);
        }
        assert_eq!(next, None, "open shards hold all partitions");
        Routes(routes.into())
    }

    pub fn shard(&self, partition: u32) -> &Shard {
        let at = self.0.partition_point(|(last, _)| *last < partition);
        &self.0[at].1
    }
}

impl Registry {
    pub fn stream(&self, scope: &Scope, table: &str, label: &str) -> Option<Arc<Stream>> {
        let streams = self.streams.read().unwrap_or_else(PoisonError::into_inner);
        streams.get(&(scope.clone(), table.into(), label.into())).cloned()
    }

    pub fn streams(&self) -> Vec<Arc<Stream>> {
        self.streams.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub fn list(
        &self,
        scope: &Scope,
        table: Option<&str>,
        after: Option<(&str, &str)>,
        limit: usize,
    ) -> StreamPage {
        let streams = self.streams.read().unwrap_or_else(PoisonError::into_inner);
        let empty: Arc<str> = "".into();
        let (first_table, first_label) = match (after, table) {
            (Some((table, label)), _) => (table.into(), label.into()),
            (None, Some(table)) => (table.into(), empty),
            (None, None) => (empty.clone(), empty),
        };
        let from = Bound::Excluded((scope.clone(), first_table, first_label));
        let mut found = streams
            .range((from, Bound::Unbounded))
            .map(|(_, stream)| stream)
            .take_while(|stream| stream.scope == *scope)
            .filter(|stream| table.is_none_or(|table| *stream.table == *table))
            .cloned();
        let page: Vec<_> = found.by_ref().take(limit).collect();
        StreamPage { streams: page, more: found.next().is_some() }
    }

    /// The label of the youngest stream of a table of this name, of any incarnation.
    pub fn last_label(&self, scope: &Scope, table: &str) -> Option<Timestamp> {
        let streams = self.streams.read().unwrap_or_else(PoisonError::into_inner);
        let of_table = streams.values().filter(|stream| stream.scope == *scope && *stream.table == *table);
        of_table.map(|stream| stream.created).max()
    }

    pub fn insert(&self, stream: Arc<Stream>) {
        let key = (stream.scope.clone(), stream.table.clone(), stream.label.clone());
        self.streams.write().unwrap_or_else(PoisonError::into_inner).insert(key, stream);
    }

    pub fn remove(&self, stream: &Stream) {
        let key = (stream.scope.clone(), stream.table.clone(), stream.label.clone());
        self.streams.write().unwrap_or_else(PoisonError::into_inner).remove(&key);
    }

    /// Must come before anything is appended to the shard.
    pub fn insert_shard(&self, shard: Arc<Shard>) {
        self.shards.write().unwrap_or_else(PoisonError::into_inner).insert(shard.number(), shard);
    }

    pub fn remove_shard(&self, shard: &Shard) {
        self.shards.write().unwrap_or_else(PoisonError::into_inner).remove(&shard.number());
    }

    pub fn announced(&self) -> u64 {
        self.announced.load(Ordering::Acquire)
    }

    pub fn set_announced(&self, sequence: u64) {
        self.announced.fetch_max(sequence, Ordering::AcqRel);
    }

    /// Tells the shards what has become durable. Runs between a sync and its writers' answers: it is quick.
    pub fn observe(&self, appended: &[Appended]) {
        let Some(last) = appended.last() else { return };
        let shards = self.shards.read().unwrap_or_else(PoisonError::into_inner);
        let mut touched: Vec<(&Shard, u64)> = Vec::with_capacity(appended.len().min(16));
        for appended in appended {
            let Some(number) = layout::shard_number(&appended.prefix) else { continue };
            // Neighbours are often of one shard.
            let at = match touched.iter().rposition(|(shard, _)| shard.number() == number) {
                Some(at) => at,
                None => {
                    let Some(shard) = shards.get(&number) else { continue };
                    touched.push((shard, 0));
                    touched.len() - 1
                }
            };
            touched[at].0.append(appended);
            touched[at].1 = appended.sequence;
        }
        self.set_announced(last.sequence);
        for (shard, last) in touched {
            shard.announce(last);
        }
    }
}
