//! TagResource, UntagResource, ListTagsOfResource; and the tags a table is created with.

use super::fault::{Fault, data, parameter, validation};
use super::names::{Arn, not_yours};
use super::tree::Tree;
use super::{Body, Dynamodb, scope};
use engine::{ErrorKind, Table};
use serde_json::{Value as Json, json};
use servicekit::call::{Call, Caller};
use std::sync::Arc;

const TAGS_MAX: usize = 50;

pub(super) async fn tag_resource(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let table = named(&call.caller, input)?;
    let given = given(input)?;
    if given.is_empty() {
        return Err(validation("Atleast one Tag needs to be provided as Input."));
    }
    let table = found(dynamodb, &call.caller, table)?;
    let mut known = dynamodb.engine.tags(&table);
    known.retain(|(key, _)| !given.iter().any(|(new, _)| new == key));
    if known.len() + given.len() > TAGS_MAX {
        return Err(validation(format!("The number of tags exceeds the limit of {TAGS_MAX}")));
    }
    dynamodb.blocking(move |engine| engine.tag(&table, given)).await?.map_err(data)?;
    Ok(Vec::new())
}

pub(super) async fn untag_resource(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let table = named(&call.caller, input)?;
    let keys: Vec<String> = input.texts("TagKeys").map(str::to_owned).collect();
    if keys.is_empty() {
        return Err(validation("Atleast one Tag Key needs to be provided as Input."));
    }
    let table = found(dynamodb, &call.caller, table)?;
    dynamodb.blocking(move |engine| engine.untag(&table, &keys)).await?.map_err(data)?;
    Ok(Vec::new())
}

pub(super) fn list_tags_of_resource(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let table = found(dynamodb, &call.caller, named(&call.caller, input)?)?;
    // All of them fit into one answer, so that no token is ever given out. [suite: alternator]
    if input.has("NextToken") {
        return Err(validation("Invalid NextToken"));
    }
    let tags: Vec<Json> = dynamodb.engine.tags(&table).iter().map(tag).collect();
    Ok(json!({ "Tags": tags }).to_string().into_bytes())
}

fn tag((key, value): &(String, String)) -> Json {
    json!({ "Key": key, "Value": value })
}

/// The Tags of a request.
pub(super) fn given(input: Tree<'_>) -> Result<Vec<(String, String)>, Fault> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for tree in input.structures("Tags") {
        let text = |member| tree.text(member).unwrap_or_default().to_owned();
        let (key, value) = (text("Key"), text("Value"));
        if key.starts_with("aws:") {
            return Err(validation(format!("Tag Key cannot be prefixed with aws:, Key: {key}")));
        }
        if let Some(text) = [&key, &value].into_iter().find(|text| !text.chars().all(is_allowed)) {
            return Err(parameter(format!("Tag keys and values may not contain such characters: {text}")));
        }
        if tags.iter().any(|(known, _)| *known == key) {
            return Err(validation(format!("Duplicate tag key: {key}")));
        }
        tags.push((key, value));
    }
    if tags.len() > TAGS_MAX {
        return Err(validation(format!("The number of tags exceeds the limit of {TAGS_MAX}")));
    }
    Ok(tags)
}

fn is_allowed(character: char) -> bool {
    character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character)
}

/// The table that a request names, whether there is one or not.
struct Named {
    arn: String,
    table: String,
}

/// The table that a request is about. Whether one exists that is not the caller's is not told.
fn named(caller: &Caller, input: Tree<'_>) -> Result<Named, Fault> {
    let given = input.text("ResourceArn").unwrap_or_default();
    if !given.starts_with("arn:") {
        return Err(parameter(format!("ARNs must start with 'arn:': {given}")));
    }
    let Some(arn) = Arn::parse(given) else {
        return Err(parameter("Invalid TableArn"));
    };
    if arn.account != &*caller.account {
        return Err(not_yours(caller, given));
    }
    if arn.rest.contains('/') {
        return Err(parameter(format!(
            "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {given}"
        )));
    }
    if arn.region != &*caller.region {
        return Err(parameter("Invalid TableArn"));
    }
    Ok(Named { arn: given.to_owned(), table: arn.rest.to_owned() })
}

fn found(dynamodb: &Dynamodb, caller: &Caller, named: Named) -> Result<Arc<Table>, Fault> {
    let Named { arn, table } = named;
    dynamodb.engine.table(&scope(caller), &table).map_err(|error| match error.kind {
        ErrorKind::TableNotFound => Fault::new(
            "ResourceNotFoundException",
            format!("Requested resource not found: ResourcArn: {arn} not found"),
        ),
        _ => data(error),
    })
}
