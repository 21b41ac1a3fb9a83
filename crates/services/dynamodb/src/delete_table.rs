//! DeleteTable.

use super::fault::control;
use super::tree::Tree;
use super::{Body, Dynamodb, description, names, scope};
use serde_json::json;
use servicekit::call::Call;

pub(super) async fn delete_table(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let name = names::table(Tree::of(&input).text("TableName").unwrap_or_default(), &call.caller)?.to_owned();
    let gone = dynamodb.table(&call.caller, &name).ok();
    let (scope, table) = (scope(&call.caller), name.clone());
    let deleted = dynamodb.blocking(move |engine| engine.delete_table(&scope, &table)).await?;
    let deleted = deleted.map_err(|error| control(error, &name))?;
    if let Some(gone) = gone {
        dynamodb.policies.forget(&gone).await?;
    }
    Ok(json!({ "TableDescription": description::deleted_table(&deleted) }).to_string().into_bytes())
}
