use super::Bench;
use serde_json::{Value as Json, json};

const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/Both";

fn bench() -> Bench {
    let bench = Bench::with_tables();
    for number in 0..5 {
        let item = json!({ "pk": { "S": "p" }, "sk": { "S": number.to_string() }, "a": { "S": "x" } });
        bench.ask("PutItem", json!({ "TableName": "Both", "Item": item }));
    }
    bench
}

fn backup(bench: &Bench, name: &str) -> Json {
    let made = bench.ask("CreateBackup", json!({ "TableName": "Both", "BackupName": name }));
    assert_eq!(made["BackupDetails"]["BackupStatus"], "CREATING", "{made}");
    bench.dynamodb.engine.maintain().unwrap();
    made["BackupDetails"]["BackupArn"].clone()
}

#[test]
fn backups_are_described_listed_and_deleted() {
    let bench = bench();
    let first = backup(&bench, "first");
    assert!(first.as_str().unwrap().starts_with(&format!("{ARN}/backup/")), "{first}");
    let told = &bench.ask("DescribeBackup", json!({ "BackupArn": first }))["BackupDescription"];
    assert_eq!(told["BackupDetails"]["BackupStatus"], "AVAILABLE");
    assert_eq!(told["BackupDetails"]["BackupType"], "USER");
    assert_eq!(told["SourceTableDetails"]["ItemCount"], 5);
    assert_eq!(told["SourceTableDetails"]["TableArn"], ARN);
    assert_eq!(told["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"].as_array().unwrap().len(), 2);

    let second = backup(&bench, "second");
    let page = bench.ask("ListBackups", json!({ "TableName": "Both", "Limit": 1 }));
    assert_eq!(page["BackupSummaries"][0]["BackupName"], "first");
    assert_eq!(page["LastEvaluatedBackupArn"], first);
    let page = bench.ask("ListBackups", json!({ "ExclusiveStartBackupArn": first }));
    assert_eq!(page["BackupSummaries"][0]["BackupArn"], second);
    assert!(page.get("LastEvaluatedBackupArn").is_none());
    bench.check("ListBackups", json!({ "TableName": "Hash" }), json!({ "BackupSummaries": [] }));
    bench.check("ListBackups", json!({ "BackupType": "SYSTEM" }), json!({ "BackupSummaries": [] }));

    let gone = bench.ask("DeleteBackup", json!({ "BackupArn": first }));
    assert_eq!(gone["BackupDescription"]["BackupDetails"]["BackupStatus"], "DELETED");
    let message = format!("Backup not found: {}", first.as_str().unwrap());
    let no_backup = json!({ "error": "BackupNotFoundException", "message": message });
    bench.check("DescribeBackup", json!({ "BackupArn": first }), no_backup.clone());
    bench.check("DeleteBackup", json!({ "BackupArn": first }), no_backup);
    bench.check(
        "CreateBackup",
        json!({ "TableName": "None", "BackupName": "third" }),
        json!({ "error": "TableNotFoundException", "message": "Table not found: None" }),
    );
    let elsewhere = bench.ask_as("123456789012", "eu-west-1", "ListBackups", json!({}));
    assert_eq!(elsewhere, json!({ "BackupSummaries": [] }));
}

#[test]
fn a_table_comes_back_as_it_was_or_as_asked() {
    let bench = bench();
    let arn = backup(&bench, "kept");
    let restore = |extra: Json| {
        let mut asked = json!({ "TargetTableName": "Back", "BackupArn": arn });
        asked.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        asked
    };
    let made = &bench.ask("RestoreTableFromBackup", restore(json!({})))["TableDescription"];
    assert_eq!(made["TableStatus"], "CREATING");
    assert_eq!(made["RestoreSummary"]["RestoreInProgress"], true);
    let get = json!({ "TableName": "Back", "Key": { "pk": { "S": "p" }, "sk": { "S": "3" } } });
    assert_eq!(bench.ask("GetItem", get.clone())["error"], "ResourceNotFoundException");
    bench.dynamodb.engine.maintain().unwrap();
    assert_eq!(bench.ask("GetItem", get)["Item"]["a"]["S"], "x");
    let told = &bench.ask("DescribeTable", json!({ "TableName": "Back" }))["Table"];
    assert_eq!((&told["TableStatus"], &told["ItemCount"]), (&json!("ACTIVE"), &json!(5)));
    assert_eq!(told["RestoreSummary"]["SourceTableArn"], ARN);
    assert_eq!(told["LocalSecondaryIndexes"].as_array().unwrap().len(), 2);
    assert_eq!(
        bench.ask("RestoreTableFromBackup", restore(json!({})))["error"],
        "TableAlreadyExistsException"
    );

    bench.ask("DeleteTable", json!({ "TableName": "Back" }));
    let units = json!({ "ReadCapacityUnits": 3, "WriteCapacityUnits": 4 });
    let only = json!({
        "IndexName": "global-all",
        "KeySchema": [{ "AttributeName": "a", "KeyType": "HASH" }],
        "Projection": { "ProjectionType": "ALL" },
        "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 2 },
    });
    let overridden = restore(json!({
        "BillingModeOverride": "PROVISIONED",
        "ProvisionedThroughputOverride": units,
        "GlobalSecondaryIndexOverride": [only],
        "LocalSecondaryIndexOverride": [],
    }));
    let made = &bench.ask("RestoreTableFromBackup", overridden)["TableDescription"];
    assert_eq!(made["ProvisionedThroughput"]["WriteCapacityUnits"], 4, "{made}");
    assert_eq!(made["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["WriteCapacityUnits"], 2);
    assert!(made.get("LocalSecondaryIndexes").is_none());
    bench.dynamodb.engine.maintain().unwrap();

    let mut other = restore(json!({ "GlobalSecondaryIndexOverride": [{
        "IndexName": "new",
        "KeySchema": [{ "AttributeName": "b", "KeyType": "HASH" }],
        "Projection": { "ProjectionType": "ALL" },
    }] }));
    other["TargetTableName"] = json!("Other");
    bench.refuses(
        "RestoreTableFromBackup",
        other,
        "One or more parameter values were invalid: GlobalSecondaryIndexOverride may only name indexes of the source table, as they were: new",
    );
}

#[test]
fn a_table_comes_back_as_it_was_at_a_moment() {
    let bench = bench();
    let off = json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" },
    } });
    bench.check("DescribeContinuousBackups", json!({ "TableName": "Both" }), off.clone());
    let restore = |more: Json| {
        let mut input = json!({ "SourceTableName": "Both", "TargetTableName": "Then" });
        for (member, value) in more.as_object().unwrap() {
            input[member] = value.clone();
        }
        input
    };
    let latest = json!({ "UseLatestRestorableTime": true });
    bench.check(
        "RestoreTableToPointInTime",
        restore(latest.clone()),
        json!({
            "error": "PointInTimeRecoveryUnavailableException",
            "message": "Point in time recovery is not enabled for table 'Both'",
        }),
    );
    let switch = |on: bool| json!({ "TableName": "Both", "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": on } });
    let on = bench.ask("UpdateContinuousBackups", switch(true));
    let told = &on["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    assert_eq!(
        (&told["PointInTimeRecoveryStatus"], &told["RecoveryPeriodInDays"]),
        (&json!("ENABLED"), &json!(35))
    );
    assert!(told["EarliestRestorableDateTime"].as_u64() <= told["LatestRestorableDateTime"].as_u64());
    let mut week = switch(true);
    week["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] = json!(7);
    let on = bench.ask("UpdateContinuousBackups", week.clone());
    let kept = &on["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    assert_eq!(
        (&kept["RecoveryPeriodInDays"], &kept["EarliestRestorableDateTime"]),
        (&json!(7), &told["EarliestRestorableDateTime"])
    );
    week["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] = json!(36);
    assert_eq!(bench.ask("UpdateContinuousBackups", week)["error"], "ValidationException");

    let then = bench.dynamodb.engine.world().now().seconds_f64();
    bench.pass(std::time::Duration::from_secs(1));
    let key = json!({ "pk": { "S": "p" }, "sk": { "S": "0" } });
    bench.ask("DeleteItem", json!({ "TableName": "Both", "Key": key }));
    bench.pass(std::time::Duration::from_secs(1));
    let wrong = |more: Json, error: &str| {
        assert_eq!(bench.ask("RestoreTableToPointInTime", restore(more.clone()))["error"], error, "{more}");
    };
    wrong(json!({}), "ValidationException");
    wrong(json!({ "UseLatestRestorableTime": true, "RestoreDateTime": then }), "ValidationException");
    wrong(json!({ "RestoreDateTime": then - 5000.0 }), "InvalidRestoreTimeException");
    wrong(json!({ "RestoreDateTime": then + 5000.0 }), "InvalidRestoreTimeException");
    wrong(json!({ "UseLatestRestorableTime": true, "SourceTableName": "None" }), "TableNotFoundException");
    wrong(
        json!({ "UseLatestRestorableTime": true, "TargetTableName": "Hash" }),
        "TableAlreadyExistsException",
    );

    let made = bench.ask("RestoreTableToPointInTime", restore(json!({ "RestoreDateTime": then })));
    let summary = &made["TableDescription"]["RestoreSummary"];
    assert_eq!(
        summary,
        &json!({ "SourceTableArn": ARN, "RestoreDateTime": then, "RestoreInProgress": true })
    );
    let mut now = restore(latest);
    now["TargetTableName"] = "Now".into();
    bench.ask("RestoreTableToPointInTime", now);
    bench.dynamodb.engine.maintain().unwrap();
    for (table, count) in [("Both", 4), ("Then", 5), ("Now", 4)] {
        assert_eq!(
            bench.ask("Scan", json!({ "TableName": table, "Select": "COUNT" }))["Count"],
            count,
            "{table}"
        );
    }
    bench.check("DescribeContinuousBackups", json!({ "TableName": "Then" }), off.clone());
    bench.check("UpdateContinuousBackups", switch(false), off);
}
