//! `millstream trigger replay FUNCTION --table T`: a part of a stream, handed to a function again.
//!
//! It goes through the public APIs, so that what may be read and called is decided where it always is.

use super::{invoke, is_error};
use crate::cmd::Failure;
use crate::cmd::args::Args;
use crate::cmd::endpoint::Endpoint;
use crate::cmd::tail::shards;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::ffi::OsString;
use world::{Timestamp, World};

/// The largest event, with room for what is around the records.
const EVENT_BYTES_MAX: usize = 6_291_556;

/// Which records are wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Range {
    since_s: Option<f64>,
    from: u128,
    to: u128,
}

struct Replay<'a> {
    endpoint: Endpoint,
    function: &'a str,
    stream: String,
    batch_records_max: usize,
    batch: Vec<String>,
    bytes: usize,
    records: u64,
    batches: u64,
}

pub(super) fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["endpoint", "table", "since", "from", "to", "batch"], &[])?;
    let value = |name: &str| args.values.get(name).map(String::as_str);
    let ([function], Some(table)) = (args.words.as_slice(), value("table")) else {
        return Err(Failure::Usage(
            "millstream trigger replay FUNCTION --table TABLE [--since T] [--from SEQ] [--to SEQ]".to_owned(),
        ));
    };
    let range = range(value("since"), value("from"), value("to"), World::real().now())?;
    let batch_records_max = match value("batch").map_or(Ok(100), str::parse) {
        Ok(records @ 1..=10_000) => records,
        _ => return Err(Failure::Usage("--batch: 1 to 10000 records".to_owned())),
    };
    let mut endpoint = Endpoint::of(args.values.get("endpoint"))?;
    let described = endpoint.call("DynamoDB_20120810.DescribeTable", &json!({ "TableName": table }))?;
    let stream = described["Table"]["LatestStreamArn"]
        .as_str()
        .ok_or_else(|| Failure::Failed(format!("{table} has no stream")))?
        .to_owned();
    let (batch, bytes, records, batches) = (Vec::new(), 0, 0, 0);
    let mut replay = Replay { endpoint, function, stream, batch_records_max, batch, bytes, records, batches };
    replay.all(&range)?;
    tell!("{} records in {} batches handed to {function}", replay.records, replay.batches);
    Ok(())
}

fn range(
    since: Option<&str>,
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<Range, Failure> {
    let sequence = |name: &str, text: Option<&str>, default: u128| match text {
        None => Ok(default),
        Some(text) => text.parse().map_err(|_| {
            Failure::Usage(format!("--{name} {text}: the SequenceNumber of a record, in digits"))
        }),
    };
    let since_s = match since {
        None => None,
        Some(text) => Some(match text.parse::<f64>() {
            Ok(ago_s) if ago_s >= 0.0 => now.seconds_f64() - ago_s,
            _ => Timestamp::parse_iso(text).map(|time| time.seconds_f64()).ok_or_else(|| {
                Failure::Usage(format!("--since {text}: seconds ago, or a time such as 2026-11-21T01:02:03Z"))
            })?,
        }),
    };
    Ok(Range { since_s, from: sequence("from", from, 0)?, to: sequence("to", to, u128::MAX)? })
}

impl Replay<'_> {
    /// Shard by shard, parents before their children, up to what is there now.
    fn all(&mut self, range: &Range) -> Result<(), Failure> {
        let mut left = shards(&mut self.endpoint, &self.stream)?;
        while !left.is_empty() {
            let ids: HashSet<_> = left.iter().map(|shard| shard["ShardId"].to_string()).collect();
            let (ready, waiting): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|shard| !ids.contains(&shard["ParentShardId"].to_string()));
            if ready.is_empty() {
                return Err(Failure::Failed("the stream's shards have no beginning".to_owned()));
            }
            for shard in ready {
                self.shard(&shard, range)?;
                self.flush()?;
            }
            left = waiting;
        }
        Ok(())
    }

    fn shard(&mut self, shard: &Value, range: &Range) -> Result<(), Failure> {
        let asked = json!({
            "StreamArn": self.stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON",
        });
        let given = self.endpoint.call("DynamoDBStreams_20120810.GetShardIterator", &asked)?;
        let mut iterator = given["ShardIterator"].clone();
        while !iterator.is_null() {
            let asked = json!({ "ShardIterator": iterator });
            let mut page = self.endpoint.call("DynamoDBStreams_20120810.GetRecords", &asked)?;
            let Some(records) = page["Records"].as_array_mut().map(std::mem::take) else { break };
            if records.is_empty() && page["NextShardIterator"] == iterator {
                break;
            }
            let is_tip = records.is_empty();
            for record in records {
                match range.place(&record) {
                    Place::Before => {}
                    Place::Within => self.add(record)?,
                    Place::Behind => return Ok(()),
                }
            }
            if is_tip {
                break;
            }
            iterator = page["NextShardIterator"].clone();
        }
        Ok(())
    }

    fn add(&mut self, record: Value) -> Result<(), Failure> {
        let record = as_event(record, &self.stream).to_string();
        if self.batch.len() == self.batch_records_max || self.bytes + record.len() + 16 > EVENT_BYTES_MAX {
            self.flush()?;
        }
        self.bytes += record.len() + 1;
        self.batch.push(record);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let event = format!("{{\"Records\":[{}]}}", self.batch.join(","));
        let answer = invoke(&mut self.endpoint, self.function, event.as_bytes())?;
        if is_error(&answer) {
            return Err(Failure::Failed(format!(
                "{} failed after {} records: {answer}",
                self.function, self.records
            )));
        }
        self.records += self.batch.len() as u64;
        self.batches += 1;
        self.batch.clear();
        self.bytes = 0;
        Ok(())
    }
}

#[derive(Debug, PartialEq)]
enum Place {
    Before,
    Within,
    /// Everything after it is behind the range too.
    Behind,
}

impl Range {
    fn place(&self, record: &Value) -> Place {
        let change = &record["dynamodb"];
        let sequence = change["SequenceNumber"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0u128);
        let created_s = change["ApproximateCreationDateTime"].as_f64().unwrap_or(f64::MAX);
        if sequence > self.to {
            return Place::Behind;
        }
        // Records are timed in whole seconds.
        let is_early = self.since_s.is_some_and(|since_s| created_s < since_s.floor());
        if sequence < self.from || is_early { Place::Before } else { Place::Within }
    }
}

/// A record as functions are handed it: with its stream, and the service's identity in lower case.
fn as_event(mut record: Value, stream: &str) -> Value {
    if let Some(identity) = record.get("userIdentity").cloned() {
        record["userIdentity"] = json!({ "principalId": identity["PrincipalId"], "type": identity["Type"] });
    }
    record["eventSourceARN"] = stream.into();
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_of_sequences_and_times() {
        let now = Timestamp::from_millis(1_000_500);
        let range = |since, from, to| range(since, from, to, now).ok().expect("a range");
        let place = |range: Range, sequence: &str, created: u64| {
            let change = json!({ "SequenceNumber": sequence, "ApproximateCreationDateTime": created });
            range.place(&json!({ "dynamodb": change }))
        };
        let by_sequence = range(None, Some("10"), Some("20"));
        assert_eq!(place(by_sequence, "9", 0), Place::Before);
        assert_eq!(place(by_sequence, "10", 0), Place::Within);
        assert_eq!(place(by_sequence, "20", 0), Place::Within);
        assert_eq!(place(by_sequence, "21", 0), Place::Behind);
        let by_time = range(Some("10"), None, None);
        assert_eq!(place(by_time, "1", 989), Place::Before);
        assert_eq!(place(by_time, "1", 990), Place::Within);
        assert_eq!(range(Some("1970-01-01T00:16:30"), None, None).since_s, Some(990.0));
    }

    #[test]
    fn doubtful_ranges_are_refused() {
        let now = Timestamp::from_millis(0);
        for (since, from) in [(Some("yesterday"), None), (Some("-5"), None), (None, Some("first"))] {
            assert!(matches!(range(since, from, None, now), Err(Failure::Usage(_))));
        }
    }
}
