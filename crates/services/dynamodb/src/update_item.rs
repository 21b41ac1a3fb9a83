//! UpdateItem.

use super::answer::{Wanted, refused, view, written};
use super::expressions::{Expressions, Languages, rewritten};
use super::fault::{Fault, data, detected, failed};
use super::legacy::{self, Rewritten};
use super::paths::check_paths;
use super::request::Members;
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::{ReturnValues, UpdateItem};
use engine::{Action, Write, Written};
use model::Item;
use model::expression::{Bound, Update};
use servicekit::call::Call;
use std::marker::PhantomData;
use store::Slice;

const LANGUAGES: Languages<'_> = Languages {
    expressions: &["UpdateExpression", "ConditionExpression"],
    legacy: &["AttributeUpdates", "Expected", "ConditionalOperator"],
};

/// The parameters that only the explaining reader reads.
#[derive(Default)]
struct Legacy {
    updates: Option<Rewritten>,
    expected: Option<Rewritten>,
}

pub(super) async fn update_item(dynamodb: &Dynamodb, call: &Call) -> Body {
    match UpdateItem::read(&call.request.body) {
        Some(request) => update(dynamodb, call, request, Legacy::default()).await,
        None => {
            let input = call.input()?;
            let (request, legacy) = explained(Tree::of(&input), call)?;
            update(dynamodb, call, request, legacy).await
        }
    }
}

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<(UpdateItem<'a>, Legacy), Fault> {
    let table_name = input.borrowed("TableName").unwrap_or_default();
    names::table(&table_name, &call.caller)?;
    LANGUAGES.check(input)?;
    let request = UpdateItem {
        table_name,
        key: input.attributes("Key").map_err(detected)?,
        update_expression: input.borrowed("UpdateExpression"),
        condition_expression: input.borrowed("ConditionExpression"),
        expression_attribute_names: input.placeholder_names(),
        expression_attribute_values: input.detected_values()?,
        return_values: input.return_values(),
        return_consumed_capacity: input.return_consumed_capacity(),
        return_item_collection_metrics: input.return_item_collection_metrics(),
        return_on_condition_failure: input.return_on_condition_failure(),
        borrows: PhantomData,
    };
    let updates = match input.map("AttributeUpdates") {
        Some(updates) if !updates.is_empty() => Some(legacy::updates(updates)?),
        _ => None,
    };
    Ok((request, Legacy { updates, expected: legacy::expected(input)? }))
}

async fn update(dynamodb: &Dynamodb, call: &Call, request: UpdateItem<'_>, legacy: Legacy) -> Body {
    let programs = dynamodb.engine.programs();
    let expressions = Expressions {
        update: request.update_expression.as_deref(),
        condition: request.condition_expression.as_deref(),
        names: request.expression_attribute_names,
        values: request.expression_attribute_values,
        ..Expressions::default()
    };
    LANGUAGES.check_placeholders(&expressions)?;
    let ready = expressions.ready(programs).map_err(detected)?;
    let (mut update, mut condition) = (ready.update, ready.condition);
    let is_legacy = legacy.updates.is_some();
    if let Some(updates) = legacy.updates {
        update = Some(rewritten(updates, |text| programs.update(text))?);
    }
    if let Some(expected) = legacy.expected {
        condition = Some(rewritten(expected, |text| programs.condition(text))?);
    }
    let table = dynamodb.table(&call.caller, names::table(&request.table_name, &call.caller)?)?;
    let key = table.key(request.key.view()).map_err(data)?;
    if let Some(update) = &update
        && update.all_roots().any(|(_, nested)| nested)
    {
        let names: Vec<&str> = table.key_schema().parts().map(|part| &*part.name).collect();
        update.check_keys(&names).map_err(|error| data(error.into()))?;
        check_paths(&table, update.all_roots())?;
    }
    let write = Write { action: Action::Update { key, update: update.clone() }, condition };
    let mut done = match dynamodb.engine.write(&table, write) {
        Ok(done) => done,
        Err(reason) => {
            let fault = refused(reason, request.return_on_condition_failure).await;
            return Err(if is_legacy { legacy::update_fault(fault) } else { fault });
        }
    };
    std::mem::replace(&mut done.commit, store::Commit::ready()).await.map_err(failed)?;
    let wanted = Wanted {
        capacity: request.return_consumed_capacity,
        metrics: request.return_item_collection_metrics,
    };
    let whole = match request.return_values {
        Some(ReturnValues::AllOld) => done.old.as_ref(),
        Some(ReturnValues::AllNew) => done.new.as_ref(),
        _ => None,
    };
    let part = match request.return_values {
        Some(ReturnValues::UpdatedOld) => touched(update.as_ref(), done.old.as_ref())?,
        Some(ReturnValues::UpdatedNew) => touched(update.as_ref(), done.new.as_ref())?,
        _ => None,
    };
    let attributes = match &part {
        Some(part) => Some(part.view()),
        None => whole.map(view).transpose()?,
    };
    let Written { consumed, .. } = &done;
    written(&table, &request.key, attributes, consumed, wanted)
}

/// The parts of an image that the update names, in the shape of their parents.
fn touched(update: Option<&Bound<Update>>, image: Option<&Slice>) -> Result<Option<Item>, Fault> {
    let (Some(update), Some(image)) = (update, image) else {
        return Ok(None);
    };
    update.touched(view(image)?).map(Some).map_err(|error| data(error.into()))
}
