//! The source: a Millstream of its own, filled, scanned bare, and changed.

use super::{Bench, Result, bare};
use serde_json::{Value, json};
use std::path::Path;
use testkit::{Client, Node};

const CONNECTIONS: usize = 8;
const BATCH: usize = 25;
pub const TABLE: &str = "Rates";
const SEGMENTS: usize = 4;

pub struct Source {
    pub node: Node,
}

impl Source {
    pub fn start(bench: &Bench, dir: &Path) -> Result<Source> {
        let node = Node::start(&bench.binary, &dir.join("source"), &[]);
        let source = Source { node };
        source.table(TABLE)?;
        source.write(bench.rows, |at| bare::item(at, 0))?;
        Ok(source)
    }

    pub fn table(&self, name: &str) -> Result<()> {
        let made = self.node.client().dynamodb(
            "CreateTable",
            &json!({
                "TableName": name,
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            }),
        )?;
        if made.status == 200 { Ok(()) } else { Err(made.text().into()) }
    }

    /// `version`: another than the last, for what changes nothing makes no record.
    pub fn change_all(&self, bench: &Bench, version: usize) -> Result<()> {
        self.write(bench.rows, |at| bare::item(at, version))
    }

    pub fn write(&self, count: usize, item: impl Fn(usize) -> Value + Sync) -> Result<()> {
        let worker = |from: usize| -> std::io::Result<()> {
            let mut client = Client::connect(self.node.address())?;
            for first in (from * BATCH..count).step_by(CONNECTIONS * BATCH) {
                let put = |at| json!({ "PutRequest": { "Item": item(at) } });
                let puts: Vec<Value> = (first..count.min(first + BATCH)).map(put).collect();
                let asked = json!({ "RequestItems": { TABLE: puts } });
                let answer = client.dynamodb("BatchWriteItem", &asked)?;
                if answer.status != 200 {
                    return Err(std::io::Error::other(answer.text()));
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..CONNECTIONS).map(|from| scope.spawn(move || worker(from))).collect();
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
        })?;
        Ok(())
    }

    /// Iterators of what comes from now on, one of each shard.
    pub fn heads(&self) -> Result<Vec<String>> {
        let mut client = self.node.client();
        let told = client.dynamodb("DescribeTable", &json!({ "TableName": TABLE }))?.json();
        let stream = &told["Table"]["LatestStreamArn"];
        let told = client.streams("DescribeStream", &json!({ "StreamArn": stream }))?.json();
        let mut heads = Vec::new();
        for shard in told["StreamDescription"]["Shards"].as_array().into_iter().flatten() {
            let asked = json!({
                "StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "LATEST",
            });
            let told = client.streams("GetShardIterator", &asked)?.json();
            heads.push(told["ShardIterator"].as_str().unwrap_or_default().to_owned());
        }
        Ok(heads)
    }

    /// The records of all shards at once, whose answers are thrown away.
    pub fn read_records(&self, heads: Vec<String>) -> Result<()> {
        let worker = |mut iterator: String| -> std::io::Result<()> {
            let mut client = Client::connect(self.node.address())?;
            loop {
                let told = client.streams("GetRecords", &json!({ "ShardIterator": iterator }))?.text();
                if told.starts_with("{\"Records\":[]") {
                    return Ok(());
                }
                let Some((_, next)) = told.rsplit_once("\"NextShardIterator\":\"") else { return Ok(()) };
                iterator = next.split('"').next().unwrap_or_default().to_owned();
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = heads.into_iter().map(|head| scope.spawn(move || worker(head))).collect();
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
        })?;
        Ok(())
    }

    /// A scan by as many as ours, whose answers are thrown away.
    pub fn scan(&self) -> Result<()> {
        let worker = |segment: usize| -> std::io::Result<()> {
            let mut client = Client::connect(self.node.address())?;
            let mut asked = json!({
                "TableName": TABLE, "ConsistentRead": true, "Segment": segment, "TotalSegments": SEGMENTS,
            });
            loop {
                let answer = client.dynamodb("Scan", &asked)?;
                let text = answer.text();
                let Some((_, rest)) = text.rsplit_once("\"LastEvaluatedKey\":") else { return Ok(()) };
                let mut last = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
                asked["ExclusiveStartKey"] = last.next().transpose()?.unwrap_or_default();
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..SEGMENTS).map(|segment| scope.spawn(move || worker(segment))).collect();
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
        })?;
        Ok(())
    }
}
