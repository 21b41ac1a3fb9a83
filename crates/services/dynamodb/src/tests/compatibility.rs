//! `docs/compatibility.md` is written from the models, from what operations answer, and from the list by which they refuse.

use super::Bench;
use crate::compatibility::{REFUSED, refused};
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use wire::Operation;
use wire::Service;
use wire::shape::{Kind, Shape};

/// What is done in another way than AWS does it: operation, parameter (none: the operation as a whole), and how.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("CreateTable", "OnDemandThroughput", HELD),
    ("CreateTable", "ProvisionedThroughput", HELD),
    ("CreateTable", "ResourcePolicy", NOT_EVALUATED),
    ("CreateTable", "SSESpecification", "kept and described; nothing is encrypted for it"),
    ("CreateTable", "TableClass", KEPT),
    ("CreateTable", "WarmThroughput", KEPT),
    ("DeleteItem", "ReturnItemCollectionMetrics", ESTIMATE),
    ("PutItem", "ReturnItemCollectionMetrics", ESTIMATE),
    ("UpdateItem", "ReturnItemCollectionMetrics", ESTIMATE),
    ("BatchWriteItem", "ReturnItemCollectionMetrics", ESTIMATE),
    ("TransactWriteItems", "ReturnItemCollectionMetrics", ESTIMATE),
    ("PutResourcePolicy", "ConfirmRemoveSelfResourceAccess", "changes nothing"),
    ("PutResourcePolicy", "Policy", NOT_EVALUATED),
    ("UpdateTable", "OnDemandThroughput", HELD),
    ("UpdateTable", "ProvisionedThroughput", HELD),
    ("UpdateTable", "SSESpecification", "kept and described; nothing is encrypted for it"),
    ("UpdateTable", "TableClass", KEPT),
    ("UpdateTable", "WarmThroughput", KEPT),
    ("ListContributorInsights", "TableName", NONE),
    ("ListContributorInsights", "NextToken", NONE),
    ("ListContributorInsights", "MaxResults", NONE),
    ("ListGlobalTables", "ExclusiveStartGlobalTableName", NONE),
    ("ListGlobalTables", "Limit", NONE),
    ("ListGlobalTables", "RegionName", NONE),
    ("ExportTableToPointInTime", "ExportFormat", "`ION` is refused by name"),
    ("ImportTable", "TableCreationParameters", "`VectorIndexes` is refused by name"),
    ("ImportTable", "InputFormat", "`ION` is refused by name"),
    ("ImportTable", "InputCompressionType", "`ZSTD` is refused by name"),
    (
        "UpdateTimeToLive",
        "TimeToLiveSpecification",
        "may be changed as often as wanted; items go within about a second",
    ),
    (
        "ExecuteStatement",
        "Statement",
        "`ORDER BY` a sort key takes one partition, or the partition key before it",
    ),
];

const HELD: &str = "bounds something with `--throttle` only";
const NONE: &str = "there are none";
const KEPT: &str = "kept and described; changes nothing";
const NOT_EVALUATED: &str = "evaluated with `--auth enforce` only";
const ESTIMATE: &str = "the estimate is always 0 to 1 GB";

fn services() -> [&'static Service; 2] {
    [&api::tables::dynamodb::SERVICE, &api::tables::dynamodbstreams::SERVICE]
}

fn members(operation: &Operation) -> Vec<(&'static str, &'static Shape)> {
    match operation.input.map(|shape| &shape.kind) {
        Some(Kind::Structure(input)) => {
            input.members.iter().map(|member| (member.name, member.shape)).collect()
        }
        _ => Vec::new(),
    }
}

fn works(bench: &Bench, operation: &str) -> bool {
    bench.ask(operation, json!({}))["error"] != "UnknownOperationException"
}

fn page(bench: &Bench) -> String {
    let mut page = String::from(
        "# Compatibility\n\n\
         Every operation of DynamoDB and DynamoDB Streams, and every parameter. Written by `cargo xtask compatibility`\n\
         from the tables that the server itself works by; a test fails when it is stale. What is refused is refused by its\n\
         name, never ignored. [Differences](differences.md) tells of behaviour.\n",
    );
    for service in services() {
        let title = if service.name == "dynamodb" { "DynamoDB" } else { "DynamoDB Streams" };
        let (here, absent): (Vec<&Operation>, Vec<&Operation>) =
            service.operations.iter().partition(|operation| works(bench, operation.name));
        let _ = write!(
            page,
            "\n## {title}\n\n| operation | works | refused by name | works differently |\n|---|---|---|---|\n"
        );
        for operation in here {
            row(&mut page, operation);
        }
        let absent = absent.iter().map(|operation| operation.name);
        let absent: Vec<&str> = absent.chain(service.refused.iter().map(|refused| refused.name)).collect();
        if !absent.is_empty() {
            let absent: Vec<String> = absent.iter().map(|name| format!("`{name}`")).collect();
            let _ = write!(page, "\nRefused by name (`UnknownOperationException`): {}.\n", absent.join(", "));
        }
    }
    page
}

fn row(page: &mut String, operation: &Operation) {
    let mut cells = [const { Vec::new() }; 3];
    for (member, _) in members(operation) {
        let how = DIFFERENT.iter().find(|(name, other, _)| *name == operation.name && *other == member);
        match how {
            _ if refused(operation.name).contains(&member) => cells[1].push(format!("`{member}`")),
            Some((_, _, how)) => cells[2].push(format!("`{member}`: {how}")),
            None => cells[0].push(format!("`{member}`")),
        }
    }
    let [works, refused, differs] = cells;
    let (works, refused, differs) = (works.join(" "), refused.join(" "), differs.join("; "));
    let _ = writeln!(page, "| `{}` | {works} | {refused} | {differs} |", operation.name);
}

#[test]
fn the_page_is_what_the_tables_say() {
    let page = page(&Bench::with_tables());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/compatibility.md");
    if std::env::var_os("WRITE_COMPATIBILITY").is_some() {
        std::fs::write(&path, &page).expect("the page is written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/compatibility.md is stale: run `cargo xtask compatibility`");
}

#[test]
fn what_the_lists_name_is_there() {
    let known = |operation: &str, member: &str| {
        services().iter().any(|service| {
            let operation = service.operation(operation);
            operation.is_some_and(|operation| members(operation).iter().any(|(name, _)| *name == member))
        })
    };
    for (operation, member, _) in DIFFERENT {
        assert!(known(operation, member) && !refused(operation).contains(member), "{operation} {member}");
    }
    for (operation, refused) in REFUSED {
        for member in *refused {
            assert!(known(operation, member), "{operation} {member}");
        }
    }
}

#[test]
fn what_is_refused_is_refused_by_its_name() {
    let bench = Bench::with_tables();
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/Hash/backup/01489602797149-73d8d5bc";
    for (operation, refused) in REFUSED {
        let base = match *operation {
            "CreateTable" => json!({
                "TableName": "Made",
                "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
            }),
            "ExportTableToPointInTime" => json!({
                "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/Hash", "S3Bucket": "shelf",
            }),
            "RestoreTableFromBackup" => json!({ "TargetTableName": "Made", "BackupArn": arn }),
            "RestoreTableToPointInTime" => json!({ "TargetTableName": "Made", "SourceTableName": "Hash" }),
            _ => json!({ "TableName": "Hash" }),
        };
        let known = services()[0].operation(operation).map(members).unwrap_or_default();
        for member in *refused {
            let (_, shape) = known.iter().find(|(name, _)| name == member).expect("the model has it");
            let mut input = base.clone();
            input[member] = sample(shape);
            bench.refuses(
                operation,
                input,
                &format!(
                    "One or more parameter values were invalid: {member} is not supported by this server"
                ),
            );
        }
    }
}

/// The least that fits a shape.
fn sample(shape: &Shape) -> Json {
    match &shape.kind {
        Kind::Structure(structure) => {
            let required = structure.members.iter().filter(|member| member.required);
            required.map(|member| (member.name.to_owned(), sample(member.shape))).collect()
        }
        Kind::List(list) => json!([sample(list.member)]),
        Kind::Map(_) => json!({}),
        Kind::String(text) => match text.one_of.first() {
            Some(first) => json!(first),
            None => json!("a".repeat(usize::try_from(text.length.min.max(3)).unwrap_or(3))),
        },
        Kind::Integer(range) | Kind::Long(range) | Kind::Float(range) | Kind::Double(range) => {
            json!(range.min.max(1))
        }
        Kind::Boolean => json!(true),
        Kind::Blob(_) => json!("YQ=="),
        Kind::Timestamp(_) => json!(0),
        Kind::Document => json!({}),
    }
}

/// A parameter that works is one that somebody reads: its name stands in the sources.
#[test]
fn what_works_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    gather(&root.join("src"), &mut sources);
    gather(&root.join("../../api/src/dynamodb"), &mut sources);
    let bench = Bench::with_tables();
    for operation in services().iter().flat_map(|service| service.operations) {
        if !works(&bench, operation.name) {
            continue;
        }
        for (member, shape) in members(operation) {
            let different =
                DIFFERENT.iter().any(|(name, other, _)| *name == operation.name && *other == member);
            if !different && !refused(operation.name).contains(&member) {
                read(&sources, &format!("{} {member}", operation.name), member, shape, 0);
            }
        }
    }
}

fn read(sources: &str, path: &str, name: &str, shape: &Shape, depth: usize) {
    assert!(sources.contains(&format!("\"{name}\"")), "{path} is accepted, and nobody reads it");
    // Values nest in themselves.
    if depth > 6 {
        return;
    }
    match &shape.kind {
        Kind::Structure(structure) => {
            for member in structure.members {
                read(sources, &format!("{path}.{}", member.name), member.name, member.shape, depth + 1);
            }
        }
        Kind::List(list) => read(sources, path, name, list.member, depth + 1),
        Kind::Map(map) => read(sources, path, name, map.value, depth + 1),
        _ => {}
    }
}

fn gather(folder: &Path, sources: &mut String) {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "tests" {
            gather(&path, sources);
        } else if name.ends_with(".rs") && !["tests.rs", "compatibility.rs"].contains(&name) {
            sources.push_str(&std::fs::read_to_string(&path).expect("the file is read"));
        }
    }
}
