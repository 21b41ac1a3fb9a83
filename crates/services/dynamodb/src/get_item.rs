//! GetItem.

use super::answer::{capacity_member, corrupt, view};
use super::expressions::{Expressions, Languages, rewritten};
use super::fault::{Fault, data};
use super::legacy::{self, Rewritten};
use super::paths::check_paths;
use super::request::Members;
use super::tree::Tree;
use super::{Body, Dynamodb, names};
use api::dynamodb::{GetItem, Object};
use engine::Consistency;
use servicekit::call::Call;
use std::marker::PhantomData;

const LANGUAGES: Languages<'_> =
    Languages { expressions: &["ProjectionExpression"], legacy: &["AttributesToGet"] };

pub(super) fn get_item(dynamodb: &Dynamodb, call: &Call) -> Body {
    match GetItem::read(&call.request.body) {
        Some(request) => get(dynamodb, call, request, None),
        None => {
            let input = call.input()?;
            let (request, attributes) = explained(Tree::of(&input), call)?;
            get(dynamodb, call, request, attributes)
        }
    }
}

/// Reads what the fast way does not, and says what is wrong.
fn explained<'a>(input: Tree<'a>, call: &Call) -> Result<(GetItem<'a>, Option<Rewritten>), Fault> {
    let table_name = input.borrowed("TableName").unwrap_or_default();
    names::table(&table_name, &call.caller)?;
    LANGUAGES.check(input)?;
    let request = GetItem {
        table_name,
        key: input.attributes("Key")?,
        consistent_read: input.flag("ConsistentRead").unwrap_or_default(),
        projection_expression: input.borrowed("ProjectionExpression"),
        expression_attribute_names: input.placeholder_names(),
        return_consumed_capacity: input.return_consumed_capacity(),
        borrows: PhantomData,
    };
    Ok((request, legacy::attributes(input)?))
}

fn get(dynamodb: &Dynamodb, call: &Call, request: GetItem<'_>, attributes: Option<Rewritten>) -> Body {
    let programs = dynamodb.engine.programs();
    let expressions = Expressions {
        projection: request.projection_expression.as_deref(),
        names: request.expression_attribute_names,
        ..Expressions::default()
    };
    LANGUAGES.check_placeholders(&expressions)?;
    let mut projection = expressions.ready(programs)?.projection;
    if let Some(attributes) = attributes {
        projection = Some(rewritten(attributes, |text| programs.projection(text))?);
    }
    let table = dynamodb.table(&call.caller, names::table(&request.table_name, &call.caller)?)?;
    let key = table.own_key(request.key).map_err(data)?;
    check_paths(&table, projection.iter().flat_map(|projection| projection.roots()))?;
    let consistency = if request.consistent_read { Consistency::Strong } else { Consistency::Eventual };
    let got = dynamodb.engine.get(&table, &key, consistency).map_err(data)?;
    let mut body = Vec::with_capacity(got.image.as_ref().map_or(2, |image| image.len() * 2 + 64));
    let mut object = Object::new(&mut body);
    if let Some(image) = &got.image {
        let image = view(image)?;
        match &projection {
            None => object.item("Item", image).map_err(corrupt)?,
            Some(projection) => {
                let item = projection.project(image).map_err(|error| data(error.into()))?;
                object.item("Item", item.view()).map_err(corrupt)?;
            }
        }
    }
    capacity_member(&mut object, table.name(), &got.consumed, request.return_consumed_capacity);
    object.end();
    Ok(body)
}
