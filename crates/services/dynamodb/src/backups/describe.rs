//! DescribeBackup.

use super::super::tree::Tree;
use super::super::{Body, Dynamodb, scope};
use super::{described, refused, status};
use serde_json::json;
use servicekit::call::Call;

pub(in super::super) fn describe_backup(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let arn = Tree::of(&input).text("BackupArn").unwrap_or_default();
    let backup = dynamodb.engine.backup(&scope(&call.caller), arn).map_err(|error| refused(error, ""))?;
    Ok(json!({ "BackupDescription": described(&backup, status(&backup)) }).to_string().into_bytes())
}
