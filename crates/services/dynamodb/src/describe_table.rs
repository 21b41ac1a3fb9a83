//! DescribeTable.

use super::fault::control;
use super::tree::Tree;
use super::{Body, Dynamodb, description, names, scope};
use serde_json::json;
use servicekit::call::Call;

pub(super) fn describe_table(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let name = names::table(Tree::of(&input).text("TableName").unwrap_or_default(), &call.caller)?;
    let engine = &dynamodb.engine;
    let found = engine.table(&scope(&call.caller), name).and_then(|table| engine.describe_table(&table));
    let found = found.map_err(|error| control(error, name))?;
    Ok(json!({ "Table": description::table(&found) }).to_string().into_bytes())
}
