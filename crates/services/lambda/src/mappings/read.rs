//! What a caller wants of a mapping, and what it cannot have.

use crate::name::invalid;
use feed::{Filter, Mapping, Policy};
use serde_json::Value;
use servicekit::fields::{integer, text, texts};
use std::collections::BTreeMap;
use std::time::Duration;
use wire::ServiceError;

/// Where records go that are given up: none if the call says nothing about it, `Some(None)` if nowhere.
pub(super) fn destination(input: &Value) -> Result<Option<Option<&str>>, ServiceError> {
    let Some(config) = input.get("DestinationConfig").filter(|config| !config.is_null()) else {
        return Ok(None);
    };
    if config.get("OnSuccess").is_some() {
        return Err(invalid("Unsupported DestinationConfig parameter for given event source mapping type."));
    }
    let destination = config.get("OnFailure").and_then(|of| text(of, "Destination"));
    Ok(Some(destination.filter(|arn| !arn.is_empty())))
}

/// A parameter that would be stored and not honoured is refused by its name.
pub(super) fn unsupported(input: &Value) -> Result<(), ServiceError> {
    const OTHER_SOURCES: [&str; 12] = [
        "Topics",
        "Queues",
        "ScalingConfig",
        "ProvisionedPollerConfig",
        "SourceAccessConfigurations",
        "SelfManagedEventSource",
        "AmazonManagedKafkaEventSourceConfig",
        "SelfManagedKafkaEventSourceConfig",
        "DocumentDBEventSourceConfig",
        "StartingPositionTimestamp",
        "KMSKeyArn",
        "LoggingConfig",
    ];
    let is_given = |value: &Value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    match OTHER_SOURCES.iter().find(|name| input.get(**name).is_some_and(is_given)) {
        Some(name) => Err(invalid(format!("{name} is not supported for this event source."))),
        None => Ok(()),
    }
}

/// Filters beyond this are refused: the most that the service grants an account on request.
const FILTERS_MAX: usize = 10;

/// The patterns a call gives; none if it says nothing about them.
pub(super) fn filters(input: &Value) -> Result<Option<Vec<String>>, ServiceError> {
    let Some(criteria) = input.get("FilterCriteria").filter(|criteria| !criteria.is_null()) else {
        return Ok(None);
    };
    let listed = criteria.get("Filters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if listed.len() > FILTERS_MAX {
        return Err(invalid(format!(
            "FilterCriteria holds {} filters; {FILTERS_MAX} are allowed.",
            listed.len()
        )));
    }
    let wrong = || invalid("Invalid filter pattern definition.");
    let texts = listed.iter().map(|filter| text(filter, "Pattern").map(str::to_owned).ok_or_else(wrong));
    let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
    Filter::compile(&texts).map_err(|_| wrong())?;
    Ok(Some(texts))
}

/// The measurements a call asks for. Events are counted for every mapping; the others belong to other sources.
pub(super) fn metrics(input: &Value) -> Result<Option<Vec<String>>, ServiceError> {
    let Some(config) = input.get("MetricsConfig").filter(|config| !config.is_null()) else { return Ok(None) };
    let metrics = texts(config, "Metrics");
    match metrics.iter().find(|metric| *metric != "EventCount") {
        Some(other) => {
            Err(invalid(format!("MetricsConfig: {other} is not supported for this event source.")))
        }
        None => Ok(Some(metrics)),
    }
}

pub(super) fn lanes(input: &Value) -> Option<usize> {
    Some(integer(input, "ParallelizationFactor")?.max(1) as usize)
}

/// How batches are cut and retried: what the call says, and what was before where it says nothing.
pub(super) fn policy(input: &Value, old: Option<&Mapping>) -> Result<Policy, ServiceError> {
    let mut policy = old.map(|old| old.policy.clone()).unwrap_or_default();
    let lanes = lanes(input).unwrap_or(old.map_or(1, |old| old.lanes));
    if let Some(records) = integer(input, "BatchSize") {
        policy.batch_records_max = records.max(1) as usize;
    }
    if let Some(seconds) = integer(input, "MaximumBatchingWindowInSeconds") {
        policy.batch_window = Duration::from_secs(seconds.max(0) as u64);
    }
    if let Some(bisect) = input.get("BisectBatchOnFunctionError").and_then(Value::as_bool) {
        policy.bisect = bisect;
    }
    if let Some(attempts) = integer(input, "MaximumRetryAttempts") {
        policy.retries_max = u32::try_from(attempts).ok();
    }
    if let Some(seconds) = integer(input, "TumblingWindowInSeconds") {
        let seconds = u64::try_from(seconds).unwrap_or(0);
        policy.tumbling = (seconds > 0).then(|| Duration::from_secs(seconds));
    }
    if policy.tumbling.is_some() && lanes > 1 {
        return Err(invalid(
            "Tumbling windows are not supported when ParallelizationFactor is greater than 1.",
        ));
    }
    match integer(input, "MaximumRecordAgeInSeconds") {
        None => {}
        Some(-1) => policy.age_max = None,
        Some(seconds @ 60..) => policy.age_max = Some(Duration::from_secs(seconds as u64)),
        Some(_) => {
            return Err(invalid("MaximumRecordAgeInSeconds must be either -1 or between 60 and 604800"));
        }
    }
    if input.get("FunctionResponseTypes").is_some() {
        policy.partial =
            texts(input, "FunctionResponseTypes").iter().any(|kind| kind == "ReportBatchItemFailures");
    }
    if policy.batch_records_max > 1_000 && policy.batch_window.is_zero() {
        return Err(invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 1000",
        ));
    }
    Ok(policy)
}

pub(super) fn tags(input: &Value) -> BTreeMap<String, String> {
    let tags = input.get("Tags").and_then(Value::as_object);
    let pairs = tags.into_iter().flatten();
    pairs.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}

/// As many as the service allows.
const TAGS_MAX: usize = 50;

pub(super) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), ServiceError> {
    if let Some(key) = tags.keys().find(|key| key.starts_with("aws:")) {
        return Err(invalid(format!("Tag keys that begin with aws: are the service's own: {key}")));
    }
    let is_long = |key: &String, value: &String| key.chars().count() > 128 || value.chars().count() > 256;
    if let Some((key, _)) = tags.iter().find(|(key, value)| key.is_empty() || is_long(key, value)) {
        return Err(invalid(format!("Tag keys have 1 to 128 characters and values up to 256: {key}")));
    }
    if tags.len() > TAGS_MAX {
        return Err(invalid(format!("A mapping has at most {TAGS_MAX} tags.")));
    }
    Ok(())
}
