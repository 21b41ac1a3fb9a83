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
/// How many tags one answer tells.
const PAGE_TAGS_MAX: usize = 10;

pub(super) async fn tag_resource(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let table = resource(dynamodb, &call.caller, input)?;
    let given = given(input)?;
    if given.is_empty() {
        return Err(validation("Atleast one Tag needs to be provided as Input."));
    }
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
    let table = resource(dynamodb, &call.caller, input)?;
    let keys: Vec<String> = input.texts("TagKeys").map(str::to_owned).collect();
    if keys.is_empty() {
        return Err(validation("Atleast one Tag Key needs to be provided as Input."));
    }
    dynamodb.blocking(move |engine| engine.untag(&table, &keys)).await?.map_err(data)?;
    Ok(Vec::new())
}

pub(super) fn list_tags_of_resource(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let table = resource(dynamodb, &call.caller, input)?;
    let tags = dynamodb.engine.tags(&table);
    let start = match input.text("NextToken") {
        None => 0,
        Some(token) => token.parse().map_err(|_| validation("Invalid NextToken"))?,
    };
    let page: Vec<Json> = tags.iter().skip(start).take(PAGE_TAGS_MAX).map(tag).collect();
    let next = start + page.len();
    let mut body = json!({ "Tags": page });
    if next < tags.len() {
        body["NextToken"] = json!(next.to_string());
    }
    Ok(body.to_string().into_bytes())
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

/// The table that a request is about. Whether one exists that is not the caller's is not told.
fn resource(dynamodb: &Dynamodb, caller: &Caller, input: Tree<'_>) -> Result<Arc<Table>, Fault> {
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
    let found = if arn.region == &*caller.region {
        dynamodb.engine.table(&scope(caller), arn.rest)
    } else {
        return Err(parameter("Invalid TableArn"));
    };
    found.map_err(|error| match error.kind {
        ErrorKind::TableNotFound => Fault::new(
            "ResourceNotFoundException",
            format!("Requested resource not found: ResourcArn: {given} not found"),
        ),
        _ => data(error),
    })
}
