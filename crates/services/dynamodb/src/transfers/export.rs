//! ExportTableToPointInTime.

use super::describe;
use super::job::{Job, Kind, Status, Tally};
use crate::compatibility::refuse;
use crate::fault::{Fault, parameter};
use crate::tree::Tree;
use crate::{Body, Dynamodb, names, scope};
use engine::{ErrorKind, Span};
use serde_json::{Value, json};
use servicekit::call::Call;
use world::Timestamp;

/// The longest period of an incremental export.
const PERIOD_MS_MAX: u64 = 24 * 3_600_000;

pub(crate) async fn export_table_to_point_in_time(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let tree = Tree::of(&input);
    refuse(call, tree)?;
    if tree.text("ExportFormat") == Some("ION") {
        return Err(parameter("ExportFormat ION is not supported by this server"));
    }
    let arn = tree.text("TableArn").unwrap_or_default();
    let name = names::Arn::parse(arn).map(|arn| arn.rest);
    let name = name.ok_or_else(|| parameter(format!("Invalid TableArn: {arn}")))?.to_owned();
    let transfers = &dynamodb.transfers;
    if let Some(job) = transfers.repeated(Kind::Export, &call.caller, &input)? {
        return answer(&job);
    }
    let now = dynamodb.world.now();
    let span = span(tree, now)?;
    let (scope, own) = (scope(&call.caller), name.clone());
    let begun = dynamodb
        .blocking(move |engine| {
            let table = engine.table(&scope, &own)?;
            // Of the clients' own account and region: others' tables are not found.
            let description = engine.describe_table(&table)?;
            engine.begin_export(&scope, &own, span).map(|export| (export, description))
        })
        .await?;
    let (export, table) = begun.map_err(|error| match error.kind {
        ErrorKind::TableNotFound => missing(arn),
        ErrorKind::NotThen => Fault::new("InvalidExportTimeException", error.message),
        _ => super::super::backups::refused(error, arn),
    })?;
    if table.arn != arn {
        return Err(missing(arn));
    }
    let (from, to) = match span {
        Span::At(at) => (None, at),
        Span::Between { from, to } => (Some(from), to),
    };
    let job = Job {
        arn: format!("{}/export/{}", table.arn, transfers.new_id()),
        table_arn: table.arn,
        table_id: table.id,
        asked: input.clone(),
        access_key: call.caller.access_key.as_deref().map(str::to_owned),
        status: Status::InProgress,
        started_ms: now.millis(),
        ended_ms: None,
        to_ms: to.millis(),
        from_ms: from.map(Timestamp::millis),
        failure: None,
        tally: Tally::default(),
    };
    transfers.note(Kind::Export, &call.caller, &job).await?;
    transfers.start_export(call.caller.clone(), job.clone(), export);
    answer(&job)
}

fn answer(job: &Job) -> Body {
    Ok(json!({ "ExportDescription": describe::export(job) }).to_string().into_bytes())
}

fn missing(arn: &str) -> Fault {
    Fault::new("TableNotFoundException", format!("Table not found: {arn}"))
}

fn span(tree: Tree<'_>, now: Timestamp) -> Result<Span, Fault> {
    let moment = |tree: Tree<'_>, member: &str| {
        let seconds = tree.get(member).and_then(Value::as_f64);
        seconds.map(|seconds| Timestamp::from_millis((seconds.max(0.0) * 1000.0).round() as u64))
    };
    let period = tree.structure("IncrementalExportSpecification");
    let wrong = |words: &str| Fault::new("InvalidExportTimeException", words);
    match (tree.text("ExportType"), period) {
        (None | Some("FULL_EXPORT"), None) => Ok(Span::At(moment(tree, "ExportTime").unwrap_or(now))),
        (None | Some("FULL_EXPORT"), Some(_)) => Err(parameter(
            "IncrementalExportSpecification can only be specified when ExportType is INCREMENTAL_EXPORT",
        )),
        (_, None) => Err(parameter(
            "IncrementalExportSpecification must be specified when ExportType is INCREMENTAL_EXPORT",
        )),
        (_, Some(_)) if tree.has("ExportTime") => {
            Err(parameter("ExportTime cannot be specified when ExportType is INCREMENTAL_EXPORT"))
        }
        (_, Some(period)) => {
            let from = moment(period, "ExportFromTime")
                .ok_or_else(|| parameter("ExportFromTime must be specified for an incremental export"))?;
            let to = moment(period, "ExportToTime").unwrap_or(now);
            if from >= to {
                return Err(wrong("ExportFromTime must be before ExportToTime"));
            }
            if to.millis() - from.millis() > PERIOD_MS_MAX {
                return Err(wrong(
                    "Difference between ExportFromTime and ExportToTime is more than 24 hours",
                ));
            }
            Ok(Span::Between { from, to })
        }
    }
}
