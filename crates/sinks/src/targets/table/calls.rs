//! What is asked of an endpoint that holds a target.

use crate::mapping::typed;
use crate::source::{Fault, Http, Login};
use crate::{Error, Kind};
use api::dynamodb::Attributes;
use model::{Item, Number, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use world::World;

/// The table in which pipelines remember.
pub const OWN: &str = "millstream_replication";
/// Keys of one BatchGetItem, writes of one BatchWriteItem.
const GETS_MAX: usize = 100;
const WRITES_MAX: usize = 25;

pub struct Tables {
    http: Http,
}

/// A page of items, and the key after which the next begins.
#[derive(Default, Deserialize)]
struct Page {
    #[serde(rename = "Items", default)]
    items: Vec<Attributes>,
    #[serde(rename = "LastEvaluatedKey")]
    last: Option<Attributes>,
}

#[derive(Deserialize)]
struct Got {
    #[serde(rename = "Item")]
    item: Option<Attributes>,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Responses", default)]
    found: std::collections::HashMap<String, Vec<Attributes>>,
    #[serde(rename = "UnprocessedKeys", default)]
    left: Json,
}

impl Tables {
    pub fn open(login: &Login, world: &World) -> Result<Tables, Error> {
        Ok(Tables { http: Http::new(&login.endpoint, login, world)? })
    }

    pub fn ask(&mut self, operation: &str, body: &str) -> Result<Vec<u8>, Fault> {
        self.http.call(&format!("DynamoDB_20120810.{operation}"), body.as_bytes())
    }

    pub fn call(&mut self, operation: &str, body: &Json) -> Result<Json, Fault> {
        let answer = self.ask(operation, &body.to_string())?;
        serde_json::from_slice(&answer).map_err(|error| Fault::Silent(format!("{operation}: {error}")))
    }

    fn read<T: for<'a> Deserialize<'a>>(&mut self, operation: &str, body: &Json) -> Result<T, Fault> {
        let answer = self.ask(operation, &body.to_string())?;
        serde_json::from_slice(&answer).map_err(|error| Fault::Silent(format!("{operation}: {error}")))
    }

    pub fn get(&mut self, table: &str, key: &Item) -> Result<Option<Item>, Fault> {
        let asked = json!({ "TableName": table, "ConsistentRead": true, "Key": tree(key) });
        let got: Got = self.read("GetItem", &asked)?;
        Ok(got.item.map(|item| item.0))
    }

    /// The items with these keys that are there, in no order.
    pub fn get_all(&mut self, table: &str, keys: &[Item]) -> Result<Vec<Item>, Fault> {
        let mut all = Vec::new();
        for keys in keys.chunks(GETS_MAX) {
            let keys: Vec<Json> = keys.iter().map(tree).collect();
            let mut asked = json!({ table: { "ConsistentRead": true, "Keys": keys } });
            while asked.as_object().is_some_and(|tables| !tables.is_empty()) {
                let mut batch: Batch = self.read("BatchGetItem", &json!({ "RequestItems": asked }))?;
                all.extend(batch.found.remove(table).unwrap_or_default().into_iter().map(|item| item.0));
                asked = batch.left;
            }
        }
        Ok(all)
    }

    pub fn put(&mut self, table: &str, item: &Item) -> Result<(), Fault> {
        self.call("PutItem", &json!({ "TableName": table, "Item": tree(item) })).map(drop)
    }

    /// Deletes these keys, without conditions.
    pub fn delete_all(&mut self, table: &str, keys: &[Item]) -> Result<(), Fault> {
        for keys in keys.chunks(WRITES_MAX) {
            let writes: Vec<Json> =
                keys.iter().map(|key| json!({ "DeleteRequest": { "Key": tree(key) } })).collect();
            let mut asked = json!({ table: writes });
            while asked.as_object().is_some_and(|tables| !tables.is_empty()) {
                let answer = self.call("BatchWriteItem", &json!({ "RequestItems": asked }))?;
                asked = answer["UnprocessedItems"].clone();
            }
        }
        Ok(())
    }

    /// What an owner remembers under entries that begin so.
    pub fn entries(&mut self, owner: &str, prefix: &str, limit: Option<usize>) -> Result<Vec<Item>, Fault> {
        let mut asked = json!({
            "TableName": OWN, "ConsistentRead": true,
            "KeyConditionExpression": "#o = :o AND begins_with(entry, :p)",
            "ExpressionAttributeNames": { "#o": "owner" },
            "ExpressionAttributeValues": { ":o": { "S": owner }, ":p": { "S": prefix } },
        });
        if let Some(limit) = limit {
            asked["Limit"] = json!(limit);
        }
        let mut all = Vec::new();
        loop {
            let page: Page = self.read("Query", &asked)?;
            all.extend(page.items.into_iter().map(|item| item.0));
            match page.last {
                Some(last) if limit.is_none_or(|limit| all.len() < limit) => {
                    asked["ExclusiveStartKey"] = tree(&last.0);
                }
                _ => return Ok(all),
            }
        }
    }

    /// Every item of a table, a page at a time, until `each` says that it has enough.
    pub fn scan(
        &mut self,
        table: &str,
        keys: Option<&[String]>,
        limit: Option<usize>,
        mut each: impl FnMut(&mut Tables, Vec<Item>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut asked = json!({ "TableName": table, "ConsistentRead": true });
        if let Some(keys) = keys {
            let names: Vec<String> = (0..keys.len()).map(|at| format!("#k{at}")).collect();
            asked["ProjectionExpression"] = json!(names.join(", "));
            asked["ExpressionAttributeNames"] =
                names.iter().zip(keys).map(|(name, key)| (name.clone(), json!(key))).collect();
        }
        if let Some(limit) = limit {
            asked["Limit"] = json!(limit);
        }
        loop {
            let page: Page = self.read("Scan", &asked).map_err(told)?;
            let more = each(self, page.items.into_iter().map(|item| item.0).collect())?;
            match page.last {
                Some(last) if more => asked["ExclusiveStartKey"] = tree(&last.0),
                _ => return Ok(()),
            }
        }
    }
}

pub fn told(fault: Fault) -> Error {
    fault.of(Kind::Target)
}

/// The key of something that is remembered.
pub fn own(owner: &str, entry: &str) -> Item {
    [("owner", owner), ("entry", entry)]
        .map(|(name, text)| (name, Value::S(text.to_owned())))
        .into_iter()
        .collect()
}

pub fn tree(item: &Item) -> Json {
    // What was written a moment ago is JSON.
    serde_json::from_str(&typed(item)).unwrap_or_default()
}

pub fn text_of<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    match item.get(name)? {
        Value::S(text) => Some(text),
        _ => None,
    }
}

pub fn number_of(item: &Item, name: &str) -> Option<i64> {
    match item.get(name)? {
        Value::N(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

pub fn number(number: i64) -> Value {
    Value::N(Number::from(number))
}
