//! GetShardIterator.

use super::token::Token;
use super::{shard, stream};
use crate::fault::{Fault, data, validation};
use crate::tree::Tree;
use crate::{Body, Dynamodb};
use engine::stream::{Position, Sequence};
use serde_json::json;
use servicekit::call::Call;
use world::Timestamp;

pub(crate) fn get_shard_iterator(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let now = dynamodb.world.now();
    let arn = input.text("StreamArn").unwrap_or_default();
    let position = position(input, now)?;
    let stream = stream(dynamodb, &call.caller, arn)?;
    let shard = shard(&stream, input.text("ShardId").unwrap_or_default())?;
    let after = dynamodb.engine.stream_position(&shard, position).map_err(data)?;
    let token = Token { stream: stream.arn(), shard: shard.id().to_string(), after, issued: now };
    Ok(json!({ "ShardIterator": dynamodb.seal.issue(&token) }).to_string().into_bytes())
}

fn position(input: Tree<'_>, now: Timestamp) -> Result<Position, Fault> {
    let kind = input.text("ShardIteratorType").unwrap_or_default();
    let time = input.get("Timestamp").and_then(|time| time.as_f64());
    match (kind, input.text("SequenceNumber"), time) {
        ("TRIM_HORIZON", None, None) => Ok(Position::TrimHorizon),
        ("LATEST", None, None) => Ok(Position::Latest),
        ("AT_SEQUENCE_NUMBER", Some(number), None) => sequence(number).map(Position::At),
        ("AFTER_SEQUENCE_NUMBER", Some(number), None) => sequence(number).map(Position::After),
        ("AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER", None, _) => Err(validation(format!(
            "Invalid ShardIteratorType and SequenceNumber combination: SequenceNumber is required for {kind}"
        ))),
        ("AT_TIMESTAMP", None, Some(seconds)) => {
            let time = Timestamp::from_millis((seconds.max(0.0) * 1000.0).round() as u64);
            match time > now {
                true => Err(validation("Timestamp must not be in the future")),
                false => Ok(Position::AtTime(time)),
            }
        }
        ("AT_TIMESTAMP", None, None) => Err(validation("Timestamp is required for AT_TIMESTAMP")),
        (kind, Some(_), _) => Err(validation(format!(
            "Invalid ShardIteratorType and SequenceNumber combination: SequenceNumber must not be given for {kind}"
        ))),
        (kind, None, _) => Err(validation(format!("Timestamp must not be given for {kind}"))),
    }
}

fn sequence(text: &str) -> Result<Sequence, Fault> {
    text.parse().map_err(|_| validation(format!("Invalid SequenceNumber: {text}")))
}
