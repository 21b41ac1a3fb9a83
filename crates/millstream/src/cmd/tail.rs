//! `millstream tail TABLE`: follows a table's change records, through the Streams API that every client has.

use super::Failure;
use super::args::Args;
use super::endpoint::Endpoint;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::time::Duration;
use world::Timestamp;

/// The pause at the tip.
const PAUSE: Duration = Duration::from_millis(200);

/// What is to be shown, and how.
struct View {
    from_horizon: bool,
    event: Option<String>,
    json: bool,
    /// Ends at the tip instead of waiting there.
    once: bool,
}

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["endpoint", "from", "event"], &["json", "pretty", "once"])?;
    let [table] = args.words.as_slice() else {
        return Err(Failure::Usage("tail takes one table: millstream tail TABLE".to_owned()));
    };
    let from_horizon = match args.values.get("from").map(String::as_str) {
        None | Some("latest") => false,
        Some("trim-horizon") => true,
        Some(other) => return Err(Failure::Usage(format!("--from {other}: latest or trim-horizon"))),
    };
    let event = args.values.get("event").map(|event| event.to_uppercase());
    if let Some(event) =
        event.as_ref().filter(|event| !["INSERT", "MODIFY", "REMOVE"].contains(&event.as_str()))
    {
        return Err(Failure::Usage(format!("--event {event}: INSERT, MODIFY or REMOVE")));
    }
    let mut endpoint = Endpoint::of(args.values.get("endpoint"))?;
    let view = View { from_horizon, event, json: args.has("json"), once: args.has("once") };
    follow(&mut endpoint, table, &view)
}

fn follow(endpoint: &mut Endpoint, table: &str, view: &View) -> Result<(), Failure> {
    let described = endpoint.call("DynamoDB_20120810.DescribeTable", &json!({ "TableName": table }))?;
    let Some(stream) = described["Table"]["LatestStreamArn"].as_str().map(str::to_owned) else {
        return Err(Failure::Failed(format!(
            "{table} has no stream: aws dynamodb update-table --table-name {table} --stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
        )));
    };
    // Shards being read, by id: their next iterator. Those that are there at the start begin where the caller
    // wants; those that appear later, at their beginning.
    let mut reading: BTreeMap<String, String> = BTreeMap::new();
    let mut begun: HashSet<String> = HashSet::new();
    let mut from_horizon = view.from_horizon;
    loop {
        for shard in shards(endpoint, &stream)? {
            let id = shard["ShardId"].as_str().unwrap_or_default().to_owned();
            // A child waits until its parent has been read.
            let waits = shard["ParentShardId"].as_str().is_some_and(|parent| reading.contains_key(parent));
            if waits || !begun.insert(id.clone()) {
                continue;
            }
            let kind = if from_horizon { "TRIM_HORIZON" } else { "LATEST" };
            let asked = json!({ "StreamArn": stream, "ShardId": id, "ShardIteratorType": kind });
            let given = endpoint.call("DynamoDBStreams_20120810.GetShardIterator", &asked)?;
            if let Some(iterator) = given["ShardIterator"].as_str() {
                reading.insert(id, iterator.to_owned());
            }
        }
        from_horizon = true;
        let mut found = false;
        for (id, iterator) in reading.clone() {
            let page = endpoint
                .call("DynamoDBStreams_20120810.GetRecords", &json!({ "ShardIterator": iterator }))?;
            for record in page["Records"].as_array().into_iter().flatten() {
                found = true;
                show(record, view);
            }
            match page["NextShardIterator"].as_str() {
                Some(next) => drop(reading.insert(id, next.to_owned())),
                None => {
                    found = true; // Its children may begin.
                    reading.remove(&id);
                }
            }
        }
        if !found {
            if view.once {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// All shards, page by page.
pub(super) fn shards(endpoint: &mut Endpoint, stream: &str) -> Result<Vec<Value>, Failure> {
    let mut all = Vec::new();
    let mut asked = json!({ "StreamArn": stream });
    loop {
        let page = endpoint.call("DynamoDBStreams_20120810.DescribeStream", &asked)?;
        all.extend(page["StreamDescription"]["Shards"].as_array().into_iter().flatten().cloned());
        match page["StreamDescription"]["LastEvaluatedShardId"].as_str() {
            Some(last) => asked["ExclusiveStartShardId"] = json!(last),
            None => return Ok(all),
        }
    }
}

fn show(record: &Value, view: &View) {
    let name = record["eventName"].as_str().unwrap_or_default();
    if view.event.as_ref().is_some_and(|event| event != name) {
        return;
    }
    if view.json {
        tell!("{record}");
        return;
    }
    let change = &record["dynamodb"];
    let seconds = change["ApproximateCreationDateTime"].as_f64().unwrap_or_default();
    let time = Timestamp::from_millis((seconds * 1e3) as u64).iso_seconds();
    tell!("{time}  {name:<6}  {}", members(&change["Keys"]));
    let (old, new) = (&change["OldImage"], &change["NewImage"]);
    let mut names: Vec<&String> =
        [old, new].into_iter().filter_map(Value::as_object).flat_map(|image| image.keys()).collect();
    names.sort();
    names.dedup();
    for attribute in names {
        let (before, after) = (&old[attribute], &new[attribute]);
        if change["Keys"][attribute].is_null() && before != after {
            tell!("    {attribute}: {} → {}", plain(before), plain(after));
        }
    }
}

fn members(image: &Value) -> String {
    let pairs = image.as_object().into_iter().flatten();
    pairs.map(|(name, value)| format!("{name}={}", plain(value))).collect::<Vec<_>>().join(" ")
}

/// A value without its type tag, where that is enough to read it.
fn plain(value: &Value) -> String {
    match value.as_object().and_then(|tagged| tagged.iter().next()) {
        None => "–".to_owned(),
        Some((tag, Value::String(text))) if tag == "N" => text.clone(),
        Some((_, inner)) => inner.to_string(),
    }
}
