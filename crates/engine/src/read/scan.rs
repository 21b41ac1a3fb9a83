use super::bounds::{Bounds, Source, start};
use super::page::{Reading, fetches, index};
use super::{Page, Scan};
use crate::{Engine, Error, Table};
use model::View;
use store::Order;

impl Engine {
    /// Visits the items of a table or index, in the order of their partitions, up to the end of a page.
    pub fn scan(
        &self,
        table: &Table,
        scan: &Scan<'_>,
        visit: &mut dyn FnMut(View<'_>) -> Result<(), Error>,
    ) -> Result<Page, Error> {
        table.load().check_exists()?;
        let index = index(table, scan.index)?;
        let source = Source { table, index: index.as_deref() };
        let bounds = bounds(source, scan)?;
        let Scan { filter, attributes, limit, consistency, .. } = *scan;
        Reading { source, bounds, order: Order::Forward, filter, attributes, limit, consistency }
            .run(self, visit)
    }

    /// Refuses what [`Engine::scan`] would refuse, without reading anything.
    pub fn check_scan(&self, table: &Table, scan: &Scan<'_>) -> Result<(), Error> {
        let index = index(table, scan.index)?;
        let source = Source { table, index: index.as_deref() };
        fetches(source, scan.attributes)?;
        bounds(source, scan).map(drop)
    }
}

fn bounds(source: Source<'_>, scan: &Scan<'_>) -> Result<Bounds, Error> {
    let mut bounds = Bounds::of_scan(source, scan.segment);
    if let Some(key) = scan.start {
        let key = start(source, key)?;
        if !bounds.go_on(key, Order::Forward) {
            return Err(Error::validation(match scan.segment {
                Some(segment) => format!(
                    "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: {} Segment: {}",
                    segment.total, segment.number
                ),
                None => "The provided starting key is invalid".to_owned(),
            }));
        }
    }
    Ok(bounds)
}
