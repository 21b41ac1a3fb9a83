use super::bounds::{Bounds, Source, check_start, start};
use super::page::{Reading, index};
use super::{KeyCondition, Page, Query};
use crate::{Engine, Error, Index, Table};
use model::{Item, View};

impl Engine {
    /// Visits the items of a query, in order, up to the end of a page.
    pub fn query(
        &self,
        table: &Table,
        query: &Query<'_>,
        visit: &mut dyn FnMut(View<'_>) -> Result<(), Error>,
    ) -> Result<Page, Error> {
        table.load().check_exists()?;
        let index = index(table, query.index)?;
        let source = Source { table, index: index.as_deref() };
        let mut bounds = Bounds::of_query(source, query.key)?;
        if let Some(key) = query.start
            && !bounds.go_on(start(source, key)?, query.order)
        {
            return Err(outside(source, query.key, key));
        }
        let Query { order, filter, attributes, limit, consistency, .. } = *query;
        Reading { source, bounds, order, filter, attributes, limit, consistency }.run(self, visit)
    }
}

impl Table {
    /// Refuses a start key that is none of this table's or index's.
    pub fn check_start(&self, index: Option<&Index>, start: &Item) -> Result<(), Error> {
        check_start(Source { table: self, index }, start)
    }
}

/// Why a query cannot go on at a key that lies outside its bounds. [suite: dynalite]
fn outside(source: Source<'_>, key: &KeyCondition, start: &Item) -> Error {
    let own: Vec<_> = source.schema().hash.iter().filter_map(|part| start.get(&part.name).cloned()).collect();
    let elsewhere = KeyCondition { hash: own, ..key.clone() };
    let fits = || {
        let bounds = Bounds::of_query(source, &elsewhere)?;
        self::start(source, start).map(|at| bounds.from <= at && at < bounds.to)
    };
    Error::validation(match &key.range {
        None => "The provided starting key is outside query boundaries based on provided conditions",
        Some(_) if elsewhere.hash != key.hash && fits().unwrap_or(false) => {
            "The query can return at most one row and cannot be restarted"
        }
        Some(_) => "The provided starting key does not match the range key predicate",
    })
}
