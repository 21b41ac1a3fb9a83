//! INSERT, UPDATE, DELETE and EXISTS as writes to one item.

use super::lower::Lowering;
use super::prepare::Prepared;
use crate::Dynamodb;
use crate::answer::{refused, view};
use crate::fault::{Fault, data, failed, validation};
use engine::{Action, Consumed, Table, Write};
use model::expression::{Bound, Update};
use model::partiql::{Returned, Statement};
use model::{Image, Item, Value};
use servicekit::call::Caller;
use std::sync::Arc;

pub(super) struct Planned {
    pub table: Arc<Table>,
    pub write: Write,
    pub inserts: bool,
    pub returned: Option<Returned>,
    update: Option<Bound<Update>>,
}

pub(super) fn plan(dynamodb: &Dynamodb, caller: &Caller, prepared: &Prepared) -> Result<Planned, Fault> {
    let table = prepared.table(dynamodb, caller)?;
    let programs = dynamodb.engine.programs();
    let mut lowering = Lowering::new(&prepared.parameters);
    let (action, condition, update, returned) = match &prepared.statement {
        Statement::Insert { item, .. } => {
            let Value::M(item) = item.value(&prepared.parameters).map_err(validation)? else {
                return Err(validation("VALUE takes a map"));
            };
            table.key_of(item.view()).map_err(data)?;
            let condition = format!("attribute_not_exists({})", lowering.name(table.hash_name()));
            (Action::Put(Image::of(&item)), Some(condition), None, None)
        }
        Statement::Update { changes, condition, returned, .. } => {
            let (key, rest) = prepared.pinned(&table, Some(condition))?;
            // An update makes no item.
            let exists = format!("attribute_exists({})", lowering.name(table.hash_name()));
            let update = lowering.changes(changes)?;
            let condition = lowering.all_with(exists, &rest)?;
            (Action::Update { key, update: None }, Some(condition), Some(update), *returned)
        }
        Statement::Delete { condition, returned, .. } => {
            if returned.is_some_and(|returned| !returned.all || returned.new) {
                return Err(validation("DELETE can only return ALL OLD *"));
            }
            let (key, rest) = prepared.pinned(&table, Some(condition))?;
            // What is not there is deleted, whatever else was asked of it.
            let condition = lowering
                .all(&rest)?
                .map(|rest| format!("attribute_not_exists({}) OR {rest}", lowering.name(table.hash_name())));
            (Action::Delete(key), condition, None, *returned)
        }
        Statement::Select(select) | Statement::Exists(select) => {
            if select.from.index.is_some() || !select.order.is_empty() {
                return Err(validation("EXISTS takes a selection of one item of a table"));
            }
            let (key, rest) = prepared.pinned(&table, select.condition.as_ref())?;
            let exists = format!("attribute_exists({})", lowering.name(table.hash_name()));
            let condition = lowering.all_with(exists, &rest)?;
            (Action::Check(key), Some(condition), None, None)
        }
    };
    let ready = lowering.ready(programs, update.as_deref(), condition.as_deref(), None)?;
    let update = ready.update;
    let action = match action {
        Action::Update { key, .. } => Action::Update { key, update: update.clone() },
        other => other,
    };
    let inserts = matches!(action, Action::Put(_));
    Ok(Planned { table, write: Write { action, condition: ready.condition }, inserts, returned, update })
}

/// Writes, and gives what the statement returns.
pub(super) async fn run(
    dynamodb: &Dynamodb,
    caller: &Caller,
    prepared: &Prepared,
) -> Result<(Arc<Table>, Option<Item>, Consumed), Fault> {
    if matches!(prepared.statement, Statement::Exists(_)) {
        return Err(validation("EXISTS is supported in transactions only"));
    }
    let Planned { table, write, inserts, returned, update } = plan(dynamodb, caller, prepared)?;
    let done = match dynamodb.engine.write(&table, write) {
        Ok(done) => done,
        Err(reason) => {
            let mut fault = refused(reason, prepared.shown).await;
            if inserts && fault.name() == "ConditionalCheckFailedException" {
                fault.code = "DuplicateItemException".into();
                fault.message = Some(DUPLICATE.to_owned());
            }
            return Err(fault);
        }
    };
    let (old, new, consumed) = (done.old, done.new, done.consumed);
    done.commit.await.map_err(failed)?;
    let item = match returned {
        None => None,
        Some(Returned { all, new: after }) => match if after { new } else { old } {
            None => None,
            Some(image) if all => Some(view(&image)?.to_item().map_err(failed)?),
            Some(image) => {
                let view = view(&image)?;
                let touched = update.map(|update| update.touched(view)).transpose();
                // Nothing modified is nothing returned.
                touched.map_err(|error| data(error.into()))?.filter(|part| !part.is_empty())
            }
        },
    };
    Ok((table, item, consumed))
}

pub(super) const DUPLICATE: &str = "Duplicate primary key exists in table";
