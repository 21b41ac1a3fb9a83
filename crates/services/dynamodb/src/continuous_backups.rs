//! DescribeContinuousBackups and UpdateContinuousBackups: whether a table's past is kept, and how much of it.

use super::backups::refused;
use super::fault::Fault;
use super::tree::Tree;
use super::{Body, Dynamodb, names, scope};
use engine::{ErrorKind, Table};
use serde_json::{Value as Json, json};
use servicekit::call::Call;
use std::sync::Arc;

/// Days, where a request names none: the most there is.
const DAYS: i64 = 35;

pub(super) fn describe_continuous_backups(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let name = names::table(Tree::of(&input).text("TableName").unwrap_or_default(), &call.caller)?;
    let table = find(dynamodb, call, name)?;
    Ok(described(dynamodb, &table).to_string().into_bytes())
}

pub(super) async fn update_continuous_backups(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let tree = Tree::of(&input);
    let name = names::table(tree.text("TableName").unwrap_or_default(), &call.caller)?.to_owned();
    let wanted = tree.structure("PointInTimeRecoverySpecification");
    let is_on = wanted.and_then(|wanted| wanted.flag("PointInTimeRecoveryEnabled")).unwrap_or(false);
    let given = wanted.and_then(|wanted| wanted.number("RecoveryPeriodInDays"));
    let table = find(dynamodb, call, &name)?;
    let known = dynamodb.engine.recoverable(&table).map(|recoverable| i64::from(recoverable.days));
    let days = u32::try_from(given.or(known).unwrap_or(DAYS)).ok().filter(|_| is_on);
    let (scope, own) = (scope(&call.caller), name.clone());
    let done = dynamodb.blocking(move |engine| engine.keep_history(&scope, &own, days)).await?;
    done.map_err(|error| refused(error, &name))?;
    Ok(described(dynamodb, &table).to_string().into_bytes())
}

fn find(dynamodb: &Dynamodb, call: &Call, name: &str) -> Result<Arc<Table>, Fault> {
    dynamodb.engine.table(&scope(&call.caller), name).map_err(|error| match error.kind {
        ErrorKind::TableNotFound => Fault::new("TableNotFoundException", format!("Table not found: {name}")),
        _ => refused(error, name),
    })
}

/// Clients tell moments in whole seconds: those shown are within what is kept.
fn described(dynamodb: &Dynamodb, table: &Table) -> Json {
    let told = match dynamodb.engine.recoverable(table) {
        None => json!({ "PointInTimeRecoveryStatus": "DISABLED" }),
        Some(kept) => {
            let earliest = kept.earliest.millis().div_ceil(1000);
            json!({
                "PointInTimeRecoveryStatus": "ENABLED",
                "RecoveryPeriodInDays": kept.days,
                "EarliestRestorableDateTime": earliest,
                "LatestRestorableDateTime": kept.latest.seconds().max(earliest),
            })
        }
    };
    json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": told,
    } })
}
