//! What is asked of the source, in its own operations.

use super::answer::{RecordsPage, ScanPage, item_of};
use super::http::{Fault, Http, Login};
use crate::join::{Sequence, Shard};
use crate::mapping::KeySchema;
use crate::{Error, Kind};
use api::dynamodb::Attributes;
use model::Item;
use model::key::KeyType;
use serde_json::{Value, json};
use world::World;

const STREAMS: &str = "DynamoDBStreams_20120810";
const TABLES: &str = "DynamoDB_20120810";
/// What is said of a position that is no more.
const GONE: [&str; 2] = ["TrimmedDataAccessException", "ResourceNotFoundException"];

#[derive(Clone, Debug)]
pub struct Description {
    pub schema: KeySchema,
    /// None: the table has no stream that is enabled.
    pub stream: Option<String>,
    /// `NEW_AND_OLD_IMAGES` …
    pub view: String,
    /// About.
    pub items: u64,
}

/// Where reading a shard begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    Horizon,
    After(Sequence),
}

/// Which part of a table a page of the scan is of.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    pub segment: u32,
    pub segments: u32,
    /// Where the page before ended, as JSON.
    pub from: Option<&'a str>,
    /// Most items of the page.
    pub limit: Option<usize>,
}

impl<'a> Part<'a> {
    /// Of the table as a whole.
    pub fn from(from: Option<&'a str>) -> Part<'a> {
        Part { segment: 0, segments: 1, from, limit: None }
    }

    /// The key behind which it begins, if there is one; the outer none: it cannot be read.
    pub fn start(&self) -> Option<Option<Item>> {
        let Some(from) = self.from else { return Some(None) };
        let Attributes(key) = serde_json::from_str(from).ok()?;
        Some(Some(key))
    }
}

pub struct Table {
    pub name: String,
    tables: Http,
    streams: Http,
}

impl Table {
    pub fn open(name: &str, login: &Login, world: &World) -> Result<Table, Error> {
        let tables = Http::new(&login.endpoint, login, world)?;
        let streams = Http::new(&login.streams_endpoint, login, world)?;
        Ok(Table { name: name.to_owned(), tables, streams })
    }

    pub fn describe(&mut self) -> Result<Description, Error> {
        let told =
            self.call(TABLES, "DescribeTable", &json!({ "TableName": self.name })).map_err(|fault| {
                match fault.is("ResourceNotFoundException") {
                    true => Error::new(
                        Kind::NoTable,
                        format!("source: there is no table {} {}", self.name, self.tables.place()),
                    ),
                    false => fault.into(),
                }
            })?;
        let table = &told["Table"];
        let kind = |name: &str| {
            let definitions = table["AttributeDefinitions"].as_array().into_iter().flatten();
            let mut types = definitions.filter(|definition| definition["AttributeName"] == name);
            KeyType::parse(types.next()?["AttributeType"].as_str()?)
        };
        let mut attributes = Vec::new();
        for element in table["KeySchema"].as_array().into_iter().flatten() {
            let name = element["AttributeName"].as_str().unwrap_or_default().to_owned();
            let kind = kind(&name).ok_or_else(strange)?;
            attributes.push((name, kind));
        }
        if attributes.is_empty() {
            return Err(strange());
        }
        let enabled = table["StreamSpecification"]["StreamEnabled"] == true;
        let view = table["StreamSpecification"]["StreamViewType"].as_str().unwrap_or_default().to_owned();
        let stream = table["LatestStreamArn"].as_str().filter(|_| enabled).map(str::to_owned);
        let items = table["ItemCount"].as_u64().unwrap_or_default();
        Ok(Description { schema: KeySchema { attributes }, stream, view, items })
    }

    /// All shards of a stream, page by page.
    pub fn shards(&mut self, stream: &str) -> Result<Vec<Shard>, Error> {
        let mut all = Vec::new();
        let mut asked = json!({ "StreamArn": stream });
        loop {
            let page = self.call(STREAMS, "DescribeStream", &asked).map_err(|fault| {
                match fault.is("ResourceNotFoundException") {
                    true => Error::new(Kind::Gap, format!("the stream {stream} is no more")),
                    false => fault.into(),
                }
            })?;
            let description = &page["StreamDescription"];
            for shard in description["Shards"].as_array().into_iter().flatten() {
                all.push(Shard {
                    id: shard["ShardId"].as_str().ok_or_else(strange)?.into(),
                    parent: shard["ParentShardId"].as_str().map(Into::into),
                    closed: shard["SequenceNumberRange"]["EndingSequenceNumber"].is_string(),
                });
            }
            match description["LastEvaluatedShardId"].as_str() {
                Some(last) => asked["ExclusiveStartShardId"] = json!(last),
                None => return Ok(all),
            }
        }
    }

    /// None: what lies there has been trimmed, perhaps with its shard, since that was listed.
    pub fn iterator(&mut self, stream: &str, shard: &str, begin: &Begin) -> Result<Option<String>, Error> {
        let mut asked = json!({ "StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        if let Begin::After(sequence) = begin {
            asked["ShardIteratorType"] = json!("AFTER_SEQUENCE_NUMBER");
            asked["SequenceNumber"] = json!(sequence.to_string());
        }
        self.given(&asked)
    }

    /// Behind the last record of a shard. None: it has been trimmed since it was listed.
    pub fn latest(&mut self, stream: &str, shard: &str) -> Result<Option<String>, Error> {
        self.given(&json!({ "StreamArn": stream, "ShardId": shard, "ShardIteratorType": "LATEST" }))
    }

    fn given(&mut self, asked: &Value) -> Result<Option<String>, Error> {
        match self.call(STREAMS, "GetShardIterator", asked) {
            Ok(given) => Ok(Some(given["ShardIterator"].as_str().ok_or_else(strange)?.to_owned())),
            Err(fault) if GONE.iter().any(|code| fault.is(code)) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    pub fn records(&mut self, iterator: &str, limit: usize) -> Result<RecordsPage, Fault> {
        let asked = json!({ "ShardIterator": iterator, "Limit": limit.clamp(1, 1000) });
        let body = self.streams.call(&format!("{STREAMS}.GetRecords"), asked.to_string().as_bytes())?;
        RecordsPage::read(&body).ok_or_else(|| unreadable("GetRecords"))
    }

    pub fn scan(&mut self, part: &Part<'_>) -> Result<ScanPage, Error> {
        self.scan_as(part, Vec::new(), |body| ScanPage::read(&body))
    }

    /// A page of the scan, as whoever asks reads it. `memory`: for the answer.
    pub fn scan_as<P>(
        &mut self,
        part: &Part<'_>,
        memory: Vec<u8>,
        read: impl FnOnce(Vec<u8>) -> Option<P>,
    ) -> Result<P, Error> {
        let Part { segment, segments, from, limit } = *part;
        let mut asked = json!({
            "TableName": self.name, "ConsistentRead": true, "ReturnConsumedCapacity": "TOTAL",
        });
        if segments > 1 {
            asked["Segment"] = json!(segment);
            asked["TotalSegments"] = json!(segments);
        }
        if let Some(limit) = limit {
            asked["Limit"] = json!(limit);
        }
        if let Some(from) = from {
            asked["ExclusiveStartKey"] = serde_json::from_str(from).map_err(|_| strange())?;
        }
        self.tables.lend(memory);
        let body = self.tables.call(&format!("{TABLES}.Scan"), asked.to_string().as_bytes())?;
        read(body).ok_or_else(|| unreadable("Scan").into())
    }

    /// The item with this key, as it is now.
    pub fn get(&mut self, key: &Item) -> Result<Option<Item>, Error> {
        let key: Value = serde_json::from_str(&crate::mapping::typed(key)).map_err(|_| strange())?;
        let asked = json!({ "TableName": self.name, "ConsistentRead": true, "Key": key });
        let body = self.tables.call(&format!("{TABLES}.GetItem"), asked.to_string().as_bytes())?;
        item_of(&body).ok_or_else(|| unreadable("GetItem").into())
    }

    pub fn call(&mut self, service: &str, operation: &str, body: &Value) -> Result<Value, Fault> {
        let http = if service == STREAMS { &mut self.streams } else { &mut self.tables };
        let answer = http.call(&format!("{service}.{operation}"), body.to_string().as_bytes())?;
        serde_json::from_slice(&answer).map_err(|_| unreadable(operation))
    }
}

pub(super) fn unreadable(operation: &str) -> Fault {
    Fault::Refused {
        code: "Unreadable".to_owned(),
        message: format!("the answer to {operation} cannot be read"),
        status: 200,
        reasons: Vec::new(),
    }
}

fn strange() -> Error {
    Error::new(Kind::Source, "source: the endpoint's description of the table cannot be read")
}
