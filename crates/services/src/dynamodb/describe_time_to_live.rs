//! DescribeTimeToLive. Nothing can be set to expire yet, and the answer says so.

use super::fault::control;
use super::tree::Tree;
use super::{Body, Dynamodb, names, scope};
use crate::call::Call;
use serde_json::json;

pub(super) fn describe_time_to_live(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let name = names::table(Tree::of(&input).text("TableName").unwrap_or_default(), &call.caller)?;
    dynamodb.engine.table(&scope(&call.caller), name).map_err(|error| control(error, name))?;
    let told = json!({ "TimeToLiveDescription": { "TimeToLiveStatus": "DISABLED" } });
    Ok(told.to_string().into_bytes())
}
