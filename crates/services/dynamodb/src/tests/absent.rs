//! What is not built: questions are answered, wishes are refused by name.

use super::Bench;
use serde_json::json;

#[test]
fn there_are_none() {
    let bench = Bench::with_tables();
    let hash = json!({ "TableName": "Hash" });
    let disabled = json!({ "TableName": "Hash", "ContributorInsightsStatus": "DISABLED" });
    bench.check("DescribeContributorInsights", hash.clone(), disabled);
    let index = json!({ "TableName": "Both", "IndexName": "global-all" });
    let told = bench.ask("DescribeContributorInsights", index);
    assert_eq!(
        (&told["IndexName"], &told["ContributorInsightsStatus"]),
        (&json!("global-all"), &json!("DISABLED"))
    );
    bench.check("ListContributorInsights", json!({}), json!({ "ContributorInsightsSummaries": [] }));
    let none = json!({ "TableName": "Hash", "KinesisDataStreamDestinations": [] });
    bench.check("DescribeKinesisStreamingDestination", hash.clone(), none);
    bench.check("ListGlobalTables", json!({}), json!({ "GlobalTables": [] }));
    let scaling = bench.ask("DescribeTableReplicaAutoScaling", hash);
    assert_eq!(scaling["TableAutoScalingDescription"]["Replicas"], json!([]));
    for operation in ["DescribeGlobalTable", "DescribeGlobalTableSettings"] {
        let told = bench.ask(operation, json!({ "GlobalTableName": "Hash" }));
        assert_eq!(told["error"], "GlobalTableNotFoundException");
    }
    for operation in [
        "DescribeContributorInsights",
        "DescribeKinesisStreamingDestination",
        "DescribeTableReplicaAutoScaling",
    ] {
        let told = bench.ask(operation, json!({ "TableName": "None" }));
        assert_eq!(told["error"], "ResourceNotFoundException", "{operation}");
    }
}

#[test]
fn wishes_name_what_there_is_not() {
    let bench = Bench::with_tables();
    for (operation, feature) in [
        ("EnableKinesisStreamingDestination", "no Kinesis destinations"),
        ("UpdateContributorInsights", "no contributor insights"),
        ("CreateGlobalTable", "no global tables"),
        ("UpdateTableReplicaAutoScaling", "no global tables"),
        ("SearchVectors", "no vector indexes"),
    ] {
        let told = bench.ask(operation, json!({ "TableName": "Hash" }));
        let message = told["message"].as_str().unwrap_or_default();
        assert_eq!(told["error"], "UnknownOperationException");
        assert!(message.contains(operation) && message.contains(feature), "{message}");
    }
}
