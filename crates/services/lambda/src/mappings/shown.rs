//! A mapping as it is shown: the complete set of members, as recorded from the service.

use feed::{Described, Start, State};
use serde_json::{Value, json};

pub(super) fn shown(found: &Described) -> Value {
    let mapping = &found.mapping;
    let policy = &mapping.policy;
    let responses: &[&str] = if policy.partial { &["ReportBatchItemFailures"] } else { &[] };
    let mut shown = json!({
        "UUID": mapping.id.as_str(),
        "StartingPosition": match mapping.start {
            Start::Horizon => "TRIM_HORIZON",
            Start::Latest => "LATEST",
        },
        "BatchSize": policy.batch_records_max,
        "MaximumBatchingWindowInSeconds": policy.batch_window.as_secs(),
        "ParallelizationFactor": mapping.lanes,
        "EventSourceArn": mapping.stream,
        "FunctionArn": mapping.target,
        "LastModified": mapping.modified.seconds_f64(),
        "LastProcessingResult": found.result,
        "State": match found.state {
            State::Creating => "Creating",
            State::Enabling => "Enabling",
            State::Enabled => "Enabled",
            State::Disabling => "Disabling",
            State::Disabled => "Disabled",
            State::Updating => "Updating",
            State::Deleting => "Deleting",
        },
        "StateTransitionReason": "User action",
        "DestinationConfig": { "OnFailure": match &mapping.on_failure {
            Some(arn) => json!({ "Destination": arn }),
            None => json!({}),
        } },
        "MaximumRecordAgeInSeconds": policy.age_max.map_or(-1, |age| age.as_secs() as i64),
        "BisectBatchOnFunctionError": policy.bisect,
        "MaximumRetryAttempts": policy.retries_max.map_or(-1, i64::from),
        "TumblingWindowInSeconds": policy.tumbling.map_or(0, |size| size.as_secs()),
        "FunctionResponseTypes": responses,
        "EventSourceMappingArn": format!(
            "arn:aws:lambda:{}:{}:event-source-mapping:{}",
            mapping.region, mapping.account, mapping.id
        ),
    });
    // A mapping without filters, or without measurements, does not show the member.
    if !mapping.filters.is_empty() {
        let filters: Vec<_> = mapping.filters.iter().map(|pattern| json!({ "Pattern": pattern })).collect();
        shown["FilterCriteria"] = json!({ "Filters": filters });
    }
    if !mapping.metrics.is_empty() {
        shown["MetricsConfig"] = json!({ "Metrics": mapping.metrics });
    }
    shown
}
