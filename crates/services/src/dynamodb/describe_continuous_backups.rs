//! DescribeContinuousBackups. Recovery to a point in time cannot be enabled yet, and the answer says so.

use super::fault::{Fault, data};
use super::tree::Tree;
use super::{Body, Dynamodb, names, scope};
use crate::call::Call;
use engine::ErrorKind;
use serde_json::json;

pub(super) fn describe_continuous_backups(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let name = names::table(Tree::of(&input).text("TableName").unwrap_or_default(), &call.caller)?;
    dynamodb.engine.table(&scope(&call.caller), name).map_err(|error| match error.kind {
        ErrorKind::TableNotFound => Fault::new("TableNotFoundException", format!("Table not found: {name}")),
        _ => data(error),
    })?;
    let told = json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" },
    } });
    Ok(told.to_string().into_bytes())
}
