//! ListTables.

use super::tree::Tree;
use super::{Body, Dynamodb, scope};
use serde_json::json;
use servicekit::call::Call;

const LIMIT_DEFAULT: usize = 100;

pub(super) fn list_tables(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let limit = input.number("Limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(LIMIT_DEFAULT);
    let after = input.text("ExclusiveStartTableName");
    let found = dynamodb.engine.list_tables(&scope(&call.caller), after, limit);
    let names: Vec<&str> = found.names.iter().map(|name| &**name).collect();
    let mut body = json!({ "TableNames": names });
    if let Some(last) = &found.last {
        body["LastEvaluatedTableName"] = json!(&**last);
    }
    Ok(body.to_string().into_bytes())
}
