//! DeleteBackup.

use super::super::tree::Tree;
use super::super::{Body, Dynamodb, scope};
use super::{described, refused};
use serde_json::json;
use servicekit::call::Call;

pub(in super::super) async fn delete_backup(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let arn = Tree::of(&input).text("BackupArn").unwrap_or_default().to_owned();
    let scope = scope(&call.caller);
    let gone = dynamodb.blocking(move |engine| engine.delete_backup(&scope, &arn)).await?;
    let gone = gone.map_err(|error| refused(error, ""))?;
    Ok(json!({ "BackupDescription": described(&gone, "DELETED") }).to_string().into_bytes())
}
