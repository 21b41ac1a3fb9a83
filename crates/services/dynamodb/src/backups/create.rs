//! CreateBackup.

use super::super::tree::Tree;
use super::super::{Body, Dynamodb, names, scope};
use super::{details, refused, status};
use serde_json::json;
use servicekit::call::Call;

pub(in super::super) async fn create_backup(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let table = names::table(input.text("TableName").unwrap_or_default(), &call.caller)?.to_owned();
    let name = input.text("BackupName").unwrap_or_default().to_owned();
    let (scope, of) = (scope(&call.caller), table.clone());
    let made = dynamodb.blocking(move |engine| engine.create_backup(&scope, &of, &name)).await?;
    let made = made.map_err(|error| refused(error, &table))?;
    Ok(json!({ "BackupDetails": details(&made, status(&made)) }).to_string().into_bytes())
}
