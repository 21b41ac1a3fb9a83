//! Scan.

use super::expressions::{Expressions, Languages, rewritten};
use super::fault::{Fault, data, validation};
use super::legacy::{self, Rewritten};
use super::paths::check_paths;
use super::request::Members;
use super::search::{Choice, Output, consistency, index, roots};
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::{Scan, Select};
use engine::Segment;
use servicekit::call::Call;
use std::marker::PhantomData;

const LANGUAGES: Languages<'_> = Languages {
    expressions: &["ProjectionExpression", "FilterExpression"],
    legacy: &["AttributesToGet", "ScanFilter", "ConditionalOperator"],
};

/// The parameters that only the explaining reader reads.
#[derive(Default)]
struct Legacy {
    filter: Option<Rewritten>,
    attributes: Option<Rewritten>,
}

pub(super) fn scan(dynamodb: &Dynamodb, call: &Call) -> Body {
    match Scan::read(&call.request.body) {
        Some(request) => read(dynamodb, call, request, Legacy::default()),
        None => {
            let input = call.input()?;
            let (request, legacy) = explained(Tree::of(&input), call)?;
            read(dynamodb, call, request, legacy)
        }
    }
}

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<(Scan<'a>, Legacy), Fault> {
    let table_name = input.borrowed("TableName").unwrap_or_default();
    names::table(&table_name, &call.caller)?;
    LANGUAGES.check(input)?;
    let attributes = legacy::attributes(input)?;
    let filter = legacy::filter(input, "ScanFilter")?;
    let number = |member| input.number(member).and_then(|number| u32::try_from(number).ok());
    let request = Scan {
        table_name,
        index_name: input.borrowed("IndexName"),
        select: input.text("Select").and_then(Select::parse),
        limit: number("Limit"),
        consistent_read: input.flag("ConsistentRead").unwrap_or_default(),
        exclusive_start_key: legacy::start_key(input)?,
        segment: number("Segment"),
        total_segments: number("TotalSegments"),
        filter_expression: input.borrowed("FilterExpression"),
        projection_expression: input.borrowed("ProjectionExpression"),
        expression_attribute_names: input.placeholder_names(),
        expression_attribute_values: input.placeholder_values()?,
        return_consumed_capacity: input.return_consumed_capacity(),
        borrows: PhantomData,
    };
    Ok((request, Legacy { filter, attributes }))
}

fn segment(request: &Scan<'_>) -> Result<Option<Segment>, Fault> {
    match (request.segment, request.total_segments) {
        (None, None) => Ok(None),
        (Some(_), None) => Err(validation(
            "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
        )),
        (None, Some(_)) => Err(validation(
            "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
        )),
        (Some(number), Some(total)) if number >= total => Err(validation(format!(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {number} is not less than TotalSegments: {total}"
        ))),
        (Some(number), Some(total)) => Ok(Some(Segment { number, total })),
    }
}

fn read(dynamodb: &Dynamodb, call: &Call, request: Scan<'_>, legacy: Legacy) -> Body {
    let segment = segment(&request)?;
    let naming = match (&request.projection_expression, &legacy.attributes) {
        (Some(_), _) => Some("ProjectionExpression"),
        (None, Some(_)) => Some("AttributesToGet"),
        (None, None) => None,
    };
    let index_name = request.index_name.as_deref();
    let choice = Choice { select: request.select, naming, index: index_name };
    let programs = dynamodb.engine.programs();
    let expressions = Expressions {
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
    if let Some(conditions) = legacy.filter {
        filter = Some(rewritten(conditions, |text| programs.filter(text))?);
    }
    choice.check()?;

    let table = dynamodb.table(&call.caller, names::table(&request.table_name, &call.caller)?)?;
    index(&table, index_name, request.consistent_read)?;
    let projected = check_paths(&table, projection.iter().flat_map(|projection| projection.roots()));
    let filtered = || check_paths(&table, filter.iter().flat_map(|filter| filter.roots()));
    let paths = projected.and_then(|()| filtered());
    let named = roots(projection.as_ref());
    let scan = engine::Scan {
        index: index_name,
        filter: filter.as_ref(),
        attributes: choice.attributes(&named),
        limit: request.limit.map(|limit| limit as usize),
        start: request.exclusive_start_key.as_ref(),
        segment,
        consistency: consistency(request.consistent_read),
    };
    if let Err(fault) = paths {
        dynamodb.engine.check_scan(&table, &scan).map_err(data)?;
        return Err(fault);
    }
    let output = Output {
        table: &table,
        counts_only: choice.counts_only(),
        projection: projection.as_ref(),
        capacity: request.return_consumed_capacity,
    };
    output.page(|visit| dynamodb.engine.scan(&table, &scan, visit))
}
