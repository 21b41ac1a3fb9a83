//! What a destination is told of records that a mapping gave up.

use engine::stream::Sequence;
use feed::{BoxFuture, Destination, DropReason, Letter};
use serde_json::{Value, json};
use servicekit::post::{Place, Post};
use world::{Timestamp, World};

pub(super) struct LetterBox {
    pub place: Place,
    pub post: Post,
    pub world: World,
}

impl Destination for LetterBox {
    fn bury(&self, letter: Letter) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let (now, id) = (self.world.now(), self.world.uuid());
            let is_bucket = matches!(self.place, Place::Bucket { .. });
            let mut document = document(&letter, now, &id);
            if is_bucket {
                document["payload"] = payload(&letter)?;
                document = sorted(document);
            }
            let key = key(&letter, now, &self.world.uuid());
            self.post.send(&self.place, &letter.mapping.region, &key, &document.to_string()).await
        })
    }
}

/// `id` stands for the invocation that never was.
fn document(letter: &Letter, now: Timestamp, id: &str) -> Value {
    let report = letter.report.as_ref().filter(|_| letter.invocations > 0);
    let (first, last) = (letter.records.first(), letter.records.last());
    let sequence = |record: Option<&feed::Buried>| {
        record.map(|record| Sequence(record.sequence).to_string()).unwrap_or_default()
    };
    let arrival = |record: Option<&feed::Buried>| {
        record.map(|record| format!("{}Z", record.created.iso_seconds())).unwrap_or_default()
    };
    let mut told = json!({
        "requestContext": {
            "requestId": report.map_or(id, |report| &report.request_id),
            "functionArn": letter.mapping.target,
            "condition": letter.reason.condition(),
            "approximateInvokeCount": letter.invocations.max(1),
        },
    });
    // [reference: event-source-mapping §4] What grew too old has no response, whatever was tried before.
    if let (Some(report), DropReason::RetriesExhausted) = (report, letter.reason) {
        told["responseContext"] = json!({
            "statusCode": 200,
            "executedVersion": report.version,
            "functionError": report.error,
        });
    }
    told["version"] = "1.0".into();
    told["timestamp"] = now.to_string().into();
    told["DDBStreamBatchInfo"] = json!({
        "shardId": &*letter.shard,
        "startSequenceNumber": sequence(first),
        "endSequenceNumber": sequence(last),
        "approximateArrivalOfFirstRecord": arrival(first),
        "approximateArrivalOfLastRecord": arrival(last),
        "batchSize": letter.records.len(),
        "streamArn": letter.mapping.stream,
    });
    told
}

fn payload(letter: &Letter) -> Result<Value, String> {
    let records = letter.records.iter().map(|record| serde_json::from_slice(&record.encoded));
    let records: Vec<Value> = records.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    Ok(json!({ "Records": records }))
}

/// The name of a letter's object in a bucket.
fn key(letter: &Letter, now: Timestamp, id: &str) -> String {
    let day = now.iso_seconds();
    let (date, _) = day.split_once('T').expect("a time follows the date");
    let (date, time) = (date.replace('-', "/"), day.replace(':', "."));
    format!("aws/lambda/{}/{}/{date}/{time}-{id}", letter.mapping.id, letter.shard)
}

/// Objects in the order of their members' names, all the way down.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
