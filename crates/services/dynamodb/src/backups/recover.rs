//! RestoreTableToPointInTime.

use super::super::compatibility::refuse;
use super::super::fault::Fault;
use super::super::tree::Tree;
use super::super::{Body, Dynamodb, description, names, scope};
use super::refused;
use super::restore::spec;
use serde_json::json;
use servicekit::call::Call;
use world::Timestamp;

pub(in super::super) async fn restore_table_to_point_in_time(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let tree = Tree::of(&input);
    refuse(call, tree)?;
    let name = names::new_table(tree.text("TargetTableName").unwrap_or_default(), &call.caller)?.to_owned();
    let source = match (tree.text("SourceTableName"), tree.text("SourceTableArn")) {
        (Some(_), Some(_)) => {
            return Err(wrong("SourceTableName and SourceTableArn cannot both be specified"));
        }
        (Some(source), None) | (None, Some(source)) => names::table(source, &call.caller)?.to_owned(),
        (None, None) => return Err(wrong("SourceTableName or SourceTableArn must be specified")),
    };
    let latest = tree.flag("UseLatestRestorableTime").unwrap_or(false);
    let moment = tree.get("RestoreDateTime").and_then(serde_json::Value::as_f64);
    let until = match (latest, moment) {
        (true, Some(_)) => {
            return Err(wrong("RestoreDateTime cannot be specified when UseLatestRestorableTime is true"));
        }
        (false, None) => {
            return Err(wrong("RestoreDateTime or UseLatestRestorableTime must be specified"));
        }
        (true, None) => None,
        (false, Some(seconds)) => Some(Timestamp::from_millis((seconds.max(0.0) * 1000.0) as u64)),
    };
    let own = scope(&call.caller);
    let table = dynamodb.engine.table(&own, &source).map_err(|error| refused(error, &source))?;
    let as_it_is = dynamodb.engine.table_source(&table).map_err(|error| refused(error, &source))?;
    let spec = spec(tree, &name, as_it_is, &call.caller)?;
    let from = source.clone();
    let made = dynamodb
        .blocking(move |engine| {
            let until = until.unwrap_or_else(|| engine.world().now());
            engine.recover_table(&own, &from, until, spec)
        })
        .await?;
    let made = made.map_err(|error| {
        let about = if error.kind == engine::ErrorKind::TableExists { &name } else { &source };
        refused(error, about)
    })?;
    Ok(json!({ "TableDescription": description::table(&made) }).to_string().into_bytes())
}

fn wrong(message: &str) -> Fault {
    Fault::new("ValidationException", format!("One or more parameter values were invalid: {message}"))
}
