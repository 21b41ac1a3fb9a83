use crate::stream::{Follow, Position, Records, Sequence, Shard, ShardId, Stream, StreamPage};
use crate::{
    BatchWritten, Consistency, Error, Got, Key, Page, Programs, Query, Refused, Scan, Scope, Table,
    TableChange, TableDescription, TableNames, TableSpec, Write, Written,
};
use model::View;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use world::World;

/// Tables over a store. Cloning shares it.
#[derive(Clone)]
pub struct Engine {}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Open shards of a new stream.
    pub stream_shards: u32,
    /// How long a shard stays open.
    pub shard_rollover: Duration,
    /// How long stream records are kept.
    pub stream_retention: Duration,
    /// What the tail of a shard may hold in memory.
    pub tail_records_max: usize,
    pub tail_bytes_max: usize,
    pub maintenance: Maintenance,
}

/// Who rolls shards over, trims streams and clears up after deleted tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maintenance {
    /// A thread of the engine's own.
    Thread,
    /// Whoever calls [`Engine::maintain`]: tests.
    Manual,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            stream_shards: 1,
            shard_rollover: Duration::from_secs(4 * 3600),
            stream_retention: Duration::from_secs(24 * 3600),
            tail_records_max: 4096,
            tail_bytes_max: 4 << 20,
            maintenance: Maintenance::Thread,
        }
    }
}

/// Catalog changes block the calling thread for a sync; reads and writes never do.
impl Engine {
    pub fn open(_store: Store, _world: World, _settings: Settings) -> Result<Engine, Error> {
        unimplemented!()
    }

    /// Stops the engine's threads. The store stays open: its owner closes it.
    pub fn close(&self) {
        unimplemented!()
    }

    pub fn store(&self) -> &Store {
        unimplemented!()
    }

    pub fn world(&self) -> &World {
        unimplemented!()
    }

    pub fn settings(&self) -> &Settings {
        unimplemented!()
    }

    /// Compiled expressions, shared by all requests.
    pub fn programs(&self) -> &Programs {
        unimplemented!()
    }

    // Tables.

    pub fn create_table(&self, _scope: &Scope, _spec: TableSpec) -> Result<TableDescription, Error> {
        unimplemented!()
    }

    pub fn update_table(
        &self,
        _scope: &Scope,
        _name: &str,
        _change: TableChange,
    ) -> Result<TableDescription, Error> {
        unimplemented!()
    }

    pub fn delete_table(&self, _scope: &Scope, _name: &str) -> Result<TableDescription, Error> {
        unimplemented!()
    }

    pub fn table(&self, _scope: &Scope, _name: &str) -> Result<Arc<Table>, Error> {
        unimplemented!()
    }

    pub fn describe_table(&self, _table: &Table) -> Result<TableDescription, Error> {
        unimplemented!()
    }

    /// Names in order, beginning behind `after`.
    pub fn list_tables(&self, _scope: &Scope, _after: Option<&str>, _limit: usize) -> TableNames {
        unimplemented!()
    }

    pub fn tags(&self, _table: &Table) -> Vec<(String, String)> {
        unimplemented!()
    }

    pub fn tag(&self, _table: &Table, _tags: Vec<(String, String)>) -> Result<(), Error> {
        unimplemented!()
    }

    pub fn untag(&self, _table: &Table, _keys: &[String]) -> Result<(), Error> {
        unimplemented!()
    }

    // Items.

    pub fn write(&self, _table: &Table, _write: Write) -> Result<Written, Refused> {
        unimplemented!()
    }

    /// Several writes to different items, with one commit. No conditions.
    pub fn write_batch(&self, _writes: Vec<(Arc<Table>, Write)>) -> Result<BatchWritten, Refused> {
        unimplemented!()
    }

    /// Several writes to different items, all or nothing.
    pub fn transact_write(&self, _writes: Vec<(Arc<Table>, Write)>) -> Result<BatchWritten, Refused> {
        unimplemented!()
    }

    pub fn get(&self, _table: &Table, _key: &Key, _consistency: Consistency) -> Result<Got, Error> {
        unimplemented!()
    }

    /// Several items as of one moment.
    pub fn get_many(
        &self,
        _keys: &[(Arc<Table>, Key)],
        _consistency: Consistency,
    ) -> Result<Vec<Got>, Error> {
        unimplemented!()
    }

    /// Visits the items of a query, in order, up to the end of a page.
    pub fn query(
        &self,
        _table: &Table,
        _query: &Query<'_>,
        _visit: &mut dyn FnMut(View<'_>) -> Result<(), Error>,
    ) -> Result<Page, Error> {
        unimplemented!()
    }

    /// Visits the items of a table or index, up to the end of a page.
    pub fn scan(
        &self,
        _table: &Table,
        _scan: &Scan<'_>,
        _visit: &mut dyn FnMut(View<'_>) -> Result<(), Error>,
    ) -> Result<Page, Error> {
        unimplemented!()
    }

    // Streams.

    /// A stream by its table's name and its label, whether its table still exists or not.
    pub fn stream(&self, _scope: &Scope, _table: &str, _label: &str) -> Result<Arc<Stream>, Error> {
        unimplemented!()
    }

    /// The enabled stream of a table.
    pub fn table_stream(&self, _table: &Table) -> Option<Arc<Stream>> {
        unimplemented!()
    }

    /// Streams by table name and label, beginning behind `after` (a table name and a label).
    pub fn list_streams(
        &self,
        _scope: &Scope,
        _table: Option<&str>,
        _after: Option<(&str, &str)>,
        _limit: usize,
    ) -> StreamPage {
        unimplemented!()
    }

    /// The number to read after, to begin at `position`.
    pub fn stream_position(&self, _shard: &Shard, _position: Position) -> Result<Sequence, Error> {
        unimplemented!()
    }

    /// The records after `after`: at most `max`, and no more once they have `bytes_max` bytes (but at least one).
    pub fn read_records(
        &self,
        _shard: &Shard,
        _after: Sequence,
        _max: usize,
        _bytes_max: usize,
    ) -> Result<Records, Error> {
        unimplemented!()
    }

    /// All shards of a stream as one sequence.
    pub fn follow(&self, _stream: &Arc<Stream>, _from: Position) -> Result<Follow, Error> {
        unimplemented!()
    }

    /// Closes an open shard and opens two, each for half of its keys.
    pub fn split_shard(&self, _stream: &Stream, _shard: ShardId) -> Result<(), Error> {
        unimplemented!()
    }

    /// Does what is due: rollover, retention, clearing up. Says when to call again.
    pub fn maintain(&self) -> Result<Duration, Error> {
        unimplemented!()
    }
}
