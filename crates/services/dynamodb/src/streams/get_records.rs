//! GetRecords.

use super::{limit, shard, stream};
use crate::answer::corrupt;
use crate::fault::data;
use crate::tree::Tree;
use crate::{Body, Dynamodb};
use api::dynamodb::{Object, StreamRecord, stream_record};
use engine::stream::{Record, Records, Sequence, Shard};
use engine::{Engine, Error};
use model::CorruptImage;
use servicekit::call::Call;

const LIMIT_MAX: usize = 1000;
const RECORDS_BYTES_MAX: usize = 1 << 20;

pub(crate) fn get_records(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let now = dynamodb.world.now();
    let token = dynamodb.seal.good(input.text("ShardIterator").unwrap_or_default(), now)?;
    let stream = stream(dynamodb, &call.caller, &token.stream)?;
    let shard = shard(&stream, &token.shard)?;
    let limit = limit(input, LIMIT_MAX)?;
    let read = read(&dynamodb.engine, &shard, token.after, limit).map_err(data)?;

    // As JSON a record takes about twice as much as in the log.
    let logged: usize = read.records.iter().map(|record| record.bytes() + 200).sum();
    let mut body = Vec::with_capacity(512 + 2 * logged);
    let mut object = Object::new(&mut body);
    let out = object.member("Records");
    out.push(b'[');
    for (at, record) in read.records.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(record, &call.caller.region, out).map_err(corrupt)?;
    }
    out.push(b']');
    // A closed shard that has been read to its end has no next iterator: that is how consumers learn of it.
    if let Some(after) = read.next {
        object.string("NextShardIterator", &dynamodb.seal.next(token, after, now));
    }
    object.end();
    Ok(body)
}

/// The records of a page.
pub(crate) fn read(engine: &Engine, shard: &Shard, after: Sequence, limit: usize) -> Result<Records, Error> {
    engine.read_records(shard, after, limit, RECORDS_BYTES_MAX)
}

fn write(record: &Record, region: &str, out: &mut Vec<u8>) -> Result<(), CorruptImage> {
    let (event_id, sequence_number) = (record.event_id(), record.sequence.digits());
    let told = StreamRecord {
        event_id: &event_id,
        event_name: record.event.as_str(),
        region,
        created_seconds: record.created.seconds(),
        keys: record.keys(),
        new_image: record.after(),
        old_image: record.before(),
        sequence_number: &sequence_number,
        size_bytes: record.size_bytes as usize,
        view_type: record.view.as_str(),
        service_delete: record.service_delete,
        source_arn: None,
    };
    stream_record(&told, out)
}
