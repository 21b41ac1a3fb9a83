//! PutItem.

use super::answer::{Wanted, refused, view, written};
use super::expressions::{Expressions, Languages, rewritten};
use super::fault::{Fault, detected, failed, validation};
use super::legacy::{self, Rewritten};
use super::request::{ITEM_BYTES_MAX, Members};
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::{PutItem, ReturnValues};
use engine::{Action, Write};
use model::Image;
use servicekit::call::Call;
use std::marker::PhantomData;

const LANGUAGES: Languages<'_> =
    Languages { expressions: &["ConditionExpression"], legacy: &["Expected", "ConditionalOperator"] };

pub(super) async fn put_item(dynamodb: &Dynamodb, call: &Call) -> Body {
    match PutItem::read(&call.request.body) {
        Some(request) => put(dynamodb, call, request, None).await,
        None => {
            let input = call.input()?;
            let (request, expected) = explained(Tree::of(&input), call)?;
            put(dynamodb, call, request, expected).await
        }
    }
}

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<(PutItem<'a>, Option<Rewritten>), Fault> {
    let table_name = input.borrowed("TableName").unwrap_or_default();
    names::table(&table_name, &call.caller)?;
    LANGUAGES.check(input)?;
    let request = PutItem {
        table_name,
        item: input.attributes("Item").map_err(detected)?,
        condition_expression: input.borrowed("ConditionExpression"),
        expression_attribute_names: input.placeholder_names(),
        expression_attribute_values: input.detected_values()?,
        return_values: input.return_values(),
        return_consumed_capacity: input.return_consumed_capacity(),
        return_item_collection_metrics: input.return_item_collection_metrics(),
        return_on_condition_failure: input.return_on_condition_failure(),
        borrows: PhantomData,
    };
    check(&request)?;
    Ok((request, legacy::expected(input)?))
}

fn check(request: &PutItem<'_>) -> Result<(), Fault> {
    if !matches!(request.return_values, None | Some(ReturnValues::None | ReturnValues::AllOld)) {
        return Err(validation("ReturnValues can only be ALL_OLD or NONE"));
    }
    if request.item.size_bytes() > ITEM_BYTES_MAX {
        return Err(validation("Item size has exceeded the maximum allowed size"));
    }
    Ok(())
}

async fn put(dynamodb: &Dynamodb, call: &Call, request: PutItem<'_>, expected: Option<Rewritten>) -> Body {
    check(&request)?;
    let programs = dynamodb.engine.programs();
    let expressions = Expressions {
        condition: request.condition_expression.as_deref(),
        names: request.expression_attribute_names,
        values: request.expression_attribute_values,
        ..Expressions::default()
    };
    LANGUAGES.check_placeholders(&expressions)?;
    let mut condition = expressions.ready(programs).map_err(detected)?.condition;
    if let Some(expected) = expected {
        condition = Some(rewritten(expected, |text| programs.condition(text))?);
    }
    let table = dynamodb.table(&call.caller, names::table(&request.table_name, &call.caller)?)?;
    let write = Write { action: Action::Put(Image::of(&request.item)), condition };
    let done = match dynamodb.engine.write(&table, write) {
        Ok(done) => done,
        Err(reason) => return Err(refused(reason, request.return_on_condition_failure).await),
    };
    done.commit.await.map_err(failed)?;
    let old = match request.return_values {
        Some(ReturnValues::AllOld) => done.old.as_ref().map(view).transpose()?,
        _ => None,
    };
    let wanted = Wanted {
        capacity: request.return_consumed_capacity,
        metrics: request.return_item_collection_metrics,
    };
    written(&table, &request.item, old, &done.consumed, wanted)
}
