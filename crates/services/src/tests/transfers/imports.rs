//! Objects of many forms, and what cannot be an item.

use super::Bench;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

fn source(prefix: &str) -> Value {
    json!({ "S3Bucket": "shelf", "S3KeyPrefix": prefix })
}

/// Imported, with errors, read.
fn counts(told: &Value) -> [u64; 3] {
    ["ImportedItemCount", "ErrorCount", "ProcessedItemCount"]
        .map(|member| told[member].as_u64().expect(member))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_stand_one_after_the_other() {
    let bench = Bench::new().await;
    // Twice the same key, a line feed or none between items, and an object that has nothing.
    let text = r#"{"Item":{"id":{"S":"a"},"n":{"N":"1"}}}
{"Item":{"id":{"S":"b"}}}{"Item":{"id":{"S":"a"},"n":{"N":"2"}}}"#;
    bench.put_object("in/1", text).await;
    bench.put_object("in/2", "").await;
    bench.put_object("in/folder/", "").await;
    bench.put_object("other", "no JSON").await;
    let told = bench
        .import("Taken", json!({ "S3BucketSource": source("in/"), "InputFormat": "DYNAMODB_JSON" }))
        .await;
    assert_eq!(told["ImportStatus"], "COMPLETED", "{told}");
    assert_eq!(counts(&told), [2, 0, 3]);
    assert_eq!(told["ProcessedSizeBytes"], text.len());
    assert_eq!(
        bench.items("Taken").await,
        [json!({ "id": { "S": "a" }, "n": { "N": "2" } }), json!({ "id": { "S": "b" } })]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_item_is_told_and_the_rest_is_put() {
    let bench = Bench::new().await;
    let lines = [
        r#"{"Item":{"id":{"S":"a"}}}"#,
        r#"{"id":{"S":"b"}}"#,
        r#"{"Item":{"n":{"N":"1"}}}"#,
        r#"{"Item":{"id":{"S":"c"},"n":{"N":"x"}}}"#,
        r#"{"Item":{"id":{"S":"d"}}}"#,
    ];
    bench.put_object("in/1", lines.join("\n")).await;
    // Nothing behind what is no JSON is read.
    bench.put_object("in/2", r#"{"Item":{"id":{"S":"e"}}} no JSON {"Item":{"id":{"S":"f"}}}"#).await;
    let told = bench
        .import("Taken", json!({ "S3BucketSource": source("in/"), "InputFormat": "DYNAMODB_JSON" }))
        .await;
    assert_eq!(
        (&told["ImportStatus"], &told["FailureCode"]),
        (&json!("FAILED"), &json!("ItemValidationError"))
    );
    assert_eq!(counts(&told), [3, 4, 7]);
    let ids: Vec<Value> = bench.items("Taken").await.iter().map(|item| item["id"]["S"].clone()).collect();
    assert_eq!(ids, ["a", "d", "e"]);

    let arn = told["ImportArn"].as_str().expect("an ARN");
    let stream = format!("{}/error", arn.rsplit('/').next().expect("an id"));
    let group = "/aws-dynamodb/imports";
    let group_arn = format!("arn:aws:logs:us-east-1:123456789012:log-group:{group}:*");
    assert_eq!(told["CloudWatchLogGroupArn"], group_arn);
    let asked = json!({ "logGroupName": group, "logStreamName": stream, "startFromHead": true });
    let events = bench.ask_of("logs", "GetLogEvents", asked).await.expect("events")["events"].take();
    let events: Vec<Value> = events
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| serde_json::from_str(event["message"].as_str().expect("a message")).expect("JSON"))
        .collect();
    assert_eq!(events.len(), 4);
    let missing = events.iter().find(|event| event["itemS3Pointer"]["itemIndex"] == 2);
    assert_eq!(
        missing,
        Some(&json!({
            "itemS3Pointer": { "bucket": "shelf", "key": "in/1", "itemIndex": 2 },
            "importArn": arn,
            "errorMessages": ["One or more parameter values were invalid: Missing the key id in the item"],
        }))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_separated_as_asked() {
    let bench = Bench::new().await;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(b"id;title\na;\"x;y\"\n\nb;\n").expect("memory");
    bench.put_object("gz", packed.finish().expect("memory")).await;
    let csv = |options: Value| json!({ "Csv": options });
    let told = bench
        .import(
            "Taken",
            json!({
                "S3BucketSource": source("gz"), "InputFormat": "CSV", "InputCompressionType": "GZIP",
                "InputFormatOptions": csv(json!({ "Delimiter": ";" })),
            }),
        )
        .await;
    assert_eq!((told["ImportStatus"].as_str(), counts(&told)), (Some("COMPLETED"), [2, 0, 2]), "{told}");
    assert_eq!(
        bench.items("Taken").await,
        [json!({ "id": { "S": "a" }, "title": { "S": "x;y" } }), json!({ "id": { "S": "b" } })]
    );
    // With a list of names, the first row is an item too; a row that is too long, or never ends, is none.
    bench.put_object("csv", "id,title\na,b,c\nd,\"e\nf,g\n").await;
    let told = bench
        .import(
            "Under",
            json!({
                "S3BucketSource": source("csv"), "InputFormat": "CSV",
                "InputFormatOptions": csv(json!({ "HeaderList": ["id", "title"] })),
            }),
        )
        .await;
    assert_eq!((told["ImportStatus"].as_str(), counts(&told)), (Some("FAILED"), [1, 2, 3]), "{told}");
    assert_eq!(bench.items("Under").await, [json!({ "id": { "S": "id" }, "title": { "S": "title" } })]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_imported_is_told() {
    let bench = Bench::new().await;
    let base = json!({ "S3BucketSource": source(""), "InputFormat": "DYNAMODB_JSON" });
    for (member, value, expect) in [
        ("InputFormat", "ION", "InputFormat ION is not supported by this server"),
        ("InputCompressionType", "ZSTD", "InputCompressionType ZSTD is not supported by this server"),
    ] {
        let mut asked = base.clone();
        asked["TableCreationParameters"] = super::parameters("Taken");
        asked[member] = json!(value);
        let words = bench.refused("ImportTable", asked).await;
        let expect = format!("ValidationException: One or more parameter values were invalid: {expect}");
        assert_eq!(words, expect);
    }
    let told = bench
        .import(
            "Taken",
            json!({ "S3BucketSource": { "S3Bucket": "nobodys" }, "InputFormat": "DYNAMODB_JSON" }),
        )
        .await;
    assert_eq!((&told["ImportStatus"], &told["FailureCode"]), (&json!("FAILED"), &json!("S3NoSuchBucket")));
    assert_eq!(
        told["FailureMessage"],
        "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket)"
    );
    assert_eq!(bench.good("ListTables", json!({})).await["TableNames"], json!([]));
    bench.table().await;
    let mut asked = base;
    asked["TableCreationParameters"] = super::parameters("Music");
    let words = bench.refused("ImportTable", asked).await;
    assert_eq!(words, "ResourceInUseException: Table already exists: Music");
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Taken/import/01489602797149-73d8d5bc";
    let words = bench.refused("DescribeImport", json!({ "ImportArn": arn })).await;
    assert_eq!(words, format!("ImportNotFoundException: Import not found: {arn}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stopped_server_left_goes_on() {
    let mut bench = Bench::new().await;
    let arn = bench.table().await;
    let items: String = (0..3000).map(|n| format!(r#"{{"Item":{{"id":{{"S":"{n:06}"}}}}}}"#)).collect();
    bench.put_object("many", items).await;
    bench.put("a", 1).await;
    let export = bench
        .good("ExportTableToPointInTime", json!({ "TableArn": arn, "S3Bucket": "shelf" }))
        .await["ExportDescription"]["ExportArn"]
        .take();
    let asked = json!({
        "S3BucketSource": source("many"), "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": super::parameters("Taken"),
    });
    let import = bench.good("ImportTable", asked).await["ImportTableDescription"]["ImportArn"].take();
    // What is written from here on is not in the export.
    bench.world.advance(std::time::Duration::from_millis(5));
    bench.put("b", 1).await;
    bench.restart().await;
    let told = bench.done("Import", &import).await;
    assert_eq!(
        (told["ImportStatus"].as_str(), counts(&told)),
        (Some("COMPLETED"), [3000, 0, 3000]),
        "{told}"
    );
    let told = bench.done("Export", &export).await;
    assert_eq!((&told["ExportStatus"], &told["ItemCount"]), (&json!("COMPLETED"), &json!(1)), "{told}");
    let lines = bench.lines(told["ExportManifest"].as_str().expect("a key")).await;
    assert_eq!(lines[0]["Item"]["id"]["S"], "a");
}
