//! The catalog as it was left.

use crate::catalog::{Backfill, Ddl, Tables, Trims, queued, stored};
use crate::expiry::Expiry;
use crate::index::{Index, IndexKind};
use crate::layout::{self, Meta};
use crate::stream::{
    Logged, Opening, Registry, Routes, Sequence, Shard, ShardId, Stream, StreamState, TailLimits, decode,
};
use crate::{Error, Scope, Table, TableState, backup};
use arc_swap::ArcSwap;
use std::collections::HashMap;
use std::sync::Arc;
use store::{Order, Slice, Snapshot, Space, Store};
use world::Timestamp;

/// What lies in the store.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub ddl: Ddl,
    pub tables: Tables,
    pub registry: Registry,
    pub trims: Trims,
    pub backfills: Vec<Backfill>,
}

pub(crate) fn load(store: &Store, limits: TailLimits) -> Result<Loaded, Error> {
    let snapshot = store.snapshot();
    let next_id = match snapshot.get(Space::Meta, Meta::NEXT_ID)? {
        None => 1,
        Some(bytes) => stored::decode(&bytes)?,
    };
    let mut loaded = Loaded {
        ddl: Ddl { next_id },
        tables: Tables::new(),
        registry: Registry::default(),
        trims: Trims::default(),
        backfills: Vec::new(),
    };
    loaded.registry.set_announced(snapshot.sequence());
    let mut streams = HashMap::new();
    for value in records(&snapshot, Meta::STREAMS) {
        let stream = Arc::new(stream(&snapshot, &value?.1, limits)?);
        streams.insert(stream.id, stream.clone());
        loaded.registry.restore(stream);
    }
    for row in records(&snapshot, Meta::TRIMS) {
        let (key, value) = row?;
        let id =
            key.last_chunk().map(|id| u64::from_be_bytes(*id)).ok_or_else(|| stored::damaged("a trim"))?;
        loaded.trims.0.push((id, stored::read_trim(&value)?));
    }
    for row in records(&snapshot, Meta::TABLES) {
        let table = Arc::new(table(&row?.1, &streams)?);
        loaded.tables.entry(table.scope.clone()).or_default().insert(table.name.clone(), table);
    }
    restart_backfills(store, &mut loaded)?;
    drop_unfinished_backups(store, &mut loaded)?;
    Ok(loaded)
}

/// An index whose backfill did not come to its end begins again, in a place of its own.
fn restart_backfills(store: &Store, loaded: &mut Loaded) -> Result<(), Error> {
    for table in loaded.tables.values().flat_map(|tables| tables.values()) {
        let shut = table.shut();
        let mut state = TableState::clone(&table.load());
        let mut begun = Vec::new();
        let mut trims = Trims::default();
        for index in state.indexes.iter_mut().filter(|index| index.backfilling) {
            let (from, to) = layout::whole(index.id);
            trims.0.push((loaded.ddl.fresh_id(), (Space::Items, from, to)));
            *index = Arc::new(Index { id: loaded.ddl.fresh_place(Some(index.id)), ..Index::clone(index) });
            begun.push(index.id);
        }
        if let Some(expiry) = state.expiry.as_mut().filter(|expiry| expiry.backfilling) {
            let (from, to) = layout::whole(expiry.id);
            trims.0.push((loaded.ddl.fresh_id(), (Space::Items, from, to)));
            *expiry = Arc::new(Expiry { id: loaded.ddl.fresh_id(), ..Expiry::clone(expiry) });
            begun.push(expiry.id);
        }
        if begun.is_empty() {
            continue;
        }
        let done = store.update(&[], |_, batch| {
            loaded.ddl.fill(batch);
            trims.fill(batch);
            batch.put(Space::Meta, Meta::table(table.id), stored::table(table, &state));
            Ok::<_, std::convert::Infallible>(())
        });
        queued(done)?.wait()?;
        table.set(state, &shut);
        loaded.trims.0.extend(trims.0);
        let snapshot = store.snapshot();
        loaded.backfills.extend(begun.into_iter().map(|index| Backfill::new(table, index, snapshot.clone())));
    }
    Ok(())
}

/// The moment that an unfinished backup was to keep has passed.
fn drop_unfinished_backups(store: &Store, loaded: &mut Loaded) -> Result<(), Error> {
    let unfinished = backup::unfinished(&store.snapshot())?;
    if unfinished.is_empty() {
        return Ok(());
    }
    let mut trims = Trims::default();
    for id in &unfinished {
        let (from, to) = layout::whole(*id);
        trims.0.push((loaded.ddl.fresh_id(), (Space::Items, from, to)));
    }
    let done = store.update(&[], |_, batch| {
        loaded.ddl.fill(batch);
        trims.fill(batch);
        for id in &unfinished {
            batch.remove(Space::Meta, Meta::backup(*id));
        }
        Ok::<_, std::convert::Infallible>(())
    });
    queued(done)?.wait()?;
    loaded.trims.0.extend(trims.0);
    Ok(())
}

fn records(snapshot: &Snapshot, prefix: &[u8]) -> store::Range {
    snapshot.range(Space::Meta, prefix, &layout::behind(prefix.to_vec()), Order::Forward)
}

fn table(record: &Slice, streams: &HashMap<u64, Arc<Stream>>) -> Result<Table, Error> {
    let record: stored::TableRecord = stored::decode(record)?;
    let key = record.key.read()?;
    let mut indexes = Vec::with_capacity(record.indexes.len());
    for index in record.indexes {
        let kind = if index.local { IndexKind::Local } else { IndexKind::Global };
        let (id, backfilling) = (index.id, index.backfilling);
        indexes.push(Arc::new(Index::new(id, kind, index.spec()?, &key, backfilling)));
    }
    let stream = match record.stream {
        None => None,
        Some(id) => {
            let stream = streams.get(&id).cloned().ok_or_else(|| stored::damaged("a table's stream"))?;
            let routes = Routes::new(stream.state.load().open.iter().cloned());
            Some((stream, routes))
        }
    };
    let state = TableState {
        deleted: false,
        attributes: stored::read_parts(record.attributes)?,
        indexes,
        billing: record.billing.read(),
        class: record.class.map(|class| class.read()),
        deletion_protection: record.deletion_protection,
        encryption: record.encryption.map(|encryption| encryption.read()),
        reserve: record.reserve.read(),
        restore: record.restore.map(|restore| restore.read()),
        importing: record.importing,
        history: record.history.map(|history| history.read()),
        tags: record.tags,
        expiry: record.expiry.map(|expiry| Arc::new(expiry.read())),
        stream,
        latest_stream: match record.latest_stream {
            None => None,
            Some((label, view)) => Some((label.into(), stored::read_view(&view)?)),
        },
    };
    let scope = Scope::new(&record.account, &record.region);
    let created = Timestamp::from_millis(record.created_ms);
    Ok(Table::new(record.id, record.uuid, scope, record.name.into(), key, created, state))
}

fn stream(snapshot: &Snapshot, record: &Slice, limits: TailLimits) -> Result<Stream, Error> {
    let record: stored::StreamRecord = stored::decode(record)?;
    let created = Timestamp::from_millis(record.created_ms);
    let stream = Stream {
        id: record.id,
        scope: Scope::new(&record.account, &record.region),
        table: record.table.into(),
        table_id: record.table_id,
        label: created.iso_millis().into(),
        created,
        view: stored::read_view(&record.view)?,
        key: record.key.read()?,
        state: ArcSwap::from_pointee(StreamState {
            enabled: record.enabled,
            shards: Vec::new(),
            open: Vec::new(),
        }),
        version: Arc::default(),
    };
    let mut state = StreamState::clone(&stream.state.load());
    for shard in record.shards {
        let open = shard.open;
        let opening = Opening {
            stream: stream.id,
            number: shard.number,
            created: Timestamp::from_millis(shard.created_ms),
            parent: shard.parent.map(|(created_ms, number)| ShardId { created_ms, number }),
            partitions: shard.partitions,
            last: snapshot.sequence(),
        };
        let shard = Arc::new(Shard::new(opening, stream.version.clone(), limits));
        find_bounds(snapshot, &shard, open)?;
        if open {
            state.open.push(shard.clone());
        }
        state.shards.push(shard);
    }
    stream.set(state);
    Ok(stream)
}

/// Reads the marks at the shard's ends.
fn find_bounds(snapshot: &Snapshot, shard: &Shard, open: bool) -> Result<(), Error> {
    let prefix = shard.prefix();
    let (from, to) = (prefix.key(0), prefix.key(u64::MAX));
    let row = |order| -> Result<(Sequence, Slice), Error> {
        let row = snapshot.range(Space::Log, &from, &to, order).next().transpose()?;
        let (key, value) = row.ok_or_else(|| stored::damaged("a shard's begin"))?;
        let (_, sequence) = store::LogPrefix::split(&key).ok_or_else(|| stored::damaged("a log key"))?;
        Ok((Sequence(sequence), value))
    };
    shard.set_start(row(Order::Forward)?.0);
    if !open {
        let (sequence, value) = row(Order::Backward)?;
        match decode(sequence, &value)? {
            Logged::End { at } => shard.set_end(sequence, at),
            _ => return Err(stored::damaged("a shard's end")),
        }
    }
    Ok(())
}
