use super::Bench;
use serde_json::{Value as Json, json};

const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/Tab";

fn table(extra: Json) -> Json {
    let mut table = json!({
        "TableName": "Tab",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    table.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    table
}

fn with_index(extra: Json) -> Json {
    let mut index = json!({
        "IndexName": "Ind",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "Projection": { "ProjectionType": "ALL" },
    });
    index.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    table(json!({ "GlobalSecondaryIndexes": [index] }))
}

fn told(bench: &Bench) -> Json {
    bench.ask("DescribeTable", json!({ "TableName": "Tab" }))["Table"].clone()
}

#[test]
fn on_demand_limits_are_set_changed_and_taken_away() {
    let bench = Bench::new();
    bench.make(with_index(json!({ "OnDemandThroughput": { "MaxReadRequestUnits": 7 } })));
    let limits =
        |read: i64, write: i64| json!({ "MaxReadRequestUnits": read, "MaxWriteRequestUnits": write });
    assert!(told(&bench).get("OnDemandThroughput").is_none());
    assert_eq!(told(&bench)["GlobalSecondaryIndexes"][0]["OnDemandThroughput"], limits(7, -1));

    let set =
        |limits: Json| bench.ask("UpdateTable", json!({ "TableName": "Tab", "OnDemandThroughput": limits }));
    set(limits(10, 20));
    assert_eq!(told(&bench)["OnDemandThroughput"], limits(10, 20));
    set(json!({ "MaxReadRequestUnits": -1 }));
    assert_eq!(told(&bench)["OnDemandThroughput"], limits(-1, 20));
    set(json!({ "MaxWriteRequestUnits": -1 }));
    assert!(told(&bench).get("OnDemandThroughput").is_none());
    bench.refuses(
        "UpdateTable",
        json!({ "TableName": "Tab", "OnDemandThroughput": { "MaxWriteRequestUnits": 0 } }),
        "One or more parameter values were invalid: MaxWriteRequestUnits must be at least 1, or -1 for no limit, but is 0",
    );

    let update = json!({ "Update": { "IndexName": "Ind", "OnDemandThroughput": limits(8, 9) } });
    bench.ask("UpdateTable", json!({ "TableName": "Tab", "GlobalSecondaryIndexUpdates": [update] }));
    assert_eq!(told(&bench)["GlobalSecondaryIndexes"][0]["OnDemandThroughput"], limits(8, 9));
}

#[test]
fn provisioned_tables_have_no_on_demand_limits() {
    let bench = Bench::new();
    bench.refuses(
        "CreateTable",
        table(json!({
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 5 },
            "OnDemandThroughput": { "MaxReadRequestUnits": 7 },
        })),
        "One or more parameter values were invalid: OnDemandThroughput cannot be specified for table when BillingMode is PROVISIONED",
    );
}

#[test]
fn warm_throughput_only_rises() {
    let bench = Bench::new();
    bench.make(table(json!({ "WarmThroughput": { "ReadUnitsPerSecond": 15_000 } })));
    let warm = |read: u64, write: u64| json!({ "ReadUnitsPerSecond": read, "WriteUnitsPerSecond": write, "Status": "ACTIVE" });
    assert_eq!(told(&bench)["WarmThroughput"], warm(15_000, 4_000));
    let set = |read: u64, write: u64| {
        let wanted = json!({ "ReadUnitsPerSecond": read, "WriteUnitsPerSecond": write });
        json!({ "TableName": "Tab", "WarmThroughput": wanted })
    };
    bench.ask("UpdateTable", set(16_000, 5_000));
    assert_eq!(told(&bench)["WarmThroughput"], warm(16_000, 5_000));
    bench.refuses(
        "UpdateTable",
        set(15_999, 5_000),
        "One or more parameter values were invalid: Requested ReadUnitsPerSecond for WarmThroughput for table is lower than current WarmThroughput, decreasing WarmThroughput is not supported",
    );
}

#[test]
fn billing_modes_switch_and_encryption_is_told_as_it_is() {
    let bench = Bench::new();
    bench.make(table(json!({})));
    let units = json!({ "ReadCapacityUnits": 3, "WriteCapacityUnits": 4 });
    let switch = json!({ "TableName": "Tab", "BillingMode": "PROVISIONED", "ProvisionedThroughput": units });
    bench.ask("UpdateTable", switch);
    assert_eq!(told(&bench)["ProvisionedThroughput"]["WriteCapacityUnits"], 4);
    assert_eq!(told(&bench)["WarmThroughput"]["ReadUnitsPerSecond"], 3);

    let sse = |sse: Json| json!({ "TableName": "Tab", "SSESpecification": sse });
    bench.ask("UpdateTable", sse(json!({ "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": "k" })));
    let described = json!({
        "Status": "ENABLED",
        "SSEType": "KMS",
        "KMSMasterKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k",
    });
    assert_eq!(told(&bench)["SSEDescription"], described);
    bench.ask("UpdateTable", sse(json!({ "Enabled": false })));
    assert!(told(&bench).get("SSEDescription").is_none());
    bench.refuses(
        "UpdateTable",
        sse(json!({ "Enabled": true, "SSEType": "AES256" })),
        "One or more parameter values were invalid: SSEType AES256 is not supported",
    );
}

#[test]
fn policies_have_revisions() {
    let bench = Bench::new();
    let policy = r#"{"Version": "2012-10-17", "Statement": []}"#;
    bench.make(table(json!({ "ResourcePolicy": policy })));
    let of = |extra: Json| {
        let mut asked = json!({ "ResourceArn": ARN });
        asked.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        asked
    };
    let got = bench.ask("GetResourcePolicy", of(json!({})));
    assert_eq!(got["Policy"], policy);
    let first = got["RevisionId"].clone();
    let put = |extra: Json| bench.ask("PutResourcePolicy", of(extra))["RevisionId"].clone();
    assert_eq!(put(json!({ "Policy": policy })), first, "the same policy again");
    let other = r#"{"Statement": [{}]}"#;
    let second = put(json!({ "Policy": other, "ExpectedRevisionId": first }));
    assert!(second != first && second.is_string(), "{second}");
    for stale in [json!(first), json!("NO_POLICY")] {
        let refused =
            bench.ask("PutResourcePolicy", of(json!({ "Policy": policy, "ExpectedRevisionId": stale })));
        assert_eq!(refused["error"], "PolicyNotFoundException");
    }
    bench.refuses(
        "PutResourcePolicy",
        of(json!({ "Policy": "[]" })),
        "Invalid policy document: it must be a JSON object",
    );
    bench.check("DeleteResourcePolicy", of(json!({})), json!({ "RevisionId": second }));
    bench.check("DeleteResourcePolicy", of(json!({})), json!({}));
    bench.check(
        "GetResourcePolicy",
        of(json!({})),
        json!({
            "error": "PolicyNotFoundException",
            "message": format!("Resource-based policy not found for the provided ResourceArn: {ARN}"),
        }),
    );
}

#[test]
fn a_policy_goes_with_its_table() {
    let bench = Bench::new();
    bench.make(table(json!({ "ResourcePolicy": r#"{"Statement": []}"# })));
    bench.ask("DeleteTable", json!({ "TableName": "Tab" }));
    let asked = json!({ "ResourceArn": ARN });
    assert_eq!(bench.ask("GetResourcePolicy", asked.clone())["error"], "ResourceNotFoundException");
    bench.make(table(json!({})));
    assert_eq!(bench.ask("GetResourcePolicy", asked)["error"], "PolicyNotFoundException");
}

/// Answers recorded from the service itself.
#[test]
fn a_table_that_is_being_made_tells_less() {
    let bench = Bench::new();
    let mut asked = with_index(json!({}));
    asked["WarmThroughput"] = json!({ "ReadUnitsPerSecond": 15_000 });
    let made = bench.ask("CreateTable", asked)["TableDescription"].clone();
    assert_eq!(made["BillingModeSummary"], json!({ "BillingMode": "PAY_PER_REQUEST" }));
    assert_eq!(made["WarmThroughput"]["Status"], "UPDATING");
    assert_eq!(made["GlobalSecondaryIndexes"][0]["IndexStatus"], "CREATING");
    assert!(made["GlobalSecondaryIndexes"][0].get("Backfilling").is_none(), "{made}");
    assert!(told(&bench)["BillingModeSummary"]["LastUpdateToPayPerRequestDateTime"].is_number());
}

#[test]
fn a_key_that_changes_is_told_as_it_comes_and_as_it_goes() {
    let bench = Bench::new();
    bench.make(table(json!({})));
    let set = |sse: Json| {
        let input = json!({ "TableName": "Tab", "SSESpecification": sse });
        bench.ask("UpdateTable", input)["TableDescription"]["SSEDescription"]["Status"].clone()
    };
    assert_eq!(set(json!({ "Enabled": true, "KMSMasterKeyId": "k" })), "UPDATING");
    assert_eq!(told(&bench)["SSEDescription"]["Status"], "ENABLED");
    assert_eq!(set(json!({ "Enabled": false })), "UPDATING");
    assert!(told(&bench).get("SSEDescription").is_none());
}
