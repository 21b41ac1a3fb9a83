use super::bounds::{Bounds, Source, check_start, start};
use super::page::{Reading, fetches, index};
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
        let bounds = bounds(source, query)?;
        let Query { order, filter, attributes, limit, consistency, .. } = *query;
        let reading = Reading { source, bounds, order, filter, attributes, limit, consistency };
        let mut page = reading.run(self, visit)?;
        if source.is_of_one_item() {
            page.last = None;
        }
        Ok(page)
    }

    /// Refuses what [`Engine::query`] would refuse, without reading anything.
    pub fn check_query(&self, table: &Table, query: &Query<'_>) -> Result<(), Error> {
        let index = index(table, query.index)?;
        let source = Source { table, index: index.as_deref() };
        bounds(source, query)?;
        fetches(source, query.attributes).map(drop)
    }
}

fn bounds(source: Source<'_>, query: &Query<'_>) -> Result<Bounds, Error> {
    let mut bounds = Bounds::of_query(source, query.key)?;
    let Some(key) = query.start else { return Ok(bounds) };
    if !bounds.go_on(start(source, key)?, query.order) {
        return Err(outside(source, query.key, key));
    }
    if source.is_of_one_item() {
        let shown: Vec<String> =
            key.iter().map(|(name, value)| format!("{name}={}", value.shown())).collect();
        return Err(Error::validation(format!(
            "The provided exclusive start key is invalid: ExclusiveStartKey: {{{}}}",
            shown.join(", ")
        )));
    }
    Ok(bounds)
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
