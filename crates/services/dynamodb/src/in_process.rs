//! Pages for whoever is in this process: as they are stored, with no JSON and no socket between.

use super::names::Arn;
use super::streams::Seal;
use engine::stream::Record;
use engine::{Consistency, Engine, Page, Scan, Scope};
use model::View;
use std::sync::Arc;
use world::World;

/// The tables of one account in one region.
///
/// What cannot be told is not explained: the operation of the same name says why.
#[derive(Clone)]
pub struct InProcess {
    engine: Arc<Engine>,
    world: World,
    seal: Seal,
    scope: Scope,
}

/// A page of records.
pub struct RecordsPage {
    pub records: Vec<Arc<Record>>,
    /// The iterator of the next page; none: the shard has been read to its end.
    pub next: Option<String>,
}

impl InProcess {
    pub(super) fn new(engine: Arc<Engine>, world: World, seal: Seal, scope: Scope) -> InProcess {
        InProcess { engine, world, seal, scope }
    }

    /// Visits the items of a page, read consistently. None: as Scan says.
    pub fn scan(&self, table: &str, scan: &Scan<'_>, visit: &mut dyn FnMut(View<'_>)) -> Option<Page> {
        let table = self.engine.table(&self.scope, table).ok()?;
        let scan = Scan { consistency: Consistency::Strong, ..*scan };
        let visit = &mut |item: View<'_>| {
            visit(item);
            Ok(())
        };
        self.engine.scan(&table, &scan, visit).ok()
    }

    /// At most `limit` records behind an iterator that GetShardIterator or a page gave. None: as GetRecords says.
    pub fn records(&self, iterator: &str, limit: usize) -> Option<RecordsPage> {
        let now = self.world.now();
        let token = self.seal.good(iterator, now).ok()?;
        let arn = Arn::parse(&token.stream)?;
        let is_own = arn.account == &*self.scope.account && arn.region == &*self.scope.region;
        let (table, label) = arn.stream().filter(|_| is_own)?;
        let stream = self.engine.stream(&self.scope, table, label).ok()?;
        let shard = stream.shard(token.shard.parse().ok()?)?;
        let read = super::streams::read(&self.engine, &shard, token.after, limit).ok()?;
        let next = read.next.map(|after| self.seal.next(token, after, now));
        Some(RecordsPage { records: read.records, next })
    }
}
