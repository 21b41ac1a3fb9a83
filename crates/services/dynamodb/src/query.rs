//! Query.

use super::expressions::{Expressions, Languages, rewritten};
use super::fault::{Fault, data, detected, parameter, validation};
use super::legacy::{self, Comparison, Rewritten};
use super::paths::check_paths;
use super::request::Members;
use super::search::{Choice, Output, check_filter, consistency, index, roots, schema};
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::{Query, Select};
use engine::{KeyPart, KeySchema};
use model::expression::{Bound, KeyCondition, KeyNames, KeyQuery};
use servicekit::call::Call;
use std::marker::PhantomData;
use store::Order;

const LANGUAGES: Languages<'_> = Languages {
    expressions: &["ProjectionExpression", "FilterExpression", "KeyConditionExpression"],
    legacy: &["AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"],
};

/// The parameters that only the explaining reader reads.
#[derive(Default)]
struct Legacy<'a> {
    keys: Option<Vec<Comparison<'a>>>,
    filter: Option<Rewritten>,
    attributes: Option<Rewritten>,
}

pub(super) fn query(dynamodb: &Dynamodb, call: &Call) -> Body {
    match Query::read(&call.request.body) {
        Some(request) => read(dynamodb, call, request, Legacy::default()),
        None => {
            let input = call.unchecked_input()?;
            check_limit(Tree::of(&input))?;
            call.check(&input)?;
            let (request, legacy) = explained(Tree::of(&input), call)?;
            read(dynamodb, call, request, legacy)
        }
    }
}

/// The limit of a query is told of in other words than the model's other constraints. [suite: query, Limit of 0]
fn check_limit(input: Tree<'_>) -> Result<(), Fault> {
    match input.number("Limit") {
        Some(..1) => Err(validation(
            "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
        )),
        _ => Ok(()),
    }
}

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<(Query<'a>, Legacy<'a>), Fault> {
    let table_name = input.borrowed("TableName").unwrap_or_default();
    names::table(&table_name, &call.caller)?;
    LANGUAGES.check(input)?;
    let filter = legacy::filter(input, "QueryFilter")?;
    let attributes = legacy::attributes(input)?;
    let request = Query {
        table_name,
        index_name: input.borrowed("IndexName"),
        select: input.text("Select").and_then(Select::parse),
        limit: input.number("Limit").and_then(|limit| u32::try_from(limit).ok()),
        consistent_read: input.flag("ConsistentRead").unwrap_or_default(),
        scan_index_forward: input.flag("ScanIndexForward"),
        exclusive_start_key: legacy::start_key(input)?,
        key_condition_expression: input.borrowed("KeyConditionExpression"),
        filter_expression: input.borrowed("FilterExpression"),
        projection_expression: input.borrowed("ProjectionExpression"),
        expression_attribute_names: input.placeholder_names(),
        expression_attribute_values: input.placeholder_values()?,
        return_consumed_capacity: input.return_consumed_capacity(),
        borrows: PhantomData,
    };
    let keys = input.map("KeyConditions").filter(|_| !input.has("KeyConditionExpression"));
    let keys = keys.map(legacy::key_conditions).transpose()?;
    Ok((request, Legacy { keys, filter, attributes }))
}

fn read(dynamodb: &Dynamodb, call: &Call, request: Query<'_>, legacy: Legacy<'_>) -> Body {
    let naming = match (&request.projection_expression, &legacy.attributes) {
        (Some(_), _) => Some("ProjectionExpression"),
        (None, Some(_)) => Some("AttributesToGet"),
        (None, None) => None,
    };
    let index_name = request.index_name.as_deref();
    let choice = Choice { select: request.select, naming, index: index_name };
    let programs = dynamodb.engine.programs();
    let expressions = Expressions {
        key_condition: request.key_condition_expression.as_deref(),
        filter: request.filter_expression.as_deref(),
        projection: request.projection_expression.as_deref(),
        names: request.expression_attribute_names,
        values: request.expression_attribute_values,
        ..Expressions::default()
    };
    LANGUAGES.check_placeholders(&expressions)?;
    let ready = expressions.ready(programs)?;
    let (mut filter, mut projection) = (ready.filter, ready.projection);
    if let Some(attributes) = legacy.attributes {
        projection = Some(rewritten(attributes, |text| programs.projection(text))?);
    }
    let filter_member = if legacy.filter.is_some() { "QueryFilter" } else { "Filter Expression" };
    if let Some(conditions) = legacy.filter {
        filter = Some(rewritten(conditions, |text| programs.filter(text))?);
    }
    if ready.key_condition.is_none() && legacy.keys.is_none() {
        return Err(validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
        ));
    }
    choice.check().map_err(detected)?;

    let table = dynamodb.table(&call.caller, names::table(&request.table_name, &call.caller)?)?;
    let index = index(&table, index_name, request.consistent_read)?;
    let schema = schema(&table, index.as_deref());
    if let Some(start) = &request.exclusive_start_key {
        table.check_start(index.as_deref(), start).map_err(data)?;
    }
    let keys = keys(schema, ready.key_condition.as_ref(), legacy.keys)?;
    check_paths(&table, projection.iter().flat_map(|projection| projection.roots()))?;
    check_filter(filter.as_ref(), schema, filter_member)?;
    let paths = check_paths(&table, filter.iter().flat_map(|filter| filter.roots()));

    let named = roots(projection.as_ref());
    let query = engine::Query {
        index: index_name,
        key: &keys.into(),
        filter: filter.as_ref(),
        attributes: choice.attributes(&named),
        order: if request.scan_index_forward == Some(false) { Order::Backward } else { Order::Forward },
        limit: request.limit.map(|limit| limit as usize),
        start: request.exclusive_start_key.as_ref(),
        consistency: consistency(request.consistent_read),
    };
    if let Err(fault) = paths {
        dynamodb.engine.check_query(&table, &query).map_err(data)?;
        return Err(fault);
    }
    let output = Output {
        table: &table,
        counts_only: choice.counts_only(),
        projection: projection.as_ref(),
        capacity: request.return_consumed_capacity,
    };
    output.page(|visit| dynamodb.engine.query(&table, &query, visit))
}

/// Attributes on either side of a key.
const KEY_PARTS_MAX: usize = 4;

fn named<'n, 's: 'n>(parts: &'s [KeyPart], names: &'n mut [&'s str; KEY_PARTS_MAX]) -> &'n [&'s str] {
    let count = parts.len().min(KEY_PARTS_MAX);
    for (name, part) in names.iter_mut().zip(parts) {
        *name = &part.name;
    }
    &names[..count]
}

/// The keys to read, whichever language they are given in.
fn keys(
    schema: &KeySchema,
    condition: Option<&Bound<KeyCondition>>,
    legacy: Option<Vec<Comparison<'_>>>,
) -> Result<KeyQuery, Fault> {
    let (mut hash, mut range) = ([""; KEY_PARTS_MAX], [""; KEY_PARTS_MAX]);
    let names = KeyNames { hash: named(&schema.hash, &mut hash), range: named(&schema.range, &mut range) };
    match (condition, legacy) {
        (Some(condition), _) => condition.resolve(names).map_err(|error| data(error.into())),
        (None, comparisons) => {
            let comparisons = comparisons.unwrap_or_default();
            check_comparisons(schema, &comparisons)?;
            legacy::keys(comparisons, names)
        }
    }
}

/// What is said of a key attribute's condition before it is known whether a query can be made of them all.
fn check_comparisons(schema: &KeySchema, comparisons: &[Comparison<'_>]) -> Result<(), Fault> {
    for part in schema.parts() {
        let Some(comparison) = comparisons.iter().find(|comparison| *comparison.name == *part.name) else {
            return Ok(());
        };
        if matches!(comparison.operator, "NULL" | "NOT_NULL" | "NE" | "CONTAINS" | "NOT_CONTAINS" | "IN") {
            return Err(legacy::not_indexable());
        }
        if comparison.operands.iter().any(|operand| operand.kind().to_string() != part.kind.to_string()) {
            return Err(parameter("Condition parameter type does not match schema type"));
        }
    }
    Ok(())
}
