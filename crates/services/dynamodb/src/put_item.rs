//! PutItem.

use super::exchange::{self, Exchange, LANGUAGES};
use super::fault::{Fault, detected, validation};
use super::legacy::{self, Rewritten};
use super::request::{ITEM_BYTES_MAX, Members};
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::PutItem;
use engine::Action;
use model::Image;
use servicekit::call::Call;
use std::marker::PhantomData;

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
    exchange::check(request.return_values)?;
    if request.item.size_bytes() > ITEM_BYTES_MAX {
        return Err(validation("Item size has exceeded the maximum allowed size"));
    }
    Ok(())
}

async fn put(dynamodb: &Dynamodb, call: &Call, request: PutItem<'_>, expected: Option<Rewritten>) -> Body {
    check(&request)?;
    let exchange = Exchange {
        table_name: request.table_name,
        condition: request.condition_expression,
        names: request.expression_attribute_names,
        values: request.expression_attribute_values,
        return_values: request.return_values,
        capacity: request.return_consumed_capacity,
        metrics: request.return_item_collection_metrics,
        shown: request.return_on_condition_failure,
    };
    let item = &request.item;
    exchange.run(dynamodb, call, expected, item, |_| Ok(Action::Put(Image::of(item)))).await
}
