//! TransactGetItems.

use super::answer::{array, cancelled, corrupt, transacted_capacities, view};
use super::expressions::{Expressions, Languages};
use super::fault::{Fault, data, validation};
use super::request::Members;
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::{Get, Object, TransactGetItem, TransactGetItems, item};
use engine::{Consistency, Error, Got, Key, Table};
use model::Image;
use model::expression::{Bound, Projection};
use servicekit::call::Call;
use std::marker::PhantomData;
use std::sync::Arc;

const LANGUAGES: Languages<'_> = Languages { expressions: &["ProjectionExpression"], legacy: &[] };

/// The items of one transaction, together.
const BYTES_MAX: usize = 4 << 20;

pub(super) fn transact_get_items(dynamodb: &Dynamodb, call: &Call) -> Body {
    match TransactGetItems::read(&call.request.body) {
        Some(request) => get(dynamodb, call, request),
        None => {
            let input = call.input()?;
            get(dynamodb, call, explained(Tree::of(&input), call)?)
        }
    }
}

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<TransactGetItems<'a>, Fault> {
    let mut transact_items = Vec::new();
    for one in input.structures("TransactItems") {
        let tree = one.structure("Get").unwrap_or(Tree::of(&serde_json::Value::Null));
        let table_name = tree.borrowed("TableName").unwrap_or_default();
        names::table(&table_name, &call.caller)?;
        let get = Get {
            table_name,
            key: tree.attributes("Key")?,
            projection_expression: tree.borrowed("ProjectionExpression"),
            expression_attribute_names: tree.placeholder_names(),
            borrows: PhantomData,
        };
        transact_items.push(TransactGetItem { get, borrows: PhantomData });
    }
    let return_consumed_capacity = input.return_consumed_capacity();
    Ok(TransactGetItems { transact_items, return_consumed_capacity, borrows: PhantomData })
}

fn get(dynamodb: &Dynamodb, call: &Call, request: TransactGetItems<'_>) -> Body {
    let mut projections = Vec::with_capacity(request.transact_items.len());
    for one in &request.transact_items {
        projections.push(projection(dynamodb, &one.get)?);
    }
    let mut tables: Vec<Arc<Table>> = Vec::with_capacity(request.transact_items.len());
    for one in &request.transact_items {
        tables.push(dynamodb.table(&call.caller, names::table(&one.get.table_name, &call.caller)?)?);
    }
    let keys = tables.iter().zip(&request.transact_items).map(|(table, one)| table.key(one.get.key.view()));
    let keys: Vec<Result<Key, Error>> = keys.collect();
    if keys.iter().any(Result::is_err) {
        return Err(cancelled(keys.into_iter().map(Result::err).map(|reason| (reason, None))));
    }
    let wanted: Vec<(Arc<Table>, Key)> = tables.into_iter().zip(keys.into_iter().flatten()).collect();
    let image = |key: &Key| Image::of(key.item()).into_bytes();
    let mut seen: Vec<_> = wanted.iter().map(|(table, key)| (table.id(), image(key))).collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(validation("Transaction request cannot include multiple operations on one item"));
    }
    let got = dynamodb.engine.get_many(&wanted, Consistency::Transactional).map_err(data)?;
    answer(&request, &wanted, &projections, &got)
}

fn projection(dynamodb: &Dynamodb, get: &Get<'_>) -> Result<Option<Bound<Projection>>, Fault> {
    let expressions = Expressions {
        projection: get.projection_expression.as_deref(),
        names: get.expression_attribute_names.clone(),
        ..Expressions::default()
    };
    LANGUAGES.check_placeholders(&expressions)?;
    Ok(expressions.ready(dynamodb.engine.programs())?.projection)
}

fn answer(
    request: &TransactGetItems<'_>,
    wanted: &[(Arc<Table>, Key)],
    projections: &[Option<Bound<Projection>>],
    got: &[Got],
) -> Body {
    let mut views = Vec::with_capacity(got.len());
    for got in got {
        views.push(got.image.as_ref().map(view).transpose()?);
    }
    if views.iter().flatten().map(|view| view.size_bytes()).sum::<usize>() > BYTES_MAX {
        return Err(validation(
            "Aggregated size of all range keys has exceeded the size limit of 4194304 bytes",
        ));
    }
    let mut body = Vec::with_capacity(1024);
    let mut object = Object::new(&mut body);
    let mut result = Ok(());
    array(object.member("Responses"), views.iter().zip(projections), |(view, projection), out| {
        let mut one = Object::new(out);
        if let Some(view) = view {
            let out = one.member("Item");
            let done = match projection {
                None => item(*view, out).map_err(corrupt),
                Some(projection) => match projection.project(*view) {
                    Ok(part) => item(part.view(), out).map_err(corrupt),
                    Err(error) => Err(data(error.into())),
                },
            };
            if let (Err(fault), Ok(())) = (done, &result) {
                result = Err(fault);
            }
        }
        one.end();
    });
    result?;
    let consumed = wanted.iter().zip(got).map(|((table, _), got)| (&**table.name(), &got.consumed));
    transacted_capacities(&mut object, consumed, "ReadCapacityUnits", request.return_consumed_capacity);
    object.end();
    Ok(body)
}
