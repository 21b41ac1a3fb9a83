//! ExecuteStatement.

use super::prepare::Prepared;
use super::token::{Place, digest};
use super::{select, write};
use crate::answer::{array, capacity_member, corrupt};
use crate::fault::validation;
use crate::request::Members;
use crate::tree::Tree;
use crate::{Body, Dynamodb};
use api::dynamodb::{Object, item};
use model::partiql::Statement;
use servicekit::call::Call;

pub(crate) async fn execute_statement(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let prepared = Prepared::read(input)?;
    let wanted = input.return_consumed_capacity();
    let mut body = Vec::with_capacity(256);
    let mut object = Object::new(&mut body);
    let mut result = Ok(());
    let (table, items, consumed, next) = if let Statement::Select(select) = &prepared.statement {
        let text = input.text("Statement").unwrap_or_default();
        let digest = digest(&[&call.caller.account, &call.caller.region, text], &prepared.parameters);
        let from = match input.text("NextToken") {
            Some(token) => Place::parse(token, &digest)?,
            None => Place::default(),
        };
        let limit = input.number("Limit").and_then(|limit| usize::try_from(limit).ok());
        let done = select::run(dynamodb, &call.caller, &prepared, select, limit, from)?;
        let next = done.next.map(|place| (place.token(&digest), place.after));
        (done.table, done.items, done.consumed, next)
    } else {
        if input.has("NextToken") {
            return Err(validation("NextToken does not match request"));
        }
        let (table, item, consumed) = write::run(dynamodb, &call.caller, &prepared).await?;
        (table, item.into_iter().collect(), consumed, None)
    };
    array(object.member("Items"), items.iter(), |one, out| {
        result = result.and(item(one.view(), out));
    });
    result.map_err(corrupt)?;
    if let Some((token, after)) = next {
        object.string("NextToken", &token);
        if let Some(after) = after {
            object.item("LastEvaluatedKey", after.view()).map_err(corrupt)?;
        }
    }
    capacity_member(&mut object, table.name(), &consumed, wanted);
    object.end();
    Ok(body)
}
