//! DescribeExport and DescribeImport.

use super::job::{Job, Kind};
use crate::tree::Tree;
use crate::{Body, Dynamodb};
use serde_json::{Value, json};
use servicekit::call::Call;
use servicekit::fields::{object, text};

pub(crate) fn describe_export(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let arn = Tree::of(&input).text("ExportArn").unwrap_or_default();
    let job = dynamodb.transfers.find(Kind::Export, &call.caller, arn)?;
    Ok(json!({ "ExportDescription": export(&job) }).to_string().into_bytes())
}

pub(crate) fn describe_import(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let arn = Tree::of(&input).text("ImportArn").unwrap_or_default();
    let job = dynamodb.transfers.find(Kind::Import, &call.caller, arn)?;
    Ok(json!({ "ImportTableDescription": import(&job) }).to_string().into_bytes())
}

/// A member of the request, told again.
fn again(job: &Job, member: &str) -> Option<Value> {
    job.asked.get(member).filter(|value| !value.is_null()).cloned()
}

pub(super) fn export(job: &Job) -> Value {
    let is_done = job.ended_ms.is_some() && job.failure.is_none();
    let period = job.from_ms.map(|from| {
        json!({
            "ExportFromTime": Job::seconds(from),
            "ExportToTime": Job::seconds(job.to_ms),
            "ExportViewType": view_type(&job.asked),
        })
    });
    let manifest = format!("{}/manifest-summary.json", super::upload::folder(job));
    object([
        ("ExportArn", Some(job.arn.as_str().into())),
        ("ExportStatus", Some(job.status.word().into())),
        ("StartTime", Some(Job::seconds(job.started_ms))),
        ("EndTime", job.ended_ms.map(Job::seconds)),
        ("ExportManifest", is_done.then(|| manifest.into())),
        ("TableArn", Some(job.table_arn.as_str().into())),
        ("TableId", Some(job.table_id.as_str().into())),
        ("ExportTime", period.is_none().then(|| Job::seconds(job.to_ms))),
        ("ClientToken", again(job, "ClientToken")),
        ("S3Bucket", again(job, "S3Bucket")),
        ("S3BucketOwner", again(job, "S3BucketOwner")),
        ("S3Prefix", again(job, "S3Prefix")),
        ("S3SseAlgorithm", Some(again(job, "S3SseAlgorithm").unwrap_or_else(|| "AES256".into()))),
        ("S3SseKmsKeyId", again(job, "S3SseKmsKeyId")),
        ("FailureCode", job.failure.as_ref().map(|(code, _)| code.as_str().into())),
        ("FailureMessage", job.failure.as_ref().map(|(_, message)| message.as_str().into())),
        ("ExportFormat", Some("DYNAMODB_JSON".into())),
        ("BilledSizeBytes", is_done.then(|| job.tally.bytes.into())),
        ("ItemCount", is_done.then(|| job.tally.items.into())),
        ("ExportType", Some(export_type(job).into())),
        ("IncrementalExportSpecification", period),
    ])
}

pub(super) fn export_type(job: &Job) -> &'static str {
    if job.from_ms.is_some() { "INCREMENTAL_EXPORT" } else { "FULL_EXPORT" }
}

/// Which images an incremental export has.
pub(super) fn view_type(asked: &Value) -> &str {
    let period = asked.get("IncrementalExportSpecification");
    period.and_then(|period| text(period, "ExportViewType")).unwrap_or("NEW_AND_OLD_IMAGES")
}

pub(super) fn log_group(job: &Job) -> String {
    let parts: Vec<&str> = job.table_arn.split(':').collect();
    let (region, account) = (parts.get(3).unwrap_or(&""), parts.get(4).unwrap_or(&""));
    format!("arn:aws:logs:{region}:{account}:log-group:{}:*", super::read::LOG_GROUP)
}

pub(super) fn import(job: &Job) -> Value {
    let compression = again(job, "InputCompressionType").unwrap_or_else(|| "NONE".into());
    object([
        ("ImportArn", Some(job.arn.as_str().into())),
        ("ImportStatus", Some(job.status.word().into())),
        ("TableArn", Some(job.table_arn.as_str().into())),
        ("TableId", Some(job.table_id.as_str().into())),
        ("ClientToken", again(job, "ClientToken")),
        ("S3BucketSource", again(job, "S3BucketSource")),
        ("ErrorCount", Some(job.tally.errors.into())),
        ("CloudWatchLogGroupArn", Some(log_group(job).into())),
        ("InputFormat", again(job, "InputFormat")),
        ("InputFormatOptions", again(job, "InputFormatOptions")),
        ("InputCompressionType", Some(compression)),
        ("TableCreationParameters", again(job, "TableCreationParameters")),
        ("StartTime", Some(Job::seconds(job.started_ms))),
        ("EndTime", job.ended_ms.map(Job::seconds)),
        ("ProcessedSizeBytes", Some(job.tally.bytes.into())),
        ("ProcessedItemCount", Some(job.tally.items.into())),
        ("ImportedItemCount", Some(job.tally.imported.into())),
        ("FailureCode", job.failure.as_ref().map(|(code, _)| code.as_str().into())),
        ("FailureMessage", job.failure.as_ref().map(|(_, message)| message.as_str().into())),
    ])
}
