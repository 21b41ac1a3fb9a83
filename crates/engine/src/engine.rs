use crate::catalog::{Ddl, Tables, load};
use crate::steward::{self, Steward};
use crate::stream::{Registry, TailLimits};
use crate::{Consumed, Error, Programs, Side, Table, TableState};
use arc_swap::ArcSwap;
use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use store::Store;
use world::World;

/// Tables over a store. Cloning shares it; the last clone to go stops its threads.
///
/// Catalog changes block the calling thread for a sync; reads and writes never do.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    store: Store,
    world: World,
    settings: Settings,
    programs: Programs,
    tables: ArcSwap<Tables>,
    registry: Arc<Registry>,
    ddl: Mutex<Ddl>,
    steward: Arc<Steward>,
}

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
    /// Whether throughput that was provisioned, or limited, is held to.
    pub throttle: bool,
    pub maintenance: Maintenance,
}

/// Who rolls shards over, trims streams, fills indexes and clears up after deleted tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maintenance {
    /// Threads of the engine's own.
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
            throttle: false,
            maintenance: Maintenance::Thread,
        }
    }
}

impl Engine {
    /// The tables that lie in the store.
    pub fn open(store: Store, world: World, settings: Settings) -> Result<Engine, Error> {
        let limits =
            TailLimits { records_max: settings.tail_records_max, bytes_max: settings.tail_bytes_max };
        let loaded = load(&store, limits)?;
        let registry = Arc::new(loaded.registry);
        store.watch({
            let registry = registry.clone();
            move |appended| registry.observe(appended)
        });
        let engine = Engine(Arc::new(Inner {
            store,
            world,
            settings,
            programs: Programs::default(),
            tables: ArcSwap::from_pointee(loaded.tables),
            registry,
            ddl: Mutex::new(loaded.ddl),
            steward: Arc::default(),
        }));
        engine.start_trims(loaded.trims);
        engine.start_backfills(loaded.backfills);
        for table in engine.all_tables() {
            let state = table.state();
            if let Some(restore) = state.restore.as_ref().filter(|restore| restore.in_progress) {
                engine.start_filling(&table, restore);
            }
        }
        if engine.settings().maintenance == Maintenance::Thread {
            steward::start(&engine)?;
        }
        Ok(engine)
    }

    /// Stops the engine's threads. The store stays open: its owner closes it.
    pub fn close(&self) {
        self.0.steward.stop();
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    pub fn world(&self) -> &World {
        &self.0.world
    }

    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Compiled expressions, shared by all requests.
    pub fn programs(&self) -> &Programs {
        &self.0.programs
    }

    /// Takes what an operation on a table consumes, where throughput is held to.
    pub(crate) fn take(
        &self,
        table: &Table,
        state: &TableState,
        consumed: &Consumed,
        side: Side,
    ) -> Result<(), Error> {
        match self.0.settings.throttle {
            true => table.meter.take(table, state, consumed, side, self.world().now()),
            false => Ok(()),
        }
    }

    pub(crate) fn tables(&self) -> &ArcSwap<Tables> {
        &self.0.tables
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.0.registry
    }

    pub(crate) fn ddl(&self) -> &Mutex<Ddl> {
        &self.0.ddl
    }

    pub(crate) fn steward(&self) -> &Arc<Steward> {
        &self.0.steward
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(inner: &Weak<Inner>) -> Option<Engine> {
        inner.upgrade().map(Engine)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.steward.stop();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Engine")
    }
}
