use super::bounds::{Bounds, Source, start};
use super::page::{Reading, index};
use super::{Page, Query};
use crate::{Engine, Error, Table};
use model::View;

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
        if let Some(key) = query.start {
            let key = start(source, key)?;
            if !bounds.go_on(key, query.order) {
                return Err(Error::validation(
                    "The provided starting key is outside query boundaries based on provided conditions",
                ));
            }
        }
        let Query { order, filter, attributes, limit, consistency, .. } = *query;
        Reading { source, bounds, order, filter, attributes, limit, consistency }.run(self, visit)
    }
}
