//! Contributor insights, Kinesis destinations, global tables: who asks is told that there are none, and who wants some that they are
//! not to be had here.

use super::fault::{Fault, control};
use super::tree::Tree;
use super::{Body, Dynamodb, names, scope};
use engine::Table;
use serde_json::json;
use servicekit::call::Call;
use std::sync::Arc;
use wire::ServiceError;

/// What operations would be about that are not built.
const FEATURES: &[(&str, &str)] = &[
    ("CancelBulkOperation", BULK),
    ("CreateGlobalTable", GLOBAL),
    ("DescribeBulkOperation", BULK),
    ("DisableKinesisStreamingDestination", KINESIS),
    ("EnableKinesisStreamingDestination", KINESIS),
    ("ListBulkOperations", BULK),
    ("SearchVectors", "vector indexes"),
    ("StartBulkPutItems", BULK),
    ("UpdateContributorInsights", "contributor insights"),
    ("UpdateGlobalTable", GLOBAL),
    ("UpdateGlobalTableSettings", GLOBAL),
    ("UpdateKinesisStreamingDestination", KINESIS),
    ("UpdateTableReplicaAutoScaling", GLOBAL),
];

const BULK: &str = "bulk operations (ImportTable and BatchWriteItem put items)";
const GLOBAL: &str = "global tables (a table lives in the one region that its client signs for)";
const KINESIS: &str = "Kinesis destinations (a table's stream has its changes)";

/// Refuses an operation by its name and by what it is about.
pub(super) fn refused(operation: &str) -> Fault {
    let feature = FEATURES.iter().find(|(name, _)| *name == operation);
    let why = feature.map(|(_, feature)| format!(": it has no {feature}")).unwrap_or_default();
    ServiceError::coral(
        "UnknownOperationException",
        format!("The operation {operation} is not supported by this server{why}."),
    )
}

fn table(dynamodb: &Dynamodb, call: &Call, input: Tree<'_>) -> Result<Arc<Table>, Fault> {
    let name = names::table(input.text("TableName").unwrap_or_default(), &call.caller)?;
    dynamodb.engine.table(&scope(&call.caller), name).map_err(|error| control(error, name))
}

pub(super) fn describe_contributor_insights(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let table = table(dynamodb, call, input)?;
    let mut told = json!({ "TableName": &**table.name(), "ContributorInsightsStatus": "DISABLED" });
    if let Some(index) = input.text("IndexName") {
        table.index(index).map_err(|error| control(error, index))?;
        told["IndexName"] = json!(index);
    }
    Ok(told.to_string().into_bytes())
}

pub(super) fn list_contributor_insights(call: &Call) -> Body {
    call.input()?;
    Ok(json!({ "ContributorInsightsSummaries": [] }).to_string().into_bytes())
}

pub(super) fn describe_kinesis_streaming_destination(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let table = table(dynamodb, call, Tree::of(&input))?;
    Ok(json!({ "TableName": &**table.name(), "KinesisDataStreamDestinations": [] }).to_string().into_bytes())
}

pub(super) fn list_global_tables(call: &Call) -> Body {
    call.input()?;
    Ok(json!({ "GlobalTables": [] }).to_string().into_bytes())
}

/// DescribeGlobalTable and DescribeGlobalTableSettings.
pub(super) fn describe_global_table(call: &Call) -> Body {
    let input = call.input()?;
    let name = Tree::of(&input).text("GlobalTableName").unwrap_or_default();
    Err(Fault::new("GlobalTableNotFoundException", format!("Global table not found: {name}")))
}

pub(super) fn describe_table_replica_auto_scaling(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let table = table(dynamodb, call, Tree::of(&input))?;
    let told = json!({ "TableName": &**table.name(), "TableStatus": "ACTIVE", "Replicas": [] });
    Ok(json!({ "TableAutoScalingDescription": told }).to_string().into_bytes())
}
