//! DescribeStream.

use super::{limit, stream};
use crate::fault::{constraint, validation};
use crate::tree::Tree;
use crate::{Body, Dynamodb, description};
use engine::stream::{Shard, ShardId, StreamStatus};
use serde_json::{Value as Json, json};
use servicekit::call::Call;

const LIMIT_MAX: usize = 100;

pub(crate) fn describe_stream(dynamodb: &Dynamodb, call: &Call) -> Body {
    let input = call.input()?;
    let input = Tree::of(&input);
    let stream = stream(dynamodb, &call.caller, input.text("StreamArn").unwrap_or_default())?;
    let limit = limit(input, LIMIT_MAX)?;

    let mut shards = stream.shards();
    if let Some(filter) = input.structure("ShardFilter") {
        if !filter.has("Type") {
            return Err(constraint("null", "shardFilter.type", "Member must not be null"));
        }
        let Some(parent) = filter.text("ShardId") else {
            return Err(validation("ShardId must be provided when the ShardFilter's Type is CHILD_SHARDS"));
        };
        let parent = parent.parse::<ShardId>().ok();
        shards.retain(|shard| shard.parent().is_some() && shard.parent() == parent);
    }
    if let Some(start) = input.text("ExclusiveStartShardId") {
        // A shard that is not there has nothing behind it.
        match shards.iter().position(|shard| shard.id().to_string() == start) {
            Some(at) => drop(shards.drain(..=at)),
            None => shards.clear(),
        }
    }
    let more = shards.len() > limit;
    shards.truncate(limit);

    let mut told = json!({
        "StreamArn": stream.arn(),
        "StreamLabel": &**stream.label(),
        "StreamStatus": match stream.status() {
            StreamStatus::Enabled => "ENABLED",
            StreamStatus::Disabled => "DISABLED",
        },
        "StreamViewType": stream.view().as_str(),
        "CreationRequestDateTime": stream.created().seconds_f64(),
        "TableName": &**stream.table_name(),
        "KeySchema": description::key_schema(stream.key_schema()),
        "Shards": shards.iter().map(|shard| describe(shard)).collect::<Json>(),
    });
    if let Some(last) = shards.last().filter(|_| more) {
        told["LastEvaluatedShardId"] = json!(last.id().to_string());
    }
    Ok(json!({ "StreamDescription": told }).to_string().into_bytes())
}

fn describe(shard: &Shard) -> Json {
    let mut range = json!({ "StartingSequenceNumber": shard.start().to_string() });
    // Consumers take a shard that has an end for one that gets no more records.
    if let Some(end) = shard.end() {
        range["EndingSequenceNumber"] = json!(end.to_string());
    }
    let mut told = json!({ "ShardId": shard.id().to_string(), "SequenceNumberRange": range });
    if let Some(parent) = shard.parent() {
        told["ParentShardId"] = json!(parent.to_string());
    }
    told
}
