//! ListBackups.

use super::super::tree::Tree;
use super::super::{Body, Dynamodb, names, scope};
use super::{details, refused, status};
use engine::Backup;
use serde_json::{Value as Json, json};
use servicekit::call::Call;

const PAGE_MAX: usize = 100;

pub(in super::super) fn list_backups(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let table = input.text("TableName").map(|given| names::table(given, &call.caller)).transpose()?;
    let time = |member| input.get(member).and_then(Json::as_f64);
    let (lower, upper) = (time("TimeRangeLowerBound"), time("TimeRangeUpperBound"));
    // The other kinds, those of the system and of AWS Backup, never exist here.
    let kind_matches = matches!(input.text("BackupType"), None | Some("USER" | "ALL"));
    let limit = input.number("Limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_MAX);
    let all = dynamodb.engine.backups(&scope(&call.caller)).map_err(|error| refused(error, ""))?;
    let is_wanted = |backup: &&Backup| {
        let created = backup.created.seconds_f64();
        kind_matches
            && table.is_none_or(|table| *backup.source.name == *table)
            && lower.is_none_or(|lower| created >= lower)
            && upper.is_none_or(|upper| created < upper)
    };
    let after = match input.text("ExclusiveStartBackupArn") {
        None => 0,
        Some(arn) => all.iter().position(|backup| backup.arn == arn).map_or(all.len(), |at| at + 1),
    };
    let mut found = all.iter().skip(after).filter(is_wanted);
    let page: Vec<&Backup> = found.by_ref().take(limit).collect();
    let mut told =
        json!({ "BackupSummaries": page.iter().map(|backup| summary(backup)).collect::<Vec<_>>() });
    if found.next().is_some()
        && let Some(last) = page.last()
    {
        told["LastEvaluatedBackupArn"] = json!(last.arn);
    }
    Ok(told.to_string().into_bytes())
}

fn summary(backup: &Backup) -> Json {
    let mut summary = details(backup, status(backup));
    summary["TableName"] = json!(&*backup.source.name);
    summary["TableId"] = json!(backup.source.id);
    summary["TableArn"] = json!(backup.source.arn());
    summary
}
