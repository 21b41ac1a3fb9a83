//! DeleteItem.

use super::exchange::{self, Exchange, LANGUAGES};
use super::fault::{Fault, data, detected};
use super::legacy::{self, Rewritten};
use super::request::Members;
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::DeleteItem;
use engine::{Action, Table};
use servicekit::call::Call;
use std::marker::PhantomData;

pub(super) async fn delete_item(dynamodb: &Dynamodb, call: &Call) -> Body {
    match DeleteItem::read(&call.request.body) {
        Some(request) => delete(dynamodb, call, request, None).await,
        None => {
            let input = call.input()?;
            let (request, expected) = explained(Tree::of(&input), call)?;
            delete(dynamodb, call, request, expected).await
        }
    }
}

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<(DeleteItem<'a>, Option<Rewritten>), Fault> {
    let table_name = input.borrowed("TableName").unwrap_or_default();
    names::table(&table_name, &call.caller)?;
    LANGUAGES.check(input)?;
    let request = DeleteItem {
        table_name,
        key: input.attributes("Key").map_err(detected)?,
        condition_expression: input.borrowed("ConditionExpression"),
        expression_attribute_names: input.placeholder_names(),
        expression_attribute_values: input.detected_values()?,
        return_values: input.return_values(),
        return_consumed_capacity: input.return_consumed_capacity(),
        return_item_collection_metrics: input.return_item_collection_metrics(),
        return_on_condition_failure: input.return_on_condition_failure(),
        borrows: PhantomData,
    };
    exchange::check(request.return_values)?;
    Ok((request, legacy::expected(input)?))
}

async fn delete(
    dynamodb: &Dynamodb,
    call: &Call,
    request: DeleteItem<'_>,
    expected: Option<Rewritten>,
) -> Body {
    exchange::check(request.return_values)?;
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
    let key = &request.key;
    let action = |table: &Table| table.key(key.view()).map(Action::Delete).map_err(data);
    exchange.run(dynamodb, call, expected, key, action).await
}
