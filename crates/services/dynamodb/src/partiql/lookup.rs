//! SELECT of one item by its whole key: what batches and transactions read.

use super::lower::Lowering;
use super::prepare::Prepared;
use super::projection::project;
use crate::Dynamodb;
use crate::answer::view;
use crate::fault::{Fault, data, validation};
use engine::{Got, Key, Table};
use model::Item;
use model::expression::{Bound, Condition};
use model::partiql::{Path, Statement};
use servicekit::call::Caller;
use std::sync::Arc;

pub(super) struct Lookup<'s> {
    pub table: Arc<Table>,
    pub key: Key,
    filter: Option<Bound<Condition>>,
    paths: Option<&'s [Path]>,
}

impl<'s> Lookup<'s> {
    /// For a request of that operation, which its errors name.
    pub fn plan(
        dynamodb: &Dynamodb,
        caller: &Caller,
        prepared: &'s Prepared,
        operation: &str,
    ) -> Result<Lookup<'s>, Fault> {
        let Statement::Select(select) = &prepared.statement else {
            return Err(validation("Expected a SELECT statement"));
        };
        let table = prepared.table(dynamodb, caller)?;
        if select.from.index.is_some() || !select.order.is_empty() {
            return Err(validation(format!(
                "Select statements within {operation} read one item of a table: they take no index and no ORDER BY",
            )));
        }
        let Ok((key, rest)) = prepared.pinned(&table, select.condition.as_ref()) else {
            return Err(validation(format!(
                "Select statements within {operation} must specify the primary key in the where clause.",
            )));
        };
        let mut lowering = Lowering::new(&prepared.parameters);
        let filter = lowering.all(&rest)?;
        let ready = lowering.ready(dynamodb.engine.programs(), None, None, filter.as_deref())?;
        Ok(Lookup { table, key, filter: ready.filter, paths: select.paths.as_deref() })
    }

    /// What the statement selects of what was got.
    pub fn selected(&self, got: &Got) -> Result<Option<Item>, Fault> {
        let Some(image) = &got.image else {
            return Ok(None);
        };
        let view = view(image)?;
        if let Some(filter) = &self.filter
            && !filter.evaluate(Some(view)).map_err(|error| data(error.into()))?
        {
            return Ok(None);
        }
        project(self.paths, view).map(Some)
    }
}
