//! How streams and shards begin and end.
//!
//! A shard ends in the very update that begins its children, queued while no write of the table is on its way: every
//! record before lies in the shard, every later one in a child, and the marks' sequence numbers say where one ended and the
//! others began.

use crate::catalog::{Ddl, stored};
use crate::layout::Meta;
use crate::stream::shard::Opening;
use crate::stream::streams::StreamState;
use crate::stream::{Registry, Routes, Shard, ShardId, Stream, TailLimits, ViewType, record};
use crate::{Engine, Error, ErrorKind, KeySchema, Scope, Table, TableState};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;
use store::{Batch, Space};
use world::Timestamp;

/// A stream that is to begin.
pub(crate) struct NewStream {
    pub stream: Arc<Stream>,
    pub routes: Routes,
}

/// What a stream is to be of.
pub(crate) struct Of<'a> {
    pub scope: &'a Scope,
    pub table: &'a Arc<str>,
    pub table_id: u64,
    pub key: &'a KeySchema,
}

impl NewStream {
    pub fn fill(&self, batch: &mut Batch) {
        let state = self.stream.state.load();
        put(&self.stream, &state, batch);
        for shard in &state.open {
            batch.append(shard.prefix(), record::begin(shard.created()));
        }
    }
}

impl Engine {
    /// Prepares a stream, so that records can be appended to it.
    pub(crate) fn new_stream(&self, ddl: &mut Ddl, of: Of<'_>, view: ViewType) -> NewStream {
        let now = self.world().now();
        // A label names one stream of one table name for ever.
        let earlier = self.registry().last_label(of.scope, of.table);
        let created = earlier.map_or(now, |earlier| now.max(earlier + Duration::from_millis(1)));
        let stream = Stream {
            id: ddl.fresh_id(),
            scope: of.scope.clone(),
            table: of.table.clone(),
            table_id: of.table_id,
            label: created.iso_millis().into(),
            created,
            view,
            key: of.key.clone(),
            state: ArcSwap::from_pointee(StreamState { enabled: true, shards: Vec::new(), open: Vec::new() }),
            version: Arc::default(),
        };
        let count = u64::from(self.settings().stream_shards.max(1));
        let cut = |at: u64| (at << 32) / count;
        let parts = (0..count).map(|at| (cut(at) as u32, (cut(at + 1) - 1) as u32));
        let shards: Vec<_> = parts.map(|part| self.new_shard(ddl, &stream, created, None, part)).collect();
        let routes = Routes::new(shards.iter().cloned());
        stream.set(StreamState { enabled: true, shards: shards.clone(), open: shards });
        NewStream { stream: Arc::new(stream), routes }
    }

    fn new_shard(
        &self,
        ddl: &mut Ddl,
        stream: &Stream,
        created: Timestamp,
        parent: Option<ShardId>,
        partitions: (u32, u32),
    ) -> Arc<Shard> {
        let number = ddl.fresh_id();
        let opening = Opening { stream: stream.id, number, created, parent, partitions, last: 0 };
        let shard = Arc::new(Shard::new(opening, stream.version.clone(), self.tail_limits()));
        self.registry().insert_shard(shard.clone());
        shard
    }

    pub(crate) fn tail_limits(&self) -> TailLimits {
        let settings = self.settings();
        TailLimits { records_max: settings.tail_records_max, bytes_max: settings.tail_bytes_max }
    }

    /// Ends a stream, in the update that `batch` belongs to; its table is shut.
    pub(crate) fn end_stream(&self, stream: &Stream, batch: &mut Batch) -> StreamState {
        let now = self.world().now();
        let before = stream.state.load();
        for shard in &before.open {
            batch.append(shard.prefix(), record::end(now.max(shard.created())));
        }
        let state = StreamState { enabled: false, shards: before.shards.clone(), open: Vec::new() };
        put(stream, &state, batch);
        state
    }

    /// Closes an open shard and opens `count` in its place, each for its part of the partitions.
    pub(crate) fn replace_shard(
        &self,
        ddl: &mut Ddl,
        table: &Table,
        stream: &Stream,
        shard: &Arc<Shard>,
        count: u64,
    ) -> Result<(), Error> {
        let now = self.world().now().max(shard.created());
        let (first, last) = shard.partitions;
        let cut = |at: u64| u64::from(first) + (u64::from(last) + 1 - u64::from(first)) * at / count;
        let parts = (0..count).map(|at| (cut(at) as u32, (cut(at + 1) - 1) as u32));
        let children: Vec<_> =
            parts.map(|part| self.new_shard(ddl, stream, now, Some(shard.id()), part)).collect();

        let shut = table.shut();
        let before = stream.state.load_full();
        let mut state = StreamState::clone(&before);
        state.open.retain(|open| open.number() != shard.number());
        state.open.extend(children.iter().cloned());
        state.shards.extend(children.iter().cloned());
        let table_before = table.state();
        let Some((known, _)) = &table_before.stream else {
            return Err(Error::internal("only an enabled stream has open shards"));
        };
        let routes = Routes::new(state.open.iter().cloned());
        let table_state =
            TableState { stream: Some((known.clone(), routes)), ..TableState::clone(&table_before) };
        // Children are known before their parent's end can be read; they are shown once their begin is durable.
        stream.set(StreamState { open: before.open.clone(), ..state.clone() });
        let commit = self.change(|batch| {
            ddl.fill(batch);
            put(stream, &state, batch);
            batch.append(shard.prefix(), record::end(now));
            for child in &children {
                batch.append(child.prefix(), record::begin(now));
            }
        })?;
        stream.set(state);
        table.set(table_state, &shut);
        drop(shut);
        commit.wait()?;
        Ok(())
    }

    /// Closes an open shard and opens two, each for half of its partitions.
    pub fn split_shard(&self, stream: &Stream, shard: ShardId) -> Result<(), Error> {
        let mut ddl = self.lock();
        let open = stream.state.load().open.iter().find(|open| open.id() == shard).cloned();
        let Some(open) = open else {
            return Err(Error::new(ErrorKind::ShardNotFound, format!("no open shard {shard}")));
        };
        if open.partitions.0 == open.partitions.1 {
            return Err(Error::validation("a shard of a single partition cannot be split"));
        }
        let table = self.table(&stream.scope, &stream.table)?;
        self.replace_shard(&mut ddl, &table, stream, &open, 2)
    }

    /// Rolls over the shards that have been open for long enough. Says when the next one will have.
    pub(crate) fn roll_shards(&self) -> Result<Option<Duration>, Error> {
        let after = self.settings().shard_rollover;
        let mut next = None;
        for stream in self.registry().streams() {
            let mut ddl = self.lock();
            let state = stream.state.load_full();
            for shard in &state.open {
                let age = self.world().now().since(shard.created());
                if age < after {
                    next = Some(next.map_or(after - age, |next: Duration| next.min(after - age)));
                    continue;
                }
                let table = self.table(&stream.scope, &stream.table)?;
                self.replace_shard(&mut ddl, &table, &stream, shard, 1)?;
                next = Some(next.map_or(after, |next: Duration| next.min(after)));
            }
        }
        Ok(next)
    }
}

/// Writes the stream's record into the catalog.
pub(crate) fn put(stream: &Stream, state: &StreamState, batch: &mut Batch) {
    batch.put(Space::Meta, Meta::stream(stream.id), stored::stream(stream, state));
}

impl Registry {
    /// Makes a stream known that the catalog has.
    pub fn restore(&self, stream: Arc<Stream>) {
        for shard in &stream.state.load().shards {
            self.insert_shard(shard.clone());
        }
        self.insert(stream);
    }
}
