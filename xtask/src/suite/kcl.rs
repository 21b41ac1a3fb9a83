//! `cargo xtask suite kcl`: a worker of the Kinesis Client Library, by its adapter for DynamoDB, on a stream whose shards
//! roll over while it reads. Slow; needs a JDK and Maven.

use super::{Result, client, lines, succeed};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;
use testkit::{Node, TempDir};

const ITEMS: usize = 300;
/// Shards that are to be read to their end.
const ENDS: usize = 3;
/// The worker looks for new shards every second, and takes leases every ten.
const SILENCE_MAX: Duration = Duration::from_secs(90);

pub(super) fn run(root: &Path, binary: &str) -> Result<()> {
    let build = root.join("target/suite-kcl");
    std::fs::create_dir_all(build.join("classes"))?;
    let source = root.join("xtask/suites/kcl");
    let libraries = build.join("lib");
    let mut maven = Command::new("mvn");
    maven.args(["-q", "-B", "dependency:copy-dependencies", "-f"]).arg(source.join("pom.xml"));
    succeed(maven.arg(format!("-DoutputDirectory={}", libraries.display())))?;
    let path = format!("{}:{}/*", build.join("classes").display(), libraries.display());
    let mut compiler = Command::new("javac");
    compiler.args(["-nowarn", "-cp", &path, "-d"]).arg(build.join("classes"));
    succeed(compiler.arg(source.join("Consumer.java")))?;

    let data = TempDir::new("suite-kcl");
    let node = Node::start(binary, data.path(), &["--shard-rollover-s", "15"]);
    let stream = table(&node)?;
    let mut java = Command::new("java");
    java.args(["-Xmx256m", "-cp", &path, "example.Consumer", &node.url(), &stream, "worker"]);
    let mut worker = client(&mut java, &node).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let read = write_and_read(&node, &mut worker);
    let _ = worker.kill();
    let _ = worker.wait();
    let (shards, records) = read?;
    println!("{records} records of {shards} shards, each once, parents before their children");
    Ok(())
}

fn table(node: &Node) -> Result<String> {
    let made = node.client().dynamodb(
        "CreateTable",
        &json!({
            "TableName": "Changes",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        }),
    )?;
    let arn = made.json()["TableDescription"]["LatestStreamArn"].as_str().map(str::to_owned);
    arn.ok_or_else(|| made.text().into())
}

/// Writes as shards come and go, and follows what the worker prints; how many shards and records it saw.
fn write_and_read(node: &Node, worker: &mut Child) -> Result<(usize, usize)> {
    let lines = lines(worker)?;
    let (mut begun, mut ended) = (Vec::new(), BTreeSet::new());
    let mut seen = BTreeSet::new();
    let mut written = 0;
    while seen.len() < ITEMS || ended.len() < ENDS {
        // A share before the first shard is read, and one as each ends.
        // The server closes connections that are quiet as long as a shard may be.
        let mut client = node.client();
        while written < ITEMS && written <= ended.len() * ITEMS / (ENDS + 1) + ITEMS / (ENDS + 1) {
            let item = json!({ "TableName": "Changes", "Item": { "id": { "S": written.to_string() } } });
            let answer = client.dynamodb("PutItem", &item)?;
            if answer.status != 200 {
                return Err(answer.text().into());
            }
            written += 1;
        }
        let line = lines.recv_timeout(SILENCE_MAX).map_err(|why| match why {
            RecvTimeoutError::Timeout => {
                format!("silence after {} records, {} shards", seen.len(), ended.len())
            }
            RecvTimeoutError::Disconnected => "the worker ended".to_owned(),
        })?;
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            [shard, "begin"] => {
                parents_have_ended(node, shard, &ended)?;
                begun.push((*shard).to_owned());
            }
            [_, "record", "INSERT", id] if seen.insert((*id).to_owned()) => {}
            [shard, "end", "TERMINATE"] => drop(ended.insert((*shard).to_owned())),
            _ => return Err(format!("not expected: {line}").into()),
        }
    }
    Ok((begun.len(), seen.len()))
}

fn parents_have_ended(node: &Node, shard: &str, ended: &BTreeSet<String>) -> Result<()> {
    let mut client = node.client();
    let streams = client.streams("ListStreams", &json!({ "TableName": "Changes" }))?.json();
    let asked = json!({ "StreamArn": streams["Streams"][0]["StreamArn"] });
    let described = client.streams("DescribeStream", &asked)?.json();
    let shards = described["StreamDescription"]["Shards"].as_array().cloned().unwrap_or_default();
    let parent = shards.iter().find(|one| one["ShardId"] == shard).map(|one| one["ParentShardId"].clone());
    match parent.ok_or_else(|| format!("{shard} is not described"))? {
        Value::String(parent) if !ended.contains(&parent) => {
            Err(format!("{shard} was begun before the end of {parent}").into())
        }
        _ => Ok(()),
    }
}
