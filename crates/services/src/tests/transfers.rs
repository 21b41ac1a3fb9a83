//! Tables to buckets and back, in a house of their own.

mod imports;

use crate::Services;
use crate::testing::{Scratch, services};
use flate2::read::MultiGzDecoder;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use servicekit::body::Whole;
use servicekit::call::Caller;
use std::io::Read;
use std::time::Duration;
use store::Store;
use world::World;

struct Bench {
    services: Option<Services>,
    store: Store,
    world: World,
    dir: Scratch,
}

fn caller() -> Caller {
    Caller { account: "123456789012".into(), region: "us-east-1".into(), access_key: None }
}

impl Bench {
    async fn new() -> Bench {
        let (world, store) = (World::simulated(31), Store::memory());
        let dir = Scratch::new();
        let services = Some(services(&store, &world, &dir.0));
        let bench = Bench { services, store, world, dir };
        bench.ask_of("s3", "CreateBucket", json!({ "Bucket": "shelf" })).await.expect("a bucket");
        bench
    }

    fn house(&self) -> &Services {
        self.services.as_ref().expect("the server runs")
    }

    /// The server stops, and another one goes on with what it left.
    async fn restart(&mut self) {
        let stopped = self.services.take().expect("the server runs");
        stopped.shutdown().await;
        drop(stopped);
        self.services = Some(services(&self.store, &self.world, &self.dir.0));
        self.house().recover().await.expect("all goes on");
    }

    async fn ask_of(&self, service: &str, operation: &str, input: Value) -> Result<Value, String> {
        let answer = self.house().house().ask(&caller(), service, operation, input).await;
        answer.map_err(|error| format!("{}: {}", error.name(), error.message.as_deref().unwrap_or_default()))
    }

    /// A call to DynamoDB that must go well.
    async fn good(&self, operation: &str, input: Value) -> Value {
        let answer = self.ask_of("dynamodb", operation, input).await;
        answer.unwrap_or_else(|words| panic!("{operation}: {words}"))
    }

    async fn refused(&self, operation: &str, input: Value) -> String {
        match self.ask_of("dynamodb", operation, input).await {
            Ok(answer) => panic!("{operation}: {answer}"),
            Err(words) => words,
        }
    }

    async fn put_object(&self, key: &str, body: impl Into<bytes::Bytes>) {
        let input = json!({ "Bucket": "shelf", "Key": key });
        let body = Box::new(Whole(Some(body.into())));
        self.house().house().put_object(&caller(), input, body).await.expect("an object");
    }

    async fn object(&self, key: &str) -> Vec<u8> {
        let place = servicekit::house::Object { bucket: "shelf", key, version: None };
        self.house().house().object(&place, 1 << 30).await.unwrap_or_else(|error| panic!("{key}: {error}"))
    }

    async fn keys(&self) -> Vec<String> {
        let listed = self.ask_of("s3", "ListObjectsV2", json!({ "Bucket": "shelf" })).await.expect("a list");
        let contents = listed["Contents"].as_array().cloned().unwrap_or_default();
        contents.iter().map(|object| object["Key"].as_str().expect("a key").to_owned()).collect()
    }

    /// The table `Music`, whose past is kept.
    async fn table(&self) -> String {
        let made = self.good("CreateTable", parameters("Music")).await;
        self.good(
            "UpdateContinuousBackups",
            json!({
                "TableName": "Music",
                "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
            }),
        )
        .await;
        made["TableDescription"]["TableArn"].as_str().expect("an ARN").to_owned()
    }

    async fn put(&self, id: &str, n: u64) {
        let item = json!({ "id": { "S": id }, "n": { "N": n.to_string() } });
        self.good("PutItem", json!({ "TableName": "Music", "Item": item })).await;
    }

    /// What became of a job.
    async fn done(&self, word: &str, arn: &Value) -> Value {
        let (operation, member, status, told) = match word {
            "Export" => ("DescribeExport", "ExportArn", "ExportStatus", "ExportDescription"),
            _ => ("DescribeImport", "ImportArn", "ImportStatus", "ImportTableDescription"),
        };
        loop {
            let described = self.good(operation, json!({ member: arn })).await[told].take();
            if described[status] != "IN_PROGRESS" {
                return described;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn export(&self, input: Value) -> Value {
        let begun = self.good("ExportTableToPointInTime", input).await["ExportDescription"].take();
        assert_eq!(begun["ExportStatus"], "IN_PROGRESS");
        self.done("Export", &begun["ExportArn"]).await
    }

    async fn import(&self, table: &str, mut input: Value) -> Value {
        input["TableCreationParameters"] = parameters(table);
        let begun = self.good("ImportTable", input).await["ImportTableDescription"].take();
        assert_eq!(begun["ImportStatus"], "IN_PROGRESS");
        self.done("Import", &begun["ImportArn"]).await
    }

    async fn items(&self, table: &str) -> Vec<Value> {
        let mut page = self.good("Scan", json!({ "TableName": table })).await;
        let mut items: Vec<Value> = std::mem::take(page["Items"].as_array_mut().expect("items"));
        items.sort_by_key(Value::to_string);
        items
    }

    /// The lines of the data files that an export's manifest names, whose sums are right.
    async fn lines(&self, manifest: &str) -> Vec<Value> {
        let summary = self.object(manifest).await;
        let sum = self.object(&manifest.replace(".json", ".md5")).await;
        assert_eq!(String::from_utf8_lossy(&sum), wire::base64::encode(&Md5::digest(&summary)));
        let summary: Value = serde_json::from_slice(&summary).expect("a summary");
        let files = self.object(summary["manifestFilesS3Key"].as_str().expect("a key")).await;
        let mut lines = Vec::new();
        for file in String::from_utf8_lossy(&files).lines() {
            let file: Value = serde_json::from_str(file).expect("a line");
            let packed = self.object(file["dataFileS3Key"].as_str().expect("a key")).await;
            assert_eq!(file["md5Checksum"], wire::base64::encode(&Md5::digest(&packed)));
            let mut text = String::new();
            MultiGzDecoder::new(&packed[..]).read_to_string(&mut text).expect("a compressed file");
            let found: Vec<Value> =
                text.lines().map(|line| serde_json::from_str(line).expect("a line")).collect();
            assert_eq!(file["itemCount"], found.len());
            lines.extend(found);
        }
        assert_eq!(summary["itemCount"], lines.len());
        lines.sort_by_key(Value::to_string);
        lines
    }
}

fn parameters(name: &str) -> Value {
    json!({
        "TableName": name,
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_goes_to_a_bucket_and_comes_back() {
    let bench = Bench::new().await;
    let arn = bench.table().await;
    for n in 0..5 {
        bench.put(&format!("a{n}"), n).await;
    }
    let asked = json!({
        "TableArn": arn, "S3Bucket": "shelf", "S3Prefix": "out", "ClientToken": "once",
    });
    let told = bench.export(asked.clone()).await;
    assert_eq!(told["ExportStatus"], "COMPLETED", "{told}");
    assert_eq!((&told["ItemCount"], &told["ExportType"]), (&json!(5), &json!("FULL_EXPORT")));
    assert!(told["BilledSizeBytes"].as_u64().is_some_and(|bytes| bytes > 0));
    let id = told["ExportArn"].as_str().expect("an ARN").rsplit('/').next().expect("an id").to_owned();
    assert_eq!(told["ExportManifest"], format!("out/AWSDynamoDB/{id}/manifest-summary.json"));
    let keys = bench.keys().await;
    for name in ["_started", "manifest-files.json", "manifest-files.md5", "manifest-summary.md5"] {
        assert!(keys.contains(&format!("out/AWSDynamoDB/{id}/{name}")), "{name}: {keys:?}");
    }
    let lines = bench.lines(told["ExportManifest"].as_str().expect("a key")).await;
    assert_eq!(lines[3], json!({ "Item": { "id": { "S": "a3" }, "n": { "N": "3" } } }));

    // The same request is the same export; another one with its token is not.
    let again = bench.good("ExportTableToPointInTime", asked.clone()).await;
    assert_eq!(again["ExportDescription"]["ExportArn"], told["ExportArn"]);
    let mut other = asked;
    other["S3Prefix"] = json!("other");
    let words = bench.refused("ExportTableToPointInTime", other).await;
    assert!(words.starts_with("ExportConflictException: "), "{words}");
    let listed = bench.good("ListExports", json!({ "TableArn": arn })).await;
    assert_eq!(
        listed["ExportSummaries"],
        json!([{ "ExportArn": told["ExportArn"], "ExportStatus": "COMPLETED", "ExportType": "FULL_EXPORT" }])
    );

    let source = json!({ "S3Bucket": "shelf", "S3KeyPrefix": format!("out/AWSDynamoDB/{id}/data/") });
    let told = bench
        .import(
            "Copy",
            json!({
                "S3BucketSource": source, "InputFormat": "DYNAMODB_JSON", "InputCompressionType": "GZIP",
            }),
        )
        .await;
    assert_eq!(
        (&told["ImportStatus"], &told["ImportedItemCount"]),
        (&json!("COMPLETED"), &json!(5)),
        "{told}"
    );
    assert_eq!(bench.items("Copy").await, bench.items("Music").await);
    let listed = bench.good("ListImports", json!({})).await;
    assert_eq!(listed["ImportSummaryList"][0]["ImportArn"], told["ImportArn"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incremental_export_tells_what_became_of_items() {
    let bench = Bench::new().await;
    let arn = bench.table().await;
    bench.put("kept", 1).await;
    bench.put("gone", 1).await;
    // What is written in one moment belongs to one period.
    let later = || {
        bench.world.advance(Duration::from_millis(5));
        bench.world.now()
    };
    let from = later();
    bench.put("kept", 2).await;
    bench.put("new", 1).await;
    bench.put("brief", 1).await;
    for id in ["gone", "brief"] {
        let key = json!({ "id": { "S": id } });
        bench.good("DeleteItem", json!({ "TableName": "Music", "Key": key })).await;
    }
    let to = later();
    bench.put("kept", 3).await;
    let period = json!({ "ExportFromTime": from.seconds_f64(), "ExportToTime": to.seconds_f64() });
    let asked = json!({
        "TableArn": arn, "S3Bucket": "shelf", "ExportType": "INCREMENTAL_EXPORT",
        "IncrementalExportSpecification": period,
    });
    let told = bench.export(asked.clone()).await;
    assert_eq!(told["ExportStatus"], "COMPLETED", "{told}");
    let mut lines = bench.lines(told["ExportManifest"].as_str().expect("a key")).await;
    for line in &mut lines {
        let at = line["Metadata"]["WriteTimestampMicros"]["N"].take();
        let at: u64 = at.as_str().and_then(|at| at.parse().ok()).expect("a number");
        assert!(at / 1000 >= from.millis() && at / 1000 < to.millis());
        line.as_object_mut().expect("a line").remove("Metadata");
    }
    let image = |id: &str, n: &str| json!({ "id": { "S": id }, "n": { "N": n } });
    let key = |id: &str| json!({ "id": { "S": id } });
    assert_eq!(
        lines,
        [
            json!({ "Keys": key("gone"), "OldImage": image("gone", "1") }),
            json!({ "Keys": key("kept"), "NewImage": image("kept", "2"), "OldImage": image("kept", "1") }),
            json!({ "Keys": key("new"), "NewImage": image("new", "1") }),
        ]
    );
    // Data of incremental exports lies together, and new images may be all that is wanted.
    assert!(bench.keys().await.iter().any(|key| key.starts_with("AWSDynamoDB/data/")));
    let mut asked = asked;
    asked["IncrementalExportSpecification"]["ExportViewType"] = json!("NEW_IMAGE");
    let told = bench.export(asked).await;
    let lines = bench.lines(told["ExportManifest"].as_str().expect("a key")).await;
    assert!(lines.len() == 3 && lines.iter().all(|line| line.get("OldImage").is_none()), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_exported_is_told() {
    let bench = Bench::new().await;
    let export = "ExportTableToPointInTime";
    let missing = "arn:aws:dynamodb:us-east-1:123456789012:table/None";
    let words = bench.refused(export, json!({ "TableArn": missing, "S3Bucket": "shelf" })).await;
    assert_eq!(words, format!("TableNotFoundException: Table not found: {missing}"));
    bench.good("CreateTable", parameters("Plain")).await;
    let plain = "arn:aws:dynamodb:us-east-1:123456789012:table/Plain";
    assert_eq!(
        bench.refused(export, json!({ "TableArn": plain, "S3Bucket": "shelf" })).await,
        "PointInTimeRecoveryUnavailableException: Point in time recovery is not enabled for table 'Plain'"
    );
    let arn = bench.table().await;
    for (members, expect) in [
        (
            json!({ "ExportFormat": "ION" }),
            "ValidationException: One or more parameter values were invalid: ExportFormat ION is not supported by this server",
        ),
        (json!({ "ExportTime": 1.0 }), "InvalidExportTimeException: "),
        (json!({ "ExportType": "INCREMENTAL_EXPORT" }), "ValidationException: "),
        (
            json!({
                "ExportType": "INCREMENTAL_EXPORT",
                "IncrementalExportSpecification": { "ExportFromTime": 2.0, "ExportToTime": 1.0 },
            }),
            "InvalidExportTimeException: ",
        ),
    ] {
        let mut asked = json!({ "TableArn": arn, "S3Bucket": "shelf" });
        asked.as_object_mut().expect("members").extend(members.as_object().cloned().unwrap_or_default());
        let words = bench.refused(export, asked).await;
        assert!(words.starts_with(expect), "{words}");
    }
    let told = bench.export(json!({ "TableArn": arn, "S3Bucket": "nobodys" })).await;
    assert_eq!((&told["ExportStatus"], &told["FailureCode"]), (&json!("FAILED"), &json!("S3NoSuchBucket")));
    let arn = format!("{arn}/export/01489602797149-73d8d5bc");
    let words = bench.refused("DescribeExport", json!({ "ExportArn": arn })).await;
    assert_eq!(words, format!("ExportNotFoundException: Export not found: {arn}"));
}
