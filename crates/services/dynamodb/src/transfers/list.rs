//! ListExports and ListImports: the latest first.

use super::describe::{export_type, log_group};
use super::job::{Job, Kind};
use crate::fault::{Fault, validation};
use crate::tree::Tree;
use crate::{Body, Dynamodb};
use serde_json::{Value, json};
use servicekit::call::Call;
use servicekit::fields::object;

const PAGE_MAX: usize = 25;

pub(crate) fn list_exports(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let (jobs, next) = page(dynamodb, call, Kind::Export, Tree::of(&input), "MaxResults")?;
    let told = |job: &Job| {
        json!({
            "ExportArn": job.arn,
            "ExportStatus": job.status.word(),
            "ExportType": export_type(job),
        })
    };
    answer("ExportSummaries", jobs.iter().map(told).collect(), next)
}

pub(crate) fn list_imports(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let (jobs, next) = page(dynamodb, call, Kind::Import, Tree::of(&input), "PageSize")?;
    let told = |job: &Job| {
        object([
            ("ImportArn", Some(job.arn.as_str().into())),
            ("ImportStatus", Some(job.status.word().into())),
            ("TableArn", Some(job.table_arn.as_str().into())),
            ("S3BucketSource", job.asked.get("S3BucketSource").cloned()),
            ("CloudWatchLogGroupArn", Some(log_group(job).into())),
            ("InputFormat", job.asked.get("InputFormat").cloned()),
            ("StartTime", Some(Job::seconds(job.started_ms))),
            ("EndTime", job.ended_ms.map(Job::seconds)),
        ])
    };
    answer("ImportSummaryList", jobs.iter().map(told).collect(), next)
}

fn page(
    dynamodb: &Dynamodb,
    call: &Call,
    kind: Kind,
    input: Tree<'_>,
    limit: &str,
) -> Result<(Vec<Job>, Option<String>), Fault> {
    let mut jobs = dynamodb.transfers.jobs(kind, &call.caller)?;
    if let Some(table) = input.text("TableArn") {
        jobs.retain(|job| job.table_arn == table);
    }
    if let Some(token) = input.text("NextToken") {
        let at = jobs.iter().position(|job| job.id() == token);
        let at = at.ok_or_else(|| validation("The provided NextToken is invalid"))?;
        jobs.drain(..=at);
    }
    let limit = input.number(limit).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE_MAX);
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next = jobs.last().filter(|_| more).map(|job| job.id().to_owned());
    Ok((jobs, next))
}

fn answer(member: &str, jobs: Vec<Value>, next: Option<String>) -> Body {
    let mut told = json!({ member: jobs });
    if let Some(next) = next {
        told["NextToken"] = json!(next);
    }
    Ok(told.to_string().into_bytes())
}
